"""Who calls: the app by its key, the seller by the token, and whether the token's scopes are enough.

Sources: developers.etsy.com "Authentication"; etsy/open-api discussion #1529 (the secret in the key), issue #519; the
words of the 403s from anitabyte/etsyv3#31 and HelpCode-ai/anythingmcp#637 (read 2026-11-21). Tokens come from `oauth`.
"""

import hmac
from dataclasses import dataclass

from werkzeug.wrappers import Request

from sandbox.grants import App, Grants
from sandbox.hosts.etsy.refusals import EtsyRefused, insufficient_scope, invalid_token, not_owner
from sandbox.hosts.etsy.sellers import Seller, Shop, seller_named


@dataclass(frozen=True, slots=True)
class Caller:
    """An app, and where a token came along the seller it stands for."""

    app: App
    seller: Seller | None
    scopes: frozenset[str]

    def demand(self, scope: str) -> Seller:
        """The seller; raises EtsyRefused 401 without token, 403 without the scope."""
        if self.seller is None:
            raise EtsyRefused(401, "Missing authorization header")
        if scope not in self.scopes:
            raise insufficient_scope()
        return self.seller

    def demand_shop(self, shop_id: int) -> Shop:
        """The seller's own shop; raises EtsyRefused 403 for anybody else's."""
        shop = self.seller.shop if self.seller else None
        if shop is None or shop.shop_id != shop_id:
            raise not_owner(shop_id)
        return shop

    def owns(self, shop_id: int) -> bool:
        """Whether the call comes from the owner of the shop, who sees more than others."""
        return self.seller is not None and self.seller.shop is not None and self.seller.shop.shop_id == shop_id


def app_of(request: Request, grants: Grants) -> App:
    """The app of the x-api-key header, `keystring:shared_secret`; raises EtsyRefused."""
    key = request.headers.get("x-api-key", "").strip()
    if not key:
        raise EtsyRefused(401, "Missing x-api-key header or client_id")
    keystring, colon, secret = key.partition(":")
    app = grants.apps.get(keystring)
    if not colon or not secret:
        known = "Shared secret is required in x-api-key header."
        form = "Invalid API key: should be in the format 'keystring:shared_secret'."
        raise EtsyRefused(403, known if app else form)
    if app is None or not hmac.compare_digest(secret.encode(), app.secret.encode()):
        raise EtsyRefused(403, "Invalid API key")
    return app


def caller_of(request: Request, app: App, grants: Grants) -> Caller:
    """The caller; a token that is there must be good, even where none is needed. Raises EtsyRefused 401."""
    text = bearer_token(request)
    if text is None:
        return Caller(app, None, frozenset())
    token = grants.find(text)
    if token is None or token.kind != "access":
        raise invalid_token("access token is invalid")
    grant = grants.grant_of(token)
    if token.revoked or grant.revoked:
        raise invalid_token("access token is revoked")
    if token.is_expired:
        raise invalid_token("access token is expired")
    if grant.client_id != app.client_id:
        raise invalid_token("access token was not issued to this client")
    return Caller(app, seller_named(grant.account), frozenset(grant.scopes))


def bearer_token(request: Request) -> str | None:
    """The token of the Authorization header, None when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
