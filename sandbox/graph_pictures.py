"""Pictures of Meta's hosts: drawn from their names, or kept as they were sent, at addresses that are signed and end.

Which object a picture belongs to is the hosts' own affair.
"""

import hashlib
import hmac
import io
import re
import time
from functools import lru_cache

from werkzeug.wrappers import Request, Response

from sandbox.store import Store

SIDE = 1080
LIFETIME_S = 3 * 24 * 3600
_KEY = b"picture addresses of the sandbox"
_PATH = re.compile(r"/v/(?P<folder>[\w.\-]+)/(?P<name>[\w.\-]+)\.jpg")
_COLOURS = ((214, 96, 77), (67, 132, 148), (227, 178, 77), (92, 110, 88), (130, 93, 140), (192, 112, 84))
_GROUNDS = ((239, 236, 230), (231, 236, 238), (240, 233, 233), (233, 238, 230))


def address(host: str, folder: str, name: str) -> str:
    """Where a picture can be fetched for three days; `oh` signs path and end, `oe` is the end in hex seconds."""
    path = f"/v/{folder}/{name}.jpg"
    ends = f"{int(time.time()) // 3600 * 3600 + LIFETIME_S:X}"  # the same address for an hour
    return f"https://{host}{path}?_nc_cat=1&ccb=1-7&oh={_signature(path, ends)}&oe={ends}"


def keep(store: Store, name: str, content: bytes) -> None:
    """Serve these bytes under the name from now on."""
    store.put_blob(f"picture/{name}", content)


def serve(store: Store, request: Request, path: str) -> Response:
    """The picture behind an address; 403 for one that is not signed, or no longer."""
    match = _PATH.fullmatch(path)
    if match is None:
        return Response("Not Found", 404, mimetype="text/plain")
    ends = request.args.get("oe", "")
    if not hmac.compare_digest(_signature(path, ends).encode(), request.args.get("oh", "").encode()):
        return Response("Bad URL hash", 403, mimetype="text/plain")
    if int(ends, 16) <= time.time():
        return Response("URL signature expired", 403, mimetype="text/plain")
    kept = store.get_blob(f"picture/{match['name']}")
    content = drawn(match["name"]) if kept is None else kept
    response = Response(content, mimetype="image/jpeg" if kept is None else _media_type(kept))
    response.headers["Cache-Control"] = f"max-age={LIFETIME_S}, no-transform"
    return response


@lru_cache(maxsize=64)
def drawn(name: str, width: int = SIDE, height: int = SIDE) -> bytes:
    """A JPEG that belongs to the name: a frame, a ground and three shapes."""
    from PIL import Image, ImageDraw

    dice = hashlib.sha256(name.encode()).digest()
    image = Image.new("RGB", (width, height), _GROUNDS[dice[0] % len(_GROUNDS)])
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 5, height // 6, width * 4 // 5, height * 5 // 6), fill=(252, 251, 248))
    for place in range(3):
        left, top = width // 4 + dice[place * 2 + 1] * width // 900, height // 4 + dice[place * 2 + 2] * height // 900
        box = (left, top, left + width // 6, top + height // 6)
        colour = _COLOURS[dice[place + 7] % len(_COLOURS)]
        (draw.ellipse if dice[place + 10] % 2 else draw.rectangle)(box, fill=colour)
    target = io.BytesIO()
    image.save(target, "JPEG", quality=80)
    return target.getvalue()


def _signature(path: str, ends: str) -> str:
    return "00_" + hmac.new(_KEY, f"{path}?{ends}".encode(), hashlib.sha256).hexdigest()[:22]


def _media_type(content: bytes) -> str:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        return Image.MIME.get(image.format or "", "application/octet-stream")
