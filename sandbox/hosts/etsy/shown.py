"""Listings, their inventory and their pictures in Etsy's own JSON.

Source: ShopListing, ShopListingWithAssociations, ListingInventory and ListingImage of the Open API 3.0.0 document.
Texts of sellers come with HTML entities (`&#39;`), which is nowhere documented and seen in every client (read
2026-11-21).
"""

import colorsys
import html
import re
from typing import Final

from sandbox.hosts.etsy.sellers import Shop, shipping_profiles
from sandbox.store import Document

PICTURE_HOST: Final = "i.etsystatic.com"
_USUAL: Final[Document] = {
    "rich_description": None,
    "shop_section_id": None,
    "featured_rank": -1,
    "num_favorers": 0,
    "is_customizable": False,
    "is_personalizable": False,
    "processing_min": None,
    "processing_max": None,
    "item_weight": None,
    "item_weight_unit": None,
    "item_length": None,
    "item_width": None,
    "item_height": None,
    "item_dimensions_unit": None,
    "is_private": False,
    "suggested_title": None,
}  # what no seller of the sandbox has set


def listing_shown(document: Document, shop: Shop) -> Document:
    """`ShopListing`."""
    stock = [product["quantity"] for product in document["products"]]
    created, updated = document["created"], document["updated"]
    return _USUAL | {
        "listing_id": document["listing_id"],
        "user_id": document["user_id"],
        "shop_id": document["shop_id"],
        "title": _escaped(document["title"]),
        "description": _escaped(document["description"]),
        "state": document["state"],
        "creation_timestamp": created,
        "created_timestamp": created,
        "ending_timestamp": document["ending"],
        "original_creation_timestamp": document["original"],
        "last_modified_timestamp": updated,
        "updated_timestamp": updated,
        "state_timestamp": document["state_at"],
        "quantity": sum(stock),
        "url": address(document),
        "non_taxable": not document["is_taxable"],
        "is_taxable": document["is_taxable"],
        "listing_type": document["type"],
        "tags": [_escaped(tag) for tag in document["tags"]],
        "materials": document["materials"],
        "shipping_profile_id": document["shipping_profile_id"],
        "return_policy_id": document["return_policy_id"],
        "who_made": document["who_made"],
        "when_made": document["when_made"],
        "is_supply": document["is_supply"],
        "style": document["styles"],
        "file_data": "",
        "has_variations": len(document["products"]) > 1,
        "should_auto_renew": document["should_auto_renew"],
        "language": "en-US",
        "price": _money(min(product["cents"] for product in document["products"]), shop),
        "taxonomy_id": document["taxonomy_id"],
        "readiness_state_id": document["readiness_state_id"] if document["state"] == "active" else None,
    }


def association(name: str, document: Document, shop: Shop, pictures: list[Document]) -> tuple[str, object]:
    """Key and value of what `includes` asked for; what the sandbox has nothing of is empty."""
    if name == "Images":
        return "images", [picture_shown(picture, rank) for rank, picture in enumerate(pictures, 1)]
    if name == "Inventory":
        return "inventory", inventory_shown(document, shop)
    if name == "Shipping":
        profiles = shipping_profiles(shop)
        wanted = document["shipping_profile_id"]
        return "shipping_profile", next((each for each in profiles if each["shipping_profile_id"] == wanted), None)
    empty: dict[str, tuple[str, object]] = {
        "User": ("user", {"user_id": shop.user_id}),
        "Translations": ("translations", None),
        "Videos": ("videos", []),
        "Personalization": ("personalization", None),
        "BuyerPrice": ("buyer_price", None),
    }
    return empty[name]


def inventory_shown(document: Document, shop: Shop) -> Document:
    """`ListingInventory`: every product with its one offering."""
    varied = [_property_number(name) for name in document["products"][0]["values"]]
    return {
        "products": [_product_shown(product, document, shop) for product in document["products"]],
        "price_on_property": varied,
        "quantity_on_property": [],
        "sku_on_property": varied,
        "readiness_state_on_property": [],
    }


def picture_shown(picture: Document, rank: int, *, is_processed: bool = True) -> Document:
    """`ListingImage`; colours and sizes are null until the picture has been processed."""
    red, green, blue = picture["colour"]
    hue, saturation, brightness = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    seen: Document = {
        "hex_code": f"{red:02X}{green:02X}{blue:02X}",
        "red": red,
        "green": green,
        "blue": blue,
        "hue": round(hue * 360),
        "saturation": round(saturation * 100),
        "brightness": round(brightness * 100),
        "is_black_and_white": saturation == 0,
        "full_height": picture["height"],
        "full_width": picture["width"],
    }
    return {
        "listing_id": picture["listing_id"],
        "listing_image_id": picture["id"],
        **(seen if is_processed else dict.fromkeys(seen)),
        "creation_tsz": picture["created"],
        "created_timestamp": picture["created"],
        "rank": rank,
        **{f"url_{size}": picture_address(picture, size) for size in ("75x75", "170x135", "570xN", "fullxfull")},
        "alt_text": picture["alt_text"],
    }


def picture_address(picture: Document, size: str) -> str:
    """Where the picture can be fetched in one of its sizes."""
    name = picture["name"]
    return f"https://{PICTURE_HOST}/{picture['shop_id']}/r/il/{name}/{picture['id']}/il_{size}.{picture['id']}_{name[:4]}.jpg"


def address(document: Document) -> str:
    """The listing's page."""
    slug = re.sub(r"[^a-z0-9]+", "-", document["title"].lower()).strip("-")
    return f"https://www.etsy.com/listing/{document['listing_id']}/{slug or 'listing'}"


def _product_shown(product: Document, document: Document, shop: Shop) -> Document:
    return {
        "product_id": product["id"],
        "sku": product["sku"],
        "is_deleted": False,
        "offerings": [
            {
                "offering_id": product["id"] + 50_000_000_000,
                "quantity": product["quantity"],
                "is_enabled": True,
                "is_deleted": False,
                "price": _money(product["cents"], shop),
                "readiness_state_id": document["readiness_state_id"],
            }
        ],
        "property_values": [
            {
                "property_id": _property_number(name),
                "property_name": name,
                "scale_id": None,
                "scale_name": None,
                "value_ids": [_property_number(f"{name}:{value}")],
                "values": [_escaped(value)],
            }
            for name, value in product["values"].items()
        ],
    }


def _money(cents: int, shop: Shop) -> Document:
    return {"amount": cents, "divisor": 100, "currency_code": shop.currency}


def _property_number(text: str) -> int:
    """A number for a property or a value, the same every time."""
    return 500 + sum(ord(letter) * place for place, letter in enumerate(text, 1))


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace('"', "&quot;").replace("'", "&#39;")
