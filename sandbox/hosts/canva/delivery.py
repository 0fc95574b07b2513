"""The hosts that pictures are fetched from: signed addresses that end, and what lies behind them.

Sources: the download addresses in REST reference answers (S3's presigned form; 24 hours for exports, 15 minutes for
thumbnails) and Amazon S3 "Error responses" (read 2026-11-21). What is exported is decided in `exports`.
"""

import hashlib
import hmac
import re
import secrets
import time
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from sandbox.store import Document, Store

EXPORTS = "export-download.canva.com"
THUMBNAILS = "document-export.canva.com"
EXPORT_LIFETIME_S = 24 * 3600
_THUMBNAIL_LIFETIME_S = 15 * 60
_THUMBNAIL_WIDTH = 376
_THUMBNAIL = re.compile(r"/[\w-]{5}/(?P<id>[\w-]{1,50})/\d+/thumbnail/(?P<size>\d{1,5}x\d{1,5})\.png")
_STAMP = "%Y%m%dT%H%M%SZ"
_MEDIA_TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "pdf": "application/pdf"}


class Delivery:
    """Makes and honours signed addresses."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def export_address(self, path: str, since: float) -> str:
        """Where an exported file lies, for a day from `since` (Unix seconds)."""
        return self._signed(EXPORTS, path, since, EXPORT_LIFETIME_S)

    def thumbnail(self, of: str, width: int, height: int) -> Document:
        """Canva's thumbnail of a design or an asset; a new address at each call."""
        shown = min(width, _THUMBNAIL_WIDTH)
        size = (shown, max(1, round(height * shown / width)))
        path = f"/{of[-5:]:0>5}/{of}/1/thumbnail/{size[0]}x{size[1]}.png"
        url = self._signed(THUMBNAILS, path, time.time(), _THUMBNAIL_LIFETIME_S)
        return {"width": size[0], "height": size[1], "url": url}

    def serve(self, request: Request, host: str, path: str) -> Response:
        """The bytes, or S3's XML for what is unknown, unsigned or over."""
        refusal = self._refusal(request, host, path)
        if refusal is not None:
            return refusal
        if host == EXPORTS:
            file = self._store.get("files", path)
            return _no_such_key(path) if file is None else _sent(_rendered(file), file["format"])
        thumbnail = _THUMBNAIL.fullmatch(path)
        return _no_such_key(path) if thumbnail is None else self._thumbnail(thumbnail["id"], thumbnail["size"])

    def _thumbnail(self, of: str, size: str) -> Response:
        from sandbox.hosts.canva.drawing import shrunk

        width, _, height = size.partition("x")
        uploaded = self._store.get_blob(f"asset/{of}")
        if uploaded is not None:
            return _sent(shrunk(uploaded, int(width)), "png")
        return _sent(_page(of, 1, int(width), int(height), "png", None), "png")

    def _signed(self, host: str, path: str, since: float, lifetime_s: int) -> str:
        terms = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Date": datetime.fromtimestamp(since, UTC).strftime(_STAMP),
            "X-Amz-Expires": str(lifetime_s),
            "X-Amz-SignedHeaders": "host",
        }
        return f"https://{host}{path}?{urlencode(terms | {'X-Amz-Signature': self._signature(host, path, terms)})}"

    def _refusal(self, request: Request, host: str, path: str) -> Response | None:
        terms = {name: value for name, value in request.args.items() if name != "X-Amz-Signature"}
        given = request.args.get("X-Amz-Signature", "")
        if not hmac.compare_digest(given.encode(), self._signature(host, path, terms).encode()):
            return _s3_error(403, "SignatureDoesNotMatch", "The request signature does not match.")
        made = datetime.strptime(terms["X-Amz-Date"], _STAMP).replace(tzinfo=UTC).timestamp()
        if time.time() > made + int(terms["X-Amz-Expires"]):
            return _s3_error(403, "AccessDenied", "Request has expired")
        return None

    def _signature(self, host: str, path: str, terms: dict[str, str]) -> str:
        text = "\n".join([host, path, *(f"{name}={terms[name]}" for name in sorted(terms))])
        return hmac.new(self._key(), text.encode(), hashlib.sha256).hexdigest()

    def _key(self) -> bytes:
        with self._store.transaction():
            kept = self._store.get_blob("signing-key")
            if kept is None:
                kept = secrets.token_bytes(32)
                self._store.put_blob("signing-key", kept)
            return kept


def over(file_address_since: float) -> bool:
    """Whether a day has passed."""
    return time.time() > file_address_since + EXPORT_LIFETIME_S


def _rendered(file: Document) -> bytes:
    from sandbox.hosts.canva import drawing

    form, quality = file["format"], file.get("quality")
    size = (file["width"], file["height"])
    if len(file["pages"]) == 1:
        return _page(file["design"], file["pages"][0], *size, form, quality)
    pages = [drawing.draw(file["design"], page, *size) for page in file["pages"]]
    return drawing.encoded([drawing.stacked(pages)] if form in {"png", "jpg"} else pages, form, quality)


@lru_cache(maxsize=64)
def _page(design_id: str, page: int, width: int, height: int, form: str, quality: int | None) -> bytes:
    from sandbox.hosts.canva import drawing

    return drawing.encoded([drawing.draw(design_id, page, width, height)], form, quality)


def _sent(content: bytes, form: str) -> Response:
    return Response(content, 200, content_type=_MEDIA_TYPES[form], headers={"Cache-Control": "private"})


def _no_such_key(path: str) -> Response:
    return _s3_error(404, "NoSuchKey", f"The specified key does not exist: {path}")


def _s3_error(status: int, code: str, message: str) -> Response:
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{error}', status, content_type="application/xml")
