"""Numbers, global ids and cursors of a shop: which product a number belongs to can be read off the number itself.

What stands behind an id is the catalogue's affair.
"""

import base64
import binascii
import json
import re
import zlib
from datetime import UTC, datetime

SHOP_PATTERN = re.compile(r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$")
DEMO_SHOP = "demo-shop.myshopify.com"
FIRST_GENERATED = 1 << 24  # serials from here on are computed, below it they are stored
MOST_GENERATED = 1 << 24
_SERIAL_BITS = 25
_SLOT_BITS = 12
_FIRST_NUMBER = 1_000_000_000_000  # so that a part's number stays below 2^53, where JSON numbers end for many clients
_FIRST_MEDIA_SLOT = 2048


def now_text() -> str:
    """The present second as Shopify writes times: ISO 8601 in UTC with Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shop_number(shop: str) -> int:
    """A number of 15 bits that stands for a shop inside all its ids, so that two shops do not share a product id."""
    return zlib.crc32(shop.encode()) & 0x7FFF


def product_number(shop: str, serial: int) -> int:
    """Id of the product that is number `serial` in its shop; larger serials have larger ids."""
    return _FIRST_NUMBER + (shop_number(shop) << _SERIAL_BITS | serial)


def part_number(product: int, slot: int) -> int:
    """Id of a variant, picture or option: the product's own number with its slot (0–4095) behind it."""
    return product << _SLOT_BITS | slot


def media_number(product: int, slot: int) -> int:
    """Id of the picture with this slot (1–2047): apart from the variants, which have slots of their own."""
    return part_number(product, _FIRST_MEDIA_SLOT + slot)


def product_of(part: int) -> int:
    """The product to which a variant, picture or option belongs."""
    return part >> _SLOT_BITS


def serial_of(shop: str, product: int) -> int | None:
    """The serial behind a product's number, or None when the number is of another shop or of none."""
    offset = product - _FIRST_NUMBER
    if offset < 0 or offset >> _SERIAL_BITS != shop_number(shop):
        return None
    return offset & ((1 << _SERIAL_BITS) - 1)


def gid(kind: str, number: int) -> str:
    """The global id `gid://shopify/<kind>/<number>`."""
    return f"gid://shopify/{kind}/{number}"


def parse_gid(text: str) -> tuple[str, int] | None:
    """Kind and number of a global id, or None when it is none. A trailing query, as some ids have, is left out."""
    match = re.fullmatch(r"gid://shopify/([A-Za-z0-9]+)/(\d{1,18})(?:\?.*)?", text)
    return (match[1], int(match[2])) if match else None


def encode_cursor(number: int, value: str | int) -> str:
    """The opaque cursor of an entry: its id and what it is sorted by, so that it holds when entries come and go."""
    return base64.b64encode(json.dumps({"last_id": number, "last_value": value}).encode()).decode()


def decode_cursor(text: str) -> tuple[str | int, int]:
    """(sort value, id) of a cursor; raises ValueError for anything that `encode_cursor` cannot have made."""
    try:
        content = json.loads(base64.b64decode(text, validate=True))
        number, value = content["last_id"], content["last_value"]
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError("no cursor") from error
    if not isinstance(number, int) or not isinstance(value, str | int):
        raise ValueError("no cursor")
    return value, number
