"""The REST API of a store, version 3: products and their variations, system status; who may call what.

Sources: WooCommerce REST API docs; WC_REST_CRUD_Controller and WC_REST_Products_Controller of WooCommerce 11 (read
2026-11-21). What a product looks like is in `resource`, what a body may say in `writing`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from sandbox.hosts.woocommerce import index, parameters
from sandbox.hosts.woocommerce.catalogue import Catalogue
from sandbox.hosts.woocommerce.keys import Caller, Keys
from sandbox.hosts.woocommerce.listing import Listing, Wanted
from sandbox.hosts.woocommerce.media import Media
from sandbox.hosts.woocommerce.products import DEFAULTS
from sandbox.hosts.woocommerce.refusals import Refused, as_json, no_route
from sandbox.hosts.woocommerce.resource import only, product_json, variation_json
from sandbox.hosts.woocommerce.stores import Store, now_text
from sandbox.hosts.woocommerce.writing import Writer, read_body
from sandbox.store import Document

NAMESPACE = "/wc/v3"
_MOST_IN_A_BATCH = 100
_CANNOT: dict[str, tuple[str, str]] = {
    "list": ("woocommerce_rest_cannot_view", "Sorry, you cannot list resources."),
    "view": ("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource."),
    "create": ("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources."),
    "edit": ("woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource."),
    "delete": ("woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource."),
    "batch": ("woocommerce_rest_cannot_batch", "Sorry, you are not allowed to batch manipulate this resource."),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the store, the request, who calls, and the ids in its path."""

    store: Store
    request: Request
    caller: Caller
    ids: tuple[int, ...]

    def demand(self, deed: str) -> None:
        """Raise 401 or 403 when the caller may not do this."""
        self.caller.demand_role(*_CANNOT[deed])


class Api:
    """The resources below `/wp-json`."""

    def __init__(self, keys: Keys, catalogue: Catalogue, media: Media) -> None:
        self._keys, self._catalogue = keys, catalogue
        self.listing = Listing(catalogue)
        self._writer = Writer(catalogue, media)
        self._routes: list[tuple[str, str, Callable[[Call], Response]]] = [
            ("GET", rf"{NAMESPACE}/products", self._list),
            ("POST", rf"{NAMESPACE}/products", self._create),
            ("OPTIONS", rf"{NAMESPACE}/products", lambda _: as_json(index.product_options())),
            ("POST", rf"{NAMESPACE}/products/batch", self._batch),
            ("GET", rf"{NAMESPACE}/products/(\d+)", self._get),
            ("PUT", rf"{NAMESPACE}/products/(\d+)", self._update),
            ("PATCH", rf"{NAMESPACE}/products/(\d+)", self._update),
            ("POST", rf"{NAMESPACE}/products/(\d+)", self._update),
            ("DELETE", rf"{NAMESPACE}/products/(\d+)", self._delete),
            ("GET", rf"{NAMESPACE}/products/(\d+)/variations", self._variations),
            ("GET", rf"{NAMESPACE}/products/(\d+)/variations/(\d+)", self._variation),
            ("GET", rf"{NAMESPACE}/system_status", self._status),
        ]

    def handle(self, store: Store, request: Request, route: str) -> Response:
        """Answer a call; `route` is what follows `/wp-json`. Raises Refused."""
        route = route.rstrip("/")
        if request.method == "GET" and route in ("", "/wc", NAMESPACE):
            described = index.root(store) if route == "" else index.namespace(store, route)
            return self._with_link(store, as_json(described))
        if not route.startswith("/wc/"):
            raise _outside(request)  # keys are not even looked at
        caller = self._keys.caller(store, request)
        return self._with_link(store, self._routed(store, request, caller, route))

    def shown(self, store: Store, document: Document) -> Document:
        """A product as the API shows it."""
        return product_json(store, document, lambda post: self._catalogue.picture(store, post))

    def _routed(self, store: Store, request: Request, caller: Caller, route: str) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        for wanted, pattern, act in self._routes:
            match = re.fullmatch(pattern, route, re.ASCII) if method == wanted else None
            if match:
                return act(Call(store, request, caller, tuple(int(part[:15]) for part in match.groups())))
        raise no_route()

    @staticmethod
    def _with_link(store: Store, response: Response) -> Response:
        response.headers.setdefault("Link", f'<{store.home}/wp-json/>; rel="https://api.w.org/"')
        return response

    def _list(self, call: Call) -> Response:
        call.demand("list")
        wanted = parameters.read(call.request)
        documents, total = self.listing.page(call.store, wanted)
        fields = call.request.args.get("_fields")
        shown = [only(self.shown(call.store, document), fields) for document in documents]
        return _paged(call, "products", shown, total, wanted)

    def _get(self, call: Call) -> Response:
        document = self._found(call)
        call.demand("view")
        return as_json(only(self.shown(call.store, document), call.request.args.get("_fields")))

    def _create(self, call: Call) -> Response:
        call.demand("create")
        shown = self._created(call, read_body(call.request))
        response = as_json(shown, 201)
        response.headers["Location"] = f"{call.store.home}/wp-json{NAMESPACE}/products/{shown['id']}"
        return response

    def _update(self, call: Call) -> Response:
        found = self._catalogue.product(call.store, call.ids[0])
        if found is not None:
            call.demand("edit")
        shown = self._updated(call, call.ids[0], read_body(call.request))
        return as_json(only(shown, call.request.args.get("_fields")))

    def _delete(self, call: Call) -> Response:
        if self._catalogue.product(call.store, call.ids[0]) is not None:
            call.demand("delete")
        is_forced = call.request.args.get("force", read_body(call.request).get("force"))
        return as_json(self._deleted(call, call.ids[0], is_forced=str(is_forced).lower() in ("1", "true")))

    def _batch(self, call: Call) -> Response:
        """Create, update and delete at once; each entry has an answer of its own, an error too."""
        call.demand("batch")
        body = read_body(call.request)
        wanted = {name: body[name] for name in ("create", "update", "delete") if isinstance(body.get(name), list)}
        if sum(map(len, wanted.values())) > _MOST_IN_A_BATCH:
            text = f"Unable to accept more than {_MOST_IN_A_BATCH} items for this request."
            raise Refused(413, "woocommerce_rest_request_entity_too_large", text)
        acts: dict[str, Callable[[Document], Document]] = {
            "create": lambda each: self._created(call, each),
            "update": lambda each: self._updated(call, each.get("id", 0), each),
            "delete": lambda each: self._deleted(call, each["id"], is_forced=True),
        }
        answers: dict[str, list[Document]] = {}
        for name, entries in wanted.items():
            given = ({"id": each} if isinstance(each, int) else dict(each) for each in entries if each)
            answers[name] = [_or_error(acts[name], each) for each in given]
        return as_json(answers)

    def _variations(self, call: Call) -> Response:
        call.demand("list")
        wanted = parameters.read(call.request)
        document = self._catalogue.product(call.store, call.ids[0]) or {
            "variations": []
        }  # nobody looks for the product
        variations = sorted(document["variations"], key=lambda each: int(each["id"]), reverse=wanted.is_descending)
        page = variations[wanted.offset : wanted.offset + wanted.limit]
        fields = call.request.args.get("_fields")
        shown = [only(self._shown_variation(call.store, document, each), fields) for each in page]
        return _paged(call, f"products/{call.ids[0]}/variations", shown, len(variations), wanted)

    def _variation(self, call: Call) -> Response:
        document = self._found(call)
        call.demand("view")
        for each in document["variations"]:
            if each["id"] == call.ids[1]:
                return as_json(self._shown_variation(call.store, document, each))
        raise Refused(404, "woocommerce_rest_product_variation_invalid_id", "Invalid ID.")

    def _status(self, call: Call) -> Response:
        call.demand("list")
        return as_json(only(index.system_status(call.store), call.request.args.get("_fields")))

    def _found(self, call: Call) -> Document:
        document = self._catalogue.product(call.store, call.ids[0])
        if document is None:
            raise _invalid_id(404)
        return document

    def _created(self, call: Call, body: Document) -> Document:
        if body.get("id"):
            raise Refused(400, "woocommerce_rest_product_exists", "Cannot create existing product.")
        now = now_text()
        blank = DEFAULTS | {"created": now, "modified": now}
        made = self._writer.apply(call.store, blank, body, call.caller.app_origin)
        return self.shown(call.store, self._catalogue.add(call.store, made))

    def _updated(self, call: Call, post: int, body: Document) -> Document:
        document = self._catalogue.product(call.store, post)
        if document is None:
            raise _invalid_id(400)
        changed = self._writer.apply(call.store, document, body, call.caller.app_origin)
        self._catalogue.change(call.store, changed)
        return self.shown(call.store, changed)

    def _deleted(self, call: Call, post: int, *, is_forced: bool) -> Document:
        document = self._catalogue.product(call.store, post)
        if document is None:
            raise _invalid_id(404)
        shown = self.shown(call.store, document)
        if is_forced:
            self._catalogue.delete(call.store, post)
        elif document["status"] == "trash":
            raise Refused(410, "woocommerce_rest_already_trashed", "The product has already been deleted.")
        else:
            self._catalogue.change(call.store, document | {"status": "trash"})
        return shown

    def _shown_variation(self, store: Store, document: Document, variation: Document) -> Document:
        return variation_json(store, document, variation, lambda post: self._catalogue.picture(store, post))


def _paged(call: Call, collection: str, shown: list[Document], total: int, wanted: Wanted) -> Response:
    """A bare list; how much there is, and where it goes on, stand in headers."""
    page, pages = parameters.page_number(call.request), -(-total // wanted.limit)
    response = as_json(shown)
    response.headers["X-WP-Total"], response.headers["X-WP-TotalPages"] = str(total), str(pages)
    address = f"{call.store.home}/wp-json{NAMESPACE}/{collection}"
    links = []
    for rel, number in (("prev", min(page - 1, pages)), ("next", page + 1)):
        if page > 1 if rel == "prev" else page < pages:
            query = urlencode(dict(call.request.args.items()) | {"page": str(number)})
            links.append(f'<{address}?{query}>; rel="{rel}"')
    if links:
        response.headers["Link"] = ", ".join(links)
    return response


def _or_error(act: Callable[[Document], Document], entry: Document) -> Document:
    try:
        return act(entry)
    except Refused as refusal:
        return {"id": entry.get("id", 0), "error": refusal.body()}


def _invalid_id(status: int) -> Refused:
    return Refused(status, "woocommerce_rest_product_invalid_id", "Invalid ID.")


def _outside(request: Request) -> Refused:
    """Whatever is not WooCommerce's: its keys do not open WordPress's own routes."""
    if request.method == "POST":
        return Refused(401, "rest_cannot_create", "Sorry, you are not allowed to create posts as this user.")
    return no_route()
