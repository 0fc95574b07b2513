"""The legacy REST Admin API: products, their pictures, the shop, scopes, with its Link paging and its bucket of calls.

Authentication is done by the caller. Source: shopify.dev "REST Admin API reference", "Make paginated requests to the
REST Admin API" (read 2026-11).
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from werkzeug.wrappers import Request, Response

from sandbox.answers import as_json
from sandbox.grants import Grant
from sandbox.hosts.shopify import shops
from sandbox.hosts.shopify.bucket import Buckets
from sandbox.hosts.shopify.catalogue import Catalogue, Span
from sandbox.hosts.shopify.ids import now_text
from sandbox.hosts.shopify.listing import count_products
from sandbox.hosts.shopify.media import Media, ProcessingFailed, SourceRefused, check_source
from sandbox.hosts.shopify.oauth import has_scope
from sandbox.hosts.shopify.products import new_media
from sandbox.hosts.shopify.rest_json import image_json, product_json
from sandbox.hosts.shopify.rest_paging import (
    FILTERS,
    RestRefused,
    only,
    page_links,
    page_size,
    passes,
    read_page_info,
    since_serial,
)
from sandbox.store import Document

CALLS_AT_ONCE = 40
CALLS_PER_SECOND = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: the request, whose token it carries, and the parts of its path by name."""

    request: Request
    grant: Grant
    place: dict[str, str]


_Answer = Callable[[Asked], Response]


class Rest:
    """The REST resources of all shops; the grant tells shop and scopes."""

    def __init__(self, catalogue: Catalogue, media: Media) -> None:
        self._catalogue, self._media = catalogue, media
        self.buckets = Buckets(CALLS_AT_ONCE, CALLS_PER_SECOND)
        self._routes: list[tuple[str, str, str | None, _Answer]] = [
            ("GET", r"products\.json", "read_products", self._products),
            ("GET", r"products/count\.json", "read_products", self._count),
            ("GET", r"products/(?P<product>\d+)\.json", "read_products", self._product),
            ("GET", r"products/(?P<product>\d+)/images\.json", "read_products", self._images),
            ("POST", r"products/(?P<product>\d+)/images\.json", "write_products", self._add_image),
            ("PUT", r"products/(?P<product>\d+)/images/(?P<image>\d+)\.json", "write_products", self._change_image),
            ("DELETE", r"products/(?P<product>\d+)/images/(?P<image>\d+)\.json", "write_products", self._delete_image),
            ("DELETE", r"products/(?P<product>\d+)\.json", "write_products", self._delete_product),
            ("GET", r"shop\.json", None, self._shop),
        ]

    def handle(self, request: Request, grant: Grant, resource: str, version: str) -> Response:
        """Answer a call under `/admin/api/<version>/`; takes one call out of the bucket of app and shop."""
        granted, available = self.buckets.take((grant.client_id, grant.account), 1)
        response = self._answer(request, grant, resource, version) if granted else throttled(2.0)
        response.headers["X-Shopify-Shop-Api-Call-Limit"] = f"{CALLS_AT_ONCE - available}/{CALLS_AT_ONCE}"
        return response

    def _answer(self, request: Request, grant: Grant, resource: str, version: str) -> Response:
        try:
            for method, pattern, scope, act in self._routes:
                match = re.fullmatch(pattern, resource)
                if match is None or method != ("GET" if request.method == "HEAD" else request.method):
                    continue
                if scope is not None and not has_scope(grant.scopes, scope):
                    text = f"[API] This action requires merchant approval for {scope} scope."
                    raise RestRefused(403, text)
                return act(Asked(request, grant, match.groupdict() | {"version": version}))
            raise RestRefused(404, "Not Found")
        except RestRefused as refusal:
            return as_json({"errors": refusal.errors}, refusal.status)

    def _products(self, asked: Asked) -> Response:
        limit = page_size(asked.request)
        cursor = read_page_info(asked.request)
        kept = cursor["filters"] if cursor else _filters(asked.request)
        reverse = cursor.get("direction") == "previous"
        after = since_serial(asked.grant.account, str(cursor["last"] if cursor else kept.get("since_id", "")))
        entries = self._catalogue.entries(asked.grant.account, Span(after, reverse))
        found = list(islice((each for each in entries if passes(each, kept)), limit + 1))
        more, shown = len(found) > limit, found[:limit]
        if reverse:
            shown.reverse()
        response = as_json({"products": [only(product_json(each), asked.request) for each in shown]})
        if shown:
            forward, backward = (bool(shown), more) if reverse else (more, bool(cursor))
            ends = (shown[0]["number"], shown[-1]["number"])
            address = f"https://{asked.grant.account}/admin/api/{asked.place['version']}/products.json"
            links = page_links(address, asked.request, ends, kept, has_previous=backward, has_next=forward)
            if links:
                response.headers["Link"] = links
        return response

    def _count(self, asked: Asked) -> Response:
        filters = _filters(asked.request)
        if not filters:
            return as_json({"count": count_products(self._catalogue, asked.grant.account, None, None)["count"]})
        passing = (each for each in self._catalogue.entries(asked.grant.account) if passes(each, filters))
        return as_json({"count": sum(1 for _ in passing)})

    def _product(self, asked: Asked) -> Response:
        return as_json({"product": only(product_json(self._found(asked)), asked.request)})

    def _delete_product(self, asked: Asked) -> Response:
        self._catalogue.delete(asked.grant.account, self._found(asked))
        return as_json({})

    def _images(self, asked: Asked) -> Response:
        images = product_json(self._found(asked))["images"]
        return as_json({"images": [only(image, asked.request) for image in images]})

    def _add_image(self, asked: Asked) -> Response:
        wanted = _body(asked.request, "image")
        with self._catalogue.transaction():
            document = self._found(asked)
            entry = new_media(document, None, _text(wanted, "alt"), now_text())
            self._fill(asked.grant.account, entry, wanted)
            document["media"].append(entry)
            _move(document, entry, wanted)
            self._catalogue.change(asked.grant.account, document)
        return as_json({"image": image_json(document, entry)})

    def _change_image(self, asked: Asked) -> Response:
        wanted = _body(asked.request, "image")
        with self._catalogue.transaction():
            document = self._found(asked)
            entry = _image(document, asked)
            if "alt" in wanted:
                entry["alt"] = _text(wanted, "alt")
            if "src" in wanted or "attachment" in wanted:
                self._fill(asked.grant.account, entry, wanted)
            _move(document, entry, wanted)
            self._catalogue.change(asked.grant.account, document)
        return as_json({"image": image_json(document, entry)})

    def _delete_image(self, asked: Asked) -> Response:
        with self._catalogue.transaction():
            document = self._found(asked)
            entry = _image(document, asked)
            document["media"].remove(entry)
            for variant in document["variants"]:
                if variant["mediaNumber"] == entry["number"]:
                    variant["mediaNumber"] = None
            self._catalogue.change(asked.grant.account, document)
        return as_json({})

    def _shop(self, asked: Asked) -> Response:
        return as_json({"shop": shops.rest_json(asked.grant.account)})

    def _fill(self, shop: str, entry: Document, wanted: Document) -> None:
        """Give a picture its content at once: from `attachment` (base64) or from the address `src`."""
        attachment = _text(wanted, "attachment")
        source = _text(wanted, "src")
        try:
            if attachment is not None:
                content = base64.b64decode(attachment, validate=True)
                self._media.keep(shop, _text(wanted, "filename") or "picture.png", content, entry)
            elif source is not None:
                check_source(0, {"mediaContentType": "IMAGE", "originalSource": source})
                entry["source"] = source
                self._media.finish(shop, entry)
            else:
                raise RestRefused(422, {"image": ["can't be blank"]})
        except (binascii.Error, SourceRefused) as error:
            raise RestRefused(422, {"image": ["Image URL is invalid" if source else "is not base64"]}) from error
        except ProcessingFailed as failure:
            raise RestRefused(422, {"image": [failure.text]}) from failure
        if entry["status"] == "FAILED":
            raise RestRefused(422, {"image": [entry["errors"][0]["message"]]})

    def _found(self, asked: Asked) -> Document:
        document = self._catalogue.product(asked.grant.account, int(asked.place["product"][:18]))
        if document is None:
            raise RestRefused(404, "Not Found")
        return document


def throttled(seconds: float) -> Response:
    """The answer when the bucket is full; `Retry-After` is a decimal."""
    text = "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."
    response = as_json({"errors": text}, 429)
    response.headers["Retry-After"] = f"{max(seconds, 0.0):.1f}"
    return response


def _filters(request: Request) -> dict[str, str]:
    return {name: request.args[name] for name in FILTERS if name in request.args}


def _body(request: Request, name: str) -> Document:
    body = request.get_json(silent=True)
    wanted = body.get(name) if isinstance(body, dict) else None
    if not isinstance(wanted, dict):
        raise RestRefused(400, {name: "Required parameter missing or invalid"})
    return wanted


def _text(wanted: Document, name: str) -> str | None:
    value = wanted.get(name)
    if value is not None and not isinstance(value, str):
        raise RestRefused(422, {name: ["is invalid"]})
    return value


def _image(document: Document, asked: Asked) -> Document:
    for entry in document["media"]:
        if str(entry["number"]) == asked.place["image"]:
            found: Document = entry
            return found
    raise RestRefused(404, "Not Found")


def _move(document: Document, entry: Document, wanted: Document) -> None:
    position = wanted.get("position")
    if isinstance(position, int) and position > 0:
        document["media"].remove(entry)
        document["media"].insert(position - 1, entry)
