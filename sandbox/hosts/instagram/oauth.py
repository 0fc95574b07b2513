"""Instagram's login: consent, the short token, its exchange for one of sixty days, and that one's renewal.

Sources: "Business Login for Instagram", "Access Token" and "Refresh Access Token" references (read 2026-11-21). The
words of a token that is too young to be renewed are nowhere published.
"""

import time
from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from sandbox.consent import Ask, Scope, back_to_app, consent_page, decide, refusal_page
from sandbox.grants import Code, Grant, GrantRefused, Grants, digest_of, is_loopback_redirect
from sandbox.graph_api import GraphRefused, as_json, demand_live, invalid, parameter, token_text, unreadable_token
from sandbox.graph_fetching import origin_of
from sandbox.hosts.instagram.access import BASIC, LABELS, PUBLISH
from sandbox.hosts.instagram.accounts import ACCOUNTS, BY_USERNAME, by_username
from sandbox.platform import ControlRefused, refuse_unknown
from sandbox.store import Document, Store

CODE_LIFETIME_S = 3600
SHORT_LIFETIME_S = 3600
LONG_LIFETIME_S = 5_183_944
YOUNGEST_RENEWED_S = 24 * 3600
_WRONG_CODE = "Matching code was not found or was already used"
_WRONG_REDIRECT = (
    "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the "
    "OAuth dialog request"
)


class OAuthServer:
    """The hosts www.instagram.com and api.instagram.com, and the token calls of graph.instagram.com."""

    def __init__(self, store: Store, grants: Grants) -> None:
        self._store = store
        self._grants = grants

    def authorize(self, request: Request) -> Response:
        """The consent page, or the redirect that follows from it."""
        terms = request.args
        app = self._grants.apps.get(terms.get("client_id", ""))
        problem = "Invalid platform app" if app is None else _problem_of(terms)
        if app is None or problem:
            return refusal_page("Instagram", "Invalid Request", f"Request parameters are invalid: {problem}")
        scopes = _listed(terms["scope"])
        ask = Ask(
            "Instagram",
            app.name,
            [Scope(scope, LABELS[scope], is_refusable=scope != BASIC) for scope in scopes],
            [(each.username, f"{each.name} (@{each.username})") for each in ACCOUNTS],
        )
        decision = decide(request, ask)
        if decision is None:
            return consent_page(ask)
        if not decision.is_allowed:
            refusal = {"error": "access_denied", "error_reason": "user_denied"}
            return _back(terms, refusal | {"error_description": "The user denied your request"})
        hub = {"hub": origin_of(terms["redirect_uri"])}
        code = Code(app.client_id, terms["redirect_uri"], decision.account, decision.scopes, extra=hub)
        return _back(terms, {"code": self._grants.new_code(code, "AQ", CODE_LIFETIME_S)})

    def first_token(self, request: Request) -> Response:
        """POST api.instagram.com/oauth/access_token: a code for a token of one hour, wrapped in `data`."""
        form = request.form
        try:
            if request.method != "POST" or form.get("grant_type") != "authorization_code":
                raise GrantRefused("unsupported", "Invalid grant_type")
            app = self._grants.authenticate(form.get("client_id", ""), form.get("client_secret", ""))
            code = form.get("code", "").removesuffix("#_")
            grant = self._grants.redeem(code, app, form.get("redirect_uri", ""), None)
        except GrantRefused as refusal:
            return as_json({"error_type": "OAuthException", "code": 400, "error_message": _words(refusal)}, 400)
        return as_json(self._short_token(grant))

    def exchange(self, request: Request) -> Response:
        """GET graph.instagram.com/access_token: a short token for a long one; wants the app's secret."""
        _demand(request, "ig_exchange_token")
        text = token_text(request)
        grant = self._grants.grant_of(demand_live(self._grants, self._grants.find(text)))
        app = self._grants.apps[grant.client_id]
        if parameter(request, "client_secret") != app.secret:
            raise GraphRefused(1, "Error validating client secret.", kind="IGApiException")
        if self._store.get("births", digest_of(text)) is not None:
            raise GraphRefused(452, "Session key invalid: this token is long-lived already", kind="IGApiException")
        return as_json(self._long_token(grant))

    def renew(self, request: Request) -> Response:
        """GET graph.instagram.com/refresh_access_token: sixty more days for a long token that is a day old."""
        _demand(request, "ig_refresh_token")
        text = token_text(request)
        if not text:
            raise unreadable_token()
        grant = self._grants.grant_of(demand_live(self._grants, self._grants.find(text)))
        birth = self._store.get("births", digest_of(text))
        if birth is None:
            raise GraphRefused(452, "Session key invalid: this token is not long-lived", kind="IGApiException")
        if birth["at"] > time.time() - YOUNGEST_RENEWED_S:
            raise invalid("The access token must be at least 24 hours old to be refreshed", kind="IGApiException")
        if BASIC not in grant.scopes:
            raise GraphRefused(10, f"(#10) Application does not have permission for this action: {BASIC}", status=403)
        return as_json(self._long_token(grant) | {"permissions": ",".join(grant.scopes)})

    def issue(self, wanted: Document) -> Document:
        """A short token without a walk through the consent, as `first_token` answers it; raises ControlRefused."""
        refuse_unknown(wanted, "scopes", "account", "hub")
        account = by_username(str(wanted.get("account") or ACCOUNTS[0].username))
        if account is None:
            raise ControlRefused(f"account must be one of {', '.join(each.username for each in ACCOUNTS)}")
        scopes = wanted.get("scopes") or [BASIC, PUBLISH]
        listed = _listed(scopes) if isinstance(scopes, str) else scopes
        if not isinstance(listed, list | tuple) or any(scope not in LABELS for scope in listed):
            raise ControlRefused("scopes names a scope that the platform does not know")
        extra = {"hub": origin_of(str(wanted.get("hub") or ""))}
        return self._short_token(self._grants.new_grant(next(iter(self._grants.apps)), account.username, listed, extra))

    def _short_token(self, grant: Grant) -> Document:
        text = self._grants.issue(grant, "access", SHORT_LIFETIME_S, "IGAA")
        user_id = int(BY_USERNAME[grant.account].scoped_id(grant.client_id))  # a bare number, beyond a double
        return {"data": [{"access_token": text, "user_id": user_id, "permissions": ",".join(grant.scopes)}]}

    def _long_token(self, grant: Grant) -> Document:
        access_s = self._grants.access_s(LONG_LIFETIME_S)
        text = self._grants.issue(grant, "access", access_s, "IGAA")
        self._store.put("births", digest_of(text), {"at": time.time()})
        return {"access_token": text, "token_type": "bearer", "expires_in": access_s}


def _problem_of(terms: Mapping[str, str]) -> str:
    if not is_loopback_redirect(terms.get("redirect_uri", "")):
        return "Invalid redirect_uri"
    if terms.get("response_type") != "code":
        return "Invalid response_type"
    scopes = _listed(terms.get("scope", ""))
    unknown = [scope for scope in scopes if scope not in LABELS]
    if unknown or BASIC not in scopes:
        return f"Invalid scope field(s): {', '.join(unknown)}"
    return ""


def _listed(text: str) -> tuple[str, ...]:
    """Scopes are parted by commas or spaces."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _words(refusal: GrantRefused) -> str:
    """What the token endpoint says; its code is always 400 and its type always the same."""
    if refusal.error == "invalid_client":
        return "Invalid platform app" if "not found" in refusal.description else "Error validating client secret"
    known = {"redirect_uri_mismatch": _WRONG_REDIRECT, "unsupported": refusal.description}
    return known.get(refusal.error, _WRONG_CODE)


def _demand(request: Request, grant_type: str) -> None:
    if request.method != "GET":
        message = f"Unsupported request - method type: {request.method.lower()}"
        raise GraphRefused(100, message, kind="IGApiException")
    if parameter(request, "grant_type") != grant_type:
        raise invalid("Invalid grant_type", kind="IGApiException")


def _back(terms: Mapping[str, str], answer: dict[str, str]) -> Response:
    """The redirect to the app; Instagram puts `#_` behind it, which belongs to nothing."""
    response = back_to_app(terms, answer)
    response.headers["Location"] += "#_"
    return response
