"""A picture drawn anew for where it goes; mockups are drawn in `render`."""

import io
from math import ceil

from PIL import Image

from patchbay.pictures import designs
from patchbay.pictures.files import Content

WIDEST = 1440
NARROWEST_RATIO, WIDEST_RATIO = 4 / 5, 1.91
QUALITY = 90


def for_feeds(content: Content) -> bytes:
    """A JPEG as picture feeds take it: at most 1440 pixels wide, between 4:5 and 1.91:1, white around it.

    The bounds are those of "IG User Media" in Meta's Graph API reference (read 2026-11-21).
    """
    picture = designs.open_design(content, box=WIDEST).convert("RGBA")
    picture.thumbnail((WIDEST, int(WIDEST / NARROWEST_RATIO)))
    width, height = picture.size
    frame = (max(width, ceil(height * NARROWEST_RATIO)), max(height, ceil(width / WIDEST_RATIO)))
    sheet = Image.new("RGB", frame, "white")
    sheet.paste(picture, ((frame[0] - width) // 2, (frame[1] - height) // 2), picture)
    written = io.BytesIO()
    sheet.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()
