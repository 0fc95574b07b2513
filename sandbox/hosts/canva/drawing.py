"""Draws the pages of designs from their ids: a ground, a few shapes and a caption bar, the same ones every time.

Serving them is the business of `delivery`.
"""

import io
from hashlib import blake2b

from PIL import Image, ImageDraw

_GROUNDS = ((250, 244, 235), (233, 240, 244), (244, 236, 240), (236, 243, 234), (32, 41, 61), (61, 44, 52))
_INKS = ((217, 101, 79), (64, 130, 146), (229, 180, 80), (101, 84, 141), (86, 118, 88))


def draw(name: str, page: int, width: int, height: int) -> Image.Image:
    """One page of a design, in the size asked for."""
    dice = blake2b(f"{name}:{page}".encode(), digest_size=16).digest()
    image = Image.new("RGB", (width, height), _GROUNDS[dice[0] % len(_GROUNDS)])
    canvas = ImageDraw.Draw(image)
    for number in range(3):
        _shape(canvas, dice[1 + number * 4 : 5 + number * 4], width, height)
    bar = (round(width * 0.1), round(height * 0.84), round(width * (0.4 + dice[13] / 640)), round(height * 0.88))
    canvas.rectangle(bar, fill=_INKS[dice[14] % len(_INKS)])
    return image


def encoded(pages: list[Image.Image], form: str, quality: int | None = None) -> bytes:
    """The pictures as one file: `png`, `jpg` (the first alone), `gif` or `pdf` (all of them)."""
    first, rest = pages[0], pages[1:]
    buffer = io.BytesIO()
    match form:
        case "jpg":
            first.save(buffer, "JPEG", quality=quality or 80)
        case "gif":
            first.save(buffer, "GIF", save_all=True, append_images=rest)
        case "pdf":
            first.save(buffer, "PDF", save_all=True, append_images=rest)
        case _:
            first.save(buffer, "PNG")
    return buffer.getvalue()


def stacked(pages: list[Image.Image]) -> Image.Image:
    """The pages as one picture, below one another."""
    whole = Image.new("RGB", (pages[0].width, sum(page.height for page in pages)))
    top = 0
    for page in pages:
        whole.paste(page, (0, top))
        top += page.height
    return whole


def shrunk(content: bytes, width: int) -> bytes:
    """A picture of at most that width, as PNG."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    image.thumbnail((width, width * 4))
    return encoded([image], "png")


def measured(content: bytes) -> tuple[str, int, int] | None:
    """Format, width and height of a picture that Canva takes; None for anything else, films of several frames too."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
            form, size, frames = image.format, image.size, getattr(image, "n_frames", 1)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if form not in {"JPEG", "PNG", "WEBP", "TIFF", "GIF"} or (form == "GIF" and frames > 1):
        return None
    return form, *size


def _shape(canvas: ImageDraw.ImageDraw, dice: bytes, width: int, height: int) -> None:
    x, y = width * dice[0] / 255, height * 0.75 * dice[1] / 255
    half = min(width, height) * (0.12 + dice[2] / 1200)
    fill = _INKS[dice[3] % len(_INKS)]
    box = (round(x - half), round(y - half), round(x + half), round(y + half))
    if dice[3] % 3 == 0:
        canvas.ellipse(box, fill=fill)
    elif dice[3] % 3 == 1:
        canvas.rounded_rectangle(box, radius=round(half / 4), fill=fill)
    else:
        canvas.polygon([(x, y - half), (x + half, y + half), (x - half, y + half)], fill=fill)
