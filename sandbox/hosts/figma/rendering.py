"""Draws a node as PNG, JPG, SVG or PDF, from its JSON alone; Pillow is loaded when it is first needed.

Where the pictures are fetched is in `pictures`, what a file holds in `document`.
"""

import io
import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from sandbox.hosts.figma.document import walk
from sandbox.store import Document

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

MEDIA_TYPES = {"png": "image/png", "jpg": "image/jpeg", "svg": "image/svg+xml", "pdf": "application/pdf"}
MOST_PIXELS = 32_000_000  # larger pictures are scaled down
_SMOOTH_BELOW = 3_000_000  # pixels up to which shapes are drawn twice as large and shrunk
Box = tuple[float, float, float, float]


def is_renderable(node: Document) -> bool:
    """Whether there is anything to draw: a node that is hidden, empty or without size gives no picture."""
    if node.get("visible") is False:
        return False
    return any(each.get("fills") and _bounds(each) is not None for each in _seen(node))


def render(node: Document, kind: str, scale: float) -> bytes:
    """The picture of a renderable node; `kind` is a key of MEDIA_TYPES."""
    if kind == "svg":
        return _svg(node, scale).encode()
    target = io.BytesIO()
    image = _image(node, scale)
    if kind == "png":
        image.save(target, "PNG")
    else:
        image.convert("RGB").save(target, "JPEG" if kind == "jpg" else "PDF", quality=90)
    return target.getvalue()


def _image(node: Document, scale: float) -> "Image.Image":
    from PIL import Image, ImageDraw

    left, top, width, height = _extent(node)
    scale = min(scale, math.sqrt(MOST_PIXELS / (width * height)))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    finer = 2 if size[0] * size[1] <= _SMOOTH_BELOW else 1
    canvas = Image.new("RGBA", (size[0] * finer, size[1] * finer), (0, 0, 0, 0))
    pen = ImageDraw.Draw(canvas)
    for each in _seen(node):
        bounds = _bounds(each)
        if bounds is None or not each.get("fills"):
            continue
        step = scale * finer
        x, y = (bounds[0] - left) * step, (bounds[1] - top) * step
        _draw(pen, each, (x, y, x + bounds[2] * step, y + bounds[3] * step), step)
    return canvas if finer == 1 else canvas.resize(size, Image.Resampling.LANCZOS)


def _draw(pen: "ImageDraw.ImageDraw", node: Document, box: Box, scale: float) -> None:
    from PIL import ImageFont

    ink = _ink(node)
    if node["type"] == "ELLIPSE":
        pen.ellipse(box, fill=ink)
    elif node["type"] == "TEXT":
        font = ImageFont.load_default(max(1.0, node["style"]["fontSize"] * scale))
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        pen.text(middle, node["characters"], fill=ink, font=font, anchor="mm")
    else:
        pen.rectangle(box, fill=ink)


def _svg(node: Document, scale: float) -> str:
    left, top, width, height = _extent(node)
    view = f'viewBox="0 0 {width:g} {height:g}" xmlns="http://www.w3.org/2000/svg"'
    parts = [f'<svg width="{width * scale:g}" height="{height * scale:g}" fill="none" {view}>']
    for each in _seen(node):
        bounds = _bounds(each)
        if bounds is not None and each.get("fills"):
            parts.append(_svg_shape(each, (bounds[0] - left, bounds[1] - top, bounds[2], bounds[3])))
    return "\n".join([*parts, "</svg>", ""])


def _svg_shape(node: Document, box: Box) -> str:
    x, y, width, height = box
    fill = "#{:02X}{:02X}{:02X}".format(*_ink(node)[:3])
    if node["type"] == "ELLIPSE":
        place = f'cx="{x + width / 2:g}" cy="{y + height / 2:g}" rx="{width / 2:g}" ry="{height / 2:g}"'
        return f'<ellipse {place} fill="{fill}"/>'
    if node["type"] == "TEXT":
        size = node["style"]["fontSize"]
        place = f'x="{x + width / 2:g}" y="{y + height / 2 + size * 0.35:g}" text-anchor="middle"'
        look = f'font-family="Inter" font-size="{size:g}" font-weight="700"'
        return f'<text {place} {look} fill="{fill}">{escape(node["characters"])}</text>'
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}"/>'


def _seen(node: Document) -> list[Document]:
    """The node and what is below it, from back to front, without what is hidden (and all that is below that)."""
    hidden = {id(below) for each in walk(node) if each.get("visible") is False for below in walk(each)}
    return [each for each in walk(node) if id(each) not in hidden]


def _extent(node: Document) -> Box:
    """The node's own box; a page's is the box around all that is on it."""
    own = _bounds(node)
    if own is not None:
        return own
    boxes = [box for each in node.get("children", ()) if (box := _bounds(each)) is not None]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    return left, top, max(box[0] + box[2] for box in boxes) - left, max(box[1] + box[3] for box in boxes) - top


def _bounds(node: Document) -> Box | None:
    box = node.get("absoluteBoundingBox")
    if not box or box["width"] <= 0 or box["height"] <= 0:
        return None
    return box["x"], box["y"], box["width"], box["height"]


def _ink(node: Document) -> tuple[int, int, int, int]:
    colour = node["fills"][0]["color"]
    return round(colour["r"] * 255), round(colour["g"] * 255), round(colour["b"] * 255), round(colour["a"] * 255)
