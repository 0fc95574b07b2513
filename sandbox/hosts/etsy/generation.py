"""Synthetic listings computed from a seed and an index: the same ones every time, without keeping any of them.

States come in a fixed turn of twenty, so that the n-th listing in a state is found without counting. Where they stand
in a shop, and what happens to one that is changed, is the affair of `listings`.
"""

from hashlib import blake2b
from typing import Final

from sandbox.hosts.etsy import taxonomy
from sandbox.hosts.etsy.ids import computed_id, computed_picture_id
from sandbox.hosts.etsy.sellers import Shop, processing_profiles, return_policies, shipping_profiles
from sandbox.store import Document

STATES: Final = ("active", "inactive", "sold_out", "draft", "expired")
_BEGIN: Final = 1_735_689_600  # 2025-01-01T00:00:00Z
_STEP_S: Final = 2
_FOUR_MONTHS_S: Final = 121 * 24 * 3600
_TURN: Final = tuple(
    {3: "draft", 9: "inactive", 14: "sold_out", 18: "expired"}.get(place, "active") for place in range(20)
)
_PLACES: Final = {state: tuple(at for at, each in enumerate(_TURN) if each == state) for state in STATES}
_MOODS: Final = ("Quiet", "Bold", "Wild", "Faded", "Sunlit", "Northern", "Folded", "Salted", "Early", "Slow", "Bright")
_MOTIFS: Final = ("Fern", "Harbour", "Comet", "Meadow", "Lighthouse", "Fox", "Orchard", "Wave", "Lantern", "Peak")
_TAGS: Final = ("gift", "handmade", "studio", "limited", "summer", "organic", "wall art", "printed")
# name, category, property, its values, price in cents
_KINDS: Final[tuple[tuple[str, int, str, tuple[str, ...], int], ...]] = (
    ("T-shirt", taxonomy.TEE, "Size", ("S", "M", "L", "XL"), 2400),
    ("Mug", taxonomy.MUG, "Volume", ("250 ml", "330 ml", "450 ml"), 1450),
    ("Print", taxonomy.PRINT, "Format", ("A4", "A3", "A2"), 1900),
    ("Tote", taxonomy.TOTE, "Handles", ("Short", "Long"), 1700),
    ("Cushion", taxonomy.CUSHION, "Edge", ("30 cm", "40 cm", "50 cm"), 2900),
    ("Sticker", taxonomy.STICKER, "", (), 450),
)


def state_of(index: int) -> str:
    """The state a computed listing is born with."""
    return _TURN[index % len(_TURN)]


def count_in(state: str, count: int) -> int:
    """How many of the first `count` computed listings are in this state."""
    turns, rest = divmod(count, len(_TURN))
    places = _PLACES[state]
    return turns * len(places) + sum(1 for place in places if place < rest)


def nth_in(state: str, number: int) -> int:
    """The index of the `number`-th computed listing (from 0, oldest first) in this state."""
    turns, rest = divmod(number, len(_PLACES[state]))
    return turns * len(_TURN) + _PLACES[state][rest]


def picture_count(index: int) -> int:
    """One to three pictures, in turn."""
    return 1 + index % 3


def picture_total(count: int) -> int:
    """How many pictures the first `count` computed listings have."""
    turns, rest = divmod(count, 3)
    return turns * 6 + rest * (rest + 1) // 2


def generated_listing(shop: Shop, seed: int, index: int) -> Document:
    """Computed listing number `index` of a seed, as kept documents look."""
    dice = blake2b(f"{seed}:{index}".encode(), digest_size=8).digest()
    kind, category, option, values, cents = _KINDS[dice[0] % len(_KINDS)]
    mood, motif = _MOODS[dice[1] % len(_MOODS)], _MOTIFS[dice[2] % len(_MOTIFS)]
    listing_id, state = computed_id(shop, index), state_of(index)
    created = _BEGIN + index * _STEP_S
    in_stock = 0 if state == "sold_out" else 1 + dice[4] % 40
    products = [
        _product(listing_id, place, f"{kind[:3].upper()}-{index:08d}", cents + place * 200, in_stock, {option: value})
        for place, value in enumerate(values)
    ]
    return {
        "listing_id": listing_id,
        "shop_id": shop.shop_id,
        "user_id": shop.user_id,
        "title": f"{mood} {motif} {kind}",
        "description": f"{mood} {motif}, printed to order. Design no. {index}.",
        "state": state,
        "created": created,
        "original": created,
        "updated": created,
        "state_at": created,
        "ending": created + _FOUR_MONTHS_S,
        "type": "physical",
        "tags": sorted({_TAGS[dice[5] % len(_TAGS)], _TAGS[dice[6] % len(_TAGS)]}),
        "materials": [],
        "styles": [],
        "who_made": "i_did",
        "when_made": "made_to_order",
        "is_supply": False,
        "taxonomy_id": category,
        "shipping_profile_id": shipping_profiles(shop)[0]["shipping_profile_id"],
        "return_policy_id": return_policies(shop)[0]["return_policy_id"] if shop.needs_return_policy else None,
        "readiness_state_id": processing_profiles(shop)[1]["readiness_state_id"],
        "should_auto_renew": False,
        "is_taxable": True,
        "images": [computed_picture_id(shop, index, place) for place in range(picture_count(index))],
        "products": products or [_product(listing_id, 0, f"STI-{index:08d}", cents, in_stock, {})],
    }


def _product(listing_id: int, place: int, sku: str, cents: int, quantity: int, values: dict[str, str]) -> Document:
    return {
        "id": listing_id * 10 + place,
        "sku": f"{sku}-{place + 1}",
        "cents": cents,
        "quantity": quantity,
        "values": values,
    }
