"""Draws simple pictures of printed things from their names, the same one every time.

Serving them is the business of `pictures`.
"""

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]

_GROUNDS: Final[tuple[Colour, ...]] = ((240, 236, 228), (228, 236, 238), (241, 230, 228), (231, 238, 228))
_INKS: Final[tuple[Colour, ...]] = ((196, 84, 62), (58, 110, 132), (214, 160, 58), (84, 104, 78), (112, 82, 128))
_RINGS: Final = 4


def ground_of(name: str) -> Colour:
    """The colour behind the print."""
    return _GROUNDS[_dice(name)[0] % len(_GROUNDS)]


def draw(name: str, width: int, height: int) -> "Image":
    """A sheet with a border and rings or bars on it, in two inks that the name chooses."""
    from PIL import Image, ImageDraw

    dice = _dice(name)
    first, second = _INKS[dice[1] % len(_INKS)], _INKS[(dice[1] + 1 + dice[2] % 4) % len(_INKS)]
    image = Image.new("RGB", (width, height), ground_of(name))
    canvas = ImageDraw.Draw(image)
    sheet = (width * 0.2, height * 0.12, width * 0.8, height * 0.88)
    canvas.rectangle(sheet, fill=(253, 252, 249), outline=(120, 112, 102), width=max(1, width // 200))
    middle = (width * (0.4 + dice[3] / 1280), height * (0.4 + dice[4] / 1280))
    for ring in range(_RINGS, 0, -1):
        ink = first if ring % 2 else second
        reach = min(width, height) * 0.06 * ring
        box = (middle[0] - reach, middle[1] - reach, middle[0] + reach, middle[1] + reach)
        if dice[5] % 2:
            canvas.ellipse(box, fill=ink)
        else:
            canvas.rectangle(box, fill=ink)
    return image


def _dice(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=8).digest()
