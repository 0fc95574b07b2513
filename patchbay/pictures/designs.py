"""Opens a design of any accepted kind, raster or SVG, as pixels large enough for a given box.

What does not live here: setting it onto a template (`render`) and the checks made once at upload (`inspect`).
"""

from PIL import Image

from patchbay.pictures import pixels, svg
from patchbay.pictures.files import Content

_MARKUP_WITHIN = 64 * 1024


def is_markup(content: Content) -> bool:
    """Whether the bytes begin as XML does, so that only an SVG can be meant."""
    return content[:_MARKUP_WITHIN].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def open_design(content: Content, *, box: int) -> Image.Image:
    """Upright sRGB pixels; a JPEG or SVG comes near `box` pixels, other pictures at their own size."""
    if is_markup(content):
        return pixels.upright(svg.render(content[:], box=box))
    return pixels.upright(content, at_least=box)
