"""Google Drive as the sandbox plays it: which host and path leads to which part, and what the control calls may ask.

The parts themselves are in the modules beside this one.
"""

import re
from collections.abc import Callable
from typing import ClassVar

from werkzeug.wrappers import Request, Response

from sandbox.grants import Grants, tail_of
from sandbox.hosts.google_drive import identity
from sandbox.hosts.google_drive.access import Viewer, bearer_token, viewer_of
from sandbox.hosts.google_drive.contents import Contents
from sandbox.hosts.google_drive.generation import generate
from sandbox.hosts.google_drive.methods import Methods
from sandbox.hosts.google_drive.oauth import OAuthServer
from sandbox.hosts.google_drive.overview import Overview
from sandbox.hosts.google_drive.people import PEOPLE, Person, person
from sandbox.hosts.google_drive.refusals import DriveRefused, as_json
from sandbox.hosts.google_drive.resource import shown
from sandbox.hosts.google_drive.tree import Tree
from sandbox.hosts.google_drive.uploads import Uploads
from sandbox.platform import ControlForm, ControlRefused, Description, Page, Platform
from sandbox.store import Document, Store

_API = "www.googleapis.com"
_FILES = "/drive/v3/files"
_UPLOAD = re.compile(r"(?:/resumable)?/upload/drive/v3/files(?:/(?P<id>[\w-]+))?")
_ONE_FILE = re.compile(r"/drive/v3/files/(?P<id>[\w-]+)")
_AUTHORIZE = frozenset({"/o/oauth2/v2/auth", "/o/oauth2/auth"})
_USERINFO = frozenset({("openidconnect.googleapis.com", "/v1/userinfo"), (_API, "/oauth2/v3/userinfo")})
_COLLECTIONS = ("files", "changes", "accounts")


class GoogleDrive(Platform):
    """Google's OAuth server and Drive API v3."""

    key = "google-drive"
    name = "Google Drive"
    hosts = ("accounts.google.com", "oauth2.googleapis.com", "openidconnect.googleapis.com", _API)
    forms: ClassVar[tuple[ControlForm, ...]] = (
        ControlForm("Set a storage limit", "POST", "quota", ("account", "limit")),
        ControlForm("Lose all upload sessions", "DELETE", "uploads"),
    )
    generate_fields = ("count", "seed", "account")
    token_fields = ("scopes", "account")

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._grants = Grants(store, self.key)
        contents = Contents(store)
        self._tree = Tree(store, contents)
        self._methods = Methods(self._tree, contents)
        self._overview = Overview(self._tree)
        self._uploads = Uploads(store, self._tree, self._methods, contents)
        self._oauth = OAuthServer(store, self._grants)

    def reset(self) -> None:
        """Everybody has an empty Drive."""
        for each in PEOPLE:
            self._tree.open_account(each.email)

    def handle(self, request: Request, host: str, path: str) -> Response:
        """Answer as Google does."""
        if host == "accounts.google.com":
            if path == "/.well-known/openid-configuration":
                return as_json(identity.discovery())
            return self._oauth.authorize(request) if path in _AUTHORIZE else _page_not_found()
        if host == "oauth2.googleapis.com":
            flat = {"/token": self._oauth.token, "/revoke": self._oauth.revoke}.get(path)
            return flat(request) if flat else _page_not_found()
        if path == "/oauth2/v3/certs":
            return as_json(identity.certificates())
        if (host, path) in _USERINFO:
            return self._oauth.userinfo(request)
        try:
            return self._api(request, path)
        except DriveRefused as refusal:
            return refusal.answer()

    def is_api_call(self, request: Request, host: str, path: str) -> bool:  # noqa: ARG002 - the host tells all
        """All but the consent page."""
        return host != "accounts.google.com"

    def describe(self, request: Request, host: str, path: str) -> Description:
        """Account and token, of token calls the grant type."""
        if host == "oauth2.googleapis.com":
            token = request.form.get("refresh_token") or request.form.get("token") or ""
            grant_type = request.form.get("grant_type") if path == "/token" else None
            return Description(None, grant_type, tail_of(token), self._account_of(token))
        token = bearer_token(request) or ""
        return Description(None, None, tail_of(token), self._account_of(token))

    def rate_limit(self, request: Request, host: str, path: str, seconds: float) -> Response:  # noqa: ARG002
        """403 with the reason in the body; Google seldom says how long to wait, and here never."""
        if host == "oauth2.googleapis.com":
            return as_json({"error": "rate_limit_exceeded", "error_description": "Rate Limit Exceeded"}, 403)
        message = "User Rate Limit Exceeded. Rate of requests for user exceed configured project quota."
        return DriveRefused(403, "userRateLimitExceeded", message, domain="usageLimits").answer()

    def server_error(self, request: Request, host: str, path: str) -> Response:  # noqa: ARG002
        """503 backendError; the token endpoint says it flatly."""
        if host == "oauth2.googleapis.com":
            return as_json({"error": "internal_failure"}, 500)
        return DriveRefused(503, "backendError", "Backend Error", extra={"status": "UNAVAILABLE"}).answer()

    def expire_tokens(self) -> None:
        """As if an hour had passed."""
        self._grants.expire_access_tokens()

    def revoke_grants(self) -> None:
        """As if every user had removed every app."""
        self._grants.revoke_all()
        self._oauth.forget_consents()

    def issue_token(self, wanted: Document) -> Document:
        """`scopes` (text or list, default drive.file and the sign-in scopes) and `account` (default Ada)."""
        answer = self._oauth.issue(wanted)
        self._tree.open_account(self._account_of(answer["access_token"]) or "")
        return answer

    def generate(self, wanted: Document) -> Document:
        """`count` files from `seed` in the Drive of `account` (default Ada), as if Patchbay had made them."""
        account = _known_account(wanted.pop("account", None) or PEOPLE[0].email)
        return generate(self._tree, account, next(iter(self._grants.apps)), wanted)

    def collections(self, shop: str | None) -> dict[str, int]:  # noqa: ARG002 - there are no shops here
        """Files, changes and accounts of all people together."""
        return {name: self.store.count(name) for name in _COLLECTIONS}

    def page(self, collection: str, cursor: str | None, limit: int, shop: str | None) -> Page:  # noqa: ARG002
        """Files as their owner sees them, with the owner's address in `owners`."""
        page = self.store.page(collection, cursor, limit)
        if collection != "files":
            return page
        files = [
            shown(file, Viewer(Person(key.partition("/")[0]), (file["apps"] or [""])[0], frozenset()))
            for key, file in zip(page.keys, page.documents, strict=True)
        ]
        return Page(files, page.next_cursor, page.keys)

    def control(self, request: Request, rest: str) -> Response | None:
        """`POST quota` `{"account", "limit"}` (bytes) and `DELETE uploads`."""
        if rest == "quota" and request.method == "POST":
            wanted = request.get_json(silent=True)
            if not isinstance(wanted, dict) or set(wanted) - {"account", "limit"}:
                raise ControlRefused("quota takes account and limit")
            limit = wanted.get("limit")
            if type(limit) is not int or limit < 0:
                raise ControlRefused("limit must be a number of bytes")
            return as_json(self._tree.set_limit(_known_account(wanted.get("account") or PEOPLE[0].email), limit))
        if rest == "uploads" and request.method == "DELETE":
            return as_json({"lost": self._uploads.lose_all()})
        return None

    def _api(self, request: Request, path: str) -> Response:
        upload = _UPLOAD.fullmatch(path)
        if upload and "upload_id" in request.args and request.method in ("PUT", "DELETE"):
            return self._uploads.go_on(request)
        viewer = viewer_of(request, self._grants)
        if request.args.get("alt", "json") not in ("json", "media"):
            raise DriveRefused(400, "badRequest", "Invalid value for alt.", location="alt")
        if upload:
            if request.method != ("PATCH" if upload["id"] else "POST"):
                raise _no_such_method()
            return self._uploads.begin(request, viewer, upload["id"])
        fixed = self._fixed_calls().get((request.method, path))
        if fixed is not None:
            return fixed(request, viewer)
        one = _ONE_FILE.fullmatch(path)
        call = self._file_calls().get(request.method) if one else None
        if one is None or call is None:
            raise _no_such_method()
        return call(request, viewer, one["id"])

    def _fixed_calls(self) -> dict[tuple[str, str], Callable[[Request, Viewer], Response]]:
        return {
            ("GET", _FILES): self._methods.list_files,
            ("POST", _FILES): self._methods.create_file,
            ("GET", f"{_FILES}/generateIds"): self._methods.generate_ids,
            ("GET", "/drive/v3/changes/startPageToken"): self._overview.start_page_token,
            ("GET", "/drive/v3/changes"): self._overview.list_changes,
            ("GET", "/drive/v3/about"): self._overview.about,
        }

    def _file_calls(self) -> dict[str, Callable[[Request, Viewer, str], Response]]:
        return {
            "GET": self._methods.get_file,
            "PATCH": self._methods.update_file,
            "DELETE": self._methods.delete_file,
        }

    def _account_of(self, token: str) -> str | None:
        found = self._grants.find(token) if token else None
        return self._grants.grant_of(found).account if found else None


def _known_account(email: object) -> str:
    found = person(email)
    if found is None:
        raise ControlRefused("account must be an e-mail address")
    return found.email


def _no_such_method() -> DriveRefused:
    return DriveRefused(404, "notFound", "The requested URL was not found on this server.")


def _page_not_found() -> Response:
    return Response("<!doctype html><title>Error 404 (Not Found)</title>", 404, mimetype="text/html")
