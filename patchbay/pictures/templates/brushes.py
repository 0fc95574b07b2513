"""What the six templates are painted with: outlines, light, cloth, creases and shadows, all 1600 × 1600.

What does not live here: any product (its own module). Light is a picture of mode F in which 1.0 leaves a colour as it
is; masks are of mode L. Everything is the same on every run: noise comes from a seed.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import cast

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageMath

from patchbay.pictures.templates import SIZE
from patchbay.pictures.templates.plate import Box

Point = tuple[float, float]
Colour = tuple[int, int, int]
Outline = Sequence[Point]

_OVERSAMPLING = 3
_COARSE = 4


def bezier(start: Point, *curves: tuple[Point, Point, Point], steps: int = 24) -> list[Point]:
    """The points along joined cubic curves, each given by two controls and an end."""
    points = [start]
    for first, second, end in curves:
        origin = points[-1]
        for step in range(1, steps + 1):
            t = step / steps
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append(_weighted(weights, (origin, first, second, end)))
    return points


def mirrored(half: Outline) -> list[Point]:
    """A closed outline from its right half, mirrored about the middle of the scene."""
    return [*half, *((SIZE - x, y) for x, y in reversed(half))]


def outline_mask(*outlines: Outline) -> Image.Image:
    """White inside the outlines, their edges smooth."""

    def fill(pen: ImageDraw.ImageDraw, at: Callable[[Outline], list[Point]]) -> None:
        for outline in outlines:
            pen.polygon(at(outline), fill=255)

    return _oversampled(outlines, 0, fill)


def line_mask(points: Outline, width: float, *, dash: float = 0) -> Image.Image:
    """A smooth line along the points; with `dash`, a stitched seam of stitches that long."""
    return lines_mask([points], width, dash=dash)


def lines_mask(lines: Sequence[Outline], width: float, *, dash: float = 0) -> Image.Image:
    """Several smooth lines; with `dash`, stitched seams."""

    def stroke(pen: ImageDraw.ImageDraw, at: Callable[[Outline], list[Point]]) -> None:
        for points in lines:
            for piece in _stitches(points, dash) if dash else [points]:
                _draw_line(pen, at(piece), round(width * _OVERSAMPLING))

    return _oversampled(lines, width, stroke)


def blurred(mask: Image.Image, radius: float) -> Image.Image:
    """A soft version of the mask; wide blurs are made on a coarser copy, which nobody can tell apart."""
    bounds = mask.getbbox()
    if bounds is None:
        return mask
    reach = (int(3 * radius) // _COARSE + 1) * _COARSE
    left, top = (max(0, edge // _COARSE * _COARSE - reach) for edge in bounds[:2])
    right, bottom = (min(SIZE, (edge // _COARSE + 1) * _COARSE + reach) for edge in bounds[2:])
    part = mask.crop((left, top, right, bottom))
    if radius < 2 * _COARSE:
        soft = part.filter(ImageFilter.GaussianBlur(radius))
    else:
        small = part.reduce(_COARSE).filter(ImageFilter.GaussianBlur(radius / _COARSE))
        soft = small.resize(part.size, Image.Resampling.BICUBIC)
    whole = Image.new("L", mask.size)
    whole.paste(soft, (left, top))
    return whole


def light(shine: Callable[[float, float], float], *, cells: int = 48) -> Image.Image:
    """Light that changes smoothly: `shine(x, y)` of the scene's points, sampled `cells` × `cells` times."""
    step = SIZE / cells
    sampled = Image.new("F", (cells, cells))
    sampled.putdata([shine((i + 0.5) * step, (j + 0.5) * step) for j in range(cells) for i in range(cells)])
    return sampled.resize((SIZE, SIZE), Image.Resampling.BICUBIC)


def clouds(seed: int, columns: int, rows: int, amount: float) -> Image.Image:
    """Soft unevenness of ±`amount` around 0, about `columns` × `rows` swells over the scene."""
    chance = random.Random(seed)  # noqa: S311 - a pattern to look at, and the same one each time
    sampled = Image.new("F", (columns, rows))
    sampled.putdata([chance.uniform(-amount, amount) for _ in range(columns * rows)])
    return sampled.resize((SIZE, SIZE), Image.Resampling.BICUBIC)


def grain(seed: int, amount: float, *, stretch: tuple[int, int] = (1, 1)) -> Image.Image:
    """Fine noise of about ±`amount` around 0; `stretch` draws it out into threads or wood."""
    width, height = SIZE // stretch[0], SIZE // stretch[1]
    chance = random.Random(seed)  # noqa: S311 - a pattern to look at, and the same one each time
    noise = Image.frombytes("L", (width, height), chance.randbytes(width * height))
    for right, down in ((1, 0), (0, 1)):
        noise = ImageChops.add(noise, ImageChops.offset(noise, right, down), scale=2)  # a blur, at a tenth of its price
    if stretch != (1, 1):
        noise = noise.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return noise.convert("F").point(lambda level: level * (amount / 54) - amount * 127.5 / 54)


def weave(seed: int, amount: float) -> Image.Image:
    """Cloth: threads across and along."""
    return added(grain(seed, amount, stretch=(8, 1)), grain(seed + 1, amount, stretch=(1, 8)))


def creases(strokes: Iterable[tuple[Point, Point, Point, float, float]], *, softness: float) -> Image.Image:
    """Folds in cloth as light around 0: start, bend, end, width and depth of each; lit from the upper left."""
    scale = 4 if softness >= 12 else 2
    relief = Image.new("L", (SIZE // scale, SIZE // scale), 128)
    for start, bend, end, width, depth in strokes:
        _draw_fold(relief, [(x / scale, y / scale) for x, y in (start, bend, end)], width / scale, depth)
    soft = relief.filter(ImageFilter.GaussianBlur(softness / scale)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return soft.convert("F").point(lambda level: level * (1 / 128) - 1)


def edge_shade(mask: Image.Image, radius: float, depth: float) -> Image.Image:
    """Light around 0 that falls by up to `depth` towards the edges of what the mask shows."""
    return blurred(mask, radius).convert("F").point(lambda level: level * (2 * depth / 255) - 2 * depth)


def added(*parts: Image.Image) -> Image.Image:
    """The sum of lights."""
    total = parts[0]
    for part in parts[1:]:
        total = cast("Image.Image", ImageMath.lambda_eval(lambda of: of["total"] + of["part"], total=total, part=part))
    return total


def painted(colour: Colour, lit: Image.Image) -> Image.Image:
    """One colour under that light, RGB."""
    return Image.merge("RGB", [_level(lit, channel) for channel in colour])


def blend(first: Colour, second: Colour, share: Callable[[float, float], float]) -> Image.Image:
    """A backdrop that passes from one colour to another by `share(x, y)` from 0 to 1, with a grain against banding."""
    portion = _level(added(light(share, cells=32), grain(3, 0.02)), 255)
    size = (SIZE, SIZE)
    return Image.composite(Image.new("RGB", size, second), Image.new("RGB", size, first), portion)


def lay(scene: Image.Image, fill: Image.Image | Colour, mask: Image.Image) -> None:
    """Put a colour or a painted picture onto the scene where the mask is white."""
    bounds = mask.getbbox()
    if bounds is not None:
        part = fill.crop(bounds) if isinstance(fill, Image.Image) else fill
        scene.paste(part, bounds, mask.crop(bounds))


def cast_shadow(
    scene: Image.Image,
    mask: Image.Image,
    offset: tuple[int, int],
    *,
    blur: float,
    strength: float,
    colour: Colour = (38, 30, 28),
) -> None:
    """Darken the scene where something of that outline keeps the light away."""
    moved = Image.new("L", mask.size)
    moved.paste(mask, offset)
    soft = blurred(moved, blur).point(lambda level: round(level * strength))
    lay(scene, colour, soft)


def faded(mask: Image.Image, strength: float) -> Image.Image:
    """The mask at a part of its strength."""
    return mask.point(lambda level: round(level * strength))


def inside(mask: Image.Image, other: Image.Image) -> Image.Image:
    """What both masks show."""
    return ImageChops.multiply(mask, other)


def shade_layer(lit: Image.Image, box: Box) -> Image.Image:
    """Light as the plate's `shade`: cut to the box, nothing brighter than the print itself."""
    return _level(lit.crop(box), 255)


def _oversampled(
    outlines: Sequence[Outline],
    margin: float,
    draw: Callable[[ImageDraw.ImageDraw, Callable[[Outline], list[Point]]], None],
) -> Image.Image:
    """A mask drawn larger and then reduced, in no more than the rectangle that outlines and margin fill."""
    xs, ys = [x for points in outlines for x, _ in points], [y for points in outlines for _, y in points]
    left, top = max(0, int(min(xs) - margin) - 1), max(0, int(min(ys) - margin) - 1)
    right, bottom = min(SIZE, int(max(xs) + margin) + 2), min(SIZE, int(max(ys) + margin) + 2)
    large = Image.new("L", ((right - left) * _OVERSAMPLING, (bottom - top) * _OVERSAMPLING))

    def at(points: Outline) -> list[Point]:
        return [((x - left) * _OVERSAMPLING, (y - top) * _OVERSAMPLING) for x, y in points]

    draw(ImageDraw.Draw(large), at)
    mask = Image.new("L", (SIZE, SIZE))
    mask.paste(large.reduce(_OVERSAMPLING), (left, top))
    return mask


def _draw_line(pen: ImageDraw.ImageDraw, points: Sequence[Point], width: int) -> None:
    """A line with a disc at each joint, because Pillow's own curved joints leave gaps in wide lines."""
    pen.line(points, fill=255, width=width)
    for x, y in points[1:-1]:
        pen.circle((x, y), width / 2, fill=255)


def _level(lit: Image.Image, channel: int) -> Image.Image:
    return lit.point(lambda part: part * channel + 0.5).convert("L")


def _weighted(weights: Sequence[float], points: Sequence[Point]) -> Point:
    pairs = list(zip(weights, points, strict=True))
    return sum(weight * x for weight, (x, _) in pairs), sum(weight * y for weight, (_, y) in pairs)


def _stitches(points: Outline, dash: float) -> list[list[Point]]:
    """Every other piece of `dash` pixels along straight runs between the points."""
    walked = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        count = max(1, round(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 / dash))
        walked += [(x0 + (x1 - x0) * k / count, y0 + (y1 - y0) * k / count) for k in range(1, count + 1)]
    return [[walked[k], walked[k + 1]] for k in range(0, len(walked) - 1, 2)]


def _draw_fold(relief: Image.Image, bends: Sequence[Point], width: float, depth: float) -> None:
    """A lit flank and a shaded one, side by side, thin at both ends."""
    spine = _along(bends)
    pen = ImageDraw.Draw(relief)
    for side, level in ((-1, 128 + round(depth * 0.8)), (1, 128 - round(depth))):
        flank = []
        for k, (x, y) in enumerate(spine):
            t = k / (len(spine) - 1)
            reach = side * width * 4 * t * (1 - t)
            across_x, across_y = _across(spine, k)
            flank.append((x + across_x * reach, y + across_y * reach))
        pen.polygon([*spine, *reversed(flank)], fill=level)


def _along(bends: Sequence[Point], steps: int = 20) -> list[Point]:
    return [_weighted(((1 - t) ** 2, 2 * t * (1 - t), t * t), bends) for t in (k / steps for k in range(steps + 1))]


def _across(spine: Sequence[Point], at: int) -> Point:
    """The unit vector across the spine that points away from the light, which comes from the upper left."""
    (x0, y0), (x1, y1) = spine[max(0, at - 1)], spine[min(len(spine) - 1, at + 1)]
    length = max(1e-6, ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
    across = ((y0 - y1) / length, (x1 - x0) / length)
    return across if across[0] + across[1] > 0 else (-across[0], -across[1])


def tube(points: Outline, width: float) -> Image.Image:
    """Light around 0 on a round rod along the points, lit from the upper left."""
    scale, rings = 2, 12
    relief = Image.new("L", (SIZE // scale, SIZE // scale), 60)
    pen = ImageDraw.Draw(relief)
    for ring in range(rings):
        share = ring / (rings - 1)
        lift = share * width * 0.16
        line = [((x - lift) / scale, (y - lift) / scale) for x, y in points]
        pen.line(
            line,
            fill=60 + round(75 * share**0.6),
            width=max(2, round(width * (1 - 0.9 * share) / scale)),
            joint="curve",
        )
    soft = relief.filter(ImageFilter.GaussianBlur(width / 22)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return soft.convert("F").point(lambda level: level * (1 / 255) - 0.5)


def ellipse(x: float, y: float, across: float, down: float, *, start: float = 0, end: float = 360) -> list[Point]:
    """Points of an ellipse from one angle to another (degrees, clockwise from the right)."""
    steps = 96
    angles = (math.radians(start + (end - start) * k / steps) for k in range(steps + 1))
    return [(x + across * math.cos(angle), y + down * math.sin(angle)) for angle in angles]
