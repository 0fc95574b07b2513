"""Synthetic files computed from a seed and a number: the same ones every time, without keeping any of them.

Where they stand in a team is the library's affair.
"""

import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from sandbox.hosts.figma.document import frame
from sandbox.store import Document

MOST = 10_000_000
MOST_SEED = 36**6 - 1
PER_FOLDER = 200
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_KEY = re.compile(r"G([0-9a-z]{6})([0-9a-z]{6})([0-9a-f]{9})")
_FOLDER = re.compile(r"7(\d{10})(\d{8})")
_MOODS = ("Quiet", "Bold", "Wild", "Faded", "Sunlit", "Northern", "Folded", "Salted", "Early", "Slow")
_MOTIFS = ("Fern", "Harbour", "Comet", "Meadow", "Lighthouse", "Fox", "Orchard", "Wave", "Lantern", "Peak")


def folder_id(seed: int, block: int) -> str:
    """The id of a folder of computed files."""
    return f"7{seed:010d}{block:08d}"


def folder_of(text: str) -> tuple[int, int] | None:
    """Seed and number of a folder by its id."""
    match = _FOLDER.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def folder(seed: int, block: int) -> Document:
    """A folder as the library keeps them."""
    return {"id": folder_id(seed, block), "name": f"Collection {block + 1}", "parent": None}


def key_of(seed: int, number: int) -> str:
    """The key of a computed file: 22 letters and digits, as all keys."""
    body = _base36(seed) + _base36(number)
    return f"G{body}{_mark(body)}"


def number_of(key: str) -> tuple[int, int] | None:
    """Seed and number of a file by its key."""
    match = _KEY.fullmatch(key)
    if match is None or _mark(match[1] + match[2]) != match[3]:
        return None
    return int(match[1], 36), int(match[2], 36)


def file(seed: int, number: int) -> Document:
    """File `number` of a seed, as stored files look."""
    dice = blake2b(f"{seed}:{number}".encode(), digest_size=4).digest()
    title = f"{_MOODS[dice[0] % len(_MOODS)]} {_MOTIFS[dice[1] % len(_MOTIFS)]}"
    moment = _BEGIN + timedelta(minutes=number)
    sizes = ((1200, 1200), (900, 1200), (1600, 900))
    frames = [frame(f"{title} {part}", *sizes[(dice[2] + part) % 3]) for part in range(1, 2 + dice[3] % 3)]
    return {
        "key": key_of(seed, number),
        "name": f"{title} no. {number + 1}",
        "folder": folder_id(seed, number // PER_FOLDER),
        "editorType": "figma",
        "version": str(4_000_000_000 + number),
        "lastModified": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "creator": "ada@example.org",
        "pages": [{"name": "Designs", "frames": frames}],
    }


def _mark(body: str) -> str:
    return blake2b(body.encode(), digest_size=5).hexdigest()[:9]


def _base36(number: int) -> str:
    text = ""
    for _ in range(6):
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
