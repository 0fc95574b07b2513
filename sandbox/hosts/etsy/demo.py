"""What the sandbox's shops have at first: a dozen listings in Ada's, three in Ben's, every state among them.

How they are kept is the affair of `listings` and `pictures`.
"""

from dataclasses import dataclass

from sandbox.hosts.etsy import taxonomy
from sandbox.hosts.etsy.drafts import LISTED_S
from sandbox.hosts.etsy.listings import Listings
from sandbox.hosts.etsy.pictures import Pictures
from sandbox.hosts.etsy.sellers import SHOPS, Shop, processing_profiles, return_policies, shipping_profiles
from sandbox.store import Document

_BEGIN = 1_767_225_600  # 2026-01-01T00:00:00Z
_DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class _Thing:
    """One listing in short; `choices` maps the values of `option` to prices in cents."""

    title: str
    category: int
    option: str
    choices: dict[str, int]
    tags: tuple[str, ...]
    state: str = "active"
    kind: str = "physical"


_SIZES = {"S": 2400, "M": 2400, "L": 2400, "XL": 2600}
_SHEETS = {"A4": 1500, "A3": 2200, "A2": 3400}
_ADAS = (
    _Thing("Peak Giclée Print", taxonomy.PRINT, "Format", _SHEETS, ("wall art", "mountains")),
    _Thing("Moth Giclée Print", taxonomy.PRINT, "Format", _SHEETS, ("wall art", "insects")),
    _Thing("Printer's Devil T-shirt", taxonomy.TEE, "Size", _SIZES, ("tee", "typography")),
    _Thing("Fern T-shirt", taxonomy.TEE, "Size", _SIZES, ("tee", "botanical")),
    _Thing("First Light Mug", taxonomy.MUG, "Volume", {"250 ml": 1400, "330 ml": 1600}, ("kitchen", "gift")),
    _Thing("“Slow Sunday” Mug", taxonomy.MUG, "Volume", {"330 ml": 1600}, ("kitchen", "lettering")),
    _Thing("Harbour Tote", taxonomy.TOTE, "Handles", {"Short": 1700, "Long": 1900}, ("bag", "linen")),
    _Thing("Orchard Cushion", taxonomy.CUSHION, "Edge", {"40 cm": 2900, "50 cm": 3400}, ("home",), "sold_out"),
    _Thing("Fox Sticker Set", taxonomy.STICKER, "", {"": 450}, ("stickers", "animals")),
    _Thing("Comet Poster to Print at Home", taxonomy.DIGITAL, "", {"": 600}, ("digital",), "active", "download"),
    _Thing("Lantern Print, Spring Edition", taxonomy.PRINT, "Format", _SHEETS, ("wall art",), "inactive"),
    _Thing("Wave Tote, not yet ready", taxonomy.TOTE, "", {"": 1800}, ("bag",), "draft"),
)
_BENS = (
    _Thing("Pine Notebook Sticker", taxonomy.STICKER, "", {"": 300}, ("stickers",)),
    _Thing("Winter Wood Print", taxonomy.PRINT, "Format", _SHEETS, ("wall art",)),
    _Thing("Old Stock Print", taxonomy.PRINT, "", {"": 900}, ("wall art",), "expired"),
)


def fill(listings: Listings, pictures: Pictures) -> None:
    """Put the first listings into the shops, with two pictures each; the draft has none."""
    for shop, things in zip(SHOPS, (_ADAS, _BENS), strict=True):
        for number, thing in enumerate(things):
            listing = listings.add(shop, _document(shop, thing, number))
            if thing.state == "draft":
                continue
            for view, words in enumerate((thing.title, f"{thing.title} from near")):
                name = f"{shop.number}{number:02d}{view}"
                listing["images"].append(pictures.draw(listing, name, words)["id"])
            listings.keep(listing)


def _document(shop: Shop, thing: _Thing, number: int) -> Document:
    created = _BEGIN + number * _DAY_S
    is_physical = thing.kind == "physical"
    stock = 0 if thing.state == "sold_out" else 999 if not is_physical else 12
    return {
        "shop_id": shop.shop_id,
        "user_id": shop.user_id,
        "title": thing.title,
        "description": f"{thing.title}, made in our studio.\n\nPrinted one by one, and packed with care.",
        "state": thing.state,
        "created": created,
        "original": created,
        "updated": created,
        "state_at": created,
        "ending": created + LISTED_S,
        "type": thing.kind,
        "tags": list(thing.tags),
        "materials": [],
        "styles": [],
        "who_made": "i_did",
        "when_made": "made_to_order",
        "is_supply": False,
        "taxonomy_id": thing.category,
        "shipping_profile_id": shipping_profiles(shop)[0]["shipping_profile_id"] if is_physical else None,
        "return_policy_id": return_policies(shop)[0]["return_policy_id"] if shop.needs_return_policy else None,
        "readiness_state_id": processing_profiles(shop)[1]["readiness_state_id"] if is_physical else None,
        "should_auto_renew": False,
        "is_taxable": True,
        "images": [],
        "products": [
            {
                "id": 0,
                "sku": f"{shop.number}{number:02d}-{place}" if value else "",
                "cents": cents,
                "quantity": stock,
                "values": {thing.option: value} if value else {},
            }
            for place, (value, cents) in enumerate(thing.choices.items(), 1)
        ],
    }
