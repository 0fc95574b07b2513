"""Sealing secrets for storage, so that a ciphertext opens only with the right key and only in the row it was made for.

What does not live here: which columns are sealed (`models`), where the keys come from (`settings`), and tokens that are
only looked up or signed, never read back (`signing`).
"""

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from patchbay.errors import SettingsError, VaultError

_BINDING_BYTES = hashlib.sha256().digest_size


class Vault:
    """Seals with the first of `keys` and opens with any of them (Fernet keys: 32 bytes in url-safe base64).

    Fernet authenticates no associated data, so a digest of the context travels inside the plaintext.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises `SettingsError` when there is no key, or one that is not a Fernet key."""
        if not keys:
            raise SettingsError("VAULT_KEYS holds no key")
        self._fernets = [_fernet(key, position) for position, key in enumerate(keys, start=1)]
        self._all = MultiFernet(self._fernets)
        self._fingerprints = tuple(hashlib.sha256(key.encode()).hexdigest()[:8] for key in keys)

    def seal(self, plaintext: str, *, context: str) -> str:
        """Encrypt `plaintext` for the one place that `context` names (`table.column:row_id`)."""
        return self._all.encrypt(_binding(context) + plaintext.encode()).decode("ascii")

    def open(self, token: str, *, context: str) -> str:
        """What was sealed for `context`; raises `VaultError` for a wrong key, another context or a damaged token."""
        try:
            opened = self._all.decrypt(token.encode())
        except InvalidToken:
            raise VaultError(f"no key opens the secret of {context}") from None
        if not hmac.compare_digest(opened[:_BINDING_BYTES], _binding(context)):
            raise VaultError(f"the secret of {context} was sealed for another place")
        return opened[_BINDING_BYTES:].decode()

    def needs_rotation(self, token: str) -> bool:
        """Whether `token` was sealed with another key than the first."""
        try:
            self._fernets[0].decrypt(token.encode())
        except InvalidToken:
            return True
        return False

    def rotate(self, token: str, *, context: str) -> str:
        """`token` sealed anew with the first key; raises `VaultError` as `open` does."""
        return self.seal(self.open(token, context=context), context=context)

    def fingerprints(self) -> tuple[str, ...]:
        """Eight hex digits per key, in order: enough to tell keys apart in a log, too little to guess one."""
        return self._fingerprints

    def __repr__(self) -> str:
        return f"Vault({', '.join(self._fingerprints)})"


_in_use: Vault | None = None


def use(vault: Vault) -> None:
    """Make `vault` the one that this process's encrypted columns use."""
    global _in_use  # noqa: PLW0603 - column types are made at import, long before the keys are known
    _in_use = vault


def current() -> Vault:
    """The vault in use; raises `VaultError` before `use` was called."""
    if _in_use is None:
        raise VaultError("no vault is in use")
    return _in_use


def _fernet(key: str, position: int) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        raise SettingsError(f"key {position} of VAULT_KEYS is not 32 bytes in url-safe base64") from None


def _binding(context: str) -> bytes:
    return hashlib.sha256(context.encode()).digest()
