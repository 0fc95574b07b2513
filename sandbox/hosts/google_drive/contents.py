"""The bytes of files, kept in pieces so that nobody holds a large file whole, and what Drive tells of them.

Source: `size` and the checksums of a file in the discovery document of drive.v3 (revision 20261106). Where a file
stands is in `tree`, how its bytes come in in `uploads`.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sandbox.store import Document, Store


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that are kept under `key`, of which Drive tells `facts`."""

    key: str
    facts: Document

    @property
    def size(self) -> int:
        """In bytes."""
        return int(self.facts["size"])


class Contents:
    """Bytes by key and offset."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, body: bytes) -> Content:
        """Keep bytes that came at once."""
        key = secrets.token_hex(12)
        self.put(key, 0, body)
        return self.described(key)

    def put(self, key: str, offset: int, body: bytes) -> None:
        """Keep bytes that begin at an offset of the content `key`."""
        self._store.put_blob(f"{_place(key)}{offset:015d}", body)

    def described(self, key: str) -> Content:
        """What is kept under a key, read once."""
        return Content(key, facts_of(self.pieces(key)))

    def pieces(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, piece by piece; pieces that lie outside are not read."""
        names = self._store.blobs(_place(key))
        for name, following in zip(names, [*names[1:], None], strict=False):
            at = _offset(name)
            if (stop is not None and at >= stop) or (following is not None and _offset(following) <= start):
                continue
            piece = self._store.get_blob(name) or b""
            yield piece[max(0, start - at) : None if stop is None else stop - at]

    def forget(self, key: str) -> None:
        """Forget the bytes under a key."""
        for name in self._store.blobs(_place(key)):
            self._store.delete_blob(name)


def facts_of(pieces: Iterable[bytes]) -> Document:
    """Size and checksums of bytes."""
    md5, sha1 = hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False)
    sha256, size = hashlib.sha256(), 0
    for piece in pieces:
        size += len(piece)
        for checksum in (md5, sha1, sha256):
            checksum.update(piece)
    return {
        "size": str(size),
        "md5Checksum": md5.hexdigest(),
        "sha1Checksum": sha1.hexdigest(),
        "sha256Checksum": sha256.hexdigest(),
    }


def _place(key: str) -> str:
    return f"content/{key}/"


def _offset(name: str) -> int:
    return int(name.rpartition("/")[2])
