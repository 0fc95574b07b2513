"""A file that tells nothing without its key, written and read as a stream: AES-256-GCM in pieces (NIST SP 800-38D).

Each piece is bound to the file's head, to its place and to whether it is the last, so that none can be changed, moved,
repeated or cut off unseen. What is inside lives in the package itself.
"""

import io
import json
import os
import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from patchbay.errors import BackupError

MAGIC = b"PATCHBAY BACKUP 1\n"
PIECE_BYTES = 1024 * 1024
_TAG_BYTES = 16
_SALT_BYTES = 16
_MOST_HEAD_BYTES = 64 * 1024


class SealedWriter(io.RawIOBase):
    """Takes what is written, in any sizes, and puts it into `out`, sealed. Must be closed: the last piece says so."""

    def __init__(self, out: IO[bytes], key: str, about: Mapping[str, Any]) -> None:
        """`about` stands readable at the head of the file: nothing in it may be secret."""
        salt = os.urandom(_SALT_BYTES)
        head = json.dumps({**about, "salt": b64encode(salt).decode()}, sort_keys=True).encode() + b"\n"
        out.write(MAGIC + head)
        self._out, self._head, self._cipher = out, head, _cipher(key, salt)
        self._number, self._waiting = 0, bytearray()

    def writable(self) -> bool:
        """It is there to be written to."""
        return True

    def write(self, content: Any) -> int:
        """Take `content` in."""
        taken = bytes(content)
        self._waiting += taken
        while len(self._waiting) > PIECE_BYTES:
            self._put(bytes(self._waiting[:PIECE_BYTES]), is_last=False)
            del self._waiting[:PIECE_BYTES]
        return len(taken)

    def close(self) -> None:
        """Write the last piece."""
        if not self.closed:
            self._put(bytes(self._waiting), is_last=True)
        super().close()

    def _put(self, piece: bytes, *, is_last: bool) -> None:
        nonce, bound = _place(self._number, self._head, is_last=is_last)
        self._out.write(self._cipher.encrypt(nonce, piece, bound))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Gives back what a SealedWriter took. Every read raises BackupError for a wrong key, and for an altered file."""

    def __init__(self, source: IO[bytes], key: str) -> None:
        self.about, self._head = read_head(source)
        try:
            salt = b64decode(self.about["salt"], validate=True)
        except (KeyError, ValueError, TypeError):
            raise BackupError("This is not a backup of Patchbay, or its beginning is damaged.") from None
        self._source, self._cipher = source, _cipher(key, salt)
        self._number, self._opened, self._next = 0, b"", source.read(PIECE_BYTES + _TAG_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def readable(self) -> bool:
        """It is there to be read from."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as one piece goes; 0 at the end of the whole."""
        if not self._opened:
            self._opened = self._open_next()
        count = min(len(buffer), len(self._opened))
        buffer[:count] = self._opened[:count]
        self._opened = self._opened[count:]
        return count

    def _open_next(self) -> bytes:
        if not self._next:
            if self._number == 0:
                raise BackupError("The backup is cut off.")
            return b""
        piece, self._next = self._next, self._source.read(PIECE_BYTES + _TAG_BYTES)
        nonce, bound = _place(self._number, self._head, is_last=not self._next)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, piece, bound)
        except InvalidTag:
            if self._number == 1:
                raise BackupError("BACKUP_KEY is not the key of this backup, or the file is damaged.") from None
            raise BackupError("The backup is damaged or cut off.") from None


def read_head(source: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """What stands readable at the head, as it is and as bytes. Raises BackupError for anything but a backup."""
    head = source.readline(_MOST_HEAD_BYTES) if source.read(len(MAGIC)) == MAGIC else b""
    try:
        about = json.loads(head)
    except ValueError:
        about = None
    if not isinstance(about, dict) or not head.endswith(b"\n"):
        raise BackupError("This is not a backup of Patchbay, or its beginning is damaged.")
    return about, head


def _cipher(key: str, salt: bytes) -> AESGCM:
    """A key of this file's own (RFC 7914), slow to guess where the operator's key is one that people choose."""
    return AESGCM(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(key.encode()))


def _place(number: int, head: bytes, *, is_last: bool) -> tuple[bytes, bytes]:
    """Nonce and bound data of a piece. A file's key is its own, so that a counter never repeats under one key."""
    mark = struct.pack(">Q?", number, is_last)
    return number.to_bytes(12, "big"), head + mark
