"""Instagram as the sandbox plays it: which host and path leads to which part, and what the control calls may ask.

The parts themselves are in the modules beside this one.
"""

from collections.abc import Callable
from typing import ClassVar

from werkzeug.wrappers import Request, Response

from sandbox.grants import Grants, tail_of
from sandbox.graph_api import GraphRefused, age_tokens, as_json, parameter, split_version, token_text, unknown_object
from sandbox.graph_pictures import serve
from sandbox.graph_usage import Meter, business_usage, too_many
from sandbox.hosts.instagram.access import Caller, caller_of
from sandbox.hosts.instagram.accounts import ACCOUNTS, Account, by_user_id, by_username, fill
from sandbox.hosts.instagram.media import CDN, Library, shown
from sandbox.hosts.instagram.oauth import OAuthServer
from sandbox.hosts.instagram.publishing import Publishing
from sandbox.platform import ControlForm, ControlRefused, Description, Page, Platform
from sandbox.store import Document, Store

_WWW, _LOGIN, _API = "www.instagram.com", "api.instagram.com", "graph.instagram.com"


class Instagram(Platform):
    """The Instagram API with Instagram Login."""

    key = "instagram"
    name = "Instagram"
    hosts = (_WWW, _LOGIN, _API, CDN)
    forms: ClassVar[tuple[ControlForm, ...]] = (
        ControlForm("Use up posts of today's quota", "POST", "quota", ("account", "used")),
        ControlForm("Let the next container end as ERROR or EXPIRED", "POST", "containers", ("outcome", "status")),
        ControlForm("Use up the calls", "POST", "usage", ("account", "percent", "minutes")),
        ControlForm("Let hours pass for tokens and containers", "POST", "age", ("hours",)),
        ControlForm("Delete a post", "DELETE", "media/{id}", ("id",)),
    )
    generate_fields = ("count", "seed", "account")
    token_fields = ("scopes", "account", "hub")

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._grants = Grants(store, self.key)
        self._oauth = OAuthServer(store, self._grants)
        self._library = Library(store)
        self._publishing = Publishing(store)
        self._meter = Meter()

    def reset(self) -> None:
        """Two accounts with their first posts, nothing used."""
        self._meter.clear()
        fill(self.store)

    def handle(self, request: Request, host: str, path: str) -> Response:
        """Answer as Instagram does."""
        if host == CDN:
            return serve(self.store, request, path)
        if host == _WWW:
            is_login = path.rstrip("/") == "/oauth/authorize"
            return self._oauth.authorize(request) if is_login else Response("Page not found", 404)
        if host == _LOGIN:
            is_token = path.rstrip("/") == "/oauth/access_token"
            return self._oauth.first_token(request) if is_token else Response("Page not found", 404)
        try:
            return self._graph(request, host, path)
        except GraphRefused as refusal:
            return self._counted(refusal.answer(), token_text(request))

    def is_api_call(self, request: Request, host: str, path: str) -> bool:  # noqa: ARG002 - the host tells all
        """The token calls and the Graph API; neither the consent page nor pictures."""
        return host in (_LOGIN, _API)

    def describe(self, request: Request, host: str, path: str) -> Description:  # noqa: ARG002
        """Account and token, of token calls the grant type."""
        token = token_text(request) if host == _API else ""
        return Description(None, parameter(request, "grant_type") or None, tail_of(token), self._account_of(token))

    def rate_limit(self, request: Request, host: str, path: str, seconds: float) -> Response:  # noqa: ARG002
        """403 with code 4; how long, in whole minutes, stands in a header, and a shorter wait nowhere."""
        if host == _LOGIN:
            message = "Application request limit reached"
            return as_json({"error_type": "OAuthException", "code": 403, "error_message": message}, 403)
        answer = too_many(4, "Application request limit reached").answer()
        owner = by_username(self._account_of(token_text(request)) or "")
        if seconds < 60 or owner is None:
            return answer
        return business_usage(answer, owner.user_id, "instagram", 100, int(seconds // 60))

    def server_error(self, request: Request, host: str, path: str) -> Response:  # noqa: ARG002
        """500 with code 2, transient; the token endpoint says it flatly."""
        message = "An unexpected error has occurred. Please retry your request later."
        if host == _LOGIN:
            return as_json({"error_type": "OAuthException", "code": 500, "error_message": message}, 500)
        return GraphRefused(2, message, status=500, is_transient=True).answer()

    def expire_tokens(self) -> None:
        """As if sixty days had passed; nothing can renew such a token."""
        self._grants.expire_access_tokens()

    def revoke_grants(self) -> None:
        """As if every user had removed every app."""
        self._grants.revoke_all()

    def issue_token(self, wanted: Document) -> Document:
        """`scopes` (text or list), `account` (a username), `hub` (the address that pictures may be fetched from)."""
        return self._oauth.issue(wanted)

    def generate(self, wanted: Document) -> Document:
        """`count` posts from `seed` in `account` (default the first)."""
        return self._library.generate(_known(wanted.pop("account", None)), wanted)

    def collections(self, shop: str | None) -> dict[str, int]:  # noqa: ARG002 - there are no shops here
        """Posts of all accounts together; containers are no content, and end by themselves."""
        return {"media": self.store.count("media"), "accounts": len(ACCOUNTS)}

    def page(self, collection: str, cursor: str | None, limit: int, shop: str | None) -> Page:  # noqa: ARG002
        """Posts with all their fields."""
        if collection == "accounts":
            return Page([{"user_id": each.user_id, "username": each.username} for each in ACCOUNTS], None)
        page = self.store.page(collection, cursor, limit)
        owners = [by_user_id(key.partition("/")[0]) or ACCOUNTS[0] for key in page.keys]
        posts = [shown(owner, found) for owner, found in zip(owners, page.documents, strict=True)]
        return Page(posts, page.next_cursor, page.keys)

    def control(self, request: Request, rest: str) -> Response | None:
        """`quota`, `containers`, `usage`, `age`, and `DELETE media/<id>`."""
        name, _, media_id = rest.partition("/")
        if request.method == "DELETE" and name == "media" and media_id:
            gone = any(self._library.remove(account, media_id) for account in ACCOUNTS)
            return Response(status=204) if gone else None
        if request.method != "POST" or media_id:
            return None
        wanted = request.get_json(silent=True)
        act = {"quota": self._quota, "containers": self._outcome, "usage": self._usage, "age": self._age}.get(name)
        return as_json(act(wanted if isinstance(wanted, dict) else {})) if act else None

    def _graph(self, request: Request, host: str, path: str) -> Response:
        version, rest = split_version(path)
        token_call = {"/access_token": self._oauth.exchange, "/refresh_access_token": self._oauth.renew}.get(rest)
        if token_call is not None:
            return token_call(request)
        caller = caller_of(request, self._grants)
        if self._meter.percent(caller.account.user_id) >= 100:
            raise too_many(80002, "There have been too many calls to this Instagram account.")
        self._meter.note(caller.account.user_id)
        node, _, edge = rest.strip("/").partition("/")
        response = as_json(self._answer(request, caller, node, edge, f"{host}/v{version}.0"))
        response.headers["facebook-api-version"] = f"v{version}.0"
        return self._counted(response, token_text(request))

    def _answer(self, request: Request, caller: Caller, node: str, edge: str, base: str) -> Document:
        is_self = node in ("me", caller.account.user_id)
        calls: dict[tuple[str, str], Callable[[Request, Caller], Document]] = {
            ("GET", ""): self._library.user,
            ("GET", "media"): lambda asked, who: self._library.listing(asked, who, base),
            ("POST", "media"): self._publishing.create,
            ("POST", "media_publish"): self._publishing.publish,
            ("GET", "content_publishing_limit"): self._publishing.limit,
        }
        call = calls.get((request.method, edge)) if is_self else None
        if call is not None:
            return call(request, caller)
        if is_self or edge or request.method != "GET":
            raise unknown_object(request, node, "IGApiException")
        container = self._publishing.look(request, caller, node)
        return self._library.one(request, caller, node) if container is None else container

    def _counted(self, response: Response, token: str) -> Response:
        owner = by_username(self._account_of(token) or "")
        if owner is None:
            return response
        percent, minutes = self._meter.percent(owner.user_id), self._meter.minutes_left(owner.user_id)
        return business_usage(response, owner.user_id, "instagram", percent, minutes)

    def _account_of(self, token: str) -> str | None:
        found = self._grants.find(token) if token else None
        return self._grants.grant_of(found).account if found else None

    def _quota(self, wanted: Document) -> Document:
        return self._publishing.fill_quota(_known(wanted.get("account")), _number(wanted, "used", 0, 100_000))

    def _outcome(self, wanted: Document) -> Document:
        return self._publishing.order_outcome(str(wanted.get("outcome")), str(wanted.get("status") or ""))

    def _usage(self, wanted: Document) -> Document:
        account, percent = _known(wanted.get("account")), _number(wanted, "percent", 0, 1000)
        self._meter.fill(account.user_id, percent, _number(wanted, "minutes", 1, 100_000))
        return {"account": account.username, "percent": percent}

    def _age(self, wanted: Document) -> Document:
        seconds = _number(wanted, "hours", 0, 100_000) * 3600
        self._publishing.age(seconds)
        return {"tokens": age_tokens(self.store, seconds)}


def _known(username: object) -> Account:
    account = by_username(str(username or ACCOUNTS[0].username))
    if account is None:
        raise ControlRefused(f"account must be one of {', '.join(each.username for each in ACCOUNTS)}")
    return account


def _number(wanted: Document, name: str, least: int, most: int) -> int:
    """A whole number of a control call, as JSON or as a form sends it; raises ControlRefused."""
    text = str(wanted.get(name, ""))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise ControlRefused(f"{name} must be a number from {least} to {most}")
    return int(text)
