"""What OAuth 2 servers have in common: apps, codes, grants, access and refresh tokens, kept in a platform's store.

What an answer looks like, which scopes exist and how long tokens live is each platform's own matter.
"""

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from sandbox import lifetimes
from sandbox.store import Store

CODE_LIFETIME_S = 600.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

TokenKind = Literal["access", "refresh"]


class GrantRefused(Exception):
    """An OAuth error (RFC 6749 §5.2): `error` is the code, `description` a sentence without secrets."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class App:
    """A registered client."""

    client_id: str
    name: str
    secret: str = field(repr=False)


class Code(msgspec.Struct, frozen=True):
    """What an authorization code stands for; `extra` carries what a platform wants back with the grant."""

    client_id: str
    redirect_uri: str
    account: str
    scopes: tuple[str, ...]
    challenge: str | None = None
    challenge_method: str = "plain"
    extra: dict[str, str] = {}
    expires_at: float = 0.0
    grant_id: str | None = None


class Grant(msgspec.Struct, frozen=True):
    """What one account allowed one app; `account` is whatever the platform calls its tenant (e-mail, shop)."""

    id: str
    client_id: str
    account: str
    scopes: tuple[str, ...]
    extra: dict[str, str] = {}
    revoked: bool = False


class Token(msgspec.Struct, frozen=True):
    """An issued token without its text; times are Unix seconds, `expires_at` None means no end."""

    digest: str
    kind: TokenKind
    grant_id: str
    expires_at: float | None
    revoked: bool = False
    used: bool = False
    replaced_by: tuple[str, ...] = ()

    @property
    def is_expired(self) -> bool:
        """Whether its time has passed (revocation is another matter)."""
        return self.expires_at is not None and self.expires_at <= time.time()


class Grants:
    """The grants of one platform. Only digests of codes and tokens are stored."""

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self.apps = {
            app.client_id: app
            for app in (
                App(f"sandbox-{key}", "Patchbay", f"sandbox-secret-{key}"),
                App(f"other-{key}", "Another app", f"other-secret-{key}"),
            )
        }

    def authenticate(self, client_id: str, secret: str) -> App:
        """The app with this id and secret; raises GrantRefused `invalid_client`."""
        app = self.apps.get(client_id)
        if app is None:
            raise GrantRefused("invalid_client", "The OAuth client was not found.")
        if not hmac.compare_digest(app.secret.encode(), secret.encode()):
            raise GrantRefused("invalid_client", "Unauthorized")
        return app

    def new_code(self, code: Code, prefix: str = "", lifetime_s: float = CODE_LIFETIME_S) -> str:
        """The text of a new code, good for one use within `lifetime_s` (ten minutes)."""
        text = prefix + secrets.token_urlsafe(32)
        kept = msgspec.structs.replace(code, expires_at=time.time() + lifetime_s)
        self._store.put("codes", digest_of(text), msgspec.to_builtins(kept))
        return text

    def redeem(self, text: str, app: App, redirect_uri: str, verifier: str | None) -> Grant:
        """The grant a code stands for. Raises GrantRefused `invalid_grant`; a second use kills what the first gave."""
        with self._store.transaction():
            found = self._store.get("codes", digest_of(text))
            code = msgspec.convert(found, Code) if found else None
            if code is None or code.client_id != app.client_id:
                raise GrantRefused("invalid_grant", "Malformed auth code.")
            if code.grant_id is None:
                _check_code(code, redirect_uri, verifier)
                grant = self.new_grant(app.client_id, code.account, code.scopes, code.extra)
                used = msgspec.structs.replace(code, grant_id=grant.id)
                self._store.put("codes", digest_of(text), msgspec.to_builtins(used))
                return grant
        self.revoke_grant(code.grant_id)
        raise GrantRefused("invalid_grant", "The code was used before.")

    def new_grant(
        self, client_id: str, account: str, scopes: Iterable[str], extra: dict[str, str] | None = None
    ) -> Grant:
        """A stored grant without any token yet."""
        grant = Grant(secrets.token_hex(12), client_id, account, tuple(scopes), extra or {})
        self._store.put("grants", grant.id, msgspec.to_builtins(grant))
        return grant

    def issue(self, grant: Grant, kind: TokenKind, lifetime_s: float | None, prefix: str = "") -> str:
        """The text of a new token of the grant; the text is nowhere stored."""
        if kind == "refresh":
            lifetime_s = lifetimes.present(self._store).refresh_seconds or lifetime_s
        text = prefix + secrets.token_urlsafe(40)
        expires_at = None if lifetime_s is None else time.time() + lifetime_s
        self._save(Token(digest_of(text), kind, grant.id, expires_at))
        return text

    def access_s(self, own: float) -> float:
        """How long access tokens live: as a control call said, else the platform's own time."""
        return lifetimes.present(self._store).access_seconds or own

    def rotate(self, text: str, app: App, lifetime_s: float | None, prefix: str = "") -> tuple[Grant, str]:
        """The grant and the next refresh token; `text` may be retried until a replacement of it is first used.

        Raises GrantRefused `invalid_grant`.
        """
        with self._store.transaction():
            token = self.live_refresh(text, app)
            is_one_use = lifetimes.present(self._store).one_use and token.used
            if is_one_use or any(self._by_digest(digest).used for digest in token.replaced_by):
                raise GrantRefused("invalid_grant", "The refresh token was used before.")
            grant = self.grant_of(token)
            following = self.issue(grant, "refresh", lifetime_s, prefix)
            replaced_by = (*token.replaced_by, digest_of(following))
            self._save(msgspec.structs.replace(token, used=True, replaced_by=replaced_by))
            return grant, following

    def live_refresh(self, text: str, app: App) -> Token:
        """The refresh token if it is live and the app's own; raises GrantRefused `invalid_grant`."""
        token = self.find(text)
        if token is None or token.kind != "refresh" or not self.is_live(token):
            raise GrantRefused("invalid_grant", "Token has been expired or revoked.")
        if self.grant_of(token).client_id != app.client_id:
            raise GrantRefused("invalid_grant", "The token was issued to another client.")
        return token

    def find(self, text: str) -> Token | None:
        """The token with this text, live or dead."""
        found = self._store.get("tokens", digest_of(text))
        return msgspec.convert(found, Token) if found else None

    def live_access(self, text: str) -> Grant | None:
        """The grant behind an access token that is live now, else None."""
        token = self.find(text)
        return self.grant_of(token) if token and token.kind == "access" and self.is_live(token) else None

    def is_live(self, token: Token) -> bool:
        """Neither expired nor revoked, nor its grant."""
        return not (token.revoked or token.is_expired or self.grant_of(token).revoked)

    def grant_of(self, token: Token) -> Grant:
        """The grant a token belongs to."""
        return msgspec.convert(self._store.get("grants", token.grant_id), Grant)

    def revoke_grant(self, grant_id: str) -> None:
        """Kill all tokens of a grant for good."""
        with self._store.transaction():
            found = self._store.get("grants", grant_id)
            if found is not None:
                self._store.put("grants", grant_id, found | {"revoked": True})

    def revoke_account(self, client_id: str, account: str) -> None:
        """Kill every grant that an account gave an app."""
        with self._store.transaction():
            for key, found in list(self._store.each("grants")):
                if found["client_id"] == client_id and found["account"] == account:
                    self.revoke_grant(key)

    def revoke_access(self, grant_id: str) -> None:
        """Kill the access tokens of one grant; its refresh tokens stay."""
        self._change_tokens(grant_id, {"revoked": True})

    def expire_access_tokens(self) -> None:
        """Make all present access tokens expired, as if their time had passed."""
        self._change_tokens(None, {"expires_at": time.time() - 1})

    def revoke_all(self) -> None:
        """Kill every grant there is."""
        with self._store.transaction():
            for key, _ in list(self._store.each("grants")):
                self.revoke_grant(key)

    def _change_tokens(self, grant_id: str | None, change: dict[str, object]) -> None:
        with self._store.transaction():
            for key, found in list(self._store.each("tokens")):
                if found["kind"] == "access" and grant_id in (None, found["grant_id"]):
                    self._store.put("tokens", key, found | change)

    def _by_digest(self, digest: str) -> Token:
        return msgspec.convert(self._store.get("tokens", digest), Token)

    def _save(self, token: Token) -> None:
        self._store.put("tokens", token.digest, msgspec.to_builtins(token))


def digest_of(text: str) -> str:
    """What is stored in place of a code or token."""
    return hashlib.sha256(text.encode()).hexdigest()


def tail_of(text: str) -> str | None:
    """The last four characters, for the ledger; None for what is too short to hide anything."""
    return text[-4:] if len(text) > 8 else None


def is_loopback_redirect(uri: str) -> bool:
    """Whether an app of the sandbox may be sent back to this address: http(s), loopback host, no fragment."""
    if not uri.isprintable():
        return False
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port  # reading the port checks it
    except ValueError:
        return False
    return (
        port != 0
        and parts.scheme in ("http", "https")
        and host in _LOOPBACK
        and not parts.fragment
        and "@" not in parts.netloc
    )


def _check_code(code: Code, redirect_uri: str, verifier: str | None) -> None:
    if code.expires_at <= time.time():
        raise GrantRefused("invalid_grant", "The code has expired.")
    if code.redirect_uri != redirect_uri:
        raise GrantRefused("redirect_uri_mismatch", "Bad Request")
    if code.challenge is None:
        return
    if not verifier:
        raise GrantRefused("invalid_grant", "Missing code verifier.")
    if not hmac.compare_digest(challenge_of(verifier, code.challenge_method).encode(), code.challenge.encode()):
        raise GrantRefused("invalid_grant", "Invalid code verifier.")


def challenge_of(verifier: str, method: str) -> str:
    """The challenge that belongs to a PKCE verifier (RFC 7636 §4.2); `method` is S256 or plain."""
    if method == "plain":
        return verifier
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
