"""Passwords: what is good enough, how they are kept and compared."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from patchbay import signing
from patchbay.errors import N_, Invalid

SHORTEST_PASSWORD = 10
_hasher = PasswordHasher()


def check_password(password: str) -> None:
    """Raises Invalid, naming the field `password`."""
    if not SHORTEST_PASSWORD <= len(password) <= 200:
        raise Invalid({"password": N_("Use at least 10 characters, at most 200.")})


def hashed(password: str) -> str:
    """The password as it is kept (argon2id)."""
    return _hasher.hash(password)


def is_outdated(password_hash: str) -> bool:
    """Whether it was hashed with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def matches(password_hash: str | None, password: str) -> bool:
    """Check a password; without an account a dummy is checked, so that both take the same time."""
    try:
        return _hasher.verify(password_hash or _dummy_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _dummy_hash() -> str:
    return _hasher.hash(signing.new_token())
