"""What a product is inside the sandbox: one plain document, with its variations inside and its pictures as ids.

How the REST API shows it is in `resource`, where documents are kept in `catalogue`.
"""

from re import sub
from unicodedata import normalize

from sandbox.hosts.woocommerce.numbers import variation_id
from sandbox.store import Document

DEFAULTS: Document = {
    "name": "Product",
    "slug": "",
    "type": "simple",
    "status": "publish",
    "description": "",
    "short_description": "",
    "sku": "",
    "global_unique_id": "",
    "regular_price": "",
    "sale_price": "",
    "featured": False,
    "catalog_visibility": "visible",
    "menu_order": 0,
    "tags": [],
    "categories": [],
    "attributes": [],
    "images": [],
    "variations": [],
}


def product(post: int, created: str, **content: object) -> Document:
    """A product document; times are GMT without a zone."""
    return DEFAULTS | {"id": post, "created": created, "modified": created} | content


def choice(name: str, options: list[str], *, is_variation: bool = True) -> Document:
    """An attribute of a product: what there is to choose from, or only to read."""
    return {"name": name, "options": options, "variation": is_variation}


def variations(post: int, option: str, prices: dict[str, str], sku: str, pictures: list[int]) -> list[Document]:
    """One variation for each value, with ids right behind the product's own and its pictures in turn."""
    return [
        {
            "id": variation_id(post, number),
            "sku": f"{sku}-{number + 1}",
            "regular_price": price,
            "sale_price": "",
            "options": {option: value},
            "image": pictures[number % len(pictures)] if pictures else None,
        }
        for number, (value, price) in enumerate(prices.items())
    ]


def price_of(part: Document) -> str:
    """What a simple product or a variation costs now."""
    return str(part["sale_price"] or part["regular_price"])


def lowest_price(document: Document) -> str:
    """What a product costs now; of a variable one the cheapest variation."""
    prices = [price_of(each) for each in document["variations"]] if document["type"] == "variable" else []
    return min((price for price in prices if price), key=float, default="") if prices else price_of(document)


def slug_of(name: str) -> str:
    """The address part that WordPress makes of a title."""
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return sub(r"[^a-z0-9]+", "-", plain).strip("-")
