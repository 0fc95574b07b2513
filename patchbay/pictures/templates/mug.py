"""The mug: white glazed ceramic on a warm backdrop, its print bent around it.

What does not live here: the brushes it is painted with (`brushes`) and the cylinder's mathematics (`surfaces`).
"""

import math

from PIL import Image, ImageChops

from patchbay.pictures.templates import brushes as b
from patchbay.pictures.templates import surfaces
from patchbay.pictures.templates.plate import Plate

_AXIS, _RADIUS = 725, 385
_TOP, _FOOT = 400, 1235
_TOP_SAG, _FOOT_SAG = 62, 84
_PRINT_TOP, _PRINT_BOTTOM, _PRINT_SAG, _PRINT_ANGLE = 505, 1135, 72, 1.03
_PRINT = (390, 500, 1060, 1215)
_GLAZE = (250, 248, 245)

_RIM = b.ellipse(_AXIS, _TOP, _RADIUS, _TOP_SAG)
_INSIDE = b.ellipse(_AXIS, _TOP + 3, _RADIUS - 20, _TOP_SAG - 11)
_BODY = [
    *b.ellipse(_AXIS, _TOP, _RADIUS, _TOP_SAG, start=180, end=360),
    *b.bezier(
        (_AXIS + _RADIUS, _FOOT - 60),
        ((_AXIS + _RADIUS, _FOOT + 10), (_AXIS + 250, _FOOT + _FOOT_SAG), (_AXIS, _FOOT + _FOOT_SAG)),
        ((_AXIS - 250, _FOOT + _FOOT_SAG), (_AXIS - _RADIUS, _FOOT + 10), (_AXIS - _RADIUS, _FOOT - 60)),
    ),
]
_HANDLE = b.bezier(
    (1070, 575), ((1260, 545), (1395, 610), (1385, 790)), ((1375, 960), (1230, 1060), (1065, 1075)), steps=40
)
_HANDLE_WIDTH = 82


def draw() -> Plate:
    """The scene and its print area, a good third of the way around."""
    scene = b.blend((240, 222, 205), (214, 182, 158), _backdrop)
    body = b.outline_mask(_BODY)
    _draw_shadows(scene)
    _draw_handle(scene, body)
    lit = _body_light()
    b.lay(scene, b.painted(_GLAZE, lit), body)
    shine = _shine()
    scene = Image.composite(ImageChops.screen(scene, Image.merge("RGB", (shine, shine, shine))), scene, body)
    _draw_rim(scene)
    return Plate(
        picture=scene,
        box=_PRINT,
        mask=Image.new("L", (_PRINT[2] - _PRINT[0], _PRINT[3] - _PRINT[1]), 255),
        shade=b.shade_layer(lit, _PRINT),
        light=shine.crop(_PRINT),
        look_up=surfaces.cylinder(_AXIS, _RADIUS, _PRINT_TOP, _PRINT_BOTTOM, sag=_PRINT_SAG, angle=_PRINT_ANGLE),
    )


def _backdrop(x: float, y: float) -> float:
    wall = 0.42 * math.hypot((x - 560) / 1300, (y - 420) / 1300)
    table = 0.30 / (1 + math.exp((1010 - y) / 45))
    return min(1.0, wall + table + 0.1 * max(0.0, (y - 1100) / 500))


def _draw_shadows(scene: Image.Image) -> None:
    long = b.outline_mask([(420, 1240), (1080, 1290), (1580, 1180), (1500, 1070), (900, 1120)])
    b.cast_shadow(scene, long, (0, 0), blur=60, strength=0.30, colour=(84, 52, 34))
    b.cast_shadow(
        scene, b.outline_mask(b.ellipse(760, 1268, 400, 76)), (0, 0), blur=26, strength=0.5, colour=(70, 42, 28)
    )
    b.cast_shadow(
        scene, b.outline_mask(b.ellipse(728, 1270, 300, 58)), (0, 0), blur=8, strength=0.6, colour=(48, 30, 22)
    )


def _draw_handle(scene: Image.Image, body: Image.Image) -> None:
    handle = b.line_mask(_HANDLE, _HANDLE_WIDTH)
    lit = b.added(
        b.tube(_HANDLE, _HANDLE_WIDTH), b.light(lambda x, y: 0.975 - 0.06 * (x - 1070) / 300 - 0.04 * (y - 570) / 500)
    )
    near_body = b.blurred(body, 26).convert("F").point(lambda level: level * (-0.30 / 255))
    b.lay(scene, b.painted(_GLAZE, b.added(lit, near_body)), handle)


def _body_light() -> Image.Image:
    return b.added(b.light(_around, cells=120), b.grain(21, 0.004))


def _around(x: float, y: float) -> float:
    """Soft window light from the left, falling off around the cylinder, a little thrown back at its right edge."""
    across = max(-1.0, min(1.0, (x - _AXIS) / _RADIUS))
    form = 0.955 - 0.10 * math.pow(max(0.0, across + 0.25), 1.5) - 0.20 * abs(across) ** 6
    thrown_back = 0.075 * math.exp(-(((across - 0.9) / 0.07) ** 2))
    foot = 0.16 * math.exp(-(((y - (_FOOT + _FOOT_SAG * math.sqrt(1 - across * across))) / 46) ** 2))
    under_rim = 0.035 * math.exp(-(((y - _TOP - _TOP_SAG * math.sqrt(1 - across * across)) / 22) ** 2))
    return form + thrown_back - foot - under_rim


def _shine() -> Image.Image:
    """The window mirrored in the glaze: one tall soft patch and a faint thin one."""
    tall = b.outline_mask([(452, 520), (520, 545), (520, 1180), (462, 1140)])
    thin = b.outline_mask([(1040, 560), (1056, 556), (1056, 1130), (1040, 1140)])
    return ImageChops.add(b.faded(b.blurred(tall, 13), 0.30), b.faded(b.blurred(thin, 8), 0.16))


def _draw_rim(scene: Image.Image) -> None:
    rim, opening = b.outline_mask(_RIM), b.outline_mask(_INSIDE)
    b.lay(scene, b.painted(_GLAZE, b.light(lambda x, y: 1.0 - 0.0001 * (x - 400) - 0.0006 * (y - _TOP))), rim)
    hollow = b.light(lambda x, y: 0.66 + 0.20 * (x - _AXIS) / _RADIUS - 0.0026 * (y - _TOP), cells=120)
    b.lay(scene, b.painted((244, 238, 232), b.added(hollow, b.grain(22, 0.004))), opening)
