"""The content delivery network: uploaded pictures byte for byte, and drawn ones for every other picture address.

How a drawn picture looks is in `drawing`.
"""

import hashlib
import io
import re
import secrets
import time
from functools import lru_cache
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from sandbox.hosts.shopify.ids import shop_number
from sandbox.store import Store

HOST = "cdn.shopify.com"
DRAWN_SIZE = 1200
_LARGEST_SIDE = 5760
_PICTURE_PATH = re.compile(r"/s/files/[\w/.\-]+/([^/]+)\.(png|jpe?g|gif|webp)", re.IGNORECASE)
_FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP"}


def handle(store: Store, request: Request, path: str) -> Response:
    """The picture at a path; `width` and `height` in the query make it smaller, as Shopify's image addresses do."""
    if request.method not in ("GET", "HEAD"):
        return Response("Method Not Allowed", 405, headers={"Allow": "GET, HEAD"}, mimetype="text/plain")
    uploaded = store.get("cdn", path)
    match = _PICTURE_PATH.fullmatch(path)
    if uploaded is None and match is None:
        return Response("Not Found", 404, mimetype="text/plain")
    box = _box(request)
    if uploaded is not None:
        content, mime_type = store.get_blob(f"cdn{path}") or b"", uploaded["mimeType"]
        if box is not None:
            content = _shrunk(content, box)
    else:
        stem, ending = (match[1], match[2].lower()) if match else ("", "png")
        kind = _FORMATS[ending]
        content, mime_type = _drawn(stem, kind, box or (DRAWN_SIZE, DRAWN_SIZE)), f"image/{kind.lower()}"
    response = Response(content, mimetype=mime_type)
    response.headers["Cache-Control"] = "public, max-age=31557600"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    return response.make_conditional(request)


def folder(shop: str) -> str:
    """Where a shop's files lie."""
    number = shop_number(shop)
    return f"/s/files/1/{number // 10000 + 600:04d}/{number % 10000:04d}/0001/files"


def free_path(store: Store, shop: str, name: str) -> str:
    """A path for a new file; a name that is taken gets something unique behind it, as Shopify does."""
    clean = re.sub(r"[^\w.\-]+", "_", name).strip("._") or "picture"
    path = f"{folder(shop)}/{clean}"
    if store.get("cdn", path) is None:
        return path
    stem, dot, ending = clean.rpartition(".")
    return f"{folder(shop)}/{stem or ending}_{secrets.token_hex(8)}{dot}{ending if dot else ''}"


def address(path: str) -> str:
    """The https address of a path, with the version that breaks caches."""
    return f"https://{HOST}{quote(path)}?v={int(time.time())}"


def _box(request: Request) -> tuple[int, int] | None:
    """The size that the picture shall fit into, or None for its own."""
    sides = [request.args.get(name, type=int) for name in ("width", "height")]
    if not any(sides):
        return None
    width, height = (min(max(side, 1), _LARGEST_SIDE) if side else _LARGEST_SIDE for side in sides)
    return width, height


@lru_cache(maxsize=64)
def _drawn(name: str, kind: str, box: tuple[int, int]) -> bytes:
    from sandbox.hosts.shopify.drawing import draw

    image = draw(name, min(DRAWN_SIZE, *box))
    target = io.BytesIO()
    image.save(target, kind, optimize=kind == "PNG", **({"quality": 88} if kind == "JPEG" else {}))
    return target.getvalue()


def _shrunk(content: bytes, box: tuple[int, int]) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        kind = image.format
        if image.width <= box[0] and image.height <= box[1]:
            return content
        image.thumbnail(box)
        target = io.BytesIO()
        image.save(target, kind)
    return target.getvalue()
