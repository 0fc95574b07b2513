"""Cursors: the place in a list, written so that nobody can forge one, and all made void by a reset.

What a place means is the affair of `listing` and `searching`.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TypeVar

import msgspec

from sandbox.hosts.dropbox.refusals import bad_request
from sandbox.store import Store

_KEY = b"cursors of the sandbox"
T = TypeVar("T")


class Reset(Exception):
    """The cursor was good once and is void now."""


class Cursors:
    """Cursors of all lists."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, place: msgspec.Struct) -> str:
        """The text of a place; the same place gives another text each time, as at Dropbox."""
        era = self._store.last_number("cursor-resets")
        body = msgspec.json.encode({"era": era, "salt": secrets.token_hex(4), "place": msgspec.to_builtins(place)})
        return "AA" + urlsafe_b64encode(_mark(body) + body).rstrip(b"=").decode()

    def read(self, text: str, shape: type[T]) -> T:
        """The place of a text; raises Reset, or the 400 for a text that was never given out."""
        try:
            raw = urlsafe_b64decode(text.removeprefix("AA") + "=" * (-len(text.removeprefix("AA")) % 4))
        except ValueError as error:
            raise _invalid(text) from error
        mark, body = raw[:16], raw[16:]
        if not hmac.compare_digest(mark, _mark(body)):
            raise _invalid(text)
        found = msgspec.json.decode(body)
        if found["era"] != self._store.last_number("cursor-resets"):
            raise Reset
        return msgspec.convert(found["place"], shape)

    def reset(self) -> None:
        """Make every cursor void, as Dropbox may at any time."""
        self._store.next_number("cursor-resets")


def _mark(body: bytes) -> bytes:
    return hmac.new(_KEY, body, hashlib.sha256).digest()[:16]


def _invalid(text: str) -> Exception:
    return bad_request(f'Invalid "cursor" parameter: "{text[:200]}"')
