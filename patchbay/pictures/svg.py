"""SVG designs: refuses what reaches outside the file or would never end, and draws the rest.

What does not live here: the drawing itself, which runs in a process of its own (`svg_drawing`) under limits of memory
and time.
"""

import base64
import binascii
import math
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from patchbay.errors import N_, Invalid, TooLarge
from patchbay.pictures import pixels

MAX_SIDE = 100_000
MAX_ELEMENTS = 50_000
MAX_DEPTH = 100

_TIME_LIMIT_S = 15
_NOT_SVG = N_("This is not a picture we can read. Upload a PNG, JPEG, WebP or SVG file.")
_OUTSIDE = N_("The SVG refers to something outside the file. Embed its pictures and styles, then upload it again.")
_ACTIVE = N_("The SVG contains scripts, animation or embedded pages. Export it as a plain SVG and upload it again.")
_ENTITIES = N_("The SVG declares entities. Export it as a plain SVG and upload it again.")
_NO_SIZE = N_("The SVG has no usable size. Give it a width and a height of at most 100,000 pixels.")
_NOT_DRAWN = N_("The SVG cannot be drawn here. Simplify it, or upload it as PNG.")
_TOO_COMPLEX = N_("The SVG is too complex to draw. Simplify it, or upload it as PNG.")

_DRAWING = Path(__file__).with_name("svg_drawing.py")
_ACTIVE_ELEMENTS = {
    *("script", "foreignobject", "iframe", "embed", "object", "audio", "video", "handler", "listener"),
    *("animate", "animatecolor", "animatemotion", "animatetransform", "set", "discard", "mpath"),
}
_XHTML = "http://www.w3.org/1999/xhtml"
_REACHES_OUT = re.compile(r"@import|@namespace|image-set|url\s*\(\s*(?![\s\"']*#)|\\[0-9a-f]", re.IGNORECASE)
_EMBEDDED = re.compile(r"data:image/(?:png|jpe?g|webp);base64,(?P<body>[A-Za-z0-9+/=\s]*)", re.IGNORECASE)
_LENGTH = re.compile(
    r"\s*(?P<number>\+?[0-9]*\.?[0-9]+(?:e[+-]?[0-9]{1,3})?)\s*(?P<unit>px|pt|pc|mm|cm|in)?\s*", re.IGNORECASE
)
_PIXELS_PER = {"px": 1.0, "pt": 96 / 72, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}


def measure(content: bytes) -> tuple[int, int]:
    """Width and height in CSS pixels, rounded; raises `Invalid` when it is no self-contained still SVG."""
    reading = _Reading()
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
    parser.StartElementHandler = reading.open_element
    parser.EndElementHandler = reading.close_element
    parser.CharacterDataHandler = reading.read_text
    parser.EntityDeclHandler = _refuse_entity
    parser.ProcessingInstructionHandler = _refuse_instruction
    try:
        parser.Parse(content.decode("utf-8-sig"), True)
    except (expat.ExpatError, UnicodeDecodeError, UnicodeEncodeError) as error:
        raise _invalid(_NOT_SVG) from error
    return _whole_size(reading.root)


def render(content: bytes, *, box: int) -> bytes:
    """A PNG whose longer side is `box` pixels; raises as `measure` does, and when drawing takes too much."""
    width, height = measure(content)
    longer = "width" if width >= height else "height"
    try:
        drawn = subprocess.run(  # noqa: S603 - our own file, run by the interpreter that runs us
            [sys.executable, "-I", str(_DRAWING), longer, str(box)],
            input=content,
            capture_output=True,
            timeout=_TIME_LIMIT_S,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _invalid(_TOO_COMPLEX) from error
    if drawn.returncode != 0:
        raise _invalid(_NOT_DRAWN)
    return drawn.stdout


@dataclass
class _Reading:
    """What the parser has seen; every refusal is raised from inside it, so that nothing is read past a bad element."""

    root: dict[str, str] = field(default_factory=dict)
    elements: int = 0
    open_names: list[str] = field(default_factory=list)
    style: str = ""
    embedded_pixels: int = 0

    def open_element(self, qualified: str, attributes: dict[str, str]) -> None:
        namespace, _, name = qualified.rpartition(" ")
        self._count(name)
        if self.elements == 1:
            self._open_root(name, attributes)
        if name.lower() in _ACTIVE_ELEMENTS or namespace == _XHTML:
            raise _invalid(_ACTIVE)
        for attribute, value in attributes.items():
            self._read_attribute(attribute.rpartition(" ")[2].lower(), value)

    def close_element(self, _qualified: str) -> None:
        if self.open_names.pop() == "style":
            _refuse_outside(self.style)
            self.style = ""

    def read_text(self, text: str) -> None:
        if self.open_names[-1] == "style":
            self.style += text

    def _count(self, name: str) -> None:
        self.elements += 1
        self.open_names.append(name.lower())
        if self.elements > MAX_ELEMENTS or len(self.open_names) > MAX_DEPTH:
            raise _invalid(_TOO_COMPLEX)

    def _open_root(self, name: str, attributes: dict[str, str]) -> None:
        if name != "svg":
            raise _invalid(_NOT_SVG)
        self.root = attributes

    def _read_attribute(self, name: str, value: str) -> None:
        if name.startswith("on"):
            raise _invalid(_ACTIVE)
        if name in ("href", "src"):
            self._read_reference(value.strip())
        elif name == "base":
            raise _invalid(_OUTSIDE)
        else:
            _refuse_outside(value)

    def _read_reference(self, value: str) -> None:
        if not value or value.startswith("#"):
            return
        embedded = _EMBEDDED.fullmatch(value)
        if embedded is None:
            raise _invalid(_OUTSIDE)
        try:
            picture = pixels.header(base64.b64decode(embedded["body"]))
        except binascii.Error as error:
            raise pixels.damaged() from error
        self.embedded_pixels += picture.width * picture.height
        if self.embedded_pixels > pixels.MAX_PIXELS:
            raise TooLarge(limit=N_("50 megapixels"))


def _refuse_outside(text: str) -> None:
    if _REACHES_OUT.search(text):
        raise _invalid(_OUTSIDE)


def _refuse_entity(*_declaration: object) -> None:
    raise _invalid(_ENTITIES)


def _refuse_instruction(_target: str, _text: str) -> None:
    raise _invalid(_OUTSIDE)


def _whole_size(root: dict[str, str]) -> tuple[int, int]:
    """SVG 2, "Intrinsic sizing": width and height as given, a missing one by the viewBox's ratio, else the viewBox."""
    box = _view_box(root.get("viewBox", ""))
    width, height = _length(root.get("width", "")), _length(root.get("height", ""))
    if box is not None:
        ratio = box[0] / box[1]
        width = width or (height * ratio if height else box[0])
        height = height or width / ratio
    if width is None or height is None or not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise _invalid(_NO_SIZE)
    return max(1, round(width)), max(1, round(height))


def _length(text: str) -> float | None:
    found = _LENGTH.fullmatch(text)
    if found is None:
        return None  # a percentage or nothing: the viewBox decides
    return float(found["number"]) * _PIXELS_PER[(found["unit"] or "px").lower()]


def _view_box(text: str) -> tuple[float, float] | None:
    try:
        _x, _y, width, height = (float(part) for part in text.replace(",", " ").split())
    except ValueError:
        return None
    usable = math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0
    return (width, height) if usable else None


def _invalid(sentence: str) -> Invalid:
    return Invalid({"file": sentence})
