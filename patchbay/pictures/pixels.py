"""Opens bytes as pixels within the size limits: upright, 8 bits a channel, sRGB, RGB or RGBA.

What does not live here: which uploads are accepted (`inspect`) and what is done with the pixels (`render`,
`thumbnails`).
"""

import struct
import zlib
from io import BytesIO
from typing import IO, cast

from PIL import Image, ImageCms

from patchbay.errors import N_, Invalid, TooLarge
from patchbay.pictures.files import Content

MAX_PIXELS = 50_000_000
RASTER_FORMATS = ("PNG", "JPEG", "WEBP")

_DAMAGED = N_("The picture is damaged or cut short. Export it again and upload the new file.")
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)
_ORIENTATION_TAG = 0x0112
_TURNS = {  # what makes each EXIF orientation upright (CIPA DC-008, tag 274)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def header(content: Content) -> Image.Image:
    """The picture with only its header read; raises `Invalid` when unreadable, `TooLarge` above `MAX_PIXELS`.

    The rest is read from `content` when it is loaded: piece by piece, but for WebP, which is decoded in one piece.
    """
    file = BytesIO(content) if isinstance(content, bytes) else cast("IO[bytes]", content)  # a map reads like a file
    try:
        picture = Image.open(file, formats=RASTER_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge(limit=N_("50 megapixels")) from error
    except _UNREADABLE as error:
        raise damaged() from error
    if picture.width * picture.height > MAX_PIXELS:
        raise TooLarge(limit=N_("50 megapixels"))
    return picture


def load(picture: Image.Image) -> Image.Image:
    """Decode every pixel of what `header` gave; raises `Invalid` when the bytes end early or do not decode."""
    try:
        picture.load()
    except (*_UNREADABLE, MemoryError) as error:
        raise damaged() from error
    return picture


def upright(content: Content, *, at_least: int | None = None) -> Image.Image:
    """The pixels as a person sees them: EXIF orientation applied, 8-bit sRGB; RGBA where something shows through.

    `at_least` (pixels) lets a JPEG be decoded smaller, both sides staying at or above it.
    """
    picture = header(content)
    if at_least is not None:
        picture.draft(None, (at_least, at_least))
    load(picture)
    turn = _TURNS.get(orientation(picture))
    return _in_srgb(picture if turn is None else picture.transpose(turn))


def orientation(picture: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) when there is none or it cannot be read."""
    try:
        value = picture.getexif().get(_ORIENTATION_TAG, 1)
    except _UNREADABLE:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def damaged() -> Invalid:
    """The refusal of a picture that cannot be decoded to its end."""
    return Invalid({"file": _DAMAGED})


def _in_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith("I") or picture.mode == "F":
        return _eight_bit(picture).convert("RGB")
    wanted = "RGBA" if picture.has_transparency_data else "RGB"
    if isinstance(profile, bytes) and picture.mode in ("RGB", "RGBA", "CMYK"):
        return _converted(picture, profile, wanted)
    return picture if picture.mode == wanted else picture.convert(wanted)


def _eight_bit(picture: Image.Image) -> Image.Image:
    """16-bit grey brought to 8 bits: Pillow's own conversion cuts everything above 255 to white."""
    return picture.convert("I").convert("F").point(lambda level: level * (1 / 257)).convert("L")


def _converted(picture: Image.Image, profile: bytes, wanted: str) -> Image.Image:
    alpha = picture.getchannel("A") if wanted == "RGBA" and picture.mode == "RGBA" else None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        opaque = picture if picture.mode == "CMYK" else picture.convert("RGB")
        converted = ImageCms.profileToProfile(opaque, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture.convert(wanted)  # a broken profile is ignored, as browsers do
    if converted is None:
        return picture.convert(wanted)
    if alpha is not None:
        converted.putalpha(alpha)
    return converted
