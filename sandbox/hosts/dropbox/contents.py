"""The bytes of files, kept in pieces so that nobody holds a whole file, and the hash that Dropbox makes of them.

Source: Dropbox's reference "Content hash" (read 2026-11-21). Where a file stands is in `tree`, how bytes come in in
`uploads`.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.store import Document, Store

HASH_BLOCK = 4 * 1024 * 1024
_PIECE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that are stored under `key` (or made from `seed`), with their size and content hash."""

    size: int
    content_hash: str
    key: str | None = None
    seed: str | None = None

    def facts(self) -> Document:
        """What an entry keeps of it."""
        place = {"content": self.key} if self.key else {"seed": self.seed}
        return {"size": self.size, "content_hash": self.content_hash} | place


class Contents:
    """Bytes by key and offset."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, key: str, offset: int, body: bytes) -> None:
        """Keep bytes that begin at an offset of the content `key`."""
        view = memoryview(body)
        for start in range(0, len(body), _PIECE):
            self._store.put_blob(_piece(key, offset + start), bytes(view[start : start + _PIECE]))

    def pieces(self, key: str) -> Iterator[bytes]:
        """The bytes of a content in order, piece by piece."""
        for name in self._store.blobs(f"content/{key}/"):
            yield self._store.get_blob(name) or b""

    def described(self, key: str) -> Content:
        """Size and hash of what is stored under a key."""
        hasher = ContentHash()
        size = 0
        for piece in self.pieces(key):
            hasher.update(piece)
            size += len(piece)
        return Content(size, hasher.hexdigest(), key)

    def has(self, key: str, offset: int) -> bool:
        """Whether bytes that begin exactly there are stored."""
        return bool(self._store.blobs(_piece(key, offset)))

    def of(self, file: Document) -> Iterator[bytes]:
        """The bytes of a file; those of generated files are made on the spot."""
        if file.get("seed") is not None:
            yield generated(file["seed"])
        elif file.get("content"):
            yield from self.pieces(file["content"])

    def drop(self, entry: Document) -> None:
        """Forget the bytes of an entry, if it has any."""
        if entry.get("content"):
            self.forget(entry["content"])

    def forget(self, key: str) -> None:
        """Forget the bytes under a key."""
        for name in self._store.blobs(f"content/{key}/"):
            self._store.delete_blob(name)


class ContentHash:
    """SHA-256 over the SHA-256 digests of blocks of 4 MiB, fed in any portions."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._block = hashlib.sha256()
        self._filled = 0

    def update(self, portion: bytes) -> None:
        """Take the next bytes."""
        view = memoryview(portion)
        while view:
            part = view[: HASH_BLOCK - self._filled]
            self._block.update(part)
            self._filled += len(part)
            view = view[len(part) :]
            if self._filled == HASH_BLOCK:
                self._close_block()

    def hexdigest(self) -> str:
        """The hash of all that was taken; call it once, at the end."""
        if self._filled:
            self._close_block()
        return self._whole.hexdigest()

    def _close_block(self) -> None:
        self._whole.update(self._block.digest())
        self._block = hashlib.sha256()
        self._filled = 0


def new_key() -> str:
    """A key for new content."""
    return secrets.token_hex(12)


def hash_of(body: bytes) -> str:
    """The content hash of bytes at hand."""
    hasher = ContentHash()
    hasher.update(body)
    return hasher.hexdigest()


def generated(seed: str) -> bytes:
    """The bytes of a generated file."""
    return f"Generated file {seed}\n".encode()


def seeded(seed: str) -> Content:
    """The content of a generated file."""
    body = generated(seed)
    return Content(len(body), hash_of(body), seed=seed)


def _piece(key: str, offset: int) -> str:
    return f"content/{key}/{offset:015d}"
