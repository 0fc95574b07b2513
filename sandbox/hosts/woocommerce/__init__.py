"""WooCommerce as the sandbox plays it: a store at every host below `.example`, each with its own products and keys.

This file sends each request to its part. `.example` is reserved (RFC 2606 §2): no real store is ever meant.
"""

from typing import ClassVar

import msgspec
from werkzeug.wrappers import Request, Response

from sandbox.answers import as_json
from sandbox.grants import tail_of
from sandbox.hosts.woocommerce.api import Api
from sandbox.hosts.woocommerce.catalogue import Catalogue
from sandbox.hosts.woocommerce.generation import totals
from sandbox.hosts.woocommerce.handover import AUTHORIZE, Handover, Manner
from sandbox.hosts.woocommerce.hosting import MODES, Hosting
from sandbox.hosts.woocommerce.keys import MANAGER, PERMISSIONS, ROLES, Keys, credentials_of
from sandbox.hosts.woocommerce.listing import Wanted
from sandbox.hosts.woocommerce.media import UPLOADS, Media
from sandbox.hosts.woocommerce.numbers import MOST_COMPUTED
from sandbox.hosts.woocommerce.refusals import Refused, critical_error, not_found_page, page
from sandbox.hosts.woocommerce.resource import picture_json
from sandbox.hosts.woocommerce.stores import DEMO_STORE, FOLDER, located, store_called
from sandbox.hosts.woocommerce.stores import Store as Shop
from sandbox.platform import ControlForm, ControlRefused, Description, Page, Platform, count_and_seed, refuse_unknown
from sandbox.store import Document, Store

_API = "/wp-json"
_REALM = "WooCommerce API. Use a consumer key in the username field and a consumer secret in the password field."


class WooCommerce(Platform):
    """All stores; the account of the ledger and of control calls (`shop`) is the store's address without https."""

    key: ClassVar[str] = "woocommerce"
    name: ClassVar[str] = "WooCommerce"
    has_lifetimes = False
    hosts: ClassVar[tuple[str, ...]] = ("*.example",)
    forms: ClassVar[tuple[ControlForm, ...]] = (
        ControlForm("Say how keys are handed over", "POST", "handover", ("shop", "order", "seconds")),
        ControlForm("Say how the web host behaves", "POST", "hosting", ("shop", "mode")),
        ControlForm("Delete a product", "DELETE", "products/{id}", ("id", "shop")),
    )
    token_fields: ClassVar[tuple[str, ...]] = ("scopes", "role", "shop")
    # `user_id` is whatever the app wants back, which makes it what `state` is elsewhere
    secret_parameters: ClassVar[frozenset[str]] = frozenset({"consumer_key", "consumer_secret", "user_id"})

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._keys = Keys(store)
        self._catalogue = Catalogue(store)
        self._media = Media(store, self._catalogue)
        self._handover = Handover(store, self._keys)
        self._api = Api(self._keys, self._catalogue, self._media)
        self._hosting = Hosting(store)

    def reset(self) -> None:
        """The demo store with its twelve products, all other stores empty."""
        self._catalogue.fill_demo(Shop(DEMO_STORE))

    def handle(self, request: Request, host: str, path: str) -> Response:
        """Answer for the store, or for the web host that stands in its way."""
        store, rest = located(host, path)
        mode = self._hosting.mode(store)
        if rest.startswith(UPLOADS):
            return self._media.serve(store, request, rest)
        refusal = self._hosting.refusal(mode, rest)
        if refusal is not None:
            return refusal
        if rest == AUTHORIZE:
            return self._handover.authorize(store, request)
        route = _route_of(request, rest)
        if route is None:
            return page(store.name, f"<h1>{store.name}</h1>", 200) if rest == "/" else not_found_page()
        return self._hosting.disfigured(mode, self._answered(store, self._hosting.received(mode, request), route))

    def is_api_call(self, request: Request, host: str, path: str) -> bool:
        """Calls of the REST API; the consent page and pictures are not."""
        return _route_of(request, located(host, path)[1]) is not None

    def describe(self, request: Request, host: str, path: str) -> Description:
        """The store, and the last characters of the consumer key."""
        credentials = credentials_of(request)
        return Description(
            token_tail=tail_of(credentials.key) if credentials else None, account=located(host, path)[0].key
        )

    def rate_limit(self, request: Request, host: str, path: str, seconds: float) -> Response:  # noqa: ARG002 - one for all
        """WooCommerce has no limits; the firewall in front of a store has, and says so in HTML."""
        response = page("429 Too Many Requests", "<center><h1>429 Too Many Requests</h1></center>", 429)
        response.headers["Retry-After"] = str(max(1, round(seconds)))
        return response

    def server_error(self, request: Request, host: str, path: str) -> Response:  # noqa: ARG002 - one answer for all
        """What WordPress answers when a plugin fails."""
        return critical_error()

    def expire_tokens(self) -> None:
        """Keys have no end. What comes nearest: their owner deletes them."""
        self._keys.delete_all()

    def revoke_grants(self) -> None:
        """Delete every key in the settings of every store."""
        self._keys.delete_all()

    def issue_token(self, wanted: Document) -> Document:
        """New keys of `shop`, as its settings would show them: `scopes` is the permission, `role` the user's."""
        refuse_unknown(wanted, "shop", "account", "scopes", "role")
        store = _store_of(wanted.get("shop") or wanted.get("account"))
        permission, role = wanted.get("scopes") or "read_write", wanted.get("role") or MANAGER
        if permission not in PERMISSIONS:
            raise ControlRefused(f"scopes must be one of {', '.join(PERMISSIONS)}")
        if role not in ROLES:
            raise ControlRefused(f"role must be one of {', '.join(ROLES)}")
        return self._keys.make(store, "Sandbox", permission, role=role) | {"store_url": store.home}

    def generate(self, wanted: Document) -> Document:
        """Give a store `count` computed products of a `seed`; made ones stay."""
        count, seed = count_and_seed(wanted, MOST_COMPUTED, "shop")
        store = _store_of(wanted.get("shop"))
        self._catalogue.generate(store, count, seed)
        return {"shop": store.key, "count": count, "seed": seed, **totals(count)}

    def collections(self, shop: str | None) -> dict[str, int]:
        """Products, the pictures that were uploaded, and the keys given out."""
        store = _store_of(shop)
        return {
            "products": self._api.listing.count(store),
            "media": self._catalogue.count_pictures(store),
            "keys": self._keys.count(store),
        }

    def page(self, collection: str, cursor: str | None, limit: int, shop: str | None) -> Page:
        """Products by id, pictures by id, keys without their secret; the cursor of products counts them."""
        store = _store_of(shop)
        if collection == "keys":
            return Page(*self._keys.listed(store, cursor, limit))
        if cursor is not None and not (cursor.isascii() and cursor.isdigit()):
            raise ControlRefused("cursor is none of this collection")
        after = int(cursor or 0)
        if collection == "media":
            found = self._catalogue.pictures(store, after, limit)
            more = str(found[-1]["id"]) if len(found) == limit else None
            return Page([picture_json(store, picture) for picture in found], more)
        wanted = Wanted("id", is_descending=False, offset=after, limit=limit)
        documents, total = self._api.listing.page(store, wanted)
        shown = [self._api.shown(store, document) for document in documents]
        return Page(shown, str(after + limit) if after + limit < total else None)

    def control(self, request: Request, rest: str) -> Response | None:
        """`POST handover`, `POST hosting` and `DELETE products/<id>`, each with `shop`."""
        body = request.get_json(silent=True)
        wanted = dict(body) if isinstance(body, dict) else {}
        store = _store_of(wanted.pop("shop", request.args.get("shop")))
        if rest == "handover" and request.method == "POST":
            self._handover.behave(store, msgspec.convert(wanted, Manner))
            return as_json(wanted)
        if rest == "hosting" and request.method == "POST":
            if wanted.get("mode") not in MODES:
                raise ControlRefused(f"mode must be one of {', '.join(MODES)}")
            self._hosting.behave(store, wanted["mode"])
            return as_json(wanted)
        post = rest.removeprefix("products/")
        if post != rest and request.method == "DELETE":
            if not (post.isascii() and post.isdigit()) or self._catalogue.product(store, int(post)) is None:
                raise ControlRefused("There is no such product", 404)
            self._catalogue.delete(store, int(post))
            return Response(status=204)
        return None

    def _answered(self, store: Shop, request: Request, route: str) -> Response:
        try:
            return self._api.handle(store, request, route)
        except Refused as refusal:
            response = refusal.answer()
            if refusal.code == "woocommerce_rest_authentication_error":
                response.headers["WWW-Authenticate"] = f'Basic realm="{_REALM}"'
            return response


def _route_of(request: Request, rest: str) -> str | None:
    """What a call asks of the REST API, None for a page: below `/wp-json`, or named in the query."""
    if rest == _API or rest.startswith(f"{_API}/"):
        return rest.removeprefix(_API)
    return request.args.get("rest_route") if rest in ("/", "/index.php") else None


def _store_of(text: object) -> Shop:
    """The store that a control call means; raises ControlRefused."""
    if text is None:
        return Shop(DEMO_STORE)
    store = store_called(text) if isinstance(text, str) else None
    if store is None:
        raise ControlRefused(f"shop must be NAME.example or NAME.example{FOLDER}")
    return store
