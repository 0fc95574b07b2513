"""What an uploaded file really is: its kind by content, its size, and the bytes to keep.

What does not live here: decoding for use (`pixels`), the rules for SVG (`svg`) and the byte layouts of PNG, JPEG and
WebP (`containers`). The bytes kept are the uploaded ones without metadata; they are encoded anew only when the pixels
themselves must change: an EXIF orientation other than upright, or CMYK.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import PurePath

from patchbay.errors import N_, Invalid, TooLarge
from patchbay.pictures import containers, designs, pixels, svg

MAX_BYTES = 20 * 1024 * 1024

_EMPTY = N_("The file is empty. Choose another one.")
_NOT_A_PICTURE = N_("This is not a picture we can read. Upload a PNG, JPEG, WebP or SVG file.")
_ANIMATED = N_("Animated pictures cannot be used. Upload a still picture.")
_WRONG_NAME = N_("The name of the file does not fit its content. Give it the right ending, then upload it again.")

_KINDS = {
    "PNG": ("image/png", (".png",)),
    "JPEG": ("image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif")),
    "WEBP": ("image/webp", (".webp",)),
    "SVG": ("image/svg+xml", (".svg",)),
}
_JPEG_QUALITY = 95
_TRIAL_BOX = 64  # pixels: an SVG that cannot be drawn small cannot be drawn at all


@dataclass(frozen=True)
class Picture:
    """A picture: `width` × `height` pixels as displayed, `extension` with its dot, `sha256` of `content` in hex."""

    content_type: str
    width: int
    height: int
    extension: str
    content: bytes = field(repr=False)
    sha256: str


def read_picture(content: bytes, *, declared_name: str) -> Picture:
    """Accept a still PNG, JPEG, WebP or SVG by what it is; a name without an ending fits any of them.

    Raises `TooLarge` above 20 MB or 50 megapixels, `Invalid` (field `file`) for all else that cannot be used.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge(limit="20 MB")
    kind = _kind_of(content)
    _check_name(declared_name, kind)
    if kind == "SVG":
        svg.render(content, box=_TRIAL_BOX)
        return _picture(kind, content, *svg.measure(content))
    return _read_raster(kind, content)


def _kind_of(content: bytes) -> str:
    if not content:
        raise Invalid({"file": _EMPTY})
    kind = "SVG" if designs.is_markup(content) else containers.kind_of(content)
    if kind is None:
        raise Invalid({"file": _NOT_A_PICTURE})
    return kind


def _check_name(declared_name: str, kind: str) -> None:
    ending = PurePath(declared_name).suffix.lower()
    if ending and ending not in _KINDS[kind][1]:
        raise Invalid({"file": _WRONG_NAME})


def _read_raster(kind: str, content: bytes) -> Picture:
    picture = pixels.header(content)
    if containers.is_animated(kind, content):
        raise Invalid({"file": _ANIMATED})
    pixels.load(picture)
    if pixels.orientation(picture) == 1 and picture.mode != "CMYK":
        return _picture(kind, containers.without_metadata(kind, content), picture.width, picture.height)
    return _encoded_anew(kind, content)


def _encoded_anew(kind: str, content: bytes) -> Picture:
    """Upright sRGB in the same format: lossless but for JPEG, which has no lossless form for any size of picture."""
    picture = pixels.upright(content)
    encoded = BytesIO()
    picture.info.clear()
    if kind == "JPEG":
        picture.save(encoded, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    elif kind == "WEBP":
        picture.save(encoded, "WEBP", lossless=True)
    else:
        picture.save(encoded, "PNG")
    return _picture(kind, encoded.getvalue(), picture.width, picture.height)


def _picture(kind: str, content: bytes, width: int, height: int) -> Picture:
    content_type, extensions = _KINDS[kind]
    return Picture(content_type, width, height, extensions[0], content, sha256(content).hexdigest())
