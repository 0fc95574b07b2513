"""What a product is inside the sandbox: one plain document in the words of the GraphQL Admin API.

How documents are kept and listed is the catalogue's affair; REST's words are made of them in `rest`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from re import sub
from typing import Any
from unicodedata import normalize

from sandbox.hosts.shopify.ids import gid, media_number, part_number, product_number
from sandbox.store import Document

DEFAULT_OPTION = ("Title", "Default Title")
MOST_MEDIA = 250
MOST_VARIANTS = 2048
_MIME_TYPES = {"png": "image/png", "gif": "image/gif", "webp": "image/webp"}
_CHANGING = {"updatedAt"}


@dataclass(frozen=True, slots=True)
class NewVariant:
    """A variant as content; `values` stand beside the product's options, `picture` is an index into its pictures."""

    values: tuple[str, ...]
    price: str
    sku: str | None = None
    compare_at_price: str | None = None
    barcode: str | None = None
    picture: int | None = None
    inventory: int = 0


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A picture that needs no processing: its https address and what it shows."""

    url: str
    alt: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class NewProduct:
    """A product as content, without ids and times."""

    title: str
    handle: str
    description_html: str = ""
    vendor: str = ""
    product_type: str = ""
    tags: tuple[str, ...] = ()
    status: str = "ACTIVE"
    options: tuple[str, ...] = ()
    variants: Sequence[NewVariant] = ()
    pictures: Sequence[NewPicture] = ()


def assemble(shop: str, serial: int, new: NewProduct, now: str, previous: Document | None = None) -> Document:
    """The document of a product. What it shares with `previous` keeps its ids and, when nothing changed, its times."""
    number = product_number(shop, serial)
    created = previous["createdAt"] if previous else now
    document: Document = {
        "number": number,
        "id": gid("Product", number),
        "legacyResourceId": str(number),
        "title": new.title,
        "handle": new.handle,
        "descriptionHtml": new.description_html,
        "vendor": new.vendor,
        "productType": new.product_type,
        "tags": list(new.tags),
        "status": new.status,
        "createdAt": created,
        "updatedAt": now,
        "publishedAt": created if new.status == "ACTIVE" else None,
        "templateSuffix": None,
        "isGiftCard": False,
        "seo": previous["seo"] if previous else {"title": None, "description": None},
        "options": _options(number, new),
        "slots": dict(previous["slots"]) if previous else {"variant": 0, "media": 0},
    }
    document["media"] = _media(document, new.pictures, now, previous)
    document["variants"] = _variants(document, new, now, previous)
    if previous and _without_times(previous) == _without_times(document):
        return previous
    return document


def new_media(document: Document, url: str | None, alt: str | None, now: str) -> Document:
    """A picture entry with the product's next free id; the caller adds it to the list. Ready when it has an address."""
    slot = document["slots"]["media"] = document["slots"]["media"] + 1
    number = media_number(document["number"], slot)
    ending = (url or "").split("?", 1)[0].rsplit(".", 1)[-1].lower()
    return {
        "number": number,
        "id": gid("MediaImage", number),
        "alt": alt,
        "mediaContentType": "IMAGE",
        "status": "READY" if url else "UPLOADED",
        "createdAt": now,
        "updatedAt": now,
        "mimeType": _MIME_TYPES.get(ending, "image/jpeg") if url else None,
        "url": url,
        "width": None,
        "height": None,
        "fileSize": None,
        "polls": 0,
        "source": url,
        "errors": [],
    }


def default_variant(price: str = "0.00") -> NewVariant:
    """The one variant of a product that has no options to choose from."""
    return NewVariant(values=(DEFAULT_OPTION[1],), price=price)


def handle_of(title: str) -> str:
    """The address part that Shopify makes of a title: lower case, letters and digits, hyphens between."""
    plain = normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return sub(r"[^a-z0-9]+", "-", plain).strip("-") or "product"


def plain_text(html: str) -> str:
    """A description without its markup, white space folded."""
    return " ".join(unescape(sub(r"<[^>]*>", " ", html)).split())


def _options(number: int, new: NewProduct) -> list[Document]:
    names = new.options or (DEFAULT_OPTION[0],)
    options = []
    for index, name in enumerate(names):
        values = dict.fromkeys(variant.values[index] for variant in new.variants if index < len(variant.values))
        options.append(
            {
                "number": part_number(number, index + 1),
                "id": gid("ProductOption", part_number(number, index + 1)),
                "name": name,
                "position": index + 1,
                "values": list(values),
            }
        )
    return options


def _media(
    document: Document, pictures: Sequence[NewPicture], now: str, previous: Document | None
) -> list[dict[str, Any]]:
    known: dict[str, list[Document]] = {}
    for old in previous["media"] if previous else ():
        known.setdefault(old["source"] or "", []).append(old)
    media = []
    for picture in pictures:
        same = known.get(picture.url)
        entry = dict(same.pop(0)) if same else new_media(document, picture.url, picture.alt, now)
        if not (same is not None and entry["alt"] == picture.alt):
            entry["updatedAt"] = now
        entry |= {"alt": picture.alt, "width": picture.width, "height": picture.height}
        media.append(entry)
    return media


def _variants(document: Document, new: NewProduct, now: str, previous: Document | None) -> list[dict[str, Any]]:
    names = [option["name"] for option in document["options"]]
    known = {_values(old): old for old in (previous["variants"] if previous else ())}
    variants = []
    for position, wanted in enumerate(new.variants, 1):
        old = known.get(wanted.values)
        variant = _variant(document, wanted, names, now, old)
        variant["position"] = position
        if old and _without_times(old) == _without_times(variant):
            variant["updatedAt"] = old["updatedAt"]
        variants.append(variant)
    return variants


def _variant(document: Document, wanted: NewVariant, names: list[str], now: str, old: Document | None) -> Document:
    if old is None:
        document["slots"]["variant"] += 1
    number = old["number"] if old else part_number(document["number"], document["slots"]["variant"])
    media = document["media"]
    return {
        "number": number,
        "id": gid("ProductVariant", number),
        "legacyResourceId": str(number),
        "title": " / ".join(wanted.values),
        "sku": wanted.sku,
        "price": wanted.price,
        "compareAtPrice": wanted.compare_at_price,
        "barcode": wanted.barcode,
        "inventoryQuantity": wanted.inventory,
        "availableForSale": document["status"] == "ACTIVE",
        "taxable": True,
        "selectedOptions": [{"name": n, "value": v} for n, v in zip(names, wanted.values, strict=True)],
        "createdAt": old["createdAt"] if old else now,
        "updatedAt": now,
        "mediaNumber": media[wanted.picture]["number"] if wanted.picture is not None else None,
    }


def _values(variant: Document) -> tuple[str, ...]:
    return tuple(option["value"] for option in variant["selectedOptions"])


def _without_times(value: Any) -> Any:
    """A document without its times of change, all the way down, for comparison."""
    if isinstance(value, dict):
        return {key: _without_times(inner) for key, inner in value.items() if key not in _CHANGING}
    if isinstance(value, list):
        return [_without_times(inner) for inner in value]
    return value
