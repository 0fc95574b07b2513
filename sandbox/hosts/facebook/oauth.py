"""Facebook's login: the dialog, codes, short and long user tokens, and what `debug_token` tells of any.

Sources: "Manually Build a Login Flow", "Get Long-Lived Tokens", "Debug Token" (read 2026-11-21); the codes of the token
endpoint from public reports of its answers (php-graph-sdk, hoauth2 #19, read the same day).
"""

import time
from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from sandbox.consent import Ask, Scope, back_to_app, consent_page, decide, refusal_page
from sandbox.grants import App, Code, Grant, GrantRefused, Grants, digest_of, is_loopback_redirect
from sandbox.graph_api import GraphRefused, as_json, demand_live, invalid, parameter, unreadable_token
from sandbox.graph_fetching import origin_of
from sandbox.hosts.facebook.access import LABELS, LIST, POST, PROFILE, READ, Access
from sandbox.hosts.facebook.people import PEOPLE
from sandbox.platform import ControlRefused, refuse_unknown
from sandbox.store import Document, Store

SHORT_LIFETIME_S = 5_400
LONG_LIFETIME_S = 5_183_944
_DATA_ACCESS_S = 90 * 24 * 3600
_DEFAULT = (LIST, READ, POST)
_REFUSED_CODES = {
    "redirect_uri_mismatch": (
        36008,
        "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in "
        "the OAuth dialog request",
    ),
    "The code was used before.": (36009, "This authorization code has been used."),
    "The code has expired.": (36007, "This authorization code has expired."),
}


class OAuthServer:
    """The dialog at www.facebook.com and the token calls of graph.facebook.com."""

    def __init__(self, store: Store, grants: Grants, access: Access) -> None:
        self._store = store
        self._grants = grants
        self._access = access

    def dialog(self, request: Request) -> Response:
        """The consent page, or the redirect that follows from it."""
        terms = request.args
        app = self._grants.apps.get(terms.get("client_id", ""))
        if app is None:
            text = "The provided app ID does not look like a valid app ID."
            return refusal_page("Facebook", "Invalid App ID", text)
        problem = _problem_of(terms)
        if problem is not None:
            return refusal_page("Facebook", *problem)
        asked = list(dict.fromkeys([PROFILE, *_listed(terms.get("scope", ""))]))
        ask = Ask(
            "Facebook",
            app.name,
            [Scope(name, LABELS[name], is_refusable=name != PROFILE) for name in asked],
            [(person.handle, person.name) for person in PEOPLE.values()],
        )
        decision = decide(request, ask)
        if decision is None:
            return consent_page(ask)
        if not decision.is_allowed:
            refusal = {"error": "access_denied", "error_code": "200", "error_reason": "user_denied"}
            return _back(terms, refusal | {"error_description": "Permissions error"})
        self._access.note_permissions(app.client_id, PEOPLE[decision.account], asked, decision.scopes)
        hub = {"hub": origin_of(terms["redirect_uri"])}
        code = Code(app.client_id, terms["redirect_uri"], decision.account, decision.scopes, extra=hub)
        told = {"code": self._grants.new_code(code, "AQ")}
        if terms.get("return_scopes") == "true":
            declined = [name for name in asked if name not in decision.scopes]
            told |= {"granted_scopes": ",".join(decision.scopes), "denied_scopes": ",".join(declined)}
        return _back(terms, told)

    def token(self, request: Request) -> Response:
        """GET or POST /oauth/access_token: a code for a short token, a short token for a long one, or an app's own."""
        app = self._app_of(request)
        grant_type = parameter(request, "grant_type", "authorization_code")
        if grant_type == "client_credentials":
            return as_json({"access_token": f"{app.client_id}|{app.secret}", "token_type": "bearer"})
        if grant_type == "fb_exchange_token":
            return as_json(self._exchanged(request, app))
        if grant_type != "authorization_code":
            raise invalid("Invalid grant_type")
        grant = self._redeemed(request, app)
        text = self._grants.issue(grant, "access", SHORT_LIFETIME_S, "EAAG")
        return as_json({"access_token": text, "token_type": "bearer", "expires_in": SHORT_LIFETIME_S})

    def debug(self, request: Request) -> Document:
        """GET /debug_token: what a token is; asked with the app's own token, or one of its users'."""
        asking = parameter(request, "access_token")
        if not any(asking == f"{app.client_id}|{app.secret}" for app in self._grants.apps.values()):
            self._access.behind(asking)
        text = parameter(request, "input_token")
        token = self._grants.find(text)
        if token is None:
            error = {"code": 190, "message": "Invalid OAuth access token data."}
            return {"data": {"error": error, "is_valid": False, "scopes": []}}
        grant = self._grants.grant_of(token)
        person = PEOPLE[grant.account]
        answers = self._access.permissions(grant.client_id, person)
        page = self._store.get("page_tokens", token.digest)
        told: Document = {
            "app_id": grant.client_id,
            "type": "PAGE" if page else "USER",
            "application": self._grants.apps[grant.client_id].name,
            "data_access_expires_at": int(time.time()) + _DATA_ACCESS_S,
            "expires_at": int(token.expires_at or 0),
            "is_valid": self._grants.is_live(token),
            "scopes": [name for name, status in answers.items() if status == "granted"],
            "user_id": person.scoped_id(grant.client_id),
        }
        return {"data": told | ({"profile_id": page["page"]} if page else {})}

    def issue(self, wanted: Document) -> Document:
        """A long user token without a walk through the dialog; raises ControlRefused."""
        refuse_unknown(wanted, "scopes", "account", "hub")
        person = PEOPLE.get(str(wanted.get("account") or "ada"))
        if person is None:
            raise ControlRefused(f"account must be one of {', '.join(PEOPLE)}")
        scopes = wanted.get("scopes") or _DEFAULT
        listed = _listed(scopes) if isinstance(scopes, str) else scopes
        if not isinstance(listed, list | tuple) or any(scope not in LABELS for scope in listed):
            raise ControlRefused("scopes names a permission that the platform does not know")
        client_id = next(iter(self._grants.apps))
        self._access.note_permissions(client_id, person, list(dict.fromkeys([*_DEFAULT, *listed])), tuple(listed))
        extra = {"hub": origin_of(str(wanted.get("hub") or ""))}
        return self._long_token(self._grants.new_grant(client_id, person.handle, listed, extra))

    def _app_of(self, request: Request) -> App:
        client_id = parameter(request, "client_id")
        if not client_id:
            raise GraphRefused(101, "Missing client_id parameter.")
        try:
            return self._grants.authenticate(client_id, parameter(request, "client_secret"))
        except GrantRefused as refusal:
            if client_id not in self._grants.apps:
                message = "Error validating application. Cannot get application info due to a system error."
                raise GraphRefused(101, message) from refusal
            raise GraphRefused(1, "Error validating client secret.") from refusal

    def _redeemed(self, request: Request, app: App) -> Grant:
        try:
            return self._grants.redeem(parameter(request, "code"), app, parameter(request, "redirect_uri"), None)
        except GrantRefused as refusal:
            known = _REFUSED_CODES.get(refusal.error) or _REFUSED_CODES.get(refusal.description)
            subcode, message = known or (None, "Invalid verification code format.")
            raise GraphRefused(100, message, subcode=subcode) from refusal

    def _exchanged(self, request: Request, app: App) -> Document:
        text = parameter(request, "fb_exchange_token")
        token = demand_live(self._grants, self._grants.find(text))
        grant = self._grants.grant_of(token)
        if grant.client_id != app.client_id or self._store.get("page_tokens", token.digest):
            raise unreadable_token()
        return self._long_token(grant)

    def _long_token(self, grant: Grant) -> Document:
        access_s = self._grants.access_s(LONG_LIFETIME_S)
        text = self._grants.issue(grant, "access", access_s, "EAAL")
        self._store.put("births", digest_of(text), {"at": time.time()})
        return {"access_token": text, "token_type": "bearer", "expires_in": access_s}


def _problem_of(terms: Mapping[str, str]) -> tuple[str, str] | None:
    if not is_loopback_redirect(terms.get("redirect_uri", "")):
        text = "This redirect failed because the redirect URI is not white-listed in the app's client OAuth settings."
        return "URL Blocked", text
    if terms.get("response_type", "code") != "code":
        return "Invalid Parameter", "The parameter response_type must be code here."
    unknown = [name for name in _listed(terms.get("scope", "")) if name not in LABELS]
    return ("Invalid Scopes", f"Invalid Scopes: {', '.join(unknown)}") if unknown else None


def _listed(text: str) -> tuple[str, ...]:
    """Permissions are parted by commas or spaces."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _back(terms: Mapping[str, str], answer: dict[str, str]) -> Response:
    """The redirect to the app; Facebook puts `#_=_` behind it, which belongs to nothing."""
    response = back_to_app(terms, answer)
    response.headers["Location"] += "#_=_"
    return response
