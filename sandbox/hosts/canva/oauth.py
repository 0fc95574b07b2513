"""Canva's OAuth 2 server: consent, codes, tokens, one-use refresh tokens, introspection and revocation.

Sources: Canva Developers SDK "Authentication"; REST reference "Generate an access token", "Introspect", "Revoke"; the
OpenID discovery document, which names `/auth/v1` where the older pages say `/rest/v1` (read 2026-11-21). What a code
that is redeemed twice does is nowhere said; here it ends what it gave, as RFC 6749 §4.1.2 advises.
"""

import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping

import msgspec
from werkzeug.wrappers import Request, Response

from sandbox.consent import Ask, Scope, back_to_app, consent_page, decide, refusal_page
from sandbox.grants import Code, Grant, GrantRefused, Grants, digest_of, is_loopback_redirect
from sandbox.hosts.canva.access import client_of
from sandbox.hosts.canva.people import PEOPLE, Person, person, scrambled
from sandbox.hosts.canva.refusals import CanvaRefused, LineageRevoked, as_json
from sandbox.platform import ControlRefused, refuse_unknown
from sandbox.store import Document, Store

ACCESS_LIFETIME_S = 14_400
_REFRESH_LIFETIME_S = None  # the platform publishes none
_LABELS = {
    "design:meta:read": "See the titles and dates of your designs",
    "design:content:read": "See and export the contents of your designs",
    "design:content:write": "Make designs for you",
    "asset:read": "See information about your uploads",
    "asset:write": "Upload, change and delete your uploads",
    "folder:read": "See your folders",
    "folder:write": "Change your folders",
    "comment:read": "See comments on your designs",
    "comment:write": "Comment on your designs",
    "brandtemplate:meta:read": "See information about your brand's templates",
    "brandtemplate:content:read": "See the contents of your brand's templates",
    "profile:read": "See your name",
}  # what both apps have enabled in the portal
DEFAULT_SCOPES = (
    "design:meta:read", "design:content:read", "asset:read", "asset:write", "folder:read", "profile:read"
)  # fmt: skip


class OAuthServer:
    """The authorize page of www.canva.com and the token endpoints of api.canva.com."""

    def __init__(self, store: Store, grants: Grants) -> None:
        self._store = store
        self._grants = grants

    def authorize(self, request: Request) -> Response:
        """The consent page, or the redirect that follows from it. The scopes are allowed together or not at all."""
        terms = request.args
        app = self._grants.apps.get(terms.get("client_id", ""))
        if app is None:
            return refusal_page("Canva", "invalid_client", "This client ID belongs to no integration.")
        if not is_loopback_redirect(terms.get("redirect_uri", "")):
            return refusal_page("Canva", "invalid_request", "This redirect URL is not among those of the integration.")
        problem = _problem_of(terms)
        if problem is not None:
            return back_to_app(terms, {"error": problem[0], "error_description": problem[1]})
        ask = Ask(
            "Canva",
            app.name,
            [Scope(scope, _LABELS[scope]) for scope in _scopes_of(terms.get("scope", ""))],
            [(each.email, f"{each.name} ({each.email})") for each in PEOPLE],
        )
        decision = decide(request, ask)
        if decision is None:
            return consent_page(ask)
        if not decision.is_allowed:
            return back_to_app(terms, {"error": "access_denied", "error_description": "The user denied the request"})
        code = Code(
            app.client_id, terms["redirect_uri"], decision.account, decision.scopes, terms["code_challenge"], "S256"
        )
        return back_to_app(terms, {"code": self._grants.new_code(code)})

    def token(self, request: Request) -> Response:
        """The token endpoint: a code or a refresh token becomes a pair. Raises CanvaRefused."""
        app = client_of(request, self._grants)
        match request.form.get("grant_type", ""):
            case "authorization_code":
                return self._answer(self._redeemed(request.form, app.client_id))
            case "refresh_token":
                return self._answer(self._refreshed(request.form, app.client_id))
            case other:
                raise CanvaRefused(400, "unsupported_grant_type", f"Unsupported grant type: {other}")

    def introspect(self, request: Request) -> Response:
        """Whether a token of the app is good, and what it stands for (RFC 7662). Raises CanvaRefused."""
        app = client_of(request, self._grants)
        token = self._grants.find(request.form.get("token", ""))
        if token is None or not self._grants.is_live(token):
            return as_json({"active": False})
        grant = self._grants.grant_of(token)
        if grant.client_id != app.client_id:
            return as_json({"active": False})
        about: Document = {
            "active": True,
            "scope": " ".join(grant.scopes),
            "client": grant.client_id,
            "jti": token.digest[:22],
            "sub": Person(grant.account).user_id(grant.client_id),
        }
        if token.expires_at is not None:
            about |= {
                "exp": int(token.expires_at),
                "iat": int(token.expires_at - self._grants.access_s(ACCESS_LIFETIME_S)),
            }
        return as_json(about)

    def revoke(self, request: Request) -> Response:
        """End the lineage of a token; of a refresh token the user's consent too. Raises CanvaRefused."""
        app = client_of(request, self._grants)
        text = request.form.get("token", "")
        if not text:
            raise CanvaRefused(400, "invalid_request", "Invalid request")
        token = self._grants.find(text)
        if token is None or self._grants.grant_of(token).client_id != app.client_id:
            raise CanvaRefused(400, "bad_request_params", "Token is neither an access or refresh token")
        grant = self._grants.grant_of(token)
        self._grants.revoke_grant(grant.id)
        if token.kind == "refresh":
            self._grants.revoke_account(grant.client_id, grant.account)
        return as_json({})

    def issue(self, wanted: Document) -> Document:
        """The answer of the token endpoint without a walk through the consent; raises ControlRefused."""
        refuse_unknown(wanted, "scopes", "account")
        known = person(wanted.get("account") or PEOPLE[0].email)
        if known is None:
            raise ControlRefused("account must be an e-mail address")
        scopes = wanted.get("scopes") or list(DEFAULT_SCOPES)
        listed = scopes.split() if isinstance(scopes, str) else scopes
        if not isinstance(listed, list) or not all(isinstance(each, str) and each in _LABELS for each in listed):
            raise ControlRefused("scopes names a scope that the platform does not know")
        return self._pair(self._grants.new_grant(next(iter(self._grants.apps)), known.email, dict.fromkeys(listed)))

    def _redeemed(self, form: Mapping[str, str], client_id: str) -> Grant:
        for name in ("code", "code_verifier"):
            if not form.get(name):
                raise CanvaRefused(400, "invalid_request", f"Missing required parameter: {name}")
        try:
            return self._grants.redeem(
                form["code"], self._grants.apps[client_id], form.get("redirect_uri", ""), form["code_verifier"]
            )
        except GrantRefused as refusal:
            raise CanvaRefused(400, "invalid_grant", refusal.description) from None

    def _refreshed(self, form: Mapping[str, str], client_id: str) -> Grant:
        """The grant of a refresh token, which is spent by this; a spent one that comes again ends its lineage."""
        text = form.get("refresh_token", "")
        with self._store.transaction():
            token = self._grants.find(text)
            if token is None or token.kind != "refresh" or self._grants.grant_of(token).client_id != client_id:
                raise CanvaRefused(400, "invalid_grant", "Invalid refresh token")
            if self._store.get("spent", digest_of(text)) is None and self._grants.is_live(token):
                grant = self._narrowed(self._grants.grant_of(token), form.get("scope", ""))
                self._store.put("spent", digest_of(text), {})
                return grant
        self._grants.revoke_grant(token.grant_id)
        raise LineageRevoked

    def _narrowed(self, grant: Grant, scope: str) -> Grant:
        """The grant with the asked scopes alone: a refresh may give up some, and they do not come back."""
        asked = _scopes_of(scope)
        if not asked:
            return grant
        if not set(asked) <= set(grant.scopes):
            raise CanvaRefused(400, "invalid_scope", "The requested scope exceeds what was granted")
        narrowed = msgspec.structs.replace(grant, scopes=asked)
        self._store.put("grants", grant.id, msgspec.to_builtins(narrowed))
        return narrowed

    def _answer(self, grant: Grant) -> Response:
        response = as_json(self._pair(grant))
        response.headers["Cache-Control"] = "no-store"
        return response

    def _pair(self, grant: Grant) -> Document:
        access_s = self._grants.access_s(ACCESS_LIFETIME_S)
        return {
            "access_token": self._grants.issue(grant, "access", access_s, _signed_part(grant, access_s)),
            "refresh_token": self._grants.issue(grant, "refresh", _REFRESH_LIFETIME_S),
            "token_type": "Bearer",
            "expires_in": access_s,
            "scope": " ".join(grant.scopes),
        }


def _signed_part(grant: Grant, access_s: float) -> str:
    """What stands before the signature of an access token: clients read `sub` in it (RFC 7519 §3.1)."""
    now = int(time.time())
    claims = {
        "iss": "https://www.canva.com",
        "aud": grant.client_id,
        "sub": Person(grant.account).user_id(grant.client_id),
        "iat": now,
        "nbf": now,
        "exp": int(now + access_s),
        "jti": scrambled(f"{grant.id}:{time.time_ns()}", 22),
        "scopes": list(grant.scopes),
    }
    head = {"alg": "RS256", "typ": "JWT", "kid": "sandbox"}
    parts = (urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode() for part in (head, claims))
    return ".".join(parts) + "."


def _problem_of(terms: Mapping[str, str]) -> tuple[str, str] | None:
    if terms.get("response_type") != "code":
        return "unsupported_response_type", "response_type must be code"
    scopes = _scopes_of(terms.get("scope", ""))
    if not scopes:
        return "invalid_request", "Missing required parameter: scope"
    if any(scope not in _LABELS for scope in scopes):
        return "invalid_scope", "Requested scopes are not allowed for this client"
    if not terms.get("code_challenge"):
        return "invalid_request", "Missing required parameter: code_challenge"
    if terms.get("code_challenge_method", "").lower() != "s256":
        return "invalid_request", "code_challenge_method must be s256"
    return None


def _scopes_of(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.split()))
