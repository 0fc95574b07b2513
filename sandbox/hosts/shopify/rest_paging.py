"""Lists in the REST Admin API: page sizes, the opaque `page_info`, Link headers, filters and chosen fields.

Which resources exist is said in `rest`. Source: shopify.dev "Make paginated requests to the REST Admin API" (2026-11).
"""

import base64
import binascii
import json
from urllib.parse import urlencode

from werkzeug.wrappers import Request

from sandbox.hosts.shopify.ids import serial_of
from sandbox.store import Document

FILTERS = ("ids", "handle", "title", "vendor", "product_type", "status", "since_id", "updated_at_min", "updated_at_max")


class RestRefused(Exception):
    """An answer in REST's error shape; `errors` is a text or an object of lists."""

    def __init__(self, status: int, errors: object) -> None:
        super().__init__(str(errors))
        self.status, self.errors = status, errors


def page_size(request: Request) -> int:
    """How many entries are asked for: 1 to 250, 50 when nothing is said; raises RestRefused."""
    text = request.args.get("limit", "50")
    if not (text.isascii() and text.isdigit()) or int(text[:9]) < 1:
        raise RestRefused(400, {"limit": "expected a positive integer"})
    return min(int(text[:9]), 250)


def read_page_info(request: Request) -> Document:
    """What an opaque `page_info` says; next to it only `limit` and `fields` may stand."""
    text = request.args.get("page_info")
    if text is None:
        return {}
    for name in request.args:
        if name not in {"page_info", "limit", "fields"}:
            raise RestRefused(400, {name: f"{name} cannot be passed when page_info is present."})
    try:
        cursor = json.loads(base64.urlsafe_b64decode(text))
        last, filters, direction = cursor["last"], cursor["filters"], cursor["direction"]
        texts = [direction, *filters, *filters.values()]
        if isinstance(last, int) and all(isinstance(text, str) for text in texts):
            return {"direction": direction, "last": last, "filters": filters}
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise RestRefused(400, {"page_info": "Invalid value."})


def page_links(
    address: str,
    request: Request,
    ends: tuple[int, int],
    filters: dict[str, str],
    *,
    has_previous: bool,
    has_next: bool,
) -> str:
    """The Link header of a page between two product ids; empty when it is the only one."""
    links = []
    for direction, last, is_there in (("previous", ends[0], has_previous), ("next", ends[1], has_next)):
        if not is_there:
            continue
        cursor = json.dumps({"direction": direction, "last": last, "filters": filters})
        query = {"limit": str(page_size(request)), "page_info": base64.urlsafe_b64encode(cursor.encode()).decode()}
        if "fields" in request.args:
            query["fields"] = request.args["fields"]
        links.append(f'<{address}?{urlencode(query)}>; rel="{direction}"')
    return ", ".join(links)


def since_serial(shop: str, product: str) -> int | None:
    """The serial behind which a list begins, for the number of a product as text; None for the beginning."""
    return serial_of(shop, int(product[:18])) if product.isascii() and product.isdigit() else None


def passes(document: Document, filters: dict[str, str]) -> bool:
    """Whether a product is what the filters ask for."""
    plain = {"handle": "handle", "title": "title", "vendor": "vendor", "product_type": "productType"}
    for name, wanted in filters.items():
        if name in plain and document[plain[name]] not in (wanted.split(",") if name == "handle" else [wanted]):
            return False
        if name == "ids" and str(document["number"]) not in wanted.split(","):
            return False
        if name == "status" and document["status"].lower() not in wanted.split(","):
            return False
        if name == "updated_at_min" and document["updatedAt"] < wanted:
            return False
        if name == "updated_at_max" and document["updatedAt"] > wanted:
            return False
    return True


def only(value: Document, request: Request) -> Document:
    """The fields that the call chose, or all."""
    fields = request.args.get("fields")
    return {name: value[name] for name in fields.split(",") if name in value} if fields else value
