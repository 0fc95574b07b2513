"""Pictures on their way: from an address given by an app, over processing, to the delivery network or to a failure.

The upload itself is in `staging`, serving pictures in `cdn`. Source: shopify.dev "Manage media for products" (2026-10).
"""

import io
import ipaddress
import re
import secrets
from collections.abc import Sequence
from urllib.parse import quote, unquote, urlsplit

from sandbox.hosts.shopify import cdn, staging
from sandbox.hosts.shopify.catalogue import Catalogue
from sandbox.hosts.shopify.ids import now_text
from sandbox.hosts.shopify.products import MOST_MEDIA, new_media
from sandbox.hosts.shopify.staging import Staging
from sandbox.store import Document, Store

PENDING = frozenset({"UPLOADED", "PROCESSING"})
MOST_PIXELS = 20_000_000
_POLLS_TO_FINISH = 2
_FORMATS = {"PNG": "image/png", "GIF": "image/gif", "JPEG": "image/jpeg", "WEBP": "image/webp"}


class SourceRefused(Exception):
    """A media input that Shopify refuses at once: `code` of MediaUserErrorCode, and its sentence."""

    def __init__(self, index: int, code: str, text: str, field: str = "originalSource") -> None:
        super().__init__(text)
        self.index, self.code, self.text, self.field = index, code, text, field


class ProcessingFailed(Exception):
    """A picture that turned out to be none, or too large: `code` of MediaErrorCode, and its sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Media:
    """Adds pictures to products and brings them on, one step each time somebody looks."""

    def __init__(self, store: Store, catalogue: Catalogue, staging: Staging) -> None:
        self._store, self._catalogue, self._staging = store, catalogue, staging

    def attach(self, document: Document, inputs: Sequence[Document]) -> list[Document]:
        """Add the inputs to the product document, which the caller stores; raises SourceRefused and changes nothing."""
        if len(document["media"]) + len(inputs) > MOST_MEDIA:
            text = f"Exceeded {MOST_MEDIA} media per product"
            raise SourceRefused(0, "PRODUCT_MEDIA_LIMIT_EXCEEDED", text, "media")
        for index, wanted in enumerate(inputs):
            check_source(index, wanted)
        added = []
        for wanted in inputs:
            entry = new_media(document, None, wanted.get("alt"), now_text())
            entry["source"] = wanted["originalSource"]
            document["media"].append(entry)
            added.append(entry)
        return added

    def look(self, shop: str, document: Document) -> Document:
        """The product with its pending pictures one step further; what is settled is not touched."""
        if not any(entry["status"] in PENDING for entry in document["media"]):
            return document
        with self._catalogue.transaction():
            current = self._catalogue.product(shop, document["number"])
            if current is None:
                return document
            for entry in current["media"]:
                if entry["status"] in PENDING:
                    self._advance(shop, entry)
            return self._catalogue.change(shop, current, touch=False)

    def finish(self, shop: str, entry: Document) -> None:
        """Bring one picture to its end at once, as REST does."""
        try:
            self._process(shop, entry)
        except ProcessingFailed as failure:
            entry["status"] = "FAILED"
            entry["errors"] = [{"code": failure.code, "details": None, "message": failure.text}]

    def keep(self, shop: str, name: str, content: bytes, entry: Document) -> None:
        """Check a picture's bytes and put them on the delivery network; raises ProcessingFailed."""
        mime_type, width, height = examine(content)
        path = cdn.free_path(self._store, shop, name)
        self._store.put_blob(f"cdn{path}", content)
        self._store.put("cdn", path, {"mimeType": mime_type, "width": width, "height": height})
        entry |= {
            "status": "READY",
            "url": cdn.address(path),
            "mimeType": mime_type,
            "width": width,
            "height": height,
            "fileSize": len(content),
            "updatedAt": now_text(),
        }

    def _advance(self, shop: str, entry: Document) -> None:
        entry["polls"] += 1
        if entry["polls"] < _POLLS_TO_FINISH:
            entry["status"] = "PROCESSING"
        else:
            self.finish(shop, entry)

    def _process(self, shop: str, entry: Document) -> None:
        source = entry["source"]
        name = unquote(urlsplit(source).path).rsplit("/", 1)[-1] or "picture"
        if urlsplit(source).hostname == staging.HOST:
            found = self._staging.uploaded(shop, source)
            if found is None:
                raise ProcessingFailed("IMAGE_DOWNLOAD_FAILURE", "Image failed to download.")
            self.keep(shop, name, found[0], entry)
            return
        if not _is_public(source):
            raise ProcessingFailed("IMAGE_DOWNLOAD_FAILURE", "Image failed to download.")
        # The sandbox reaches no network, so a picture from elsewhere is stood in for by one that is drawn.
        stem = re.sub(r"[^\w-]+", "-", name.rsplit(".", 1)[0]).strip("-") or "picture"
        path = f"{cdn.folder(shop)}/{quote(stem)}-{secrets.token_hex(4)}.png"
        entry |= {
            "status": "READY",
            "url": cdn.address(path),
            "mimeType": "image/png",
            "width": cdn.DRAWN_SIZE,
            "height": cdn.DRAWN_SIZE,
            "updatedAt": now_text(),
        }


def check_source(index: int, wanted: Document) -> None:
    """Whether a CreateMediaInput can be a picture at all; raises SourceRefused."""
    if wanted["mediaContentType"] != "IMAGE":
        raise SourceRefused(index, "INVALID_MEDIA_TYPE", "Media type is invalid", "mediaContentType")
    try:
        parts = urlsplit(wanted["originalSource"])
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise SourceRefused(index, "INVALID", "Image URL is invalid")


def examine(content: bytes) -> tuple[str, int, int]:
    """Media type, width and height of a picture; raises ProcessingFailed for what Shopify does not take."""
    from PIL import Image

    if len(content) > staging.MOST_BYTES:
        raise ProcessingFailed("INVALID_IMAGE_FILE_SIZE", "Image file size must be less than 20 MB.")
    try:
        with Image.open(io.BytesIO(content)) as image:
            kind, (width, height) = image.format, image.size
            if width * height <= MOST_PIXELS:
                image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ProcessingFailed("IMAGE_PROCESSING_FAILURE", "The file is not a picture that can be read.") from error
    if kind not in _FORMATS:
        raise ProcessingFailed("UNSUPPORTED_IMAGE_FILE_TYPE", "The file type is not supported.")
    if width * height > MOST_PIXELS:
        raise ProcessingFailed("INVALID_IMAGE_RESOLUTION", "Image exceeds 20 megapixels.")
    return _FORMATS[kind], width, height


def _is_public(source: str) -> bool:
    """Whether a server on the internet could fetch this address: a name with a dot, or a global IP."""
    host = urlsplit(source).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".localhost", ".internal", ".test", ".invalid"))
