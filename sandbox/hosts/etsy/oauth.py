"""Etsy's OAuth 2 server: consent at www.etsy.com, tokens at api.etsy.com, PKCE always, no client secret ever.

Sources: developers.etsy.com "Authentication"; etsy/open-api issues #234, #307, #519, #561 and inakiabt/etsy-php#61 for
the words of errors (read 2026-11-21). Whether a refreshed token dies at once is documented nowhere; here it may be
retried until its replacement is first used. What a token opens is decided in `access`.
"""

import time
from collections.abc import Mapping
from typing import Final

from werkzeug.wrappers import Request, Response

from sandbox.consent import Ask, Scope, back_to_app, consent_page, decide, refusal_page
from sandbox.grants import App, Code, Grant, GrantRefused, Grants, is_loopback_redirect
from sandbox.hosts.etsy.parameters import body_of
from sandbox.hosts.etsy.refusals import EtsyRefused, as_json
from sandbox.hosts.etsy.sellers import SELLERS, seller_named
from sandbox.platform import ControlRefused, refuse_unknown
from sandbox.store import Document

ACCESS_LIFETIME_S: Final = 3600
REFRESH_LIFETIME_S: Final = 90 * 24 * 3600
DEFAULT_SCOPES: Final = ("listings_r", "listings_w", "shops_r")
_LABELS: Final = {
    "address_r": "See your shipping addresses",
    "address_w": "Change your shipping addresses",
    "billing_r": "See your Etsy bill",
    "cart_r": "See your shopping carts",
    "cart_w": "Change your shopping carts",
    "email_r": "See your e-mail address",
    "favorites_r": "See your favorites",
    "favorites_w": "Change your favorites",
    "feedback_r": "See the reviews you gave and got",
    "listings_d": "Delete your listings",
    "listings_r": "See all your listings, inactive and expired ones too",
    "listings_w": "Create and change your listings",
    "profile_r": "See your private profile",
    "profile_w": "Change your private profile",
    "recommend_r": "See your recommended listings",
    "recommend_w": "Change your recommended listings",
    "shops_r": "See your private shop information",
    "shops_w": "Change your shop",
    "transactions_r": "See your sales and purchases",
    "transactions_w": "Change your sales",
}
_REDEEM_WORDS: Final = {
    "Malformed auth code.": "code is invalid",
    "The code has expired.": "code is expired",
    "The code was used before.": "code has been used previously",
    "Missing code verifier.": "code_verifier is required",
    "Invalid code verifier.": "code_verifier is invalid",
}


class OAuthServer:
    """The consent page and the token endpoint."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants
        self.apps = grants.apps

    def authorize(self, request: Request) -> Response:
        """The consent page, or the redirect that follows from it."""
        terms = request.args
        app = self._grants.apps.get(terms.get("client_id", ""))
        if app is None:
            return _page("The application that is requesting authorization is not recognized.")
        if not is_loopback_redirect(terms.get("redirect_uri", "")):
            return _page("The requested redirect URL is not permitted.")
        problem = _problem_of(terms)
        if problem is not None:
            return _back(terms, {"error": problem[0], "error_description": problem[1]})
        scopes = [Scope(scope, _LABELS[scope]) for scope in terms["scope"].split()]
        accounts = [(each.account, _label(each.name, each.shop.name if each.shop else "no shop")) for each in SELLERS]
        ask = Ask("Etsy", app.name, scopes, accounts)
        decision = decide(request, ask)
        if decision is None:
            return consent_page(ask)
        if not decision.is_allowed:
            return _back(terms, {"error": "access_denied", "error_description": "the user denied the request"})
        code = Code(
            app.client_id,
            terms["redirect_uri"],
            decision.account,
            decision.scopes,
            terms["code_challenge"],
            "S256",
        )
        return _back(terms, {"code": self._grants.new_code(code)})

    def token(self, request: Request) -> Response:
        """The token endpoint; takes a form, and JSON as Etsy does. Raises EtsyRefused."""
        if request.method != "POST":
            raise EtsyRefused(405, "invalid_request", "the token endpoint takes POST")
        form = body_of(request)
        try:
            return as_json(self._token(form))
        except GrantRefused as refusal:
            code = "invalid_grant" if refusal.error == "redirect_uri_mismatch" else refusal.error
            words = _REDEEM_WORDS.get(refusal.description, "redirect_uri is invalid")
            raise EtsyRefused(400, code, words) from None

    def scopes_of(self, text: str) -> Document:
        """What `POST /scopes` says of a token; raises EtsyRefused 400 for one that is none."""
        grant = self._grants.live_access(text)
        if grant is None:
            raise EtsyRefused(400, "invalid_token", "access token is invalid")
        return {"scopes": list(grant.scopes)}

    def issue(self, wanted: Document) -> Document:
        """The answer of the token endpoint without a walk through the consent; raises ControlRefused."""
        refuse_unknown(wanted, "scopes", "account", "shop", "client_id")
        seller = seller_named(str(wanted.get("account") or wanted.get("shop") or SELLERS[0].email))
        if seller is None:
            raise ControlRefused("account must be a seller: an e-mail address, user id or shop name")
        scopes = wanted.get("scopes") or list(DEFAULT_SCOPES)
        listed = scopes.split() if isinstance(scopes, str) else scopes
        if not isinstance(listed, list) or not all(isinstance(each, str) and each in _LABELS for each in listed):
            raise ControlRefused("scopes must be scopes that Etsy knows")
        app = self._grants.apps.get(str(wanted.get("client_id") or next(iter(self._grants.apps))))
        if app is None:
            raise ControlRefused("client_id is no app of the sandbox")
        grant = self._grants.new_grant(app.client_id, seller.account, listed)
        return self._tokens(grant, self._grants.issue(grant, "refresh", REFRESH_LIFETIME_S, f"{seller.account}."))

    def _token(self, form: Mapping[str, str]) -> Document:
        grant_type = form.get("grant_type")
        if not grant_type:
            raise EtsyRefused(400, "invalid_request", "grant_type is required")
        if grant_type not in ("authorization_code", "refresh_token"):
            raise EtsyRefused(400, "unsupported_grant_type", "grant_type is not supported")
        app = self._app(form)
        if grant_type == "refresh_token":
            return self._refreshed(app, _needed(form, "refresh_token"))
        code, redirect_uri, verifier = (_needed(form, name) for name in ("code", "redirect_uri", "code_verifier"))
        grant = self._grants.redeem(code, app, redirect_uri, verifier)
        return self._tokens(grant, self._grants.issue(grant, "refresh", REFRESH_LIFETIME_S, f"{grant.account}."))

    def _app(self, form: Mapping[str, str]) -> App:
        app = self._grants.apps.get(_needed(form, "client_id"))
        if app is None:
            raise EtsyRefused(401, "invalid_client", "Invalid API key")
        return app

    def _refreshed(self, app: App, text: str) -> Document:
        token = self._grants.find(text)
        if token is None or token.kind != "refresh" or self._grants.grant_of(token).client_id != app.client_id:
            raise EtsyRefused(400, "invalid_grant", "refresh_token is invalid")
        if token.expires_at is not None and token.expires_at <= time.time():
            raise EtsyRefused(400, "invalid_grant", "refresh_token is expired")
        if not self._grants.is_live(token):
            raise EtsyRefused(400, "invalid_grant", "refresh_token is revoked")
        account = self._grants.grant_of(token).account
        try:
            grant, following = self._grants.rotate(text, app, REFRESH_LIFETIME_S, f"{account}.")
        except GrantRefused:
            raise EtsyRefused(400, "invalid_grant", "refresh_token is revoked") from None
        return self._tokens(grant, following)

    def _tokens(self, grant: Grant, refresh_token: str) -> Document:
        """Both tokens begin with the user id and a dot; the answer does not repeat the scopes."""
        access_s = self._grants.access_s(ACCESS_LIFETIME_S)
        return {
            "access_token": self._grants.issue(grant, "access", access_s, f"{grant.account}."),
            "token_type": "Bearer",
            "expires_in": access_s,
            "refresh_token": refresh_token,
        }


def _needed(form: Mapping[str, str], name: str) -> str:
    text = form.get(name, "")
    if not text:
        raise EtsyRefused(400, "invalid_request", f"{name} is required")
    return text


def _problem_of(terms: Mapping[str, str]) -> tuple[str, str] | None:
    if terms.get("response_type") != "code":
        return "unsupported_response_type", "response_type must be code"
    for name in ("scope", "state", "code_challenge", "code_challenge_method"):
        if not terms.get(name, "").strip():
            return "invalid_request", f"{name} is required"
    if terms["code_challenge_method"] != "S256":
        return "invalid_request", "code_challenge_method must be S256"
    if any(scope not in _LABELS for scope in terms["scope"].split()):
        return "invalid_scope", "the requested scope is invalid"
    return None


def _label(name: str, shop: str) -> str:
    return f"{name} ({shop})"


def _back(terms: Mapping[str, str], answer: dict[str, str]) -> Response:
    """The redirect to the app, which Etsy lets nobody keep."""
    response = back_to_app(terms, answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(text: str) -> Response:
    return refusal_page("Etsy", "An error occurred", text)
