"""The media library: pictures that the store downloads from an address, and the files it serves.

An address is really fetched; private ones are refused, but the asking app's own, which is on this machine as the store
is. Sources: `wc_rest_upload_image_from_url` of WooCommerce 11, `wp_http_validate_url` and `wp_handle_sideload` of
WordPress (read 2026-11-21).
"""

import io
import ipaddress
import re
import socket
from functools import lru_cache
from hashlib import blake2b
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

import requests
from werkzeug.wrappers import Request, Response

from sandbox.grants import is_loopback_redirect
from sandbox.hosts.woocommerce.catalogue import Catalogue
from sandbox.hosts.woocommerce.handover import origin_of
from sandbox.hosts.woocommerce.refusals import Refused, not_found_page
from sandbox.hosts.woocommerce.stores import Store, located, now_text
from sandbox.store import Document
from sandbox.store import Store as Shelf

UPLOADS = "/wp-content/uploads/"
DOWNLOAD_TIMEOUT_S = 20
MOST_BYTES = 32 * 1024 * 1024
_SIDE = 600
_TYPES = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "jpe": "JPEG",
    "gif": "GIF",
    "png": "PNG",
    "bmp": "BMP",
    "tiff": "TIFF",
    "tif": "TIFF",
    "ico": "ICO",
    "webp": "WEBP",
}


class DownloadFailed(Exception):
    """Why the bytes of a picture could not be had, in the words of WordPress."""


class Media:
    """Downloads, keeps and serves pictures of all stores."""

    def __init__(self, shelf: Shelf, catalogue: Catalogue) -> None:
        self._shelf, self._catalogue = shelf, catalogue

    def sideload(self, store: Store, source: str, app_origin: str | None) -> Document:
        """Download a picture and keep it: its entry in the media library. Raises Refused 400."""
        name = PurePosixPath(unquote(source.split("?", 1)[0])).name
        try:
            content = self._downloaded(source, app_origin)
        except DownloadFailed as failure:
            raise _refused(f"Error getting remote image {source}. Error: {failure}") from failure
        if _TYPES.get(_ending(name)) is None or not _is_picture(content):
            raise _refused("Invalid image: Sorry, you are not allowed to upload this file type.")
        now = now_text()
        with self._catalogue.transaction():
            file = self._free_file(store, f"{now[:4]}/{now[5:7]}", _sanitised(name))
            entry = {"id": self._catalogue.next_ids(store, 1), "file": file, "name": file.rpartition("/")[2], "alt": ""}
            self._shelf.put_blob(_place(store, file), content)
            self._catalogue.keep_picture(store, entry | {"created": now})
        return entry | {"created": now}

    def serve(self, store: Store, request: Request, path: str) -> Response:
        """The file at an address of the store; what is not kept is drawn, if a product of the store may show it."""
        if request.method not in ("GET", "HEAD"):
            return Response("", 405, headers={"Allow": "GET, HEAD"}, mimetype="text/plain")
        file = path.removeprefix(UPLOADS)
        content = self._content(store, file)
        if content is None:
            return not_found_page()
        kind = _TYPES.get(_ending(file), "PNG").lower()
        return Response(content, mimetype=f"image/{kind}", headers={"Cache-Control": "max-age=31536000"})

    def _downloaded(self, source: str, app_origin: str | None) -> bytes:
        parts = _parts(source)
        host = parts.hostname or ""
        if parts.scheme == "https" and host.endswith(".example"):
            store, path = located(host, parts.path)
            content = self._content(store, path.removeprefix(UPLOADS)) if path.startswith(UPLOADS) else None
            if content is None:
                raise DownloadFailed("Not Found")
            return content
        if not _is_of_app(source, app_origin):
            _check_public(host)
        return _fetched(source)

    def _content(self, store: Store, file: str) -> bytes | None:
        kept = self._shelf.get_blob(_place(store, file))
        if kept is None and re.fullmatch(r"\d{4}/\d{2}/[\w.-]+\.png", file):
            return drawn(file)
        return kept

    def _free_file(self, store: Store, folder: str, name: str) -> str:
        stem, _, ending = name.rpartition(".")
        file, number = f"{folder}/{name}", 0
        while self._shelf.get_blob(_place(store, file)) is not None:
            number += 1
            file = f"{folder}/{stem}-{number}.{ending}"
        return file


@lru_cache(maxsize=64)
def drawn(name: str) -> bytes:
    """A simple picture that belongs to a name, the same one every time: a shape on a coloured ground."""
    from PIL import Image, ImageDraw

    dice = blake2b(name.encode(), digest_size=8).digest()
    image = Image.new("RGB", (_SIDE, _SIDE), (205 + dice[0] % 40, 205 + dice[1] % 40, 205 + dice[2] % 40))
    pen, edge = ImageDraw.Draw(image), _SIDE // 5
    box, ink = (edge, edge, _SIDE - edge, _SIDE - edge), (40 + dice[3] % 150, 40 + dice[4] % 150, 40 + dice[5] % 150)
    (pen.ellipse if dice[6] % 2 else pen.rectangle)(box, fill=ink)
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def _fetched(source: str) -> bytes:
    try:
        with requests.get(source, timeout=DOWNLOAD_TIMEOUT_S, allow_redirects=False, stream=True) as answer:
            if answer.status_code != 200:
                raise DownloadFailed(answer.reason or f"HTTP {answer.status_code}")
            content = bytearray()
            for piece in answer.iter_content(256 * 1024):
                content += piece
                if len(content) > MOST_BYTES:
                    raise DownloadFailed("The file is too large.")
    except requests.Timeout:
        raise DownloadFailed("cURL error 28: Operation timed out") from None
    except requests.RequestException:
        raise DownloadFailed("cURL error 7: Failed to connect") from None
    return bytes(content)


def _is_of_app(source: str, app_origin: str | None) -> bool:
    """Whether an address is the asking app's own; for keys that were not handed to an app, any on this machine."""
    if app_origin is None:
        return is_loopback_redirect(source)
    return origin_of(source) == app_origin


def _parts(source: str) -> SplitResult:
    """The address taken apart. Raises DownloadFailed for what WordPress would not ask at all."""
    try:
        parts = urlsplit(source)
        is_askable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        is_askable = is_askable and source.isprintable() and parts.port != 0  # reading the port checks it
    except ValueError:
        is_askable = False
    if not is_askable:
        raise DownloadFailed("A valid URL was not provided.")
    return parts


def _check_public(host: str) -> None:
    """Raise DownloadFailed for a host that is not found, or is not on the public internet."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DownloadFailed(f"cURL error 6: Could not resolve host: {host}") from None
    if not all(ipaddress.ip_address(str(row[4][0]).partition("%")[0]).is_global for row in found):
        raise DownloadFailed("A valid URL was not provided.")


def _is_picture(content: bytes) -> bool:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    return True


def _sanitised(name: str) -> str:
    """A file name as WordPress makes it: no special characters, hyphens for white space, cut to what a disk takes."""
    stem, _, ending = re.sub(r"\s+", "-", re.sub(r"[^\w\s.-]", "", name, flags=re.ASCII)).rpartition(".")
    return f"{stem.strip('.-_')[:200] or 'unnamed-file'}.{ending.lower()}"


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _refused(text: str) -> Refused:
    return Refused(400, "woocommerce_product_image_upload_error", text)


def _place(store: Store, file: str) -> str:
    return f"upload|{store.key}|{file}"
