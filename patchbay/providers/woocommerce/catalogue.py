"""Reading a store's products: the shape of its answers, the walk through all of them, and what is stored of one.

Imports are full sweeps: `modified_after` tells neither of deletions nor of changed variations, whose product keeps its
own time of change.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from patchbay.providers.woocommerce.rest import API, counted, read
from patchbay.spec import Api, Item, Outline, Page, Request, by_cursor

PAGE = 100


class Named(msgspec.Struct):
    name: str


class Image(msgspec.Struct):
    id: int
    src: str = ""
    alt: str | None = None


class Attribute(msgspec.Struct):
    """What a product has to choose from, or what a variation has of it."""

    name: str
    variation: bool = False
    options: list[str] = []
    option: str = ""


class Priced(msgspec.Struct):
    """Prices are text, but extensions of a store put numbers there."""

    id: int
    sku: str | None = None
    global_unique_id: str | None = None
    price: str | float | None = None
    regular_price: str | float | None = None
    on_sale: bool = False
    attributes: list[Attribute] = []


class Product(Priced, kw_only=True):
    name: str
    slug: str
    type: str
    status: str
    permalink: str = ""
    description: str | None = None
    date_modified_gmt: str | None = None
    categories: list[Named] = []
    brands: list[Named] = []
    tags: list[Named] = []
    images: list[Image] = []
    variations: list[int] = []


class Listed(msgspec.Struct):
    """As much of a product as tells that it is one."""

    id: int


Some = TypeVar("Some", Product, Listed)

FIELDS = ",".join(Product.__struct_fields__)  # the store computes no more than it is asked for
VARIATION_FIELDS = ",".join(Priced.__struct_fields__)


def import_products(api: Api, cursor: str | None) -> Iterator[Page]:
    """All products by id."""
    return by_cursor(lambda after: swept_page(api, after), cursor)


def product_ids(api: Api, cursor: str | None) -> Iterator[Outline]:
    """The same by nothing but their ids, which costs the store a fraction ("Global parameters: _fields")."""
    return by_cursor(lambda after: swept_ids(api, after), cursor)


def present_products(api: Api, ids: Sequence[str]) -> set[str]:
    """Those of the ids that the store still has outside its trash, which its list leaves out too."""
    params = {"include": ",".join(ids), "per_page": str(PAGE)}
    return {str(product.id) for product in listed(api, params, Listed)[0]}


def swept_page(api: Api, after: str | None) -> Page:
    """The products behind the cursor."""
    new, next_cursor, total = swept(api, after, Product)
    return Page(tuple(item(api, product) for product in new), next_cursor, total)


def swept_ids(api: Api, after: str | None) -> Outline:
    """Their ids."""
    new, next_cursor, total = swept(api, after, Listed)
    return Outline({str(product.id): "" for product in new}, next_cursor, total)


def swept(api: Api, after: str | None, shape: type[Some]) -> tuple[list[Some], str | None, int]:
    """As much as `shape` has of the products behind the cursor `offset:id`, the next cursor, and how many there are.

    The API counts offsets, which move when a product is deleted meanwhile. So a page begins with the last product of
    the one before; when that is not there, the walk goes back until it meets a product that was read.
    """
    reached, last = (int(part) for part in (after or "0:0").split(":"))
    offset = max(0, reached - 1)
    while True:
        place = {"offset": str(offset), "per_page": str(PAGE), "orderby": "id", "order": "asc"}
        products, total = listed(api, place, shape)
        if offset == 0 or (products and products[0].id <= last):
            break
        offset = max(0, offset - PAGE)
    new = [product for product in products if product.id > last]
    behind = offset + PAGE
    return new, f"{behind}:{new[-1].id if new else last}" if behind < total else None, total


def get_products(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Some products as they are now, the newest first; the cursor counts those before it."""
    offset, limit = int(values["cursor"] or 0), values["limit"]
    params = {"offset": str(offset), "per_page": str(limit)}
    if values["search"]:
        params["search"] = values["search"]
    products, total = listed(api, params, Product)
    following = str(offset + limit) if offset + limit < total else None
    return {"products": [show(item(api, product).data) for product in products], "nextCursor": following}


def listed(api: Api, params: Mapping[str, str], shape: type[Some]) -> tuple[list[Some], int]:
    """As much as `shape` has of the products that a list call finds, and how many there are in all."""
    fields = ",".join(shape.__struct_fields__)
    answer = api.send(Request("GET", f"{API}/products", params={"_fields": fields, **params}))
    return read(api, answer, list[shape]), counted(answer)  # type: ignore[valid-type]  # a type made at run time


def item(api: Api, product: Product) -> Item:
    """What is stored of a product: docs/contract "What a stream stores"."""
    variants: list[Priced] = [product]
    if product.type == "variable":
        variants = variations_of(api, product) if product.variations else []
    values = {
        "id": str(product.id),
        "title": product.name,
        "handle": product.slug,
        "description": product.description or None,
        "vendor": product.brands[0].name if product.brands else None,
        "productType": product.categories[0].name if product.categories else None,
        "tags": [tag.name for tag in product.tags],
        "status": product.status,
        "url": product.permalink or None if product.status == "publish" else None,
        "options": [{"name": one.name, "values": one.options} for one in product.attributes if one.variation],
        "variants": [variant_values(variant, product) for variant in variants],
        "images": [{"id": str(image.id), "url": image.src, "alt": image.alt or None} for image in product.images],
        "updatedAt": f"{product.date_modified_gmt}Z" if product.date_modified_gmt else None,
    }
    return Item(str(product.id), product.name or product.slug, values)


def variations_of(api: Api, product: Product) -> list[Priced]:
    """All variations by id; none when the product was deleted while it was read."""
    found: list[Priced] = []
    offset, total = 0, 1
    while offset < total:
        params = {"_fields": VARIATION_FIELDS, "orderby": "id", "order": "asc", "per_page": str(PAGE)}
        params["offset"] = str(offset)
        answer = api.send(Request("GET", f"{API}/products/{product.id}/variations", params=params))
        page = read(api, answer, list[Priced])
        found += page
        offset, total = offset + PAGE, counted(answer) if page else 0  # whatever it counts, there are no more
    return found


def variant_values(variant: Priced, product: Product) -> dict[str, Any]:
    """A variation as stored; a product without any is its own only variant."""
    chosen = {} if variant is product else {one.name: one.option for one in variant.attributes}
    return {
        "id": str(variant.id),
        "sku": variant.sku or None,
        "title": " / ".join(chosen.values()) or product.name,
        "price": money(variant.price),
        "compareAtPrice": money(variant.regular_price) if variant.on_sale else None,
        "barcode": variant.global_unique_id or None,
        "options": chosen,
    }


def money(price: str | float | None) -> str | None:
    """Two decimal places, whatever the wire has; None for no price, and for what is none."""
    try:
        return f"{Decimal(str(price)):.2f}"
    except InvalidOperation:
        return None


def show(values: Mapping[str, Any]) -> dict[str, Any]:
    """A stored product in an operation's answer: pictures as plain addresses."""
    return {**values, "images": [image["url"] for image in values["images"]]}
