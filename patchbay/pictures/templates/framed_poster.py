"""The framed poster: oak, white mat and glass, seen from the side on a sunlit wall.

What does not live here: the brushes it is painted with (`brushes`) and the mathematics of perspective (`surfaces`).
"""

from PIL import Image, ImageChops

from patchbay.pictures.templates import brushes as b
from patchbay.pictures.templates import surfaces
from patchbay.pictures.templates.plate import Plate

_FRAME: surfaces.Corners = ((380, 150), (1190, 215), (1190, 1340), (380, 1425))
_WOOD_ACROSS, _WOOD_DOWN = 0.045, 0.032
_PAPER_LEFT, _PAPER_TOP = 0.125, 0.09
_PRINT = (460, 240, 1120, 1330)
_OAK = (201, 160, 112)


def draw() -> Plate:
    """The scene and its print area inside the mat."""
    scene = _wall()
    frame = b.outline_mask(_quad(0, 0))
    b.cast_shadow(scene, frame, (46, 52), blur=46, strength=0.30, colour=(58, 46, 40))
    b.cast_shadow(scene, frame, (12, 14), blur=11, strength=0.45, colour=(48, 36, 30))
    _draw_wood(scene)
    opening = b.outline_mask(_quad(_WOOD_ACROSS, _WOOD_DOWN))
    lit = _paper_light(opening)
    b.lay(scene, b.painted((250, 249, 246), lit), opening)
    _draw_mat_window(scene)
    glare = b.inside(_glare(), opening)
    scene = ImageChops.screen(scene, Image.merge("RGB", (glare, glare, glare)))
    corners = _quad(_PAPER_LEFT, _PAPER_TOP)
    return Plate(
        picture=scene,
        box=_PRINT,
        mask=b.outline_mask(corners).crop(_PRINT),
        shade=b.shade_layer(lit, _PRINT),
        light=glare.crop(_PRINT),
        look_up=surfaces.perspective(corners),
    )


def _quad(across: float, down: float) -> surfaces.Corners:
    """The frame's outline, drawn in from its sides by these parts of its width and height."""
    return (
        surfaces.projected(_FRAME, across, down),
        surfaces.projected(_FRAME, 1 - across, down),
        surfaces.projected(_FRAME, 1 - across, 1 - down),
        surfaces.projected(_FRAME, across, 1 - down),
    )


def _wall() -> Image.Image:
    """Plaster with sun that falls through a window."""
    wall = b.blend((226, 220, 211), (198, 189, 179), lambda x, y: (0.75 * x + 0.5 * y) / 2000)
    panes = b.outline_mask(
        [(-60, 300), (560, -80), (1010, -80), (-60, 620)],
        [(-60, 720), (1150, -80), (1660, -80), (-60, 1090)],
        [(-60, 1190), (1660, 20), (1660, 420), (-60, 1600)],
    )
    b.lay(wall, (255, 246, 230), b.faded(b.blurred(panes, 14), 0.42))
    rough = b.painted(
        (255, 255, 255),
        b.added(b.light(lambda _x, _y: 0.985, cells=4), b.grain(41, 0.008, stretch=(3, 3)), b.grain(42, 0.008)),
    )
    return ImageChops.multiply(wall, rough)


def _draw_wood(scene: Image.Image) -> None:
    outer, inner = _quad(0, 0), _quad(_WOOD_ACROSS, _WOOD_DOWN)
    level = b.added(b.grain(43, 0.05, stretch=(40, 3)), b.clouds(45, 4, 90, 0.03))
    upright = b.added(b.grain(44, 0.05, stretch=(3, 40)), b.clouds(46, 90, 4, 0.03))
    for side, (fibre, brightness) in enumerate(((level, 1.06), (upright, 0.84), (level, 0.93), (upright, 1.0))):
        following = (side + 1) % 4
        rail = b.outline_mask([outer[side], outer[following], inner[following], inner[side]])
        lit = b.added(fibre.point(lambda part, lift=brightness: part + lift), b.edge_shade(rail, 5, 0.10))
        b.lay(scene, b.painted(_OAK, lit), rail)
    mitres = [[outer[corner], inner[corner]] for corner in range(4)]
    b.lay(scene, (96, 68, 40), b.faded(b.lines_mask(mitres, 1.6), 0.6))


def _paper_light(opening: Image.Image) -> Image.Image:
    """Paper behind glass: the frame keeps some light away along its upper and left rails."""
    moved = Image.new("L", opening.size)
    moved.paste(opening, (20, 24))
    rail_shadow = b.blurred(moved, 14).convert("F").point(lambda level: level * (0.20 / 255) - 0.20)
    return b.added(b.light(lambda x, _y: 0.985 - 0.05 * (x - 380) / 810), rail_shadow, b.grain(47, 0.006))


def _draw_mat_window(scene: Image.Image) -> None:
    """The bevelled cut of the mat around the print."""
    corners = _quad(_PAPER_LEFT - 0.007, _PAPER_TOP - 0.005)
    b.lay(scene, (206, 203, 197), b.faded(b.line_mask([corners[3], corners[0], corners[1]], 3), 0.9))
    b.lay(scene, (255, 255, 254), b.line_mask([corners[1], corners[2], corners[3]], 3))


def _glare() -> Image.Image:
    bands = b.outline_mask(
        [(300, 1000), (1250, 60), (1400, 150), (300, 1240)],
        [(300, 1330), (1250, 390), (1250, 450), (300, 1400)],
    )
    return b.faded(b.blurred(bands, 24), 0.11)
