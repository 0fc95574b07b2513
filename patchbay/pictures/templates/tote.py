"""The tote bag: natural canvas, hanging from a wooden peg on a terracotta wall.

What does not live here: the brushes it is painted with (`brushes`).
"""

from PIL import Image

from patchbay.pictures.templates import brushes as b
from patchbay.pictures.templates import surfaces
from patchbay.pictures.templates.plate import Plate

_PRINT = (500, 720, 1100, 1380)
_CANVAS = (242, 234, 217)

_BAG = b.mirrored(
    b.bezier(
        (800, 572),
        ((900, 572), (1040, 566), (1150, 560)),
        ((1158, 560), (1161, 564), (1162, 572)),
        ((1176, 880), (1190, 1180), (1202, 1440)),
        ((1204, 1476), (1186, 1492), (1152, 1494)),
        ((1040, 1502), (920, 1504), (800, 1504)),
    )
)
_FRONT_STRAP = b.bezier(
    (590, 640), ((600, 400), (690, 172), (800, 140)), ((910, 172), (1000, 400), (1010, 640)), steps=40
)
_BACK_STRAP = b.bezier((640, 590), ((650, 400), (720, 190), (800, 158)), ((880, 190), (950, 400), (960, 590)), steps=40)
_STRAP_WIDTH = 50

_SOFT_FOLDS = (
    ((600, 660), (560, 900), (590, 1160), 46, 24),
    ((1000, 660), (1050, 900), (1020, 1180), 46, 24),
    ((620, 640), (760, 760), (940, 780), 44, 15),
    ((450, 600), (470, 900), (440, 1250), 40, 26),
    ((1150, 600), (1130, 900), (1165, 1250), 40, 24),
    ((420, 1470), (560, 1400), (640, 1240), 48, 26),
    ((1180, 1470), (1060, 1390), (980, 1220), 48, 26),
    ((700, 1490), (760, 1350), (730, 1120), 46, 16),
    ((880, 820), (830, 1000), (900, 1250), 44, 13),
)
_SHARP_FOLDS = (
    ((585, 655), (560, 740), (575, 830), 12, 26),
    ((1015, 655), (1040, 740), (1028, 840), 12, 26),
    ((415, 1440), (470, 1420), (520, 1370), 12, 24),
    ((1188, 1440), (1130, 1420), (1080, 1365), 12, 24),
)


def draw() -> Plate:
    """The scene and its print area on the front."""
    scene = b.blend((214, 160, 136), (178, 116, 94), lambda x, y: (0.7 * x + 0.7 * y) / 2240)
    bag = b.outline_mask(_BAG)
    front, back = b.line_mask(_FRONT_STRAP, _STRAP_WIDTH), b.line_mask(_BACK_STRAP, _STRAP_WIDTH)
    for part in (bag, front, back):
        b.cast_shadow(scene, part, (38, 40), blur=34, strength=0.26, colour=(62, 26, 14))
    b.cast_shadow(scene, bag, (8, 10), blur=9, strength=0.36, colour=(62, 26, 14))
    _draw_peg(scene)
    canvas = b.weave(33, 0.026)
    _draw_strap(scene, back, canvas, 0.80)
    lit = _cloth_light(bag, canvas)
    b.lay(scene, b.painted(_CANVAS, lit), bag)
    _draw_hem(scene, bag)
    b.cast_shadow(
        scene, b.inside(front, b.outline_mask([(0, 0), (1600, 0), (1600, 700), (0, 700)])), (4, 6), blur=6, strength=0.3
    )
    _draw_strap(scene, front, canvas, 0.97)
    _draw_strap_stitches(scene)
    size = (_PRINT[2] - _PRINT[0], _PRINT[3] - _PRINT[1])
    return Plate(
        picture=scene,
        box=_PRINT,
        mask=Image.new("L", size, 245),
        shade=b.shade_layer(lit, _PRINT),
        light=Image.new("L", size, 8),
        look_up=surfaces.rectangle(*_PRINT),
    )


def _cloth_light(bag: Image.Image, canvas: Image.Image) -> Image.Image:
    return b.added(
        b.light(lambda x, y: 0.985 - 0.05 * (x - 400) / 800 - 0.04 * (y - 560) / 940),
        b.edge_shade(bag, 30, 0.13),
        b.creases(_SOFT_FOLDS, softness=20),
        b.creases(_SHARP_FOLDS, softness=6),
        b.clouds(31, 8, 9, 0.02),
        canvas,
    )


def _draw_peg(scene: Image.Image) -> None:
    peg = b.outline_mask(b.ellipse(800, 196, 44, 44))
    b.cast_shadow(scene, peg, (22, 26), blur=16, strength=0.5, colour=(62, 26, 14))
    round_light = b.light(lambda x, y: 1.08 - ((x - 784) ** 2 + (y - 178) ** 2) / 9000, cells=160)
    b.lay(scene, b.painted((206, 160, 110), b.added(round_light, b.grain(35, 0.05, stretch=(20, 2)))), peg)


def _draw_strap(scene: Image.Image, strap: Image.Image, canvas: Image.Image, brightness: float) -> None:
    lit = b.added(
        b.light(lambda x, y: brightness - 0.04 * (x - 600) / 400 - 0.10 * max(0.0, (260 - y) / 120)),
        b.edge_shade(strap, 7, 0.16),
        canvas,
    )
    b.lay(scene, b.painted(_CANVAS, lit), strap)


def _draw_hem(scene: Image.Image, bag: Image.Image) -> None:
    edge = b.bezier((436, 628), ((560, 634), (680, 638), (800, 638)), ((920, 638), (1040, 634), (1164, 628)))
    ridge = b.inside(b.blurred(b.line_mask(edge, 6), 4), bag)
    b.lay(scene, (96, 82, 62), b.faded(ridge, 0.30))
    stitched = b.inside(b.line_mask([(x, y - 7) for x, y in edge], 2.6, dash=9), bag)
    b.lay(scene, (150, 134, 108), b.faded(stitched, 0.75))


def _draw_strap_stitches(scene: Image.Image) -> None:
    crosses = []
    for x in (591, 1009):
        left, right, top, bottom = x - 17, x + 17, 584, 632
        crosses.append([(left, top), (right, top), (right, bottom), (left, bottom), (left, top), (right, bottom)])
        crosses.append([(right, top), (left, bottom)])
    b.lay(scene, (140, 124, 98), b.faded(b.lines_mask(crosses, 2.4, dash=7), 0.8))
