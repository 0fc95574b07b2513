"""Dropbox's OAuth 2 server: consent, codes, short-lived tokens, refresh and revocation.

Sources: Dropbox's OAuth guide and the HTTP documentation's /oauth2/authorize and /oauth2/token; the error bodies are
those quoted in issues of dropbox-sdk-php (50, 121), dropbox-sdk-python (203, 544), dropbox-sdk-rust (93),
nextcloud/integration_dropbox (34) and s-aska/dropbox-api-command (41), all read 2026-11-21.
"""

from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from sandbox.consent import Ask, Scope, back_to_app, consent_page, decide, refusal_page
from sandbox.grants import App, Code, Grant, GrantRefused, Grants, is_loopback_redirect
from sandbox.hosts.dropbox.people import PEOPLE, Person, person, team_id
from sandbox.hosts.dropbox.refusals import as_json
from sandbox.platform import ControlRefused, refuse_unknown
from sandbox.store import Document

ACCESS_LIFETIME_S = 14400
LONGEST_STATE_BYTES = 2000
_LABELS = {
    "account_info.read": "View basic information about your account such as your name, e-mail and country",
    "files.metadata.read": "View information about your files and folders",
    "files.metadata.write": "View and edit information about your files and folders",
    "files.content.read": "View the content of your files and folders",
    "files.content.write": "Edit the content of your files and folders",
    "sharing.read": "View your sharing settings and collaborators",
    "sharing.write": "View and manage your sharing settings and collaborators",
}
_MENDED = {  # what the shared grants call otherwise
    "redirect_uri_mismatch": ("invalid_grant", "redirect_uri mismatch"),
    "invalid_client": ("invalid_client", "Invalid client_id or client_secret"),
}


class OAuthServer:
    """The page on www.dropbox.com and the token calls on api.dropboxapi.com."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    def authorize(self, request: Request) -> Response:
        """The consent page, or the redirect that follows from it."""
        terms = request.args
        app = self._grants.apps.get(terms.get("client_id", ""))
        if app is None:
            return _bad_page(f'Invalid client_id: "{terms.get("client_id", "")}".')
        if not is_loopback_redirect(terms.get("redirect_uri", "")):
            return _bad_page(
                "Invalid redirect_uri. It must exactly match one of the redirect URIs you've pre-configured for your "
                "app (including the path)."
            )
        problem = _problem_of(terms)
        if problem is not None:
            return _bad_page(problem)
        scopes = _asked(terms.get("scope", ""))
        ask = Ask("Dropbox", app.name, [Scope(each, _LABELS[each]) for each in scopes], _choices(terms))
        decision = decide(request, ask)
        if decision is None:
            return consent_page(ask)
        if not decision.is_allowed:
            text = "The user chose not to give your app access to their Dropbox account."
            return back_to_app(terms, {"error": "access_denied", "error_description": text})
        return back_to_app(terms, {"code": self._code(terms, decision.account, decision.scopes)})

    def token(self, request: Request) -> Response:
        """The token endpoint; its errors are flat, and 400 whatever happened."""
        try:
            grant_type = request.form.get("grant_type", "")
            if grant_type == "refresh_token":
                return as_json(self._refreshed(request))
            if grant_type == "authorization_code":
                return as_json(self._first_tokens(self._redeemed(request)))
            raise GrantRefused("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
        except GrantRefused as refusal:
            return _flat_error(*_in_words_of_dropbox(refusal))

    def revoke(self, text: str) -> Response:
        """auth/token/revoke: ends the token, its refresh token and the other access tokens that came from it."""
        token = self._grants.find(text)
        if token is not None:
            self._grants.revoke_grant(token.grant_id)
        return as_json(None)

    def issue(self, wanted: Document) -> Document:
        """The answer of the token endpoint without a walk through the consent; raises ControlRefused."""
        refuse_unknown(wanted, "scopes", "account")
        known = person(wanted.get("account") or PEOPLE[0].email)
        if known is None:
            raise ControlRefused("account must be an e-mail address")
        scopes = wanted.get("scopes") or list(_LABELS)
        listed = scopes.split() if isinstance(scopes, str) else scopes
        if not isinstance(listed, list) or not all(each in _LABELS for each in listed):
            raise ControlRefused("scopes names a scope that the platform does not know")
        extra = {"token_access_type": "offline"}
        grant = self._grants.new_grant(next(iter(self._grants.apps)), known.email, listed, extra)
        return self._first_tokens(grant)

    def _code(self, terms: Mapping[str, str], account: str, scopes: tuple[str, ...]) -> str:
        extra = {"token_access_type": terms.get("token_access_type", "online")}
        if terms.get("code_challenge"):
            extra["pkce"] = "yes"
        code = Code(
            terms["client_id"],
            terms["redirect_uri"],
            account,
            scopes,
            terms.get("code_challenge") or None,
            terms.get("code_challenge_method", "plain"),
            extra,
        )
        return self._grants.new_code(code)

    def _client(self, request: Request) -> tuple[App, bool]:
        """The app that calls, by Basic or body credentials, and whether it proved who it is."""
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            return self._grants.authenticate(basic.username or "", basic.password or ""), True
        client_id, secret = request.form.get("client_id", ""), request.form.get("client_secret")
        if secret is None and client_id in self._grants.apps:
            return self._grants.apps[client_id], False
        return self._grants.authenticate(client_id, secret or ""), True

    def _redeemed(self, request: Request) -> Grant:
        """The grant of a code; without the secret only where a PKCE verifier stands in its place."""
        app, is_proven = self._client(request)
        form = request.form
        if not is_proven and not form.get("code_verifier"):
            raise GrantRefused("invalid_client", "no secret")
        grant = self._grants.redeem(form.get("code", ""), app, form.get("redirect_uri", ""), form.get("code_verifier"))
        if not is_proven and grant.extra.get("pkce") is None:
            self._grants.revoke_grant(grant.id)
            raise GrantRefused("invalid_client", "no secret")
        return grant

    def _refreshed(self, request: Request) -> Document:
        """A new access token, never a new refresh token, and no word on the scopes."""
        app, is_proven = self._client(request)
        grant = self._grants.grant_of(self._grants.live_refresh(request.form.get("refresh_token", ""), app))
        if not is_proven and grant.extra.get("pkce") is None:
            raise GrantRefused("invalid_client", "no secret")
        if not set(request.form.get("scope", "").split()) <= set(grant.scopes):
            raise GrantRefused("invalid_scope", "the scope exceeds what the user granted")
        return self._access(grant)

    def _first_tokens(self, grant: Grant) -> Document:
        who = Person(grant.account)
        scope = " ".join(sorted(grant.scopes))
        body = self._access(grant) | {"scope": scope, "uid": who.uid, "account_id": who.account_id}
        if who.is_in_team:
            body["team_id"] = team_id()
        if grant.extra.get("token_access_type") == "offline":
            body["refresh_token"] = self._grants.issue(grant, "refresh", None)
        return body

    def _access(self, grant: Grant) -> Document:
        access_s = self._grants.access_s(ACCESS_LIFETIME_S)
        token = self._grants.issue(grant, "access", access_s, "sl.")
        return {"access_token": token, "token_type": "bearer", "expires_in": access_s}


def _asked(text: str) -> tuple[str, ...]:
    """The scopes of the call; none means all that the app was registered with."""
    return tuple(dict.fromkeys(text.split())) or tuple(_LABELS)


def _problem_of(terms: Mapping[str, str]) -> str | None:
    if terms.get("response_type") != "code":
        return 'Invalid response_type: must be "code".'
    if terms.get("token_access_type", "online") not in ("online", "offline"):
        return 'Invalid token_access_type: must be "online" or "offline".'
    if any(scope not in _LABELS for scope in _asked(terms.get("scope", ""))):
        return "Invalid scope."
    if len(terms.get("state", "").encode()) > LONGEST_STATE_BYTES:
        return f"Invalid state: must be at most {LONGEST_STATE_BYTES} bytes."
    method = terms.get("code_challenge_method", "plain")
    if terms.get("code_challenge") and (method not in ("S256", "plain") or len(terms["code_challenge"]) < 43):
        return "Invalid code_challenge or code_challenge_method."
    return None


def _choices(terms: Mapping[str, str]) -> list[tuple[str, str]]:
    """The accounts to choose from; `require_role` puts those of the asked kind first."""
    wants_work = terms.get("require_role") == "work"
    people = sorted(PEOPLE, key=lambda each: each.is_in_team != wants_work)
    return [(each.email, f"{each.name} ({each.email})") for each in people]


def _in_words_of_dropbox(refusal: GrantRefused) -> tuple[str, str]:
    if refusal.error != "invalid_grant":
        return _MENDED.get(refusal.error, (refusal.error, refusal.description))
    if "verifier" in refusal.description:
        return "invalid_grant", "invalid code verifier"
    if "Token" in refusal.description:
        return "invalid_grant", "refresh token is invalid or revoked"
    if "another client" in refusal.description:
        return "invalid_grant", "refresh token is invalid or revoked"
    if "used" in refusal.description:
        return "invalid_grant", "code has already been used"
    return "invalid_grant", "code doesn't exist or has expired"


def _bad_page(text: str) -> Response:
    return refusal_page("Dropbox", "Error (400)", text)


def _flat_error(error: str, description: str) -> Response:
    return as_json({"error": error, "error_description": description}, 400)
