"""Shopify as the sandbox plays it: one host per shop, the storage for uploads and the delivery network for pictures.

This file sends each request to its part; GraphQL and Pillow are loaded when they are first needed.
"""

import io
import re
import secrets
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from werkzeug.wrappers import Request, Response

from sandbox.answers import as_json, refused
from sandbox.grants import Grant, GrantRefused, Grants, tail_of
from sandbox.hosts.shopify import cdn, staging
from sandbox.hosts.shopify.catalogue import Catalogue, Span
from sandbox.hosts.shopify.csv_import import CsvRefused, import_products
from sandbox.hosts.shopify.demo import demo_products
from sandbox.hosts.shopify.generator import totals
from sandbox.hosts.shopify.ids import DEMO_SHOP, MOST_GENERATED, SHOP_PATTERN, serial_of
from sandbox.hosts.shopify.media import Media
from sandbox.hosts.shopify.oauth import DEFAULT_SCOPES, OAuth, known_scopes, split_scopes, token_fields, with_implied
from sandbox.hosts.shopify.rest import Rest, throttled
from sandbox.hosts.shopify.rest_json import media_json, product_json
from sandbox.hosts.shopify.shops import shop_domain
from sandbox.hosts.shopify.staging import Staging
from sandbox.platform import ControlForm, ControlRefused, Description, Page, Platform, count_and_seed, refuse_unknown
from sandbox.store import Document, Store

if TYPE_CHECKING:
    from sandbox.hosts.shopify.graphql_api import GraphQLApi

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
_TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105 - a path, no secret
_AUTHORIZE_PATH = "/admin/oauth/authorize"
_API_PATH = re.compile(r"/admin/api/(\d{4}-\d{2}|unstable)/(.+)")
_BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105 - a sentence


class Shopify(Platform):
    """All shops; the account of the ledger and of grants is the shop's domain."""

    key: ClassVar[str] = "shopify"
    name: ClassVar[str] = "Shopify"
    hosts: ClassVar[tuple[str, ...]] = ("*.myshopify.com", cdn.HOST, staging.HOST)
    forms: ClassVar[tuple[ControlForm, ...]] = (
        ControlForm("Fill a shop from a product file", "POST", "products", ("shop", "replace"), csv=True),
        ControlForm("Remove a product", "DELETE", "products/{handle}", ("handle",)),
    )

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._grants = Grants(store, self.key)
        self._oauth = OAuth(store, self._grants)
        self._catalogue = Catalogue(store)
        self._staging = Staging(store)
        self._media = Media(store, self._catalogue, self._staging)
        self._rest = Rest(self._catalogue, self._media)

    @cached_property
    def _graphql(self) -> "GraphQLApi":
        from sandbox.hosts.shopify.graphql_api import GraphQLApi

        return GraphQLApi(self.store, self._catalogue, self._media, self._staging, self._oauth)

    def reset(self) -> None:
        """The demo shop with its twelve products, all other shops empty, all buckets full."""
        for product in demo_products():
            self._catalogue.put_content(DEMO_SHOP, product)
        self._rest.buckets.clear()
        if "_graphql" in self.__dict__:
            self._graphql.buckets.clear()

    def handle(self, request: Request, host: str, path: str) -> Response:
        """Answer for a shop, for the storage or for the delivery network."""
        if host == cdn.HOST:
            return cdn.handle(self.store, request, path)
        if host == staging.HOST:
            return self._staging.handle(request, path)
        response = self._shop_answer(request, host, path)
        response.headers["X-Request-Id"] = f"{secrets.token_hex(16)}-{secrets.randbelow(10**10)}"
        response.headers["X-Shopify-Stage"] = "sandbox"
        return response

    def is_api_call(self, request: Request, host: str, path: str) -> bool:  # noqa: ARG002 - host and path tell
        """Calls of the APIs, of the token endpoint and uploads; the consent page and pictures are not."""
        if host == staging.HOST:
            return True
        return host != cdn.HOST and path.startswith("/admin/") and path != _AUTHORIZE_PATH

    def describe(self, request: Request, host: str, path: str) -> Description:
        """Shop, the grant type of a token call, the GraphQL root field, the last characters of the token."""
        account = host if host.endswith(".myshopify.com") else None
        if path == _TOKEN_PATH:
            grant_type = token_fields(request).get("grant_type", "authorization_code")
            return Description(grant_type=grant_type, account=account)
        operation = None
        if path.endswith("/graphql.json") and request.method == "POST":
            from sandbox.hosts.shopify.graphql_api import root_field

            operation = root_field(request)
        token_tail = tail_of(request.headers.get("X-Shopify-Access-Token", ""))
        return Description(operation=operation, token_tail=token_tail, account=account)

    def rate_limit(self, request: Request, host: str, path: str, seconds: float) -> Response:  # noqa: ARG002 - the path tells
        """THROTTLED in HTTP 200 for GraphQL, 429 with a decimal Retry-After for everything else."""
        if path.endswith("/graphql.json"):
            return self._graphql.throttled(seconds)
        response = throttled(seconds)
        response.headers["X-Shopify-Shop-Api-Call-Limit"] = "40/40"
        return response

    def server_error(self, request: Request, host: str, path: str) -> Response:  # noqa: ARG002 - one answer for all
        """Shopify's own words for a failure of its own."""
        return as_json({"errors": "Internal Server Error"}, 500)

    def expire_tokens(self) -> None:
        """Make every present access token expired."""
        self._grants.expire_access_tokens()

    def revoke_grants(self) -> None:
        """Kill every grant, as if the app had been taken out of all shops."""
        self._grants.revoke_all()

    def issue_token(self, wanted: Document) -> Document:
        """A token answer for `shop` with `scopes` (text or list); expiring unless `expiring` is false."""
        refuse_unknown(wanted, "shop", "account", "scopes", "expiring", "client_id")
        shop = _shop_of(wanted.get("shop") or wanted.get("account"))
        scopes = wanted.get("scopes")
        listed = split_scopes(scopes) if isinstance(scopes, str) else list(scopes or DEFAULT_SCOPES)
        if not set(listed) <= known_scopes():
            raise ControlRefused("scopes must be scopes that Shopify knows")
        app = self._grants.apps.get(str(wanted.get("client_id", f"sandbox-{self.key}")))
        if app is None:
            raise ControlRefused("client_id is no app of the sandbox")
        return self._oauth.issue(app, shop, listed, expiring=wanted.get("expiring", True) is not False)

    def generate(self, wanted: Document) -> Document:
        """Give a shop `count` computed products of a `seed`; its stored products stay."""
        count, seed = count_and_seed(wanted, MOST_GENERATED, "shop")
        shop = _shop_of(wanted.get("shop"))
        self._catalogue.generate(shop, count, seed)
        return {"shop": shop, "count": count, "seed": seed, **totals(count)}

    def collections(self, shop: str | None) -> dict[str, int]:
        """Products and their pictures, computed ones too."""
        domain = _shop_of(shop)
        return {"products": self._catalogue.count(domain), "media": self._catalogue.count_media(domain)}

    def page(self, collection: str, cursor: str | None, limit: int, shop: str | None) -> Page:
        """Products as REST has them, pictures as GraphQL has them; the cursor is the last product's number."""
        domain = _shop_of(shop)
        after = None
        if cursor is not None:
            after = serial_of(domain, int(cursor)) if cursor.isascii() and cursor.isdigit() else None
            if after is None:
                raise ControlRefused("cursor is none of this collection")
        return (self._media_page if collection == "media" else self._product_page)(domain, after, limit)

    def control(self, request: Request, rest: str) -> Response | None:
        """Product files in, single products out."""
        if rest == "products" and request.method == "POST":
            return self._import(request)
        handle = rest.removeprefix("products/")
        if handle != rest and request.method == "DELETE":
            body = request.get_json(silent=True)
            named = body.get("shop") if isinstance(body, dict) else None
            shop = _shop_of(request.args.get("shop", named))
            document = self._catalogue.by_handle(shop, handle)
            if document is None:
                raise ControlRefused("There is no such product", 404)
            self._catalogue.delete(shop, document)
            return Response(status=204)
        return None

    def _import(self, request: Request) -> Response:
        if request.mimetype != "text/csv":
            raise ControlRefused("This call takes text/csv", 415)
        shop = _shop_of(request.args.get("shop"))
        replace = request.args.get("replace", "").lower() in {"1", "true", "on", "yes"}
        try:
            counts = import_products(self._catalogue, shop, io.BytesIO(request.get_data()), replace=replace)
        except CsvRefused as refusal:
            lines = [{"line": problem.line, "error": problem.text} for problem in refusal.problems]
            return as_json({"error": str(refusal), "lines": lines}, 422)
        return as_json(counts)

    def _shop_answer(self, request: Request, host: str, path: str) -> Response:
        if not SHOP_PATTERN.fullmatch(host):
            return refused("There is no such shop", 404)
        if path == _AUTHORIZE_PATH:
            return self._oauth.authorize(request, host)
        if path == _TOKEN_PATH:
            return self._oauth.token(request, host)
        match = _API_PATH.fullmatch(path)
        version = _version(match[1]) if match else VERSIONS[0]
        is_known = version is not None and (match is not None or path in _UNVERSIONED)
        if not is_known or version is None:
            return as_json({"errors": "Not Found"}, 404)
        grant = self._grant(request, host)
        if grant is None:
            return as_json({"errors": _BAD_TOKEN}, 401)
        response = self._api_answer(request, grant, path, match[2] if match else "", version)
        response.headers["X-Shopify-API-Version"] = version
        return response

    def _api_answer(self, request: Request, grant: Grant, path: str, resource: str, version: str) -> Response:
        if resource == "graphql.json" and request.method == "POST":
            return self._graphql.handle(request, grant, self._grants.apps[grant.client_id])
        if path == "/admin/oauth/access_scopes.json" and request.method == "GET":
            return as_json({"access_scopes": [{"handle": scope} for scope in with_implied(grant.scopes)]})
        if path == "/admin/api_permissions/current.json" and request.method == "DELETE":
            self._oauth.uninstall(grant)
            return as_json({})
        return self._rest.handle(request, grant, resource, version)

    def _grant(self, request: Request, host: str) -> Grant | None:
        """The grant behind the request's token, if it is live and of this shop."""
        try:
            grant = self._grants.live_access(request.headers.get("X-Shopify-Access-Token", ""))
        except GrantRefused:
            return None
        return grant if grant and grant.account == host else None

    def _product_page(self, shop: str, after: int | None, limit: int) -> Page:
        found = []
        for document in self._catalogue.entries(shop, Span(after)):
            found.append(document)
            if len(found) > limit:
                break
        shown = found[:limit]
        more = str(shown[-1]["number"]) if len(found) > limit else None
        return Page([product_json(document) for document in shown], more)

    def _media_page(self, shop: str, after: int | None, limit: int) -> Page:
        """Pictures product by product; a page ends with a whole product, so it may hold more than `limit`."""
        shown: list[Document] = []
        last: str | None = None
        for document in self._catalogue.entries(shop, Span(after)):
            if len(shown) >= limit:
                return Page(shown, last)
            shown.extend(media_json(document, entry) for entry in document["media"])
            last = str(document["number"])
        return Page(shown, None)


_UNVERSIONED = frozenset({"/admin/oauth/access_scopes.json", "/admin/api_permissions/current.json"})


def _version(asked: str) -> str | None:
    """The version that answers: itself, the oldest one for those gone by, None for those to come."""
    if asked in VERSIONS or asked == "unstable":
        return asked
    return VERSIONS[0] if asked < VERSIONS[0] and asked[5:] in {"01", "04", "07", "10"} else None


def _shop_of(text: object) -> str:
    """The shop that a control call means; raises ControlRefused."""
    if text is None:
        return DEMO_SHOP
    domain = shop_domain(text) if isinstance(text, str) else None
    if domain is None:
        raise ControlRefused("shop must be NAME or NAME.myshopify.com")
    return domain
