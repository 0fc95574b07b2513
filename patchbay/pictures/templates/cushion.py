"""The cushion: plump linen with piping, standing against a dusk-blue wall.

What does not live here: the brushes it is painted with (`brushes`).
"""

import math

from PIL import Image

from patchbay.pictures.templates import brushes as b
from patchbay.pictures.templates.plate import Plate

_CENTRE = (800, 815)
_HALF = 590
_WAIST = 0.08  # how far the sides are drawn in at their middle
_REACH = 0.86  # of the half width, print area
_PRINT = (260, 275, 1340, 1355)
_LINEN = (246, 243, 236)

_CORNER_FOLDS = tuple(
    (
        (800 + sx * 548, 815 + sy * 548),
        (800 + sx * (430 + bend), 815 + sy * (430 - bend)),
        (800 + sx * reach, 815 + sy * (reach + bend)),
        width,
        depth,
    )
    for sx in (-1, 1)
    for sy in (-1, 1)
    for bend, reach, width, depth in ((50, 170, 34, 14), (-55, 200, 30, 12), (0, 240, 20, 11))
)
_SIDE_FOLDS = (
    ((790, 300), (770, 420), (800, 560), 40, 12),
    ((270, 800), (400, 830), (520, 800), 40, 12),
    ((1330, 860), (1200, 820), (1090, 850), 40, 12),
    ((840, 1330), (860, 1220), (830, 1090), 42, 13),
)


def draw() -> Plate:
    """The scene and its print area, which bulges with the filling."""
    scene = b.blend((188, 201, 216), (128, 146, 170), _backdrop)
    outline = _outline()
    cushion = b.outline_mask(outline)
    _draw_shadows(scene, cushion)
    lit = _cloth_light(cushion)
    b.lay(scene, b.painted(_LINEN, lit), cushion)
    _draw_piping(scene, outline)
    return Plate(
        picture=scene,
        box=_PRINT,
        mask=b.blurred(cushion, 2).crop(_PRINT).point(lambda level: round(level * 0.98)),
        shade=b.shade_layer(lit, _PRINT),
        light=Image.new("L", (_PRINT[2] - _PRINT[0], _PRINT[3] - _PRINT[1]), 6),
        look_up=_bulge,
    )


def _bulge(x: float, y: float) -> b.Point:
    across, down = (x - _CENTRE[0]) / _HALF, (y - _CENTRE[1]) / _HALF
    u = across / (_drawn_in(down) * _REACH)
    v = down / (_drawn_in(across) * _REACH)
    return 0.5 + u / 2, 0.5 + v / 2


def _drawn_in(along: float) -> float:
    """The half width at a place along a side, from 1 at its corners to 1 less the waist in its middle."""
    return 1 - _WAIST * (1 - min(1.0, along * along))


def _outline() -> list[b.Point]:
    steps = [-1 + k / 40 for k in range(80)]
    sides = (
        [(t, -_drawn_in(t)) for t in steps],
        [(_drawn_in(t), t) for t in steps],
        [(-t, _drawn_in(t)) for t in steps],
        [(-_drawn_in(t), -t) for t in steps],
    )
    return [(_CENTRE[0] + _HALF * x, _CENTRE[1] + _HALF * y) for side in sides for x, y in side]


def _backdrop(x: float, y: float) -> float:
    wall = 0.5 * math.hypot((x - 500) / 1300, (y - 380) / 1300)
    floor = 0.28 / (1 + math.exp((1240 - y) / 30))
    return min(1.0, wall + floor)


def _draw_shadows(scene: Image.Image, cushion: Image.Image) -> None:
    b.cast_shadow(scene, cushion, (52, 36), blur=58, strength=0.36, colour=(28, 36, 54))
    b.cast_shadow(
        scene, b.outline_mask(b.ellipse(820, 1374, 560, 44)), (0, 0), blur=24, strength=0.55, colour=(22, 28, 44)
    )
    b.cast_shadow(scene, cushion, (6, 8), blur=8, strength=0.35, colour=(28, 36, 54))


def _cloth_light(cushion: Image.Image) -> Image.Image:
    return b.added(
        b.light(_dome),
        b.edge_shade(cushion, 34, 0.14),
        b.creases(_CORNER_FOLDS, softness=18),
        b.creases(_SIDE_FOLDS, softness=20),
        b.clouds(61, 7, 7, 0.025),
        b.weave(63, 0.020),
    )


def _dome(x: float, y: float) -> float:
    across, down = (x - _CENTRE[0]) / _HALF, (y - _CENTRE[1]) / _HALF
    facing = -0.045 * across**3 - 0.085 * down**3 - 0.03 * (across + down)
    return 0.975 + facing - 0.05 * (across**4 + down**4)


def _draw_piping(scene: Image.Image, outline: list[b.Point]) -> None:
    closed = [*outline, outline[0]]
    piping = b.line_mask(closed, 15)
    lit = b.added(
        b.tube(closed, 15), b.light(lambda x, y: 0.97 - 0.00012 * (x + y - 1000)), b.grain(65, 0.03, stretch=(2, 2))
    )
    b.lay(scene, (90, 88, 86), b.faded(b.blurred(b.line_mask(closed, 26), 5), 0.22))
    b.lay(scene, b.painted(_LINEN, lit), piping)
