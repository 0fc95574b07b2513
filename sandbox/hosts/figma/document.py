"""What stands in a Figma file: pages, frames and shapes, as the node JSON of the API.

Source: npm @figma/rest-api-spec 0.43.0, the schemas `DocumentNode`, `CanvasNode`, `FrameNode` and their traits. A file
is stored as a list of pages with frames; what is in a frame follows from its name. Drawing is in `rendering`.
"""

from collections.abc import Iterator
from hashlib import blake2b

from sandbox.store import Document

_INKS = ("d6604d", "438494", "e3b24d", "5c6e58", "825d8c", "2d3e63")
_GROUNDS = ("f7f4ee", "e7ecee", "f0e9e9", "e9ede6", "2c2e33", "fafaf7")
_GAP = 120
_SECTION_TOP = 2_000
_PER_FRAME = 10  # ids from one frame to the next: its own and those of its shapes
_FIRST_SECTION, _PER_SECTION = 50_000, 1_000  # ids of sections and what is in them


def frame(name: str, width: int, height: int, **odd: object) -> Document:
    """A stored frame; `odd` may say `visible=False` or `empty=True`."""
    return {"name": name, "width": width, "height": height, **odd}


def tree(file: Document) -> Document:
    """The whole DOCUMENT node of a stored file."""
    canvases = [_canvas(page, number) for number, page in enumerate(file["pages"])]
    return _layer("0:0", "Document", "DOCUMENT") | {"children": canvases}


def find(node: Document, node_id: str) -> Document | None:
    """The node of that id, in a tree."""
    return next((each for each in walk(node) if each["id"] == node_id), None)


def walk(node: Document) -> Iterator[Document]:
    """The node and all below it."""
    yield node
    for child in node.get("children", ()):
        yield from walk(child)


def cut(node: Document, depth: int | None) -> Document:
    """A copy that goes `depth` levels below the node, all of them when None."""
    if "children" not in node or depth is None:
        return node
    below = [] if depth == 0 else [cut(child, depth - 1) for child in node["children"]]
    return node | {"children": below}


def narrowed(node: Document, wanted: set[str]) -> Document | None:
    """The part of a tree that leads to the wanted nodes, with all below those; None when there is nothing."""
    if node["id"] in wanted or "children" not in node:
        return node if node["id"] in wanted else None
    kept = [part for child in node["children"] if (part := narrowed(child, wanted)) is not None]
    return node | {"children": kept} if kept or node["type"] in ("CANVAS", "DOCUMENT") else None


def page_id(number: int) -> str:
    """The id of a page by its place."""
    return "0:1" if number == 0 else f"{number}00:1"


def frame_id(page: int, place: int) -> str:
    """The id of a frame by its page and its place there, both from 0."""
    return f"{page + 1}:{(place + 1) * _PER_FRAME}"


def _canvas(page: Document, number: int) -> Document:
    children = _row(page["frames"], number, 0, 0)
    for place, section in enumerate(page.get("sections", ())):
        children.append(_section(section, number, _FIRST_SECTION + place * _PER_SECTION))
    return _layer(page_id(number), page["name"], "CANVAS") | {
        "children": children,
        "backgroundColor": _colour("f5f5f5"),
        "prototypeStartNodeID": None,
        "flowStartingPoints": [],
        "prototypeDevice": {"type": "NONE", "rotation": "NONE"},
    }


def _section(stored: Document, page: int, first: int) -> Document:
    """A section with its frames, below the row of the page's own."""
    top = _SECTION_TOP + first - _FIRST_SECTION
    frames = _row(stored["frames"], page, first, top + _GAP)
    boxes = [each["absoluteBoundingBox"] for each in frames]
    width = round(max((box["x"] + box["width"] for box in boxes), default=0)) + 2 * _GAP
    height = round(max((box["height"] for box in boxes), default=0)) + 2 * _GAP
    node = _layer(f"{page + 1}:{first}", stored["name"], "SECTION") | _placed(-_GAP, top, width, height)
    look = {"fills": [_solid("ffffff")], "strokes": [], "strokeWeight": 1.0, "strokeAlign": "INSIDE"}
    return node | look | {"sectionContentsHidden": False, "children": frames}


def _row(stored: list[Document], page: int, first: int, top: int) -> list[Document]:
    """Frames side by side; their ids count on from `first`."""
    frames: list[Document] = []
    left = 0
    for place, each in enumerate(stored):
        if not each.get("deleted"):
            frames.append(_frame(each, page, first + (place + 1) * _PER_FRAME, (left, top)))
            left += each["width"] + _GAP
    return frames


def _frame(stored: Document, page: int, first: int, corner: tuple[int, int]) -> Document:
    width, height = stored["width"], stored["height"]
    dice = blake2b(stored["name"].encode(), digest_size=6).digest()
    ids = [f"{page + 1}:{first + step}" for step in range(_PER_FRAME)]
    shapes = [] if stored.get("empty") else _shapes(stored, ids, corner, dice)
    ground = [] if stored.get("empty") else [_solid(_GROUNDS[dice[0] % len(_GROUNDS)])]
    node = _layer(ids[0], stored["name"], "FRAME") | _placed(*corner, width, height)
    node |= {"blendMode": "PASS_THROUGH", "clipsContent": True, "fills": ground, "strokes": [], "strokeWeight": 1.0}
    node |= {"strokeAlign": "INSIDE", "effects": [], "children": shapes}
    return node if stored.get("visible", True) else node | {"visible": False}


def _shapes(stored: Document, ids: list[str], corner: tuple[int, int], dice: bytes) -> list[Document]:
    """A sun, a band below it, and the name in writing."""
    width, height = stored["width"], stored["height"]
    left, top = corner
    side = round(min(width, height) * (0.36 + dice[1] % 16 / 100))
    sun = _shape(ids[1], "Sun", "ELLIPSE", _INKS[dice[2] % len(_INKS)]) | _placed(
        left + (width - side) // 2, top + round(height * 0.18), side, side
    )
    sun["arcData"] = {"startingAngle": 0.0, "endingAngle": 6.2831854820251465, "innerRadius": 0.0}
    band = _shape(ids[2], "Band", "RECTANGLE", _INKS[(dice[2] + 1 + dice[3] % 4) % len(_INKS)]) | _placed(
        left + round(width * 0.2), top + round(height * 0.56), round(width * 0.6), round(height * 0.09)
    )
    size = round(min(width, height) * 0.07)
    text = _shape(ids[3], stored["name"], "TEXT", "1f2024" if dice[0] % len(_GROUNDS) != 4 else "fafaf7") | _placed(
        left + round(width * 0.1), top + round(height * 0.74), round(width * 0.8), round(size * 1.3)
    )
    text |= {"characters": stored["name"], "characterStyleOverrides": [], "styleOverrideTable": {}}
    text |= {"lineTypes": ["NONE"], "lineIndentations": [0], "style": _writing(size)}
    return [sun, band, text]


def _writing(size: int) -> Document:
    return {
        "fontFamily": "Inter",
        "fontPostScriptName": "Inter-Bold",
        "fontStyle": "Bold",
        "fontWeight": 700,
        "fontSize": float(size),
        "textAlignHorizontal": "CENTER",
        "textAlignVertical": "CENTER",
        "letterSpacing": 0.0,
        "lineHeightPx": round(size * 1.21, 3),
        "lineHeightPercent": 100.0,
        "lineHeightUnit": "INTRINSIC_%",
    }


def _layer(node_id: str, name: str, kind: str) -> Document:
    return {"id": node_id, "name": name, "type": kind, "scrollBehavior": "SCROLLS"}


def _shape(node_id: str, name: str, kind: str, ink: str) -> Document:
    look = {"blendMode": "PASS_THROUGH", "fills": [_solid(ink)], "strokes": [], "strokeWeight": 1.0}
    return _layer(node_id, name, kind) | look | {"strokeAlign": "INSIDE", "effects": []}


def _placed(x: int, y: int, width: int, height: int) -> Document:
    box = {"x": float(x), "y": float(y), "width": float(width), "height": float(height)}
    return {"absoluteBoundingBox": box, "absoluteRenderBounds": dict(box)}


def _solid(ink: str) -> Document:
    return {"blendMode": "NORMAL", "type": "SOLID", "color": _colour(ink)}


def _colour(ink: str) -> Document:
    red, green, blue = (int(ink[start : start + 2], 16) / 255 for start in (0, 2, 4))
    return {"r": red, "g": green, "b": blue, "a": 1.0}
