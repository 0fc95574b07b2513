"""Figma as the sandbox plays it: which host and path leads to which part, and what the control calls may ask.

The parts themselves are in the modules beside this one.
"""

from typing import ClassVar

from werkzeug.wrappers import Request, Response

from sandbox.grants import Grants, tail_of
from sandbox.hosts.figma import generator, pictures
from sandbox.hosts.figma.access import Buckets, Viewer, bearer_token, viewer_of
from sandbox.hosts.figma.api import Api, listed
from sandbox.hosts.figma.library import Library
from sandbox.hosts.figma.oauth import OAuthServer
from sandbox.hosts.figma.people import ADA, Person, person
from sandbox.hosts.figma.pictures import Pictures
from sandbox.hosts.figma.refusals import FigmaRefused, as_json, not_found
from sandbox.hosts.figma.webhooks import SENT, Webhooks
from sandbox.platform import ControlForm, ControlRefused, Description, Page, Platform, count_and_seed
from sandbox.store import Document, Store

_SITE = "www.figma.com"
_API = "api.figma.com"
_TOKEN = "/v1/oauth/token"  # noqa: S105 - a path, no secret
_REFRESH = "/v1/oauth/refresh"
_MOVED = "Please make requests to api.figma.com/v1/oauth/... instead of www.figma.com/api/oauth/..."
_COLLECTIONS = ("files", "folders", "teams", "webhooks")


class Figma(Platform):
    """Figma's OAuth server, its REST API and the addresses of its pictures. The account of a grant is an address."""

    key = "figma"
    name = "Figma"
    hosts = (_SITE, _API, pictures.RENDERS, pictures.THUMBNAILS)
    forms: ClassVar[tuple[ControlForm, ...]] = (
        ControlForm("Delete a file", "DELETE", "files/{file}", ("file",)),
        ControlForm("Delete a frame", "DELETE", "files/{file}/nodes/{node}", ("file", "node")),
        ControlForm("Change a plan or a seat", "POST", "terms", ("team", "plan", "account", "seat")),
        ControlForm("Empty all rate limits", "DELETE", "limits"),
        ControlForm("End all picture addresses", "DELETE", "renders"),
        ControlForm("Send an event to webhooks", "POST", "events", ("event", "file")),
    )
    generate_fields = ("count", "seed")
    token_fields = ("scopes", "account")

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._grants = Grants(store, self.key)
        self._oauth = OAuthServer(self._grants)
        self._library = Library(store)
        self._buckets = Buckets(store)
        self._pictures = Pictures(store, self._library)
        self._webhooks = Webhooks(store, self._library, self._buckets)
        self._api = Api(self._library, self._buckets, self._pictures)

    def reset(self) -> None:
        """The studio with its dozen files, and a small team on the free plan."""
        self._library.reset()

    def handle(self, request: Request, host: str, path: str) -> Response:
        """Answer as Figma does."""
        if host in (pictures.RENDERS, pictures.THUMBNAILS):
            return self._pictures.handle(request, host, path)
        try:
            return self._site(request, path) if host == _SITE else self._answer(request, path)
        except FigmaRefused as refusal:
            return refusal.answer()

    def is_api_call(self, request: Request, host: str, path: str) -> bool:  # noqa: ARG002 - the host tells all
        """Calls of the API and of the token addresses; the consent page and pictures are not."""
        return host == _API

    def describe(self, request: Request, host: str, path: str) -> Description:
        """Account and token, of token calls the grant type (which the refresh address implies)."""
        if host == _API and path in (_TOKEN, _REFRESH):
            text = request.form.get("refresh_token", "")
            grant_type = "refresh_token" if path == _REFRESH else request.form.get("grant_type")
            return Description(None, grant_type, tail_of(text), self._account_of(text))
        token = bearer_token(request) or ""
        return Description(None, None, tail_of(token), self._account_of(token))

    def rate_limit(self, request: Request, host: str, path: str, seconds: float) -> Response:  # noqa: ARG002
        """429 with the headers that tell plan and seat."""
        try:
            viewer = viewer_of(request, self._grants)
        except FigmaRefused:
            viewer = Viewer(ADA, "", ())
        return self._buckets.full(viewer, self._api.team_at(path, viewer.person), seconds).answer()

    def server_error(self, request: Request, host: str, path: str) -> Response:  # noqa: ARG002 - one answer for all
        """500 in the shape of most calls."""
        return FigmaRefused(500, "Internal server error").answer()

    def expire_tokens(self) -> None:
        """As if ninety days had passed."""
        self._grants.expire_access_tokens()

    def revoke_grants(self) -> None:
        """As if every user had removed every app."""
        self._grants.revoke_all()

    def issue_token(self, wanted: Document) -> Document:
        """`scopes` (text or list, default what Patchbay asks for) and `account` (default Ada)."""
        return self._oauth.issue(wanted)

    def generate(self, wanted: Document) -> Document:
        """`count` files from `seed` in the studio, two hundred to a folder."""
        count, seed = count_and_seed(wanted, generator.MOST)
        if not 0 <= seed <= generator.MOST_SEED:
            raise ControlRefused(f"seed must be a number from 0 to {generator.MOST_SEED}")
        self._library.generate(count, seed)
        return {"files": count, "folders": -(-count // generator.PER_FOLDER)}

    def collections(self, shop: str | None) -> dict[str, int]:  # noqa: ARG002 - there are no shops here
        """All teams together, computed files and folders too."""
        return {name: self._library.count(name) for name in _COLLECTIONS}

    def page(self, collection: str, cursor: str | None, limit: int, shop: str | None) -> Page:  # noqa: ARG002
        """Files as lists show them, with `folder`; folders that are computed are left out, and passcodes are blank."""
        if collection != "files":
            kept = self.store.page(collection, cursor, limit)
            shown = [each | {"passcode": ""} if "passcode" in each else each for each in kept.documents]
            return Page(shown, kept.next_cursor, kept.keys)
        found: list[Document] = []
        for file in self._library.each_file(cursor):
            if len(found) == limit:
                return Page(found, found[-1]["key"])
            found.append(listed(file) | {"folder": file["folder"]})
        return Page(found, None)

    def control(self, request: Request, rest: str) -> Response | None:
        """What faults need: things deleted, budgets changed, addresses ended, events sent."""
        match request.method, *rest.split("/"):
            case "DELETE", "files", key:
                file = self._library.delete_file(key)
                return as_json({"deleted": key, "told": self._webhooks.announce("FILE_DELETE", file)})
            case "DELETE", "files", key, "nodes", node_id:
                file = self._library.delete_frame(key, node_id)
                return as_json({"deleted": node_id, "told": self._webhooks.announce("FILE_UPDATE", file)})
            case "POST", "terms":
                return as_json(self._set_terms(_object(request, {"team", "plan", "account", "seat"})))
            case "DELETE", "limits":
                self._buckets.empty()
                return as_json({})
            case "DELETE", "renders":
                return as_json({"ended": self._pictures.expire()})
            case "POST", "events":
                return as_json({"told": self._tell(_object(request, {"event", "file"}))})
        return None

    def _site(self, request: Request, path: str) -> Response:
        if path == "/oauth":
            return self._oauth.authorize(request)
        if path.startswith("/api/oauth/"):
            raise FigmaRefused(404, _MOVED, "oauth")
        return Response("<!doctype html><title>Figma</title><h1>404</h1>", 404, mimetype="text/html")

    def _answer(self, request: Request, path: str) -> Response:
        if path == _TOKEN:
            return self._oauth.token(request)
        if path == _REFRESH:
            return self._oauth.refresh(request)
        if self._webhooks.serves(path):
            return self._webhooks.handle(request, viewer_of(request, self._grants), path)
        call = self._api.call_at(path) if request.method in ("GET", "HEAD") else None
        if call is None:
            raise not_found()
        return call(request, viewer_of(request, self._grants))

    def _set_terms(self, wanted: Document) -> Document:
        who = person(wanted["account"]) if "account" in wanted else None
        if who is None and "account" in wanted:
            raise ControlRefused("account must be an e-mail address")
        return self._library.set_terms(wanted.get("team"), wanted.get("plan"), who, wanted.get("seat"))

    def _tell(self, wanted: Document) -> int:
        file = self._library.file(str(wanted.get("file")))
        if file is None:
            raise ControlRefused("There is no such file", 404)
        if wanted.get("event") not in SENT:
            raise ControlRefused(f"event must be one of {', '.join(SENT)}")
        return self._webhooks.announce(wanted["event"], file)

    def _account_of(self, token: str) -> str | None:
        found = self._grants.find(token) if token else None
        return Person(self._grants.grant_of(found).account).email if found else None


def _object(request: Request, names: set[str]) -> Document:
    wanted = request.get_json(silent=True)
    if not isinstance(wanted, dict) or set(wanted) - names:
        raise ControlRefused(f"This call takes {', '.join(sorted(names))}")
    return wanted
