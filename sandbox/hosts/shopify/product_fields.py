"""What the fields of products, variants and pictures mean where the stored document does not simply hold them.

How such an object is found is in `resolvers`.
"""

from typing import Any
from urllib.parse import urlencode

from sandbox.hosts.shopify import shops
from sandbox.hosts.shopify.call import MOST_IDS, Info, Resolver, paged, paging_of
from sandbox.hosts.shopify.ids import encode_cursor, gid, part_number
from sandbox.hosts.shopify.listing import list_at_hand
from sandbox.hosts.shopify.products import DEFAULT_OPTION, MOST_VARIANTS, plain_text
from sandbox.store import Document


def variants_of(document: Document) -> list[Document]:
    """Variants that know their product, for the fields that need it."""
    return [{**variant, "owner": document} for variant in document["variants"]]


def _product_variants(document: Document, info: Info, **arguments: Any) -> Any:
    most = MOST_VARIANTS if info.context.asks_one_product else MOST_IDS
    entries = variants_of(document)
    sort = arguments.get("sortKey")
    if sort in ("TITLE", "SKU", "ID"):
        key = {"TITLE": "title", "SKU": "sku", "ID": "number"}[sort]
        entries.sort(key=lambda variant: variant[key] or "")
    return paged(lambda: list_at_hand(entries, paging_of(arguments), most))


def _product_media(document: Document, info: Info, **arguments: Any) -> Any:
    return paged(lambda: list_at_hand(info.context.look(document)["media"], paging_of(arguments)))


def _product_images(document: Document, info: Info, **arguments: Any) -> Any:
    ready = [entry for entry in info.context.look(document)["media"] if entry["status"] == "READY"]
    images = [{**(image_of(entry) or {}), "number": entry["number"]} for entry in ready]
    return paged(lambda: list_at_hand(images, paging_of(arguments)))


def image_of(entry: Document | None) -> Document | None:
    """The Image of a picture, null until it is ready."""
    if entry is None or entry["status"] != "READY":
        return None
    url = entry["url"]
    return {
        "id": gid("ImageSource", entry["number"]),
        "altText": entry["alt"],
        "url": url,
        "src": url,
        "originalSrc": url,
        "width": entry["width"],
        "height": entry["height"],
    }


def _image_url(image: Document, _info: Info, transform: Document | None = None) -> str:
    sides = {"maxWidth": "width", "maxHeight": "height"}
    query = urlencode({sides[name]: value for name, value in (transform or {}).items() if value})
    url: str = image["url"]
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def _description(document: Document, _info: Info, truncateAt: int | None = None) -> str:  # noqa: N803 - Shopify's name
    text = plain_text(document["descriptionHtml"])
    return text if truncateAt is None or len(text) <= truncateAt else f"{text[: max(0, truncateAt - 3)]}..."


def _options(document: Document, _info: Info, first: int | None = None) -> list[Document]:
    options: list[Document] = document["options"]
    return options if first is None else options[: max(0, first)]


def _option_values(option: Document, _info: Info) -> list[Document]:
    return [
        {"id": gid("ProductOptionValue", part_number(option["number"], n)), "name": value, "hasVariants": True}
        for n, value in enumerate(option["values"], 1)
    ]


def _price_range(document: Document, _info: Info) -> Document:
    prices = sorted((variant["price"] for variant in document["variants"]), key=float) or ["0.00"]
    low, high = ({"amount": price, "currencyCode": shops.CURRENCY} for price in (prices[0], prices[-1]))
    return {"minVariantPrice": low, "maxVariantPrice": high}


def _exactly(name: str) -> Resolver:
    return lambda document, _info: {"count": len(document[name]), "precision": "EXACT"}


def _has_only_default(document: Document, _info: Info) -> bool:
    values = [option["value"] for variant in document["variants"] for option in variant["selectedOptions"]]
    return values == [DEFAULT_OPTION[1]]


def _online_url(document: Document, info: Info) -> str | None:
    return f"https://{info.context.shop}/products/{document['handle']}" if document["publishedAt"] else None


def _variant_picture(variant: Document) -> Document | None:
    media: list[Document] = variant["owner"]["media"]
    return next((entry for entry in media if entry["number"] == variant["mediaNumber"]), None)


def _variant_media(variant: Document, _info: Info, **arguments: Any) -> Any:
    picture = _variant_picture(variant)
    return paged(lambda: list_at_hand([picture] if picture else [], paging_of(arguments)))


def _cursor(document: Document, _info: Info) -> str:
    return encode_cursor(document["number"], document["number"])


PRODUCT_FIELDS: dict[str, dict[str, Resolver]] = {
    "Product": {
        "bodyHtml": lambda document, _info: document["descriptionHtml"],
        "defaultCursor": _cursor,
        "description": _description,
        "featuredImage": lambda document, info: next(
            (image for image in map(image_of, info.context.look(document)["media"]) if image), None
        ),
        "featuredMedia": lambda document, info: next(iter(info.context.look(document)["media"]), None),
        "hasOnlyDefaultVariant": _has_only_default,
        "hasOutOfStockVariants": lambda document, _info: any(v["inventoryQuantity"] <= 0 for v in document["variants"]),
        "images": _product_images,
        "media": _product_media,
        "mediaCount": _exactly("media"),
        "onlineStorePreviewUrl": lambda document, info: f"https://{info.context.shop}/products/{document['handle']}",
        "onlineStoreUrl": _online_url,
        "options": _options,
        "priceRangeV2": _price_range,
        "totalInventory": lambda document, _info: sum(v["inventoryQuantity"] for v in document["variants"]),
        "tracksInventory": lambda _document, _info: True,
        "variants": _product_variants,
        "variantsCount": _exactly("variants"),
    },
    "ProductOption": {"optionValues": _option_values},
    "ProductVariant": {
        "defaultCursor": _cursor,
        "displayName": lambda variant, _info: f"{variant['owner']['title']} - {variant['title']}",
        "image": lambda variant, _info: image_of(_variant_picture(variant)),
        "media": _variant_media,
        "product": lambda variant, _info: variant["owner"],
    },
    "Image": {"url": _image_url},
    "MediaImage": {
        "fileErrors": lambda entry, _info: entry["errors"],
        "fileStatus": lambda entry, _info: entry["status"],
        "image": lambda entry, _info: image_of(entry),
        "mediaErrors": lambda entry, _info: entry["errors"],
        "mediaWarnings": lambda _entry, _info: [],
        "originalSource": lambda entry, _info: {"url": entry["url"], "fileSize": entry["fileSize"]},
        "preview": lambda entry, _info: {"image": image_of(entry), "status": entry["status"]},
    },
}
