"""Dropbox as the sandbox plays it: which host and path leads to which part, and what the control calls may ask.

The parts themselves are in the modules beside this one.
"""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from werkzeug.wrappers import Request, Response

from sandbox.grants import Grants, tail_of
from sandbox.hosts.dropbox.call import Call, Style, bearer_token, read_call
from sandbox.hosts.dropbox.contents import Contents
from sandbox.hosts.dropbox.cursors import Cursors
from sandbox.hosts.dropbox.files import Files
from sandbox.hosts.dropbox.generation import furnish, generate
from sandbox.hosts.dropbox.listing import Listing
from sandbox.hosts.dropbox.oauth import OAuthServer
from sandbox.hosts.dropbox.people import PEOPLE, Person, person
from sandbox.hosts.dropbox.refusals import DropboxRefused, as_json, as_text, too_many_requests
from sandbox.hosts.dropbox.searching import Searching
from sandbox.hosts.dropbox.tree import Tree
from sandbox.hosts.dropbox.uploads import Uploads
from sandbox.platform import ControlForm, ControlRefused, Description, Page, Platform
from sandbox.store import Document, Store

_API = "api.dropboxapi.com"
_CONTENT = "content.dropboxapi.com"
_NOTIFY = "notify.dropboxapi.com"
_WEB = "www.dropbox.com"
_REVOKE = "auth/token/revoke"
_LONGPOLL = "files/list_folder/longpoll"
_COLLECTIONS = ("entries", "spaces", "sessions")


class Route(NamedTuple):
    """A function of the API: where it is served, in which style, and with which scope."""

    host: str
    style: Style
    scope: str | None
    act: Callable[[Call], Response]


class Dropbox(Platform):
    """Dropbox's OAuth server and API v2, for apps with access to the full Dropbox."""

    key = "dropbox"
    name = "Dropbox"
    hosts = (_API, _CONTENT, _NOTIFY, _WEB)
    forms: ClassVar[tuple[ControlForm, ...]] = (
        ControlForm("Set a storage limit", "POST", "quota", ("account", "limit")),
        ControlForm("Delete a file or folder", "POST", "delete", ("account", "path")),
        ControlForm("Reset all cursors", "DELETE", "cursors"),
        ControlForm("Lose all upload sessions", "DELETE", "uploads"),
        ControlForm("Let the next pages come empty", "POST", "empty-pages", ("count",)),
    )
    generate_fields = ("count", "seed", "account")
    token_fields = ("scopes", "account")

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._grants = Grants(store, self.key)
        contents = Contents(store)
        self._tree = Tree(store, contents)
        self._cursors = Cursors(store)
        self._uploads = Uploads(store, self._tree, contents)
        self._listing = Listing(store, self._tree, self._cursors)
        self._oauth = OAuthServer(self._grants)
        self._routes = self._routes_of(Files(self._tree, contents, self._uploads), Searching(self._tree, self._cursors))

    def reset(self) -> None:
        """Everybody has a few folders, the team some of its own."""
        furnish(self._tree)

    def handle(self, request: Request, host: str, path: str) -> Response:
        """Answer as Dropbox does."""
        if host == _WEB:
            return self._oauth.authorize(request) if path == "/oauth2/authorize" else _page_not_found()
        if request.method != "POST":
            return as_text("Unsupported HTTP method: every call of the API is a POST.", 405)
        if (host, path) == (_API, "/oauth2/token"):
            return self._oauth.token(request)
        version, _, function = path.removeprefix("/").partition("/")
        try:
            return self._called(request, host, function) if version == "2" else _page_not_found()
        except DropboxRefused as refusal:
            return refusal.answer(function)

    def is_api_call(self, request: Request, host: str, path: str) -> bool:  # noqa: ARG002 - the host tells all
        """All but the consent page."""
        return host != _WEB

    def describe(self, request: Request, host: str, path: str) -> Description:
        """Function, account and token, of token calls the grant type."""
        if (host, path) == (_API, "/oauth2/token"):
            token = request.form.get("refresh_token", "")
            return Description(None, request.form.get("grant_type"), tail_of(token), self._account_of(token))
        token = request.headers.get("Authorization", "").partition(" ")[2].strip()
        function = path.removeprefix("/2/") if path.startswith("/2/") else None
        return Description(function, None, tail_of(token), self._account_of(token))

    def rate_limit(self, request: Request, host: str, path: str, seconds: float) -> Response:  # noqa: ARG002
        """429, the wait in the header and, where the request speaks JSON, in the body."""
        return too_many_requests(request, seconds)

    def server_error(self, request: Request, host: str, path: str) -> Response:  # noqa: ARG002
        """503 in plain text."""
        return as_text("Service Unavailable", 503)

    def expire_tokens(self) -> None:
        """As if four hours had passed."""
        self._grants.expire_access_tokens()

    def revoke_grants(self) -> None:
        """As if every user had disconnected every app."""
        self._grants.revoke_all()

    def issue_token(self, wanted: Document) -> Document:
        """`scopes` (text or list, default all) and `account` (default Ada; ben@acme.example is in a team)."""
        return self._oauth.issue(wanted)

    def generate(self, wanted: Document) -> Document:
        """`count` files from `seed` in the Dropbox of `account` (default Ada); cursors are reset."""
        who = _known(wanted.pop("account", None))
        made = generate(self._tree, who, wanted)
        self._cursors.reset()
        return made

    def collections(self, shop: str | None) -> dict[str, int]:  # noqa: ARG002 - there are no shops here
        """Entries, storage and upload sessions of all people together."""
        return {name: self.store.count(name) for name in _COLLECTIONS}

    def page(self, collection: str, cursor: str | None, limit: int, shop: str | None) -> Page:  # noqa: ARG002
        """Entries as their namespace's root shows them."""
        page = self.store.page(collection, cursor, limit)
        if collection != "entries":
            return page
        return Page([self._overview(entry) for entry in page.documents], page.next_cursor, page.keys)

    def control(self, request: Request, rest: str) -> Response | None:
        """`POST quota`, `POST delete`, `POST empty-pages`, `DELETE cursors`, `DELETE uploads`."""
        if request.method == "DELETE" and rest == "cursors":
            self._cursors.reset()
            return as_json({"reset": True})
        if request.method == "DELETE" and rest == "uploads":
            return as_json({"lost": self._uploads.lose_all()})
        act = {"quota": self._set_quota, "delete": self._delete, "empty-pages": self._empty_pages}.get(rest)
        if act is None or request.method != "POST":
            return None
        wanted = request.get_json(silent=True)
        if not isinstance(wanted, dict):
            raise ControlRefused("The body must be a JSON object")
        return as_json(act(wanted))

    def _called(self, request: Request, host: str, function: str) -> Response:
        if (host, function) == (_NOTIFY, _LONGPOLL):
            return self._listing.longpoll(request)
        route = self._routes.get(function)
        if route is None or route.host != host:
            return as_text(f'Unknown API function: "{function}"', 400)
        call = read_call(request, self._grants, route.style, route.scope)
        if function == _REVOKE:
            return self._oauth.revoke(bearer_token(request))
        return route.act(call)

    def _routes_of(self, files: Files, searching: Searching) -> dict[str, Route]:
        look, write, read = "files.metadata.read", "files.content.write", "files.content.read"
        sessions = "files/upload_session"
        return {
            _REVOKE: Route(_API, "rpc", None, lambda _: as_json(None)),
            "users/get_current_account": Route(_API, "rpc", "account_info.read", _account),
            "users/get_space_usage": Route(_API, "rpc", "account_info.read", self._space_usage),
            "files/get_metadata": Route(_API, "rpc", look, files.get_metadata),
            "files/create_folder_v2": Route(_API, "rpc", write, files.create_folder),
            "files/delete_v2": Route(_API, "rpc", write, files.delete),
            "files/list_folder": Route(_API, "rpc", look, self._listing.list_folder),
            "files/list_folder/continue": Route(_API, "rpc", look, self._listing.go_on),
            "files/list_folder/get_latest_cursor": Route(_API, "rpc", look, self._listing.latest_cursor),
            "files/search_v2": Route(_API, "rpc", look, searching.search),
            "files/search/continue_v2": Route(_API, "rpc", look, searching.go_on),
            "files/upload": Route(_CONTENT, "upload", write, files.upload),
            "files/download": Route(_CONTENT, "download", read, files.download),
            f"{sessions}/start": Route(_CONTENT, "upload", write, self._uploads.start),
            f"{sessions}/append_v2": Route(_CONTENT, "upload", write, self._uploads.append),
            f"{sessions}/finish": Route(_CONTENT, "upload", write, self._uploads.finish),
        }

    def _space_usage(self, call: Call) -> Response:
        space = self._tree.space(call.root.tree)
        used, allocated = space["used"], space["allocated"]
        allocation: Document = {".tag": "individual", "allocated": allocated}
        if call.person.is_in_team:
            allocation = {
                ".tag": "team",
                "used": used,
                "allocated": allocated,
                "user_within_team_space_allocated": 0,
                "user_within_team_space_limit_type": {".tag": "off"},
                "user_within_team_space_used_cached": used,
            }
        return as_json({"used": used, "allocation": allocation})

    def _overview(self, entry: Document) -> Document:
        hidden = ("tag", "parent", "change", "content", "seed", "tree")
        facts = {name: value for name, value in entry.items() if name not in hidden}
        path = "/" + "/".join(self._tree.names_of(entry))
        return {".tag": entry["tag"], **facts, "path_display": path, "namespace": entry["tree"]}

    def _set_quota(self, wanted: Document) -> Document:
        limit = wanted.get("limit")
        if type(limit) is not int or limit < 0 or set(wanted) - {"account", "limit"}:
            raise ControlRefused("quota takes account and limit, a number of bytes")
        return self._tree.allocate(_known(wanted.get("account")).root_namespace, limit)

    def _delete(self, wanted: Document) -> Document:
        path = wanted.get("path")
        if not isinstance(path, str) or not path.startswith("/") or set(wanted) - {"account", "path"}:
            raise ControlRefused("delete takes account and path, which begins with a slash")
        home = _known(wanted.get("account")).home
        entry = self._tree.find(home.tree, home.base + tuple(path.strip("/").split("/")))
        if entry is None:
            raise ControlRefused("There is nothing at this path", 404)
        self._tree.delete(entry)
        return {"deleted": path}

    def _empty_pages(self, wanted: Document) -> Document:
        count = wanted.get("count")
        if type(count) is not int or not 0 <= count <= 1000:
            raise ControlRefused("count must be a number from 0 to 1000")
        return {"left": self._listing.empty_pages(count)}

    def _account_of(self, token: str) -> str | None:
        found = self._grants.find(token) if token else None
        return self._grants.grant_of(found).account if found else None


def _account(call: Call) -> Response:
    return as_json(call.person.full_account())


def _known(email: object) -> Person:
    found = person(email) if email is not None else PEOPLE[0]
    if found is None:
        raise ControlRefused("account must be an e-mail address")
    return found


def _page_not_found() -> Response:
    return Response("<!doctype html><title>Dropbox - 404</title>", 404, mimetype="text/html")
