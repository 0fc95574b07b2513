"""Synthetic products computed from a seed and an index: the same ones every time, without keeping any of them.

Where they stand in a shop, and what happens to one that is changed, is the catalogue's affair.
"""

import math
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from re import fullmatch

from sandbox.hosts.shopify.ids import FIRST_GENERATED, MOST_GENERATED
from sandbox.hosts.shopify.products import NewPicture, NewProduct, NewVariant, assemble
from sandbox.store import Document

_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_STEP_S = 3  # between two products; sixteen million of them fit into a year and a half
_MOODS = ("Quiet", "Bold", "Wild", "Faded", "Sunlit", "Northern", "Folded", "Salted", "Early", "Slow", "Bright", "Old")
_MOTIFS = ("Fern", "Harbour", "Comet", "Meadow", "Lighthouse", "Fox", "Orchard", "Wave", "Lantern", "Peak", "Moth")
_VENDORS = ("Inkfield Studio", "Paper & Pine", "North Loom", "Harbour Press", "Little Kiln")
_COLOURS = ("White", "Black", "Sand", "Sage", "Navy", "Clay", "Sky", "Plum")
_TAGS = ("summer", "gift", "new", "limited", "bestseller", "organic", "recycled", "studio")
# kind, product type, option name, its values, price in whole units
_KINDS = (
    ("tee", "Tee", "Size", ("S", "M", "L", "XL"), 24),
    ("mug", "Mug", "Volume", ("250 ml", "330 ml", "450 ml", "600 ml"), 14),
    ("poster", "Poster", "Format", ("A4", "A3", "A2", "50 × 70 cm"), 19),
    ("tote", "Tote", "Handles", ("Short", "Long", "Both", "Rope"), 17),
    ("hoodie", "Hoodie", "Size", ("S", "M", "L", "XL"), 49),
    ("cushion", "Cushion", "Edge", ("30 cm", "40 cm", "50 cm", "60 cm"), 29),
)


def first_index_since(time: str, seed: int) -> int:
    """Index of the first product of a seed that was not updated before `time` (ISO 8601 in UTC); raises ValueError."""
    moment = datetime.fromisoformat(time)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0, math.ceil(((moment - _BEGIN).total_seconds() - seed % _STEP_S) / _STEP_S))


def index_of_handle(handle: str) -> int | None:
    """The index that a generated product's handle ends in."""
    match = fullmatch(r"[a-z-]+-(\d{1,8})", handle)
    return int(match[1]) if match and int(match[1]) < MOST_GENERATED else None


def totals(count: int) -> dict[str, int]:
    """How many products, variants and pictures `count` products have: 1–4 variants and 1–3 pictures in turn."""
    return {"products": count, "variants": _sum_in_turn(count, 4), "images": _sum_in_turn(count, 3)}


def generated_product(shop: str, seed: int, index: int) -> Document:
    """Product number `index` of a seed, as stored documents look."""
    dice = blake2b(f"{seed}:{index}".encode(), digest_size=8).digest()
    kind, product_type, option, values, price = _KINDS[dice[0] % len(_KINDS)]
    mood, motif = _MOODS[dice[1] % len(_MOODS)], _MOTIFS[dice[2] % len(_MOTIFS)]
    colour = _COLOURS[dice[3] % len(_COLOURS)]
    title = f"{mood} {motif} {product_type}"
    name = f"{mood}-{motif}-{kind}".lower()
    cents = price * 100 + dice[4] % 10 * 50
    new = NewProduct(
        title=title,
        handle=f"{name}-{index}",
        description_html=f"<p>{title} in {colour.lower()}, printed to order. Design no. {index}.</p>",
        vendor=_VENDORS[dice[5] % len(_VENDORS)],
        product_type=product_type,
        tags=tuple(sorted({_TAGS[dice[6] % len(_TAGS)], _TAGS[dice[7] % len(_TAGS)], colour.lower()})),
        status="DRAFT" if dice[5] % 32 == 0 else "ACTIVE",
        options=(option,),
        variants=[
            NewVariant(
                values=(values[step],),
                price=f"{(cents + step * 200) // 100}.{(cents + step * 200) % 100:02d}",
                sku=f"{kind[:3].upper()}-{index:08d}-{step + 1}",
                inventory=(dice[6] + step) % 60,
                picture=0,
            )
            for step in range(1 + index % 4)
        ],
        pictures=[
            NewPicture(_picture_url(f"{name}-{colour.lower()}-{dice[7]}-{view}"), title, 1200, 1200)
            for view in range(1, 2 + index % 3)
        ],
    )
    return assemble(shop, FIRST_GENERATED + index, new, _time(index, seed))


def _picture_url(name: str) -> str:
    return f"https://cdn.shopify.com/s/files/1/0700/0001/products/{name}.png"


def _time(index: int, seed: int) -> str:
    """When the product changed last; another seed is another content, and so another time within the step."""
    return (_BEGIN + timedelta(seconds=index * _STEP_S + seed % _STEP_S)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sum_in_turn(count: int, cycle: int) -> int:
    rounds, rest = divmod(count, cycle)
    return rounds * (cycle * (cycle + 1) // 2) + rest * (rest + 1) // 2
