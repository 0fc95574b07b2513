"""What a template's drawing hands to the renderer: the scene, and how light and form act on whatever is printed there.

What does not live here: brushes (`brushes`) and the mathematics of perspective (`surfaces`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

Box = tuple[int, int, int, int]
LookUp = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Plate:
    """A drawn template.

    `picture` is the scene, RGB. `box` bounds the print area in it (left, top, right, bottom). The three layers are of
    mode L and of the box's size: `mask` (where print can be), `shade` (multiplied with the print), `light` (screened
    over it). `look_up` maps a point of the scene to the print area, whose corners are (0, 0) and (1, 1); beyond those
    nothing is printed.
    """

    picture: Image.Image
    box: Box
    mask: Image.Image
    shade: Image.Image
    light: Image.Image
    look_up: LookUp
