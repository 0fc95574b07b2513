"""The phone case: matte white with a camera window, floating a little turned over a lilac backdrop.

What does not live here: the brushes it is painted with (`brushes`) and the mathematics of perspective (`surfaces`).
"""

import math

from PIL import Image, ImageChops

from patchbay.pictures.templates import brushes as b
from patchbay.pictures.templates import surfaces
from patchbay.pictures.templates.plate import Plate

_CASE: surfaces.Corners = ((372, 222), (988, 140), (1170, 1362), (538, 1452))
_ASPECT = 1235 / 625
_CORNER = 0.135
_CAMERA = (0.06, 0.032, 0.515, 0.262)
_LENSES = ((0.175, 0.090), (0.175, 0.202), (0.385, 0.146))
_LENS_RADIUS = 0.088
_LENS_RINGS = (
    (1.00, (150, 150, 158)),
    (0.93, (32, 32, 38)),
    (0.72, (14, 14, 18)),
    (0.56, (30, 42, 70)),
    (0.40, (16, 20, 36)),
    (0.22, (6, 7, 12)),
)
_PRINT = (360, 130, 1180, 1460)
_SHELL = (247, 246, 246)


def draw() -> Plate:
    """The scene and its print area: the whole back but the camera."""
    scene = b.blend((226, 214, 235), (178, 164, 206), lambda x, y: (0.5 * x + 0.8 * y) / 2080)
    case = b.outline_mask(_rounded(0, 0, 1, 1, _CORNER))
    b.cast_shadow(scene, case, (84, 104), blur=66, strength=0.42, colour=(52, 34, 84))
    b.cast_shadow(scene, case, (26, 32), blur=20, strength=0.40, colour=(46, 30, 74))
    _draw_sides(scene, case)
    lit = _back_light(case)
    b.lay(scene, b.painted(_SHELL, lit), case)
    shine = b.inside(_shine(), case)
    scene = ImageChops.screen(scene, Image.merge("RGB", (shine, shine, shine)))
    window = b.outline_mask(_rounded(*_CAMERA, 0.115))
    _draw_camera(scene, window)
    printable = ImageChops.subtract(b.outline_mask(_rounded(0.004, 0.002, 0.996, 0.998, _CORNER)), window)
    return Plate(
        picture=scene,
        box=_PRINT,
        mask=printable.crop(_PRINT),
        shade=b.shade_layer(lit, _PRINT),
        light=shine.crop(_PRINT),
        look_up=surfaces.perspective(_CASE),
    )


def _rounded(left: float, top: float, right: float, bottom: float, radius: float) -> list[b.Point]:
    """A rectangle of the case's back with round corners; all in parts of its sides, the radius of its width."""
    outline = []
    corners = ((right, top, -90, -1, 1), (right, bottom, 0, -1, -1), (left, bottom, 90, 1, -1), (left, top, 180, 1, 1))
    for u, v, start, inward_u, inward_v in corners:
        centre = (u + inward_u * radius, v + inward_v * radius / _ASPECT)
        outline += _arc(centre, radius, start, start + 90)
    return outline


def _arc(centre: b.Point, radius: float, start: float, end: float) -> list[b.Point]:
    angles = [math.radians(start + (end - start) * k / 24) for k in range(25)]
    return [
        surfaces.projected(_CASE, centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a) / _ASPECT)
        for a in angles
    ]


def _draw_sides(scene: Image.Image, case: Image.Image) -> None:
    """The edge of the shell that can be seen to the right and below."""
    bounds = case.getbbox()
    if bounds is None:
        return
    shape = case.crop(bounds)
    for step in range(14, 0, -2):
        tone = 196 - 3 * step
        scene.paste((tone, tone - 3, tone + 4), (bounds[0] + step, bounds[1] + step), shape)


def _back_light(case: Image.Image) -> Image.Image:
    return b.added(
        b.light(lambda x, y: 0.985 - 0.06 * (x - 370) / 800 - 0.05 * (y - 150) / 1300),
        b.edge_shade(case, 9, 0.10),
        b.edge_shade(case, 34, 0.05),
        b.grain(51, 0.008),
    )


def _shine() -> Image.Image:
    """A broad soft sheen across, and the lit upper left edge."""
    band = b.blurred(b.outline_mask([(300, 760), (900, 60), (1130, 60), (360, 1080)]), 40)
    edge = b.line_mask(_rounded(0.012, 0.006, 0.988, 0.994, _CORNER - 0.01)[60:], 5)
    return ImageChops.add(b.faded(band, 0.13), b.faded(b.blurred(edge, 3), 0.55))


def _draw_camera(scene: Image.Image, window: Image.Image) -> None:
    b.cast_shadow(scene, b.outline_mask(_rounded(0.05, 0.027, 0.525, 0.267, 0.12)), (3, 4), blur=5, strength=0.30)
    rim = b.outline_mask(_rounded(0.051, 0.0275, 0.524, 0.2665, 0.12))
    b.lay(
        scene,
        b.painted(_SHELL, b.added(b.light(lambda x, y: 1.0 - 0.0006 * (x + y - 700)), b.edge_shade(rim, 4, 0.1))),
        rim,
    )
    glass = b.light(lambda x, y: 1.15 - 0.0011 * (x + y - 700))
    b.lay(scene, b.painted((58, 57, 64), b.added(glass, b.edge_shade(window, 8, 0.25))), window)
    _draw_lenses(scene)
    flash = b.outline_mask(_arc((0.40, 0.075), 0.030, 0, 360))
    b.lay(
        scene,
        b.painted((250, 240, 214), b.added(b.light(lambda _x, _y: 0.98, cells=4), b.edge_shade(flash, 5, 0.2))),
        flash,
    )


def _draw_lenses(scene: Image.Image) -> None:
    """Rings from the outside in (metal, black barrel, blue glass, pupil), then two reflections in each lens."""
    b.cast_shadow(scene, _lens_mask(1), (5, 7), blur=6, strength=0.6, colour=(8, 8, 12))
    for size, colour in _LENS_RINGS:
        b.lay(scene, colour, _lens_mask(size))
    sparks = [_arc((u - 0.024, v - 0.012), 0.016, 0, 360) for u, v in _LENSES]
    glints = [_arc((u + 0.026, v + 0.014), 0.008, 0, 360) for u, v in _LENSES]
    b.lay(scene, (190, 206, 240), b.faded(b.blurred(b.outline_mask(*sparks, *glints), 2.5), 0.75))


def _lens_mask(size: float) -> Image.Image:
    return b.outline_mask(*(_arc(centre, _LENS_RADIUS * size, 0, 360) for centre in _LENSES))
