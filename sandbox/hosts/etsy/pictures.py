"""Pictures of listings: taking uploads, keeping what was taken off a listing, and serving all of it in four sizes.

Their JSON is in `shown`, how a drawn one looks in `drawing`. The words of the refusals come from etsy/open-api issues
#180 and #606 and iamfmjk/etsy#91 (read 2026-11-21); the limit of bytes is documented nowhere and is a guess.
"""

import io
import re
import secrets
import time
from functools import lru_cache
from typing import Final

from werkzeug.wrappers import Request, Response

from sandbox.hosts.etsy.drawing import draw, ground_of
from sandbox.hosts.etsy.generation import picture_count
from sandbox.hosts.etsy.ids import computed_id, computed_picture_place, kept_picture_id
from sandbox.hosts.etsy.refusals import EtsyRefused
from sandbox.hosts.etsy.sellers import SHOPS
from sandbox.store import Document, Store

MOST_PER_LISTING: Final = 20
LARGEST_BYTES: Final = 10 * 1024 * 1024
_SMALLEST_SIDE: Final = 10
_DRAWN: Final = (1200, 900)
_KINDS: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
_PATH: Final = re.compile(r"/(\d+)/r/il/(\w+)/(\d+)/il_(75x75|170x135|570xN|fullxfull)\.(\d+)_\w+\.jpg")
_BOXES: Final = {"75x75": (75, 75), "170x135": (170, 135), "570xN": (570, 10_000)}


class Pictures:
    """Every picture there is or was; a deleted one stays and can be put back by its number."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, picture_id: int) -> Document | None:
        """What is known of a picture."""
        for shop in SHOPS:
            kept = self._store.get("images", f"{shop.shop_id}/{picture_id:012d}")
            if kept is not None:
                return kept
        return _computed(picture_id)

    def of(self, listing: Document) -> list[Document]:
        """A listing's pictures in their order."""
        return [found for picture_id in listing["images"] if (found := self.get(picture_id)) is not None]

    def take(self, listing: Document, content: bytes, alt_text: str) -> Document:
        """Keep an uploaded picture for a listing; raises EtsyRefused for what is no picture Etsy would take."""
        kind, width, height, colour = _looked_at(content)
        serial = self._store.next_number("picture")
        picture: Document = {
            "id": kept_picture_id(serial),
            "listing_id": listing["listing_id"],
            "shop_id": listing["shop_id"],
            "name": secrets.token_hex(3),
            "alt_text": alt_text,
            "created": int(time.time()),
            "width": width,
            "height": height,
            "colour": list(colour),
            "type": kind,
        }
        self._store.put_blob(f"picture/{picture['id']}", content)
        self.keep(picture)
        return picture

    def draw(self, listing: Document, name: str, alt_text: str) -> Document:
        """A picture that is drawn from a name whenever somebody looks."""
        picture: Document = {
            "id": kept_picture_id(self._store.next_number("picture")),
            "listing_id": listing["listing_id"],
            "shop_id": listing["shop_id"],
            "name": name,
            "alt_text": alt_text,
            "created": listing["created"],
            "width": _DRAWN[0],
            "height": _DRAWN[1],
            "colour": list(ground_of(name)),
        }
        self.keep(picture)
        return picture

    def keep(self, picture: Document) -> None:
        """Store what is known of a picture."""
        self._store.put("images", f"{picture['shop_id']}/{picture['id']:012d}", picture)

    def serve(self, request: Request, path: str) -> Response:
        """i.etsystatic.com: anybody may look."""
        if request.method not in ("GET", "HEAD"):
            return Response("Method Not Allowed", 405, headers={"Allow": "GET, HEAD"}, mimetype="text/plain")
        match = _PATH.fullmatch(path)
        picture = self.get(int(match[3])) if match and match[3] == match[5] else None
        if match is None or picture is None or picture["name"] != match[2] or str(picture["shop_id"]) != match[1]:
            return Response("Not Found", 404, mimetype="text/plain")
        uploaded = self._store.get_blob(f"picture/{picture['id']}")
        if uploaded is None:
            content, kind = _drawn(picture["name"], match[4]), "image/jpeg"
        else:
            content, kind = _sized(uploaded, match[4]), picture["type"]
        return Response(content, mimetype=kind, headers={"Cache-Control": "public, max-age=31536000"})


def _computed(picture_id: int) -> Document | None:
    place = computed_picture_place(picture_id)
    if place is None or place[2] >= picture_count(place[1]):
        return None
    shop, index, number = place
    name = f"{index:06x}{number}"
    return {
        "id": picture_id,
        "listing_id": computed_id(shop, index),
        "shop_id": shop.shop_id,
        "name": name,
        "alt_text": f"View {number + 1}",
        "created": 1_735_689_600 + index * 2,
        "width": _DRAWN[0],
        "height": _DRAWN[1],
        "colour": list(ground_of(name)),
    }


def _looked_at(content: bytes) -> tuple[str, int, int, tuple[int, int, int]]:
    """Media type, width, height and average colour; raises EtsyRefused."""
    from PIL import Image, UnidentifiedImageError

    if len(content) > LARGEST_BYTES:
        raise EtsyRefused(400, "The image file is too large. The maximum size is 10 MB.")
    try:
        with Image.open(io.BytesIO(content)) as image:
            kind = _KINDS.get(image.format or "")
            small = image.convert("RGB").resize((1, 1)).getpixel((0, 0))
            width, height = image.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        kind, small, width, height = None, None, 0, 0
    if kind is None or not isinstance(small, tuple):
        raise EtsyRefused(400, "Either a valid image file or a listing_image_id must be provided.")
    if min(width, height) < _SMALLEST_SIDE:
        raise EtsyRefused(400, "Please make sure both width and height are greater than 10px.")
    return kind, width, height, (int(small[0]), int(small[1]), int(small[2]))


@lru_cache(maxsize=64)
def _drawn(name: str, size: str) -> bytes:
    image = draw(name, *_DRAWN)
    if size in _BOXES:
        image.thumbnail(_BOXES[size])
    target = io.BytesIO()
    image.save(target, "JPEG", quality=85)
    return target.getvalue()


def _sized(content: bytes, size: str) -> bytes:
    from PIL import Image

    if size not in _BOXES:
        return content
    with Image.open(io.BytesIO(content)) as image:
        kind = image.format
        image.thumbnail(_BOXES[size])
        target = io.BytesIO()
        image.save(target, kind)
    return target.getvalue()
