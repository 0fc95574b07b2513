"""A picture of any size in bytes: a PNG of noise, 16 bits a channel, written without compression.

What does not live here: sending it (`large_files`).
"""

import random
import struct
import zlib
from pathlib import Path

WIDTH = 4096
ROW_BYTES = WIDTH * 4 * 2
SIXTEEN_BIT_RGBA = (16, 6, 0, 0, 0)
ROWS_A_CHUNK = 32


def write(path: Path, megabytes: int, seed: int = 1) -> None:
    """Write the file; its size comes within a part in a hundred of the wanted one (in units of 1,024 × 1,024)."""
    rows = megabytes * 1024 * 1024 // ROW_BYTES
    noise = random.Random(seed)  # noqa: S311 - a picture, not a secret
    packer = zlib.compressobj(0)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, rows, *SIXTEEN_BIT_RGBA)))
        for first in range(0, rows, ROWS_A_CHUNK):
            count = min(ROWS_A_CHUNK, rows - first)
            lines = b"".join(b"\0" + noise.randbytes(ROW_BYTES) for _ in range(count))
            file.write(_chunk(b"IDAT", packer.compress(lines)))
        file.write(_chunk(b"IDAT", packer.flush()) + _chunk(b"IEND", b""))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
