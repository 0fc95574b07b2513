"""Small versions of pictures, for the gallery and for the image proxy.

What does not live here: previews of empty templates (`templates.preview`) and caching.
"""

from io import BytesIO

from PIL import Image

from patchbay.pictures import designs
from patchbay.pictures.files import Content

_QUALITY = 82


def fit(content: Content, *, box: int) -> bytes:
    """A WebP that fits into `box` × `box` pixels, ratio kept, never larger than the picture itself.

    Takes what `inspect.read_picture` accepts; raises `Invalid` or `TooLarge` as it does.
    """
    return encoded(designs.open_design(content, box=box), box=box)


def encoded(picture: Image.Image, *, box: int) -> bytes:
    """The pixels, brought into `box` × `box`, as a WebP without metadata."""
    picture.thumbnail((box, box), Image.Resampling.LANCZOS, reducing_gap=3.0)
    small = BytesIO()
    picture.save(small, "WEBP", quality=_QUALITY, method=4)
    return small.getvalue()
