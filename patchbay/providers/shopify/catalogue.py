"""Reading a shop's catalogue: the queries, the shape of their answers, and what is stored of a product."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

from patchbay.errors import UnexpectedShape
from patchbay.providers.shopify.graphql import Answered, ask, send
from patchbay.spec import Api, Item, Outline, Page, by_cursor

PAGE = 250
AT_ONCE = 50  # products of which all is asked for by their ids in one query
SETTLED_AFTER = timedelta(seconds=5)

PRODUCT = """
  id title handle descriptionHtml vendor productType tags status onlineStoreUrl updatedAt
  options { name values }
  variants(first: 100) { nodes { ...variant } pageInfo { hasNextPage endCursor } }
  media(first: 50) { nodes { ...picture } pageInfo { hasNextPage endCursor } }"""
PARTS = """
fragment variant on ProductVariant { id sku title price compareAtPrice barcode selectedOptions { name value } }
fragment picture on Media { id alt status ... on MediaImage { image { url } } }"""
PRODUCTS = f"""query Products($first: Int!, $after: String, $words: String) {{
  productsCount(limit: null) {{ count }}
  products(first: $first, after: $after, sortKey: ID, query: $words) {{
    nodes {{ {PRODUCT} }} pageInfo {{ hasNextPage endCursor }} }}
}}{PARTS}"""
OUTLINE = """query Outline($first: Int!, $after: String) {
  productsCount(limit: null) { count }
  products(first: $first, after: $after, sortKey: ID) { nodes { id updatedAt } pageInfo { hasNextPage endCursor } }
}"""
CHANGED = f"""query Changed($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Product {{ {PRODUCT} }} }} }}{PARTS}"""
PRESENT = "query Present($ids: [ID!]!) { nodes(ids: $ids) { ... on Product { id } } }"
MORE_VARIANTS = f"""query Variants($id: ID!, $after: String) {{ product(id: $id) {{
  part: variants(first: 250, after: $after) {{ nodes {{ ...variant }} pageInfo {{ hasNextPage endCursor }} }} }}
}}{PARTS.split("fragment picture", maxsplit=1)[0]}"""
MORE_MEDIA = f"""query Media($id: ID!, $after: String) {{ product(id: $id) {{
  part: media(first: 250, after: $after) {{ nodes {{ ...picture }} pageInfo {{ hasNextPage endCursor }} }} }}
}}fragment picture{PARTS.split("fragment picture")[1]}"""

T = TypeVar("T")


class Wire(msgspec.Struct, rename="camel", gc=False):
    """The wire writes camelCase; unknown fields are passed over. An answer holds no cycles, so nobody looks for any."""


class PageInfo(Wire):
    has_next_page: bool
    end_cursor: str | None


class Nodes(Wire, Generic[T]):
    """A Relay connection."""

    nodes: list[T]
    page_info: PageInfo


class Option(Wire):
    name: str
    values: list[str]


class Choice(Wire):
    name: str
    value: str


class Variant(Wire):
    id: str
    sku: str | None
    title: str
    price: str
    compare_at_price: str | None
    barcode: str | None
    selected_options: list[Choice]


class ImageAddress(Wire):
    url: str


class Media(Wire):
    """`image` is null until the platform has processed the picture, and absent for films and models."""

    id: str
    status: str
    alt: str | None = None
    image: ImageAddress | None = None


class Product(Wire):
    id: str
    title: str
    handle: str
    description_html: str
    vendor: str
    product_type: str
    tags: list[str]
    status: str
    online_store_url: str | None
    updated_at: str
    options: list[Option]
    variants: Nodes[Variant]
    media: Nodes[Media]


class Count(Wire):
    count: int


class Catalogue(Wire):
    products: Nodes[Product]
    products_count: Count


class Stub(Wire):
    id: str
    updated_at: str


class Contents(Wire):
    products: Nodes[Stub]
    products_count: Count


class Found(Wire):
    """A node that is gone meanwhile is null."""

    nodes: list[Product | None]


class Named(Wire):
    """A node that is no product has no id here; one that is gone is null."""

    id: str | None = None


class Present(Wire):
    nodes: list[Named | None]


class Part(Wire, Generic[T]):
    part: Nodes[T]


class PartOf(Wire, Generic[T]):
    product: Part[T] | None


# Named once: to write such a type out costs as much as reading a product.
CATALOGUE = Answered[Catalogue]
CONTENTS = Answered[Contents]
FOUND = Answered[Found]
PRESENT_ONES = Answered[Present]
VARIANTS_OF = Answered[PartOf[Variant]]
MEDIA_OF = Answered[PartOf[Media]]


def import_products(api: Api, cursor: str | None) -> Iterator[Page]:
    """The whole catalogue by id, an order that paging keeps."""
    return by_cursor(lambda after: products_page(api, after, PAGE), cursor)


def products_page(api: Api, after: str | None, first: int, words: str | None = None) -> Page:
    """Up to 250 products behind the cursor, each with all of its variants and pictures."""
    answer = send(api, PRODUCTS, first=first, after=after, words=words)
    found = api.read(answer, CATALOGUE).data
    items = tuple(item(api, product, answer.sent_at) for product in found.products.nodes)
    info = found.products.page_info
    return Page(items, info.end_cursor if info.has_next_page else None, found.products_count.count)


def outline_products(api: Api, cursor: str | None) -> Iterator[Outline]:
    """The whole catalogue by ids and times of change: a hundredth of the cost of its contents."""
    return by_cursor(lambda after: outline(api, after), cursor)


def outline(api: Api, after: str | None) -> Outline:
    """Up to 250 products behind the cursor."""
    found = ask(api, OUTLINE, CONTENTS, first=PAGE, after=after).data
    info = found.products.page_info
    versions = {stub.id: stub.updated_at for stub in found.products.nodes}
    return Outline(versions, info.end_cursor if info.has_next_page else None, found.products_count.count)


def changed_products(api: Api, ids: Sequence[str]) -> tuple[Item, ...]:
    """These products as they are now."""
    found: list[Item] = []
    for start in range(0, len(ids), AT_ONCE):
        answer = send(api, CHANGED, ids=list(ids[start : start + AT_ONCE]))
        nodes = api.read(answer, FOUND).data.nodes
        found += [item(api, product, answer.sent_at) for product in nodes if product is not None]
    return tuple(found)


def present_products(api: Api, ids: Sequence[str]) -> set[str]:
    """Those of the ids that the shop still has, whatever its list says ("nodes": null for what does not exist)."""
    found = ask(api, PRESENT, PRESENT_ONES, ids=list(ids)).data.nodes
    return {node.id for node in found if node is not None and node.id is not None}


def item(api: Api, product: Product, seen_at: datetime | None) -> Item:
    """What is stored of a product (docs/contract "What a stream stores"), as it was at the platform's `seen_at`."""
    variants = all_of(api, product.variants, product.id, MORE_VARIANTS, VARIANTS_OF)
    media = all_of(api, product.media, product.id, MORE_MEDIA, MEDIA_OF)
    values = {
        "id": product.id,
        "title": product.title,
        "handle": product.handle,
        "description": product.description_html,
        "vendor": product.vendor or None,
        "productType": product.product_type or None,
        "tags": product.tags,
        "status": product.status.lower(),
        "url": product.online_store_url,
        "options": [{"name": option.name, "values": option.values} for option in product.options],
        "variants": [variant_values(variant) for variant in variants],
        "images": [
            {"id": medium.id, "url": medium.image.url, "alt": medium.alt or None} for medium in media if medium.image
        ],
        "updatedAt": product.updated_at,
    }
    is_settled = all(medium.image or medium.status in {"READY", "FAILED"} for medium in media)
    return Item(product.id, product.title, values, version(product, seen_at) if is_settled else None)


def version(product: Product, seen_at: datetime | None) -> str | None:
    """The time of change, unless it is so young that another change within its second could hide behind it."""
    if seen_at is None or seen_at - datetime.fromisoformat(product.updated_at) < SETTLED_AFTER:
        return None
    return product.updated_at


def variant_values(variant: Variant) -> dict[str, Any]:
    """A variant as stored."""
    return {
        "id": variant.id,
        "sku": variant.sku or None,
        "title": variant.title,
        "price": money(variant.price),
        "compareAtPrice": money(variant.compare_at_price) if variant.compare_at_price else None,
        "barcode": variant.barcode or None,
        "options": {choice.name: choice.value for choice in variant.selected_options},
    }


def money(text: str) -> str:
    """Two decimal places, whatever the wire has."""
    return text if text[-3:-2] == "." else f"{Decimal(text):.2f}"


def all_of(api: Api, first: Nodes[T], product_id: str, query: str, shape: type[Answered[PartOf[T]]]) -> list[T]:
    """The connection's nodes with those that did not fit into the product's own answer.

    Raises UnexpectedShape where a page names an earlier one as the next.
    """
    nodes, info, passed = list(first.nodes), first.page_info, set[str | None]()
    while info.has_next_page:
        if info.end_cursor in passed:
            raise UnexpectedShape("pages of variants or media go round in a circle", provider="Shopify")
        passed.add(info.end_cursor)
        product = ask(api, query, shape, id=product_id, after=info.end_cursor).data.product
        if product is None:
            break  # deleted while we read it: the next import will not meet it
        nodes += product.part.nodes
        info = product.part.page_info
    return nodes


def show(values: Mapping[str, Any]) -> dict[str, Any]:
    """A stored product in an operation's answer: pictures as plain addresses."""
    return {**values, "images": [image["url"] for image in values["images"]]}


def get_products(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the catalogue as it is now; with `search`, of the products with these words in their titles."""
    page = products_page(api, values["cursor"], values["limit"], titled(values["search"] or ""))
    return {"products": [show(item.data) for item in page.items], "nextCursor": page.next_cursor}


def titled(words: str) -> str | None:
    """Words as a query for titles that have words beginning with them: shopify.dev "API search syntax"."""
    terms = [f"title:{word}*" for word in re.findall(r"\w+", words)]
    return " AND ".join(terms) or None
