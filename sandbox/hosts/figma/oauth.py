"""Figma's OAuth 2 server: consent, codes of thirty seconds, tokens, and a refresh address of its own.

Sources: npm @figma/rest-api-spec 0.43.0 (`securitySchemes`); developers.figma.com "Authentication" and "Scopes"; errors
as reported in public threads (UsefulSoftwareCo/executor#1881 "Invalid scopes for app", GitbookIO/integrations#824, the
forum's 33052); `projects:read` closed to public apps: "Projects endpoints"; all read 2026-11-21. From memory: the texts
for a spent code and a dead refresh token, and that a refused consent comes back as `access_denied`.
"""

from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from sandbox.consent import Ask, Scope, back_to_app, consent_page, decide
from sandbox.grants import App, Code, Grant, GrantRefused, Grants, is_loopback_redirect
from sandbox.hosts.figma.people import ADA, PEOPLE, Person, person
from sandbox.hosts.figma.refusals import FigmaRefused, as_json
from sandbox.platform import ControlRefused, refuse_unknown
from sandbox.store import Document

ACCESS_LIFETIME_S = 90 * 24 * 3600
CODE_LIFETIME_S = 30.0
_PREFIX = "figu_"
SCOPES = {
    "current_user:read": "Read your name, e-mail and profile picture",
    "file_content:read": "Read the contents of files",
    "file_metadata:read": "Read metadata of files",
    "file_versions:read": "Read the version history of files",
    "file_comments:read": "Read comments",
    "file_comments:write": "Post and delete comments",
    "file_dev_resources:read": "Read dev resources in files",
    "file_dev_resources:write": "Write dev resources to files",
    "file_variables:read": "Read variables in files (Enterprise)",
    "file_variables:write": "Write variables in files (Enterprise)",
    "library_analytics:read": "Read library analytics (Enterprise)",
    "library_assets:read": "Read published components and styles",
    "library_content:read": "Read the published contents of files",
    "team_library_content:read": "Read the published contents of teams",
    "projects:read": "List projects and the files in them",
    "project_metadata:read": "Read metadata of projects",
    "folders:read": "List folders and the files in them",
    "folder_metadata:read": "Read metadata of folders",
    "webhooks:read": "Read webhooks",
    "webhooks:write": "Create and manage webhooks",
    "files:read": "Read files, projects, users, versions, comments, components, styles and webhooks",
}
_PRIVATE_ONLY = frozenset({"projects:read", "project_metadata:read", "folders:read", "folder_metadata:read"})
DEFAULT_SCOPES = ("current_user:read", "file_content:read", "file_metadata:read", "projects:read")


class OAuthServer:
    """The consent page at www.figma.com, and the two token addresses at api.figma.com.

    The app `sandbox-figma` is private to the studio's organisation, `other-figma` a public one.
    """

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    def authorize(self, request: Request) -> Response:
        """The consent page, or the redirect that follows from it; raises FigmaRefused. All scopes or none."""
        terms = request.args
        app = self._app_of(terms)
        scopes = self._scopes_of(terms, app)
        accounts = [(each.email, f"{each.handle} ({each.email})") for each in PEOPLE]
        ask = Ask("Figma", app.name, [Scope(scope, SCOPES[scope]) for scope in scopes], accounts)
        decision = decide(request, ask)
        if decision is None:
            return consent_page(ask)
        if not decision.is_allowed:
            return back_to_app(terms, {"error": "access_denied"})
        code = Code(
            app.client_id,
            terms["redirect_uri"],
            decision.account,
            scopes,
            terms.get("code_challenge") or None,
            terms.get("code_challenge_method", "plain"),
        )
        return back_to_app(terms, {"code": self._grants.new_code(code, lifetime_s=CODE_LIFETIME_S)})

    def token(self, request: Request) -> Response:
        """A code for tokens; the client shows itself by HTTP Basic alone. Raises FigmaRefused."""
        app = self._authenticated(request)
        form = request.form
        for name in ("redirect_uri", "code", "grant_type"):
            if not form.get(name):
                raise _bad(f"Parameter {name} is required")
        if form["grant_type"] != "authorization_code":
            raise _bad("Invalid grant_type")
        try:
            grant = self._grants.redeem(form["code"], app, form["redirect_uri"], form.get("code_verifier"))
        except GrantRefused as refusal:
            if refusal.error == "redirect_uri_mismatch":
                raise _bad("Invalid redirect uri") from refusal
            raise _bad("Invalid code") from refusal
        return as_json(self._first_answer(grant))

    def refresh(self, request: Request) -> Response:
        """A new access token; the refresh token stays as it is and is not repeated. Raises FigmaRefused."""
        app = self._authenticated(request)
        text = request.form.get("refresh_token")
        if not text:
            raise _bad("Parameter refresh_token is required")
        try:
            grant = self._grants.grant_of(self._grants.live_refresh(text, app))
        except GrantRefused as refusal:
            raise _bad("Invalid refresh token") from refusal
        return as_json(self._answer(grant))

    def issue(self, wanted: Document) -> Document:
        """The answer of the token address without a walk through the consent; raises ControlRefused."""
        refuse_unknown(wanted, "scopes", "account")
        who = person(wanted.get("account") or ADA.email)
        if who is None:
            raise ControlRefused("account must be an e-mail address")
        scopes = wanted.get("scopes") or list(DEFAULT_SCOPES)
        listed = _listed(scopes) if isinstance(scopes, str) else scopes
        if not isinstance(listed, list) or not all(isinstance(scope, str) and scope in SCOPES for scope in listed):
            raise ControlRefused("scopes must name scopes that Figma knows")
        return self._first_answer(self._grants.new_grant(next(iter(self._grants.apps)), who.email, listed))

    def _app_of(self, terms: Mapping[str, str]) -> App:
        """The app that asks, when all but the scopes is as it must be."""
        if not terms.get("client_id"):
            raise _bad("Parameter client_id is required")
        app = self._grants.apps.get(terms["client_id"])
        if app is None:
            raise FigmaRefused(404, f"OAuth app with client id {terms['client_id']} doesn't exist", "oauth")
        for name in ("redirect_uri", "state", "response_type"):
            if not terms.get(name):
                raise _bad(f"Parameter {name} is required")
        if not is_loopback_redirect(terms["redirect_uri"]):
            raise _bad("Invalid redirect uri")
        if terms["response_type"] != "code":
            raise _bad("Invalid response_type")
        if terms.get("code_challenge") and terms.get("code_challenge_method", "plain") != "S256":
            raise _bad("Invalid code_challenge_method")
        return app

    def _scopes_of(self, terms: Mapping[str, str], app: App) -> tuple[str, ...]:
        """What is asked for; without any, what the app is set up for. One that it may not have refuses the whole."""
        open_to_it = [scope for scope in SCOPES if self._is_private(app) or scope not in _PRIVATE_ONLY]
        asked = _listed(terms.get("scope", "")) or [scope for scope in open_to_it if scope != "files:read"]
        if not set(asked) <= set(open_to_it):
            raise _bad("Invalid scopes for app")
        return tuple(asked)

    def _is_private(self, app: App) -> bool:
        return app.client_id == next(iter(self._grants.apps))

    def _authenticated(self, request: Request) -> App:
        if request.method != "POST":
            raise FigmaRefused(404, "Not found", "oauth")
        basic = request.authorization
        if basic is None or basic.type != "basic":
            raise FigmaRefused(401, "Missing client credentials", "oauth")
        try:
            return self._grants.authenticate(basic.username or "", basic.password or "")
        except GrantRefused as refusal:
            raise FigmaRefused(401, "Invalid client credentials", "oauth") from refusal

    def _first_answer(self, grant: Grant) -> Document:
        return self._answer(grant) | {"refresh_token": self._grants.issue(grant, "refresh", None, "figur_")}

    def _answer(self, grant: Grant) -> Document:
        """No `scope`: what was granted is what was asked for."""
        access_s = self._grants.access_s(ACCESS_LIFETIME_S)
        return {
            "user_id_string": Person(grant.account).id,
            "access_token": self._grants.issue(grant, "access", access_s, _PREFIX),
            "token_type": "bearer",
            "expires_in": access_s,
        }


def _listed(text: str) -> list[str]:
    """The scopes of a text: parted by spaces, in old apps by commas."""
    return list(dict.fromkeys(text.replace(",", " ").split()))


def _bad(text: str) -> FigmaRefused:
    return FigmaRefused(400, text, "oauth")
