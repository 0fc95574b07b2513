"""What a call wants a product to be: the JSON body read, checked and laid over the product as it is.

`images` replaces the whole list, everything else in the body replaces only itself. Sources: WooCommerce REST API docs
"Create a product", "Update a product"; `set_product_images` of WC_REST_Products_Controller (read 2026-11-21).
"""

from typing import Any

import msgspec
from werkzeug.wrappers import Request

from sandbox.hosts.woocommerce.catalogue import Catalogue
from sandbox.hosts.woocommerce.media import Media
from sandbox.hosts.woocommerce.refusals import Refused, invalid_parameters
from sandbox.hosts.woocommerce.stores import Store
from sandbox.store import Document

_TEXTS = frozenset(
    {"name", "slug", "description", "short_description", "sku", "global_unique_id", "regular_price", "sale_price"}
)
_LISTS = frozenset({"images", "tags", "categories", "attributes"})
_WORDS = {
    "type": ("simple", "grouped", "external", "variable"),
    "status": ("draft", "pending", "private", "publish", "future", "auto-draft", "trash"),
    "catalog_visibility": ("visible", "catalog", "search", "hidden"),
}


def read_body(request: Request) -> Document:
    """The JSON object of a call; a form works as well. Raises Refused 400."""
    if request.mimetype != "application/json":
        return dict(request.form.items())
    try:
        body = msgspec.json.decode(request.get_data() or b"{}")
    except msgspec.DecodeError:
        raise Refused(
            400, "rest_invalid_json", "Invalid JSON body passed.", json_error_code=4, json_error_message="Syntax error"
        ) from None
    return body if isinstance(body, dict) else {}


class Writer:
    """Lays bodies over products; downloads the pictures they name."""

    def __init__(self, catalogue: Catalogue, media: Media) -> None:
        self._catalogue, self._media = catalogue, media

    def apply(self, store: Store, document: Document, body: Document, app_origin: str | None) -> Document:
        """The product with what the body says of it; nothing is kept but new pictures. Raises Refused 400."""
        _check(body)
        self._check_sku(store, document, body)
        changed = document | {name: body[name] for name in (*_TEXTS, *_WORDS, "featured", "menu_order") if name in body}
        for name in ("tags", "categories"):
            if name in body:
                changed[name] = [str(each["name"]) for each in body[name] if "name" in each]
        if "attributes" in body:
            changed["attributes"] = [_attribute(each) for each in body["attributes"] if "name" in each]
        if "images" in body:
            changed["images"] = [self._picture(store, each, app_origin) for each in body["images"] if each]
        return changed

    def _picture(self, store: Store, wanted: Document, app_origin: str | None) -> int:
        """The id of the picture: one that is there already, or one downloaded now."""
        post = wanted.get("id") or 0
        if post == 0 and wanted.get("src"):
            entry = self._media.sideload(store, str(wanted["src"]), app_origin)
        else:
            found = self._catalogue.picture(store, post)
            if found is None:
                raise Refused(400, "woocommerce_product_invalid_image_id", f"#{post} is an invalid image ID.")
            entry = found
        named = {name: str(wanted[name]) for name in ("alt", "name") if wanted.get(name)}
        if named:
            self._catalogue.keep_picture(store, entry | named)
        return int(entry["id"])

    def _check_sku(self, store: Store, document: Document, body: Document) -> None:
        sku = body.get("sku")
        for other in self._catalogue.kept(store) if sku else ():
            taken = {other["sku"], *(each["sku"] for each in other["variations"])}
            if other["id"] != document.get("id") and sku in taken:
                raise Refused(
                    400,
                    "product_invalid_sku",
                    "Invalid or duplicated SKU.",
                    resource_id=other["id"],
                    unique_sku=f"{sku}-1",
                )


def _check(body: Document) -> None:
    problems: dict[str, tuple[str, str]] = {}
    for name, value in body.items():
        sentence = _wrong(name, value)
        if sentence is not None:
            problems[name] = sentence
    if problems:
        raise invalid_parameters(problems)


def _wrong(name: str, value: Any) -> tuple[str, str] | None:
    if name in _TEXTS and not isinstance(value, str):
        return "rest_invalid_type", f"{name} is not of type string."
    if name in _WORDS and value not in _WORDS[name]:
        listed = ", ".join(_WORDS[name][:-1]) + f", and {_WORDS[name][-1]}"
        return "rest_not_in_enum", f"{name} is not one of {listed}."
    if name not in _LISTS:
        return None
    if not isinstance(value, list):
        return "rest_invalid_type", f"{name} is not of type array."
    for place, each in enumerate(value):
        if not isinstance(each, dict):
            return "rest_invalid_type", f"{name}[{place}] is not of type object."
        if type(each.get("id", 0)) is not int:
            return "rest_invalid_type", f"{name}[{place}][id] is not of type integer."
    return None


def _attribute(each: Document) -> Document:
    options = each.get("options")
    return {
        "name": str(each["name"]),
        "options": [str(option) for option in options] if isinstance(options, list) else [],
        "variation": each.get("variation") is True,
    }
