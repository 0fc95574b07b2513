"""The designs that are there at first, and synthetic ones: the same count and seed make the same ones, however many.

How they are kept is the business of `designs`.
"""

from collections.abc import Iterator

from sandbox.hosts.canva.designs import Design, Designs
from sandbox.hosts.canva.people import PEOPLE, scrambled
from sandbox.platform import count_and_seed
from sandbox.store import Document

MOST = 10_000_000
_BEGIN = 1_704_067_200  # 2024-01-01
_NOW = 1_793_000_000  # some weeks before these lines were written
_DAY_S = 86_400
_BATCH = 5_000
_MOODS = ("Quiet", "Bold", "Faded", "Sunlit", "Folded", "Salted", "Early", "Bright")
_MOTIFS = ("Fern", "Harbour", "Comet", "Meadow", "Lighthouse", "Fox", "Orchard", "Wave", "Lantern")
_SIZES = ((1080, 1080), (1080, 1350), (1600, 900), (1240, 1754))
ADA, BEN, _CLEO = (each.email for each in PEOPLE)


def first_designs() -> list[Design]:
    """A dozen designs of Ada's shop, one that Ben shares with her, and one that is Ben's alone."""
    own: tuple[tuple[str, str | None, int, int, Document], ...] = (
        ("DAF0summer1", "Summer collection tee", 1600, 1600, {}),
        ("DAF0fernpo1", "Fern poster, A3", 1240, 1754, {}),
        ("DAF0lookbk1", "Autumn lookbook", 1600, 900, {"kind": "presentation", "pages": 4}),
        ("DAF0mugwrp1", "Mug wrap: harbour", 1800, 800, {}),
        ("DAF0totebg1", "Tote bag lettering", 1200, 1200, {}),
        ("DAF0stickr1", "Sticker sheet 🦊", 1080, 1350, {"pages": 2}),
        ("DAF0goldfo1", "Gold foil card", 1240, 874, {"premium": True}),
        ("DAF0sale001", "Winter sale (waits for approval)", 1080, 1080, {"approval": True}),
        ("DAF0insta01", "Instagram post / launch", 1080, 1080, {}),
        ("DAF0notes01", "Notes for the print shop", 1240, 1754, {"kind": "doc"}),
        ("DAF0board01", "Ideas", 2000, 1200, {"kind": "whiteboard"}),
        ("DAF0untitl1", None, 1080, 1080, {}),
    )
    designs = [
        _first(number, ADA, identity, title, width, height, more)
        for number, (identity, title, width, height, more) in enumerate(own)
    ]
    shared = _first(12, BEN, "DAF0benshr1", "Ben's banner", 1600, 600, {"shared": (ADA,)})
    return [*designs, shared, _first(13, BEN, "DAF0benown1", "Ben's draft", 1080, 1080, {})]


def generate(designs: Designs, account: str, wanted: Document) -> Document:
    """Let an account have exactly `count` designs of `seed`; what it had goes. Raises ControlRefused."""
    count, seed = count_and_seed(wanted, MOST)
    designs.clear(account)
    for start in range(0, count, _BATCH):
        designs.put_many(_generated(account, seed, range(start, min(start + _BATCH, count))))
    return {"designs": count}


def _first(
    number: int, owner: str, identity: str, title: str | None, width: int, height: int, more: Document
) -> Design:
    updated_at = _NOW - number * _DAY_S
    return Design(identity, title, owner, width, height, updated_at - 3 * _DAY_S, updated_at, **more)


def _generated(account: str, seed: int, numbers: range) -> Iterator[Design]:
    for number in numbers:
        width, height = _SIZES[(number + seed) % len(_SIZES)]
        moment = _BEGIN + number * 60
        yield Design(
            id=f"DA{scrambled(f'{account}:{seed}:{number}', 9)}",
            title=f"{_MOODS[(number * 5 + seed) % 8]} {_MOTIFS[(number * 7 + seed) % 9]} {number + 1}",
            owner=account,
            width=width,
            height=height,
            created_at=moment,
            updated_at=moment,
            pages=1 + number % 3,
        )
