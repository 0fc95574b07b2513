"""Where a point of the scene lies on the print area: flat, seen in perspective, or bent around a cylinder.

What does not live here: pixels. These are functions of two numbers each.
"""

import math

from patchbay.pictures.templates.plate import LookUp

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]


def rectangle(left: float, top: float, right: float, bottom: float) -> LookUp:
    """A flat print area seen straight on."""
    return lambda x, y: ((x - left) / (right - left), (y - top) / (bottom - top))


def perspective(corners: Corners) -> LookUp:
    """A flat print area whose corners (top left, top right, bottom right, bottom left) are seen at `corners`."""
    (a, b, c), (d, e, f), (g, h, i) = _adjugate(_from_unit_square(corners))

    def look_up(x: float, y: float) -> Point:
        w = g * x + h * y + i
        return (a * x + b * y + c) / w, (d * x + e * y + f) / w

    return look_up


def projected(corners: Corners, u: float, v: float) -> Point:
    """The point of the scene at which `perspective(corners)` shows (u, v)."""
    (a, b, c), (d, e, f), (g, h, i) = _from_unit_square(corners)
    w = g * u + h * v + i
    return (a * u + b * v + c) / w, (d * u + e * v + f) / w


def cylinder(axis_x: float, radius: float, top: float, bottom: float, *, sag: float, angle: float) -> LookUp:
    """A print bent around an upright cylinder, `angle` radians to either side of its middle, seen from above.

    `top` and `bottom` are heights at the cylinder's edge; in the middle both hang `sag` lower.
    """

    def look_up(x: float, y: float) -> Point:
        across = max(-1.0, min(1.0, (x - axis_x) / radius))
        drop = sag * math.sqrt(1 - across * across)
        return 0.5 + math.asin(across) / (2 * angle), (y - top - drop) / (bottom - top)

    return look_up


def _from_unit_square(corners: Corners) -> tuple[tuple[float, float, float], ...]:
    """The projective map of Heckbert, "Fundamentals of Texture Mapping and Image Warping" (1989), §2.2.3."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    dx1, dx2, sx = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, sy = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    determinant = dx1 * dy2 - dx2 * dy1
    g = (sx * dy2 - dx2 * sy) / determinant
    h = (dx1 * sy - sx * dy1) / determinant
    return (x1 - x0 + g * x1, x3 - x0 + h * x3, x0), (y1 - y0 + g * y1, y3 - y0 + h * y3, y0), (g, h, 1.0)


def _adjugate(rows: tuple[tuple[float, float, float], ...]) -> tuple[tuple[float, float, float], ...]:
    (a, b, c), (d, e, f), (g, h, i) = rows
    return (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
