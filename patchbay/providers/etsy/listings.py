"""Reading a shop's listings: the shape of Etsy's answers, the lists by state, and what is stored of a listing.

What is written to a listing lives in `publishing`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import msgspec

from patchbay.spec import Api, Item, Page, Request, by_cursor

API = "https://openapi.etsy.com/v3/application"
PAGE = 100
# A listing that moves on during an import (draft → active → ended) is met again in a later list, so none is missed.
STATES = ("draft", "active", "inactive", "expired", "sold_out")


class Money(msgspec.Struct):
    amount: int
    divisor: int


class Image(msgspec.Struct):
    listing_image_id: int
    url_fullxfull: str
    alt_text: str | None = None


class Property(msgspec.Struct):
    values: list[str]
    property_name: str | None = None


class Offering(msgspec.Struct):
    price: Money


class Product(msgspec.Struct):
    product_id: int
    offerings: list[Offering]
    property_values: list[Property]
    sku: str | None = None
    is_deleted: bool = False


class Inventory(msgspec.Struct):
    products: list[Product]


class Listing(msgspec.Struct):
    listing_id: int
    shop_id: int
    title: str
    description: str
    state: str
    url: str
    tags: list[str]
    updated_timestamp: int
    images: list[Image] | None = None
    inventory: Inventory | None = None


class Listings(msgspec.Struct):
    """`count` is the total; there is no next link."""

    count: int
    results: list[Listing]


class NamedListing(msgspec.Struct):
    listing_id: int


class Named(msgspec.Struct):
    """Listings of which nothing matters but that they exist."""

    results: list[NamedListing]


def import_listings(api: Api, cursor: str | None) -> Iterator[Page]:
    """Every listing of the shop, one state after the other; within one the newest first, as Etsy gives them."""
    return by_cursor(lambda place: listings_page(api, place), cursor)


def listings_page(api: Api, cursor: str | None) -> Page:
    """The page at `cursor`: state, offset, and how long the list of that state was when the cursor was made."""
    state, offset, length = cursor.split(":") if cursor else (STATES[0], "0", "0")
    place = int(offset)
    found = in_state(api, state, place)
    if found.count < int(length):  # what stood before our place is gone: the rest has moved towards the beginning
        place = max(0, place - (int(length) - found.count))
        found = in_state(api, state, place)
    end = place + len(found.results)
    following = STATES[STATES.index(state) + 1 :]
    next_cursor = f"{following[0]}:0:0" if following else None
    if found.results and end < found.count:
        next_cursor = f"{state}:{end}:{found.count}"
    total = api.remember("total", lambda: count_all(api)) if cursor else None
    return Page(tuple(item(listing) for listing in found.results), next_cursor, total)


def in_state(api: Api, state: str, offset: int, limit: int = PAGE) -> Listings:
    """Part of the shop's listings in one state, with pictures and variations."""
    params = {"state": state, "limit": str(limit), "offset": str(offset), "includes": "Images,Inventory"}
    return api.read(api.send(Request("GET", f"{API}/shops/{api.account}/listings", params=params)), Listings)


def count_all(api: Api) -> int:
    """How many listings there are in all states together."""
    return sum(in_state(api, state, 0, 1).count for state in STATES)


def present_listings(api: Api, ids: Sequence[str]) -> set[str]:
    """Those of the ids that Etsy still has ("getListingsByListingIds", at most 100 at once, read 2026-11-21)."""
    found = api.read(api.send(Request("GET", f"{API}/listings/batch", params={"listing_ids": ",".join(ids)})), Named)
    return {str(listing.listing_id) for listing in found.results}


def get_listings(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the listings in a state as they are now; with `search` of the active ones that have those words."""
    offset = int(values["cursor"] or 0)
    if values["search"]:
        found = searched(api, values["search"], offset, values["limit"])
    else:
        found = in_state(api, values["state"], offset, values["limit"])
    end = offset + len(found.results)
    next_cursor = str(end) if found.results and end < found.count else None
    return {"listings": [show(item(listing).data) for listing in found.results], "nextCursor": next_cursor}


def searched(api: Api, words: str, offset: int, limit: int) -> Listings:
    """What the search finds. It gives neither pictures nor variations: these are asked for by number."""
    params = {"keywords": words, "limit": str(limit), "offset": str(offset)}
    found = api.read(api.send(Request("GET", f"{API}/shops/{api.account}/listings/active", params=params)), Listings)
    if not found.results:
        return found
    numbers = {"listing_ids": ",".join(str(listing.listing_id) for listing in found.results)}
    images = Request("GET", f"{API}/listings/batch", params={**numbers, "includes": "Images"})
    stock = Request("GET", f"{API}/listings/batch/inventory", params=numbers)
    pictured = {each.listing_id: each.images for each in api.read(api.send(images), Listings).results}
    stocked = {each.listing_id: each.inventory for each in api.read(api.send(stock), Listings).results}
    for listing in found.results:
        listing.images = pictured.get(listing.listing_id)
        listing.inventory = stocked.get(listing.listing_id)
    return found


def item(listing: Listing) -> Item:
    """What is stored of a listing: docs/contract "What a stream stores". Etsy writes texts with HTML entities; the
    description is kept so, because it is stored as HTML."""
    products = [product for product in (listing.inventory or Inventory([])).products if not product.is_deleted]
    listing_id, title = str(listing.listing_id), unescape(listing.title)
    values = {
        "id": listing_id,
        "title": title,
        "handle": None,
        "description": listing.description,
        "vendor": None,
        "productType": None,
        "tags": [unescape(tag) for tag in listing.tags],
        "status": listing.state,
        "url": listing.url,
        "options": options(products),
        "variants": [variant(product) for product in products],
        "images": [
            {
                "id": str(image.listing_image_id),
                "url": image.url_fullxfull,
                "alt": unescape(image.alt_text or "") or None,
            }
            for image in listing.images or ()
        ],
        "updatedAt": datetime.fromtimestamp(listing.updated_timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return Item(listing_id, title, values)


def options(products: list[Product]) -> list[dict[str, Any]]:
    """The properties in which the variations differ, each with its values in their order."""
    found: dict[str, dict[str, None]] = {}
    for product in products:
        for name, value in chosen(product).items():
            found.setdefault(name, {})[value] = None
    return [{"name": name, "values": list(values)} for name, values in found.items()]


def variant(product: Product) -> dict[str, Any]:
    """A variation as stored; a listing without variations has one, without a title of its own."""
    values = chosen(product)
    return {
        "id": str(product.product_id),
        "sku": unescape(product.sku or "") or None,
        "title": " / ".join(values.values()) or None,
        "price": money(product.offerings[0].price) if product.offerings else None,
        "compareAtPrice": None,
        "barcode": None,
        "options": values,
    }


def chosen(product: Product) -> dict[str, str]:
    """Property names and values of a variation."""
    return {unescape(one.property_name or ""): unescape(", ".join(one.values)) for one in product.property_values}


def money(price: Money) -> str:
    """Decimal text with two places."""
    return f"{Decimal(price.amount) / (price.divisor or 1):.2f}"


def show(values: Mapping[str, Any]) -> dict[str, Any]:
    """A stored listing in an operation's answer: pictures as plain addresses."""
    return {**values, "images": [image["url"] for image in values["images"]]}
