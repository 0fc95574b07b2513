"""Facebook as the sandbox plays it: which host and path leads to which part, and what the control calls may ask.

The parts themselves are in the modules beside this one.
"""

from typing import ClassVar

from werkzeug.wrappers import Request, Response

from sandbox.grants import Grants, tail_of
from sandbox.graph_api import (
    Edge,
    GraphRefused,
    age_tokens,
    as_json,
    noted_token,
    parameter,
    read_edge,
    select,
    split_version,
    token_text,
    unknown_object,
)
from sandbox.graph_pictures import serve
from sandbox.graph_usage import Meter, app_usage, business_usage, too_many
from sandbox.hosts.facebook.access import LIST, Access, Caller
from sandbox.hosts.facebook.oauth import OAuthServer
from sandbox.hosts.facebook.people import PAGES, PEOPLE, FacebookPage, fill, page_of, role_key
from sandbox.hosts.facebook.photos import CDN, Photos, shown
from sandbox.platform import ControlForm, ControlRefused, Description, Page, Platform
from sandbox.store import Document, Store

_WWW, _API = "www.facebook.com", "graph.facebook.com"
_COLLECTIONS = ("photos", "roles", "permissions")
_USER_FIELDS = frozenset({"email", "first_name", "id", "last_name", "name", "picture"})
_PAGE_FIELDS = frozenset({"access_token", "category", "id", "link", "name", "tasks", "username"})


class Facebook(Platform):
    """Facebook Login and the Pages part of the Graph API."""

    key = "facebook"
    name = "Facebook"
    hosts = (_WWW, _API, CDN)
    forms: ClassVar[tuple[ControlForm, ...]] = (
        ControlForm("Refuse the next photo (368 policy, 506 duplicate)", "POST", "refusals", ("code",)),
        ControlForm("Use up the calls of an app, a person or a page", "POST", "usage", ("owner", "percent", "minutes")),
        ControlForm("Require appsecret_proof (1 or 0)", "POST", "proof", ("required",)),
        ControlForm("Let hours pass for all tokens", "POST", "age", ("hours",)),
        ControlForm("Take a page away from everybody", "DELETE", "pages/{id}", ("id",)),
        ControlForm("Delete a photo", "DELETE", "photos/{id}", ("id",)),
    )
    generate_fields = ("count", "seed", "page")
    token_fields = ("scopes", "account", "hub")
    secret_parameters = frozenset({"appsecret_proof", "fb_exchange_token", "input_token"})

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._grants = Grants(store, self.key)
        self._access = Access(store, self._grants)
        self._oauth = OAuthServer(store, self._grants, self._access)
        self._photos = Photos(store, self._access)
        self._meter = Meter()

    def reset(self) -> None:
        """Three people and their pages, nothing used."""
        self._meter.clear()
        fill(self.store)

    def handle(self, request: Request, host: str, path: str) -> Response:
        """Answer as Facebook does."""
        if host == CDN:
            return serve(self.store, request, path)
        try:
            version, rest = split_version(path)
            if host == _WWW:
                is_dialog = rest.rstrip("/") == "/dialog/oauth"
                return self._oauth.dialog(request) if is_dialog else Response("Page not found", 404)
            response = self._graph(request, f"{_API}/v{version}.0", rest)
        except GraphRefused as refusal:
            return self._counted(refusal.answer(), request)
        finally:
            request.close()  # the files of a multipart form
        response.headers["facebook-api-version"] = f"v{version}.0"
        return self._counted(response, request)

    def is_api_call(self, request: Request, host: str, path: str) -> bool:  # noqa: ARG002 - the host tells all
        """The Graph API, token calls among it; neither the dialog nor pictures."""
        return host == _API

    def describe(self, request: Request, host: str, path: str) -> Description:
        """Account and token, of token calls the grant type."""
        token = (noted_token(request) or request.args.get("fb_exchange_token", "")) if host == _API else ""
        is_token_call = host == _API and path.endswith("/oauth/access_token")
        grant_type = parameter(request, "grant_type", "authorization_code") if is_token_call else None
        return Description(None, grant_type, tail_of(token), self._account_of(token))

    def rate_limit(self, request: Request, host: str, path: str, seconds: float) -> Response:  # noqa: ARG002
        """403: code 4 for a person, 32 for a page; how long, in whole minutes, stands in a header of pages alone.

        Of a wait that is shorter than a minute nothing is told, not even usage.
        """
        found = self._grants.find(noted_token(request))
        page = self.store.get("page_tokens", found.digest) if found else None
        if page is None:
            answer = too_many(4, "Application request limit reached").answer()
            return answer if seconds < 60 else app_usage(answer, 100)
        answer = too_many(32, "Page request limit reached").answer()
        return answer if seconds < 60 else business_usage(answer, page["page"], "pages", 100, int(seconds // 60))

    def server_error(self, request: Request, host: str, path: str) -> Response:  # noqa: ARG002
        """500 with code 2, transient."""
        message = "An unexpected error has occurred. Please retry your request later."
        return GraphRefused(2, message, status=500, is_transient=True).answer()

    def expire_tokens(self) -> None:
        """As if sixty days had passed, for page tokens too; nothing can renew such a token."""
        self._grants.expire_access_tokens()

    def revoke_grants(self) -> None:
        """As if every user had removed every app."""
        self._grants.revoke_all()
        self.store.clear("permissions")

    def issue_token(self, wanted: Document) -> Document:
        """`scopes` (text or list), `account` (ada, ben or cleo), `hub` (where pictures may be fetched from)."""
        return self._oauth.issue(wanted)

    def generate(self, wanted: Document) -> Document:
        """`count` photos from `seed` on `page` (an id, default the first)."""
        page = page_of(str(wanted.pop("page", None) or PAGES[0].id))
        if page is None:
            raise ControlRefused("There is no such page")
        return self._photos.generate(page, wanted)

    def collections(self, shop: str | None) -> dict[str, int]:  # noqa: ARG002 - there are no shops here
        """Photos of all pages, who manages what, and what was allowed."""
        return {name: self.store.count(name) for name in _COLLECTIONS}

    def page(self, collection: str, cursor: str | None, limit: int, shop: str | None) -> Page:  # noqa: ARG002
        """Photos with all their fields, and whether they are published."""
        page = self.store.page(collection, cursor, limit)
        if collection != "photos":
            return page
        owners = [page_of(key.partition("/")[0]) or PAGES[0] for key in page.keys]
        photos = [
            shown(owner, found) | {"published": found["published"]}
            for owner, found in zip(owners, page.documents, strict=True)
        ]
        return Page(photos, page.next_cursor, page.keys)

    def control(self, request: Request, rest: str) -> Response | None:
        """`refusals`, `usage`, `proof`, `age`, and `DELETE pages/<id>`, `photos/<id>`."""
        name, _, object_id = rest.partition("/")
        if request.method == "DELETE" and object_id:
            gone = {"photos": self._photos.remove, "pages": self._take_away}.get(name)
            return Response(status=204) if gone and gone(object_id) else None
        if request.method != "POST" or object_id:
            return None
        wanted = request.get_json(silent=True)
        act = {"refusals": self._refusal, "usage": self._usage, "proof": self._proof, "age": self._age}.get(name)
        return as_json(act(wanted if isinstance(wanted, dict) else {})) if act else None

    def _graph(self, request: Request, base: str, rest: str) -> Response:
        if rest == "/oauth/access_token":
            return self._oauth.token(request)
        if rest == "/debug_token":
            return as_json(self._oauth.debug(request))
        caller = self._access.caller_of(request)
        owner = _owner_of(caller)
        if self._meter.percent(owner) >= 100:
            raise (
                too_many(80001, "There have been too many calls to this Page account.")
                if caller.page
                else too_many(4, "Application request limit reached")
            )
        self._meter.note(owner)
        node, _, edge = rest.strip("/").partition("/")
        is_person = node == caller.person.scoped_id(caller.client_id) or (node == "me" and caller.page is None)
        if is_person:
            return as_json(self._person(request, caller, edge, base))
        page = caller.page if node == "me" else page_of(node)
        if page is not None:
            return as_json(self._page(request, caller, page, edge, base))
        calls = {"GET": self._photos.one, "DELETE": self._photos.delete}
        call = None if edge else calls.get(request.method)
        if call is None:
            raise unknown_object(request, node)
        return as_json(call(request, caller, node))

    def _person(self, request: Request, caller: Caller, edge: str, base: str) -> Document:
        name, _, permission = edge.partition("/")
        if request.method == "DELETE" and name == "permissions":
            self._access.drop_permission(caller.client_id, caller.person, permission or None)
            return {"success": True}
        if request.method != "GET" or permission:
            raise unknown_object(request, edge)
        if name == "accounts":
            return self._accounts(request, caller, base)
        if name == "permissions":
            answers = self._access.permissions(caller.client_id, caller.person)
            return {"data": [{"permission": each, "status": status} for each, status in answers.items()]}
        if name:
            raise unknown_object(request, name)
        node = {"id": caller.person.scoped_id(caller.client_id), "name": caller.person.name}
        return select(node, request.args.get("fields", ""), _USER_FIELDS, "id,name")

    def _accounts(self, request: Request, caller: Caller, base: str) -> Document:
        caller.demand(LIST)
        wanted = request.args.get("fields", "")

        def show(role: Document) -> Document | None:
            page = page_of(role["page"])
            node = self._page_node(caller, page) | {"tasks": role["tasks"]} if page else {}
            return select(node, wanted, _PAGE_FIELDS, "access_token,category,name,id,tasks") if page else None

        edge = Edge(self.store, "roles", f"{caller.person.handle}/", f"https://{base}/me/accounts")
        return read_edge(request, edge, show)

    def _page(self, request: Request, caller: Caller, page: FacebookPage, edge: str, base: str) -> Document:
        if self._access.tasks(caller.person, page) is None:
            raise unknown_object(request, page.id)
        if edge == "photos" and request.method == "POST":
            return self._photos.create(request, caller, page)
        if edge == "photos" and request.method == "GET":
            return self._photos.listing(request, caller, page, base)
        if edge or request.method != "GET":
            raise unknown_object(request, edge or page.id)
        return select(self._page_node(caller, page), request.args.get("fields", ""), _PAGE_FIELDS, "name,id")

    def _page_node(self, caller: Caller, page: FacebookPage) -> Document:
        """A page; its token is told to a person who may see their pages."""
        node = {
            "id": page.id,
            "name": page.name,
            "category": page.category,
            "link": f"https://www.facebook.com/{page.id}",
        }
        may_have_token = caller.page is None and LIST in caller.permissions
        return node | ({"access_token": self._access.page_token(caller, page)} if may_have_token else {})

    def _counted(self, response: Response, request: Request) -> Response:
        found = self._grants.find(token_text(request))
        if found is None:
            return response
        page = self.store.get("page_tokens", found.digest)
        if page is not None:
            owner = str(page["page"])
            percent, minutes = self._meter.percent(owner), self._meter.minutes_left(owner)
            return business_usage(response, owner, "pages", percent, minutes)
        return app_usage(response, self._meter.percent(self._grants.grant_of(found).client_id))

    def _account_of(self, token: str) -> str | None:
        found = self._grants.find(token) if token else None
        return self._grants.grant_of(found).account if found else None

    def _take_away(self, page_id: str) -> bool:
        page = page_of(page_id)
        if page is None:
            return False
        lost = [self.store.delete("roles", role_key(handle, page)) for handle in PEOPLE]
        return any(lost)

    def _refusal(self, wanted: Document) -> Document:
        return self._photos.order_refusal(_number(wanted, "code", 0, 100_000))

    def _usage(self, wanted: Document) -> Document:
        owner = str(wanted.get("owner") or PAGES[0].id)
        if page_of(owner) is None and owner not in self._grants.apps:
            raise ControlRefused("owner must be the id of a page or of an app")
        percent = _number(wanted, "percent", 0, 1000)
        self._meter.fill(owner, percent, _number(wanted, "minutes", 1, 100_000))
        return {"owner": owner, "percent": percent}

    def _proof(self, wanted: Document) -> Document:
        is_required = _number(wanted, "required", 0, 1) == 1
        self._access.require_proof(is_required=is_required)
        return {"required": is_required}

    def _age(self, wanted: Document) -> Document:
        return {"tokens": age_tokens(self.store, _number(wanted, "hours", 0, 100_000) * 3600)}


def _owner_of(caller: Caller) -> str:
    """Whose allowance a call is counted on: the page's, or the app's for calls with a user token."""
    return caller.page.id if caller.page else caller.client_id


def _number(wanted: Document, name: str, least: int, most: int) -> int:
    """A whole number of a control call, as JSON or as a form sends it; raises ControlRefused."""
    text = str(wanted.get(name, ""))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise ControlRefused(f"{name} must be a number from {least} to {most}")
    return int(text)
