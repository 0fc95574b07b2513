"""Links that prove where they come from and end by themselves, and random tokens that are stored only as a hash.

What does not live here: secrets that must be read back (`vault`), and the webhook signatures of platforms (`spec`).
"""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, BadSignature, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from patchbay import clock
from patchbay.errors import N_, Forbidden, SettingsError, VaultError

_SLOT = timedelta(hours=1)
_MIN_KEY_CHARACTERS = 16
_LINK_REFUSED = N_("This link is not valid any more. Open the page it came from to get a new one.")


class Signer:
    """Signs values with the session key, a separate key being derived per purpose."""

    def __init__(self, secret_key: str) -> None:
        """Raises `SettingsError` for a key shorter than 16 characters."""
        if len(secret_key) < _MIN_KEY_CHARACTERS:
            raise SettingsError(f"SECRET_KEY is shorter than {_MIN_KEY_CHARACTERS} characters")
        self._secret_key = secret_key

    def sign(self, value: str, *, purpose: str, expires_at: datetime) -> str:
        """`value` and its end (aware, whole seconds count) as one token that is safe in a path or query.

        The value is readable by whoever holds the token: sign ids, never secrets.
        """
        return str(self._serializer(purpose).dumps([value, int(expires_at.timestamp())]))

    def unsign(self, token: str, *, purpose: str) -> str:
        """The value signed for `purpose`; raises `Forbidden` when changed, of another purpose, or ended."""
        return self.opened(token, purpose=purpose)[0]

    def opened(self, token: str, *, purpose: str) -> tuple[str, datetime]:
        """The value and its end (aware UTC); raises as `unsign` does."""
        value, ends_at = self.signed(token, purpose=purpose)
        if clock.now() >= ends_at:
            raise Forbidden("a signed link has ended", sentence=_LINK_REFUSED)
        return value, ends_at

    def signed(self, token: str, *, purpose: str) -> tuple[str, datetime]:
        """The same of a token that may have ended: what was signed once, and nothing that lets anybody in."""
        try:
            value, expires_at = self._serializer(purpose).loads(token)
            _check_spelling(token)
            return str(value), datetime.fromtimestamp(expires_at, UTC)
        except (BadData, ValueError, TypeError, OverflowError):
            raise Forbidden("the signature of a link does not match", sentence=_LINK_REFUSED) from None

    def seal(self, value: str, *, purpose: str) -> str:
        """What only this installation can say of `value`: HMAC-SHA256 (RFC 2104), 64 hex digits, for good."""
        key = hmac.new(self._secret_key.encode(), f"patchbay.{purpose}".encode(), hashlib.sha256).digest()
        return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        return URLSafeSerializer(self._secret_key, salt=f"patchbay.{purpose}", signer_kwargs=options)


def _check_spelling(token: str) -> None:
    """Raises BadSignature for a signature that is right but written in another way than ours.

    Two bits of its last letter mean nothing (RFC 4648 §3.5), so that four letters would open the same.
    """
    signature = token.rpartition(".")[2]
    if base64_encode(base64_decode(signature)).decode() != signature:
        raise BadSignature("the signature is written in another way")


def stable_expiry(lifetime: timedelta) -> datetime:
    """`lifetime` after the end of the present hour (aware UTC).

    All links made within one hour are thus the same text, so that browsers can cache what they lead to; a link lives
    between `lifetime` and one hour more.
    """
    slot_s = int(_SLOT.total_seconds())
    slot_start_s = int(clock.now().timestamp()) // slot_s * slot_s
    return datetime.fromtimestamp(slot_start_s, UTC) + _SLOT + lifetime


def new_token(prefix: str = "", nbytes: int = 32) -> str:
    """A random token of `nbytes` bytes in url-safe base64 behind `prefix`; keep only its `hash_token`."""
    return prefix + secrets.token_urlsafe(nbytes)


def hash_token(token: str) -> str:
    """SHA-256 of a random token, 64 hex digits, for look-up; too fast for passwords, which people choose."""
    return hashlib.sha256(token.encode()).hexdigest()


def equal(left: str, right: str) -> bool:
    """Whether two texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())


_in_use: Signer | None = None


def use(signer: Signer) -> None:
    """Make `signer` the one of this process."""
    global _in_use  # noqa: PLW0603 - the counterpart of `vault.use`: the key is known only at start-up
    _in_use = signer


def current() -> Signer:
    """The signer in use; raises `VaultError` before `use` was called."""
    if _in_use is None:
        raise VaultError("no signer is in use")
    return _in_use
