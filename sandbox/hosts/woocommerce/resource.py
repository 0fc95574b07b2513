"""How the REST API shows products, variations and pictures: every field of the docs, prices as text, two clocks.

Source: WooCommerce REST API docs "Product properties", "Product variation properties" (read 2026-11-21).
"""

import zlib
from collections.abc import Callable, Iterable
from html import escape

from sandbox.hosts.woocommerce.products import lowest_price, price_of, slug_of
from sandbox.hosts.woocommerce.stores import Store, site_time
from sandbox.store import Document

FindPicture = Callable[[int], Document | None]

_OF_SALE: Document = {
    "date_on_sale_from": None,
    "date_on_sale_from_gmt": None,
    "date_on_sale_to": None,
    "date_on_sale_to_gmt": None,
}
_OF_GOODS: Document = {
    "virtual": False,
    "downloadable": False,
    "downloads": [],
    "download_limit": -1,
    "download_expiry": -1,
    "tax_status": "taxable",
    "tax_class": "",
    "manage_stock": False,
    "stock_quantity": None,
    "stock_status": "instock",
    "backorders": "no",
    "backorders_allowed": False,
    "backordered": False,
    "low_stock_amount": None,
    "weight": "",
    "dimensions": {"length": "", "width": "", "height": ""},
    "shipping_class": "",
    "shipping_class_id": 0,
    "meta_data": [],
}
_OF_PRODUCTS: Document = {
    "total_sales": 0,
    "external_url": "",
    "button_text": "",
    "sold_individually": False,
    "shipping_required": True,
    "shipping_taxable": True,
    "reviews_allowed": True,
    "average_rating": "0.00",
    "rating_count": 0,
    "related_ids": [],
    "upsell_ids": [],
    "cross_sell_ids": [],
    "parent_id": 0,
    "purchase_note": "",
    "default_attributes": [],
    "grouped_products": [],
    "post_password": "",
}
_PLAIN = (
    *("id", "name", "slug", "type", "status", "featured", "catalog_visibility", "description", "short_description"),
    *("sku", "global_unique_id", "regular_price", "sale_price", "menu_order"),
)


def product_json(store: Store, document: Document, find_picture: FindPicture) -> Document:
    """A product as an answer shows it."""
    price = lowest_price(document)
    pictures = [find_picture(post) for post in document["images"]]
    return (
        _OF_SALE
        | _OF_GOODS
        | _OF_PRODUCTS
        | {name: document[name] for name in _PLAIN}
        | _times(document)
        | {
            "permalink": f"{store.home}/product/{document['slug']}/",
            "price": price,
            "price_html": _price_html(price),
            "on_sale": bool(document["sale_price"]),
            "purchasable": bool(price) and document["status"] == "publish",
            "categories": _terms(document["categories"]),
            "tags": _terms(document["tags"]),
            "brands": [],
            "images": [picture_json(store, picture) for picture in pictures if picture],
            "attributes": [_attribute(each, place) for place, each in enumerate(document["attributes"])],
            "variations": [each["id"] for each in document["variations"]],
            "has_options": document["type"] == "variable",
            "_links": _links(store, f"products/{document['id']}", "products"),
        }
    )


def variation_json(store: Store, document: Document, variation: Document, find_picture: FindPicture) -> Document:
    """A variation of a product as an answer shows it."""
    price, post = price_of(variation), document["id"]
    picture = find_picture(variation["image"]) if variation["image"] else None
    query = "&".join(f"attribute_{slug_of(name)}={value}" for name, value in variation["options"].items())
    return (
        _OF_SALE
        | _OF_GOODS
        | _times(document)
        | {
            "id": variation["id"],
            "type": "variation",
            "name": ", ".join(variation["options"].values()),
            "parent_id": post,
            "description": "",
            "permalink": f"{store.home}/product/{document['slug']}/?{query}",
            "sku": variation["sku"],
            "global_unique_id": "",
            "price": price,
            "regular_price": variation["regular_price"],
            "sale_price": variation["sale_price"],
            "on_sale": bool(variation["sale_price"]),
            "status": "publish",
            "purchasable": bool(price),
            "image": picture_json(store, picture) if picture else None,
            "attributes": [
                {"id": 0, "name": name, "slug": name, "option": value} for name, value in variation["options"].items()
            ],
            "menu_order": document["variations"].index(variation) + 1,
            "_links": _links(store, f"products/{post}/variations/{variation['id']}", f"products/{post}/variations"),
        }
    )


def picture_json(store: Store, picture: Document) -> Document:
    """An entry of the media library as products show it."""
    created = picture["created"]
    address = f"{store.home}/wp-content/uploads/{picture['file']}"
    return {
        "id": picture["id"],
        "date_created": site_time(created),
        "date_created_gmt": created,
        "date_modified": site_time(created),
        "date_modified_gmt": created,
        "src": address,
        "name": picture["name"],
        "alt": picture["alt"],
        "srcset": "",
        "sizes": "",
        "thumbnail": address,
    }


def only(value: Document, fields: str | None) -> Document:
    """The fields that `_fields` names, or all; links count as one field."""
    wanted = {name.strip().partition(".")[0] for name in fields.split(",")} if fields else set()
    return {name: each for name, each in value.items() if name in wanted} if wanted else value


def _times(document: Document) -> Document:
    return {
        "date_created": site_time(document["created"]),
        "date_created_gmt": document["created"],
        "date_modified": site_time(document["modified"]),
        "date_modified_gmt": document["modified"],
    }


def _attribute(attribute: Document, place: int) -> Document:
    return {
        "id": 0,
        "name": attribute["name"],
        "slug": attribute["name"],
        "position": place,
        "visible": True,
        "variation": attribute["variation"],
        "options": attribute["options"],
    }


def _terms(names: Iterable[str]) -> list[Document]:
    return [{"id": 16 + zlib.crc32(name.encode()) % 9000, "name": name, "slug": slug_of(name)} for name in names]


def _price_html(price: str) -> str:
    if not price:
        return ""
    symbol = '<span class="woocommerce-Price-currencySymbol">&euro;</span>'
    return f'<span class="woocommerce-Price-amount amount"><bdi>{symbol}{escape(price)}</bdi></span>'


def _links(store: Store, own: str, collection: str) -> Document:
    base = f"{store.home}/wp-json/wc/v3/"
    allow = {"allow": ["GET", "POST", "PUT", "PATCH", "DELETE"]}
    return {
        "self": [{"href": base + own, "targetHints": allow}],
        "collection": [{"href": base + collection}],
    }
