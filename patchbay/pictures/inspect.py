"""What an uploaded file really is: its kind by content, its size, and the bytes to keep.

What does not live here: decoding for use (`pixels`), the rules for SVG (`svg`) and the byte layouts of PNG, JPEG and
WebP (`containers`). The bytes kept are the uploaded ones without metadata; they are encoded anew only when the pixels
themselves must change: an EXIF orientation other than upright, or CMYK.
"""

import hashlib
import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath
from typing import IO, cast

from patchbay.errors import N_, Invalid, TooLarge
from patchbay.pictures import containers, designs, pixels, svg
from patchbay.pictures.files import Content

MAX_BYTES = 256 * 1024 * 1024
MAX_DRAWING_BYTES = 20 * 1024 * 1024

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
    """What was kept: `width` × `height` pixels as displayed, `extension` with its dot, `sha256` of the bytes in hex."""

    content_type: str
    width: int
    height: int
    extension: str
    size_bytes: int
    sha256: str


def read_picture(content: Content, *, declared_name: str, kept: IO[bytes]) -> Picture:
    """Accept a still PNG, JPEG, WebP or SVG by what it is, and write the bytes to keep into the empty file `kept`.

    A name without an ending fits any kind. Raises `TooLarge` above 256 MB (SVG: 20 MB) or 50 megapixels, `Invalid`
    (field `file`) for all else that cannot be used.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge(limit="256 MB")
    kind = _kind_of(content)
    _check_name(declared_name, kind)
    width, height = _keep_drawing(content, kept) if kind == "SVG" else _keep_raster(kind, content, kept)
    content_type, extensions = _KINDS[kind]
    size_bytes = kept.seek(0, os.SEEK_END)
    kept.seek(0)
    digest = hashlib.file_digest(cast("BytesIO", kept), "sha256").hexdigest()
    return Picture(content_type, width, height, extensions[0], size_bytes, digest)


def _kind_of(content: Content) -> str:
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


def _keep_drawing(content: Content, kept: IO[bytes]) -> tuple[int, int]:
    if len(content) > MAX_DRAWING_BYTES:
        raise TooLarge(limit="20 MB")
    drawing = content[:]
    svg.render(drawing, box=_TRIAL_BOX)
    kept.write(drawing)
    return svg.measure(drawing)


def _keep_raster(kind: str, content: Content, kept: IO[bytes]) -> tuple[int, int]:
    if containers.is_animated(kind, content):
        raise Invalid({"file": _ANIMATED})
    picture = pixels.load(pixels.header(content))
    if pixels.orientation(picture) == 1 and picture.mode != "CMYK":
        kept.writelines(containers.without_metadata(kind, content))
        return picture.size
    del picture  # the pixels take 200 MB at most, and are about to be read anew
    return _keep_encoded_anew(kind, content, kept)


def _keep_encoded_anew(kind: str, content: Content, kept: IO[bytes]) -> tuple[int, int]:
    """Upright sRGB in the same format: lossless but for JPEG, which has no lossless form for any size of picture."""
    picture = pixels.upright(content)
    picture.info.clear()
    if kind == "JPEG":
        picture.save(kept, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    elif kind == "WEBP":
        picture.save(kept, "WEBP", lossless=True)
    else:
        picture.save(kept, "PNG")
    return picture.size
