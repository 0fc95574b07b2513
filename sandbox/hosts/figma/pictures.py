"""Where rendered nodes, thumbnails and faces are fetched: addresses that need no token, and end after a while.

Source: npm @figma/rest-api-spec 0.43.0, operation getImages ("will expire after 30 days"), read 2026-11-21; the two
hosts are those of addresses in public repositories. How a node is drawn is in `rendering`.
"""

import hashlib
import time
import uuid
from functools import lru_cache

import msgspec
from werkzeug.wrappers import Request, Response

from sandbox.hosts.figma import document
from sandbox.hosts.figma.library import Library
from sandbox.hosts.figma.rendering import MEDIA_TYPES, is_renderable, render
from sandbox.store import Document, Store

RENDERS = "figma-alpha-api.s3.us-west-2.amazonaws.com"
THUMBNAILS = "s3-alpha-sig.figma.com"
LIFETIME_S = 30 * 24 * 3600
_THUMBNAIL_WIDTH = 400
_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
)


class Pictures:
    """Renders are kept as the node they show, and drawn when they are fetched."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store = store
        self._library = library

    def add(self, node: Document, kind: str, scale: float) -> str:
        """The address at which a node can be fetched, as it is now."""
        name = str(uuid.uuid4())
        shown = {"node": node, "kind": kind, "scale": scale, "expires_at": time.time() + LIFETIME_S}
        self._store.put("renders", name, shown)
        return f"https://{RENDERS}/images/{name}"

    def expire(self) -> int:
        """End all addresses of renders, as if a month had passed; answers how many."""
        with self._store.transaction():
            names = [name for name, _ in self._store.each("renders")]
            self._store.clear("renders")
        return len(names)

    def handle(self, request: Request, host: str, path: str) -> Response:
        """The picture at an address; 403 in XML for any other, as the storage behind it says."""
        if request.method not in ("GET", "HEAD"):
            return Response(_DENIED, 403, mimetype="application/xml")
        kind, _, name = path[1:].partition("/")
        found: tuple[bytes, str] | None = None
        if host == RENDERS and kind == "images":
            found = self._render(name)
        elif host == THUMBNAILS and kind == "thumbnails":
            found = self._thumbnail(name)
        elif host == THUMBNAILS and kind == "profile" and name.isdigit():
            found = _face(name), "image/svg+xml"
        if found is None:
            return Response(_DENIED, 403, mimetype="application/xml")
        response = Response(found[0], content_type=found[1])
        response.set_etag(hashlib.sha256(found[0]).hexdigest()[:32])
        return response.make_conditional(request)

    def _render(self, name: str) -> tuple[bytes, str] | None:
        shown = self._store.get("renders", name)
        if shown is None or shown["expires_at"] <= time.time():
            return None
        return _drawn(msgspec.json.encode(shown["node"]), shown["kind"], shown["scale"]), MEDIA_TYPES[shown["kind"]]

    def _thumbnail(self, key: str) -> tuple[bytes, str] | None:
        """The first frame of a file that shows anything."""
        file = self._library.file(key)
        nodes = (frame for canvas in document.tree(file)["children"] for frame in canvas["children"]) if file else ()
        node = next((each for each in nodes if is_renderable(each)), None)
        if node is None:
            return None
        scale = _THUMBNAIL_WIDTH / node["absoluteBoundingBox"]["width"]
        return _drawn(msgspec.json.encode(node), "png", scale), MEDIA_TYPES["png"]


def thumbnail_url(file: Document) -> str:
    """The address of a file's thumbnail."""
    return f"https://{THUMBNAILS}/thumbnails/{file['key']}"


@lru_cache(maxsize=32)
def _drawn(node: bytes, kind: str, scale: float) -> bytes:
    return render(msgspec.json.decode(node), kind, scale)


def _face(name: str) -> bytes:
    tint = hashlib.sha256(name.encode()).hexdigest()[:6]
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="120"><circle cx="60" cy="60" r="60"'
    return f'{head} fill="#{tint}"/></svg>\n'.encode()
