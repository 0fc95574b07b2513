"""Synthetic products computed from a seed and an index: the same ones every time, without keeping any of them.

Where they stand among a store's other products is the business of `listing`.
"""

from datetime import datetime, timedelta
from hashlib import blake2b

from sandbox.hosts.woocommerce.numbers import MOST_COMPUTED, picture_id, product_id
from sandbox.hosts.woocommerce.products import choice, product, variations
from sandbox.hosts.woocommerce.stores import write_time
from sandbox.store import Document

BEGIN = datetime(2025, 1, 1)  # noqa: DTZ001 - GMT without a zone, as the platform keeps times
STEP = timedelta(seconds=2)  # between two products
_MOODS = ("Quiet", "Bold", "Wild", "Faded", "Sunlit", "Northern", "Folded", "Early", "Slow", "Bright", "Old", "Small")
_MOTIFS = ("Birch", "Anchor", "Meteor", "Garden", "Harvest", "Heron", "Orchard", "Tide", "Lantern", "Ridge", "Wren")
_COLOURS = ("white", "black", "sand", "sage", "navy", "clay", "sky", "plum")
# kind, what there is to choose, its values, price in whole units
_KINDS = (
    ("Tee", "Size", ("S", "M", "L", "XL"), 24),
    ("Mug", "Volume", ("250 ml", "330 ml", "450 ml", "600 ml"), 14),
    ("Poster", "Format", ("A4", "A3", "A2", "A1"), 19),
    ("Tote", "Handles", ("Short", "Long", "Both", "Rope"), 17),
    ("Cushion", "Edge", ("30 cm", "40 cm", "50 cm", "60 cm"), 29),
)


def totals(count: int) -> dict[str, int]:
    """What `count` products come to: they have 0, 2, 3 and 4 variations, and 1 to 3 pictures, in turn."""
    rounds, rest = divmod(count, 4)
    return {
        "products": count,
        "variations": rounds * 9 + sum((0, 2, 3, 4)[:rest]),
        "images": count // 3 * 6 + sum((1, 2, 3)[: count % 3]),
    }


def computed(seed: int, index: int) -> Document:
    """Product number `index` of a seed, as kept documents look."""
    if not 0 <= index < MOST_COMPUTED:
        raise ValueError("no such index")
    dice = blake2b(f"{seed}:{index}".encode(), digest_size=8).digest()
    kind, option, values, price = _KINDS[dice[0] % len(_KINDS)]
    name = f"{_MOODS[dice[1] % len(_MOODS)]} {_MOTIFS[dice[2] % len(_MOTIFS)]} {kind}"
    post, how_many, sku = product_id(index), (0, 2, 3, 4)[index % 4], f"{kind[:3].upper()}-{index:08d}"
    prices = {value: f"{price + step * 4}.{dice[3] % 10}0" for step, value in enumerate(values[:how_many])}
    pictures = [picture_id(post, number) for number in range(1 + index % 3)]
    return product(
        post,
        created_at(index),
        name=name,
        slug=f"{name.lower().replace(' ', '-')}-{index}",
        type="variable" if how_many else "simple",
        status="draft" if dice[4] % 32 == 0 else "publish",
        description=f"<p>{name}, printed to order. Design no. {index}.</p>\n",
        sku=sku,
        regular_price="" if how_many else f"{price}.{dice[3] % 10}0",
        tags=[_COLOURS[dice[5] % len(_COLOURS)]],
        categories=[f"{kind}s"],
        attributes=[choice(option, list(values[:how_many]))] if how_many else [],
        images=pictures,
        variations=variations(post, option, prices, sku, pictures),
    )


def computed_picture(document: Document, number: int) -> Document:
    """A picture of a computed product, as kept ones look."""
    created = document["created"]
    return {
        "id": picture_id(document["id"], number),
        "file": f"{created[:4]}/{created[5:7]}/{document['slug']}-{number + 1}.png",
        "name": f"{document['slug']}-{number + 1}.png",
        "alt": document["name"],
        "created": created,
    }


def created_at(index: int) -> str:
    """When a computed product was made; it has not been changed since."""
    return write_time(BEGIN + index * STEP)
