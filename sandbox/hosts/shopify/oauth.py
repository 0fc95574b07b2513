"""Shopify's side of OAuth: the authorize page of a shop, the signed way back, tokens, scopes and uninstalling.

Codes, grants and rotation are kept by `sandbox.grants`. Sources: shopify.dev "Implement authorization code grant
manually", "About offline access tokens", changelog 2025-12-10 (`expiring=1`) and 2026-08-28 (grace), read 2026-11.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

from sandbox.answers import as_json
from sandbox.consent import Ask, Scope, consent_page, decide, refusal_page
from sandbox.grants import App, Code, Grant, GrantRefused, Grants, is_loopback_redirect
from sandbox.store import Document, Store

ACCESS_LIFETIME_S = 3600
REFRESH_LIFETIME_S = 90 * 24 * 3600
DEFAULT_SCOPES = ("read_products", "write_products", "read_files", "write_files")
_SCOPES = {
    "read_products": "View products, variants and collections",
    "write_products": "Edit products, variants and collections",
    "read_files": "View files",
    "write_files": "Edit files",
    "read_inventory": "View inventory",
    "write_inventory": "Edit inventory",
    "read_orders": "View orders",
    "write_orders": "Edit orders",
    "read_locations": "View locations",
    "read_publications": "View sales channels",
    "write_publications": "Edit sales channels",
    "read_themes": "View themes",
    "write_themes": "Edit themes",
}


class OAuth:
    """Authorization for all shops; the account of a grant is the shop's domain."""

    def __init__(self, store: Store, grants: Grants) -> None:
        self.grants = grants
        self._store = store

    def authorize(self, request: Request, shop: str) -> Response:
        """The consent page, or the redirect that follows from its answer."""
        app = self.grants.apps.get(request.args.get("client_id", ""))
        if app is None:
            text = "The application with this API key cannot be found."
            return refusal_page("Shopify", "application_cannot_be_found", text)
        redirect_uri = request.args.get("redirect_uri", "")
        if not is_loopback_redirect(redirect_uri):
            return refusal_page("Shopify", "invalid_request", "The redirect_uri is not whitelisted")
        asked = split_scopes(request.args.get("scope", ""))
        unknown = [scope for scope in asked if scope not in _SCOPES]
        if unknown:
            text = f"The access scope is invalid: {', '.join(unknown)}"
            return refusal_page("Shopify", "invalid_scope", text)
        ask = Ask("Shopify", app.name, [Scope(scope, _SCOPES[scope]) for scope in asked], [(shop, shop)])
        decision = decide(request, ask)
        if decision is None:
            return consent_page(ask)
        answer = {"shop": shop, "state": request.args.get("state"), "timestamp": str(int(time.time()))}
        if decision.is_allowed:
            answer["code"] = self.grants.new_code(Code(app.client_id, "", shop, reduced(decision.scopes)))
            answer["host"] = base64.b64encode(f"admin.shopify.com/store/{shop.partition('.')[0]}".encode()).decode()
        else:
            answer["error"] = "access_denied"
            answer["error_description"] = "The merchant did not install the app."
        return _back_to(redirect_uri, {name: value for name, value in answer.items() if value is not None}, app)

    def token(self, request: Request, shop: str) -> Response:
        """The token endpoint: authorization code and refresh; errors are 400 in JSON."""
        if request.method != "POST":
            return as_json({"errors": "Not Found"}, 404)
        try:
            fields = token_fields(request)
            return as_json(self._exchange(fields, shop))
        except GrantRefused as refusal:
            return as_json({"error": refusal.error, "error_description": refusal.description}, 400)

    def issue(self, app: App, shop: str, scopes: Iterable[str], *, expiring: bool) -> Document:
        """A new grant with its token answer, as the token endpoint gives it."""
        return self._answer(self.grants.new_grant(app.client_id, shop, reduced(scopes)), expiring=expiring)

    def uninstall(self, grant: Grant) -> None:
        """Take the app out of the shop: none of its tokens there lives on."""
        self.grants.revoke_account(grant.client_id, grant.account)

    def _exchange(self, fields: MultiDict[str, str], shop: str) -> Document:
        app = self._app(fields)
        if fields.get("grant_type") == "refresh_token":
            text = fields.get("refresh_token", "")
            if not text:
                raise GrantRefused("invalid_request", "Missing or invalid refresh token")
            if self.grants.grant_of(self.grants.live_refresh(text, app)).account != shop:
                raise GrantRefused("invalid_grant", "The refresh token was issued for another shop")
            grant, following = self.grants.rotate(text, app, REFRESH_LIFETIME_S, "shprt_")
            self.grants.revoke_access(grant.id)
            return self._expiring_answer(grant, following)
        if fields.get("grant_type", "authorization_code") != "authorization_code":
            raise GrantRefused("unsupported_grant_type", "The grant type is not supported")
        if not fields.get("code"):
            raise GrantRefused("invalid_request", "The authorization code is missing")
        try:
            grant = self.grants.redeem(fields["code"], app, "", None)
        except GrantRefused as refusal:
            text = "The authorization code was not found or was already used"
            raise GrantRefused("invalid_request", text) from refusal
        if grant.account != shop:
            self.grants.revoke_grant(grant.id)
            raise GrantRefused("invalid_request", "The authorization code was issued for another shop")
        return self._answer(grant, expiring=fields.get("expiring", "0") in {"1", "true"})

    def _app(self, fields: MultiDict[str, str]) -> App:
        try:
            return self.grants.authenticate(fields.get("client_id", ""), fields.get("client_secret", ""))
        except GrantRefused as refusal:
            app_is_known = fields.get("client_id", "") in self.grants.apps
            error = "invalid_client" if app_is_known else "application_cannot_be_found"
            raise GrantRefused(error, "The API key or secret is not valid") from refusal

    def _answer(self, grant: Grant, *, expiring: bool) -> Document:
        if expiring:
            self._revoke_earlier(grant)
            return self._expiring_answer(grant, self.grants.issue(grant, "refresh", REFRESH_LIFETIME_S, "shprt_"))
        return {"access_token": self.grants.issue(grant, "access", None, "shpat_"), "scope": ",".join(grant.scopes)}

    def _expiring_answer(self, grant: Grant, refresh_token: str) -> Document:
        access_s = self.grants.access_s(ACCESS_LIFETIME_S)
        return {
            "access_token": self.grants.issue(grant, "access", access_s, "shpat_"),
            "scope": ",".join(grant.scopes),
            "expires_in": access_s,
            "refresh_token": refresh_token,
            "refresh_token_expires_in": REFRESH_LIFETIME_S,
        }

    def _revoke_earlier(self, grant: Grant) -> None:
        """Only one expiring token lives per app and shop; tokens without an end are left alone."""
        owner = f"{grant.client_id}/{grant.account}"
        with self._store.transaction():
            earlier = self._store.get("expiring", owner)
            if earlier:
                self.grants.revoke_grant(earlier["grant"])
            self._store.put("expiring", owner, {"grant": grant.id})


def token_fields(request: Request) -> MultiDict[str, str]:
    """The fields of a token call, sent as a form or as JSON."""
    if request.mimetype == "application/json":
        body = request.get_json(silent=True)
        pairs = body.items() if isinstance(body, dict) else ()
        return MultiDict([(str(name), str(value)) for name, value in pairs])
    return request.form


def split_scopes(text: str) -> list[str]:
    """Scopes of a comma-separated list, each once, in the order given."""
    return list(dict.fromkeys(scope.strip() for scope in text.replace(" ", ",").split(",") if scope.strip()))


def reduced(scopes: Iterable[str]) -> tuple[str, ...]:
    """Granted scopes as Shopify reports them: `write_x` swallows `read_x`."""
    wanted = list(dict.fromkeys(scopes))
    return tuple(
        scope for scope in wanted if f"write_{scope.removeprefix('read_')}" not in wanted or scope[:5] != "read_"
    )


def has_scope(granted: Iterable[str], wanted: str) -> bool:
    """Whether the granted scopes allow what `wanted` does; `write_x` implies `read_x`."""
    return wanted in granted or (wanted.startswith("read_") and f"write_{wanted[5:]}" in granted)


def with_implied(granted: Iterable[str]) -> list[str]:
    """All scopes that the granted ones amount to, in alphabetical order: `write_x` brings `read_x`."""
    scopes = set(granted)
    return sorted(scopes | {f"read_{scope[6:]}" for scope in scopes if scope.startswith("write_")})


def scope_label(scope: str) -> str:
    """A scope in plain words."""
    return _SCOPES.get(scope, scope)


def known_scopes() -> frozenset[str]:
    """All scopes that the sandbox's shops can grant."""
    return frozenset(_SCOPES)


def signature(parameters: Iterable[tuple[str, str]], secret: str) -> str:
    """The `hmac` of a callback: hex HMAC-SHA256 over all other parameters, sorted, joined as a query."""
    pairs = sorted((name, value) for name, value in parameters if name != "hmac")
    text = "&".join(f"{name}={value}" for name, value in pairs)
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _back_to(redirect_uri: str, answer: dict[str, str], app: App) -> Response:
    parts = urlsplit(redirect_uri)
    pairs = parse_qsl(parts.query, keep_blank_values=True) + list(answer.items())
    pairs.append(("hmac", signature(pairs, app.secret)))
    location = urlunsplit(parts._replace(query=urlencode(sorted(pairs))))
    return Response(status=302, headers={"Location": location, "Cache-Control": "no-store"})
