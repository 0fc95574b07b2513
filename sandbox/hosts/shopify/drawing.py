"""Draws simple product pictures from their names: a tee, a mug, a poster in its colour, the same one every time.

Serving them is the business of `cdn`.
"""

from collections.abc import Callable
from hashlib import blake2b

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Points = list[tuple[float, float]]

_SCALE = 2  # drawn twice as large and shrunk, for smooth edges
_COLOURS: dict[str, Colour] = {
    "white": (250, 250, 247),
    "black": (44, 46, 51),
    "sand": (221, 205, 179),
    "sage": (150, 172, 148),
    "navy": (45, 62, 99),
    "clay": (192, 112, 84),
    "sky": (142, 186, 214),
    "plum": (120, 78, 116),
    "forest": (58, 95, 77),
    "rose": (222, 165, 164),
    "mustard": (214, 170, 75),
    "natural": (236, 226, 205),
}
_GROUNDS: tuple[Colour, ...] = ((239, 236, 230), (231, 236, 238), (240, 233, 233), (233, 238, 230))
_INKS: tuple[Colour, ...] = ((214, 96, 77), (67, 132, 148), (227, 178, 77), (92, 110, 88), (130, 93, 140))


class _Sheet:
    """A square canvas with coordinates from 0 to 100."""

    def __init__(self, side: int, ground: Colour) -> None:
        self._unit = side / 100
        self.image = Image.new("RGB", (side, side), ground)
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Points, fill: Colour) -> None:
        self._draw.polygon([(x * self._unit, y * self._unit) for x, y in points], fill=fill)

    def ellipse(self, x: float, y: float, width: float, height: float, fill: Colour) -> None:
        self._draw.ellipse(self._box(x, y, width, height), fill=fill)

    def box(self, x: float, y: float, width: float, height: float, fill: Colour, radius: float = 0) -> None:
        self._draw.rounded_rectangle(self._box(x, y, width, height), radius * self._unit, fill=fill)

    def arc(self, x: float, y: float, width: float, height: float, fill: Colour, thickness: float) -> None:
        box = self._box(x, y, width, height)
        self._draw.arc(box, 0, 360, fill=fill, width=round(thickness * self._unit))

    def _box(self, x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        return (x * self._unit, y * self._unit, (x + width) * self._unit, (y + height) * self._unit)


def draw(name: str, side: int) -> Image.Image:
    """A square picture of `side` pixels. Words in the name choose product and colour, the rest chooses the print."""
    words = name.lower().replace("_", "-").split("-")
    dice = blake2b(name.encode(), digest_size=4).digest()
    colour = next((_COLOURS[word] for word in words if word in _COLOURS), list(_COLOURS.values())[dice[0] % 12])
    shape = next((_SHAPES[word] for word in words if word in _SHAPES), _print_sheet)
    sheet = _Sheet(side * _SCALE, _GROUNDS[dice[1] % len(_GROUNDS)])
    sheet.ellipse(16, 85, 68, 6, _darker(_GROUNDS[dice[1] % len(_GROUNDS)], 0.93))
    shape(sheet, colour, dice)
    return sheet.image.resize((side, side), Image.Resampling.LANCZOS)


def _tee(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sleeves: Points = [
        (37, 20),
        (17, 31),
        (25, 47),
        (33, 42),
        (33, 87),
        (67, 87),
        (67, 42),
        (75, 47),
        (83, 31),
        (63, 20),
    ]
    sheet.polygon(sleeves, colour)
    sheet.ellipse(40, 14, 20, 13, _darker(colour, 0.82))
    _print(sheet, 50, 52, 19, dice)


def _hoodie(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    _tee(sheet, colour, dice)
    sheet.polygon([(17, 31), (12, 72), (22, 74), (29, 45)], _darker(colour, 0.94))
    sheet.polygon([(83, 31), (88, 72), (78, 74), (71, 45)], _darker(colour, 0.94))
    sheet.ellipse(34, 12, 32, 18, _darker(colour, 0.88))
    sheet.polygon([(38, 68), (62, 68), (66, 82), (34, 82)], _darker(colour, 0.9))


def _mug(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sheet.arc(60, 36, 24, 32, colour, 5)
    sheet.box(24, 28, 46, 58, colour, 5)
    sheet.ellipse(24, 23, 46, 11, _darker(colour, 0.86))
    _print(sheet, 47, 58, 15, dice)


def _tote(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sheet.arc(36, 10, 28, 50, _darker(colour, 0.85), 3)
    sheet.polygon([(26, 36), (74, 36), (78, 87), (22, 87)], colour)
    _print(sheet, 50, 62, 17, dice)


def _poster(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sheet.box(25, 12, 50, 75, (74, 66, 58))
    sheet.box(27, 14, 46, 71, (252, 251, 248))
    sheet.box(31, 19, 38, 50, colour)
    _print(sheet, 50, 44, 15, dice)
    sheet.box(38, 75, 24, 2, (150, 146, 140))


def _cushion(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sheet.polygon([(16, 20), (50, 24), (84, 20), (80, 53), (84, 86), (50, 82), (16, 86), (20, 53)], colour)
    _print(sheet, 50, 53, 20, dice)


def _bottle(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sheet.box(43, 10, 14, 12, _darker(colour, 0.7), 2)
    sheet.box(35, 21, 30, 66, colour, 9)
    _print(sheet, 50, 56, 11, dice)


def _notebook(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sheet.box(28, 16, 46, 71, colour, 2)
    sheet.box(28, 16, 7, 71, _darker(colour, 0.85), 2)
    _print(sheet, 55, 47, 14, dice)


def _cap(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sheet.box(24, 30, 52, 38, colour, 24)
    sheet.ellipse(18, 55, 66, 14, _darker(colour, 0.85))
    _print(sheet, 50, 46, 9, dice)


def _sticker(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sheet.ellipse(19, 18, 64, 64, (253, 253, 251))
    sheet.ellipse(23, 22, 56, 56, colour)
    _print(sheet, 51, 50, 18, dice)


def _case(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sheet.box(32, 11, 36, 76, colour, 7)
    sheet.box(36, 15, 13, 13, _darker(colour, 0.75), 4)
    _print(sheet, 50, 56, 13, dice)


def _print_sheet(sheet: _Sheet, colour: Colour, dice: bytes) -> None:
    sheet.box(20, 16, 60, 70, (252, 251, 248))
    sheet.box(24, 20, 52, 52, colour)
    _print(sheet, 50, 46, 20, dice)


def _print(sheet: _Sheet, x: float, y: float, size: float, dice: bytes) -> None:
    """The design on a product: sun, peak, wave or leaf, in two inks."""
    first, second = _INKS[dice[2] % 5], _INKS[(dice[2] + 1 + dice[3] % 4) % 5]
    half = size / 2
    kind = dice[3] % 4
    if kind == 0:
        sheet.ellipse(x - half, y - half, size, size, first)
        sheet.box(x - half, y + half * 0.2, size, half * 0.25, second)
    elif kind == 1:
        sheet.polygon([(x - half, y + half), (x - half * 0.1, y - half), (x + half * 0.6, y + half)], first)
        sheet.polygon([(x - half * 0.1, y + half), (x + half * 0.5, y - half * 0.3), (x + half, y + half)], second)
    elif kind == 2:
        for step in range(3):
            sheet.box(x - half, y - half + step * size / 3, size, size / 5, (first, second, first)[step], size / 10)
    else:
        sheet.polygon([(x, y - half), (x + half * 0.7, y), (x, y + half), (x - half * 0.7, y)], first)
        sheet.polygon([(x, y - half), (x + half * 0.7, y), (x, y + half)], second)


def _darker(colour: Colour, share: float) -> Colour:
    red, green, blue = (round(part * share) for part in colour)
    return red, green, blue


_SHAPES: dict[str, Callable[[_Sheet, Colour, bytes], None]] = {
    "tee": _tee,
    "hoodie": _hoodie,
    "mug": _mug,
    "tote": _tote,
    "poster": _poster,
    "cushion": _cushion,
    "bottle": _bottle,
    "notebook": _notebook,
    "cap": _cap,
    "sticker": _sticker,
    "case": _case,
}
