"""Sets a design onto a template: kept in ratio, bent to the product's form, under the product's own light.

What does not live here: the products (`templates`) and which files are accepted (`inspect`).
"""

from io import BytesIO
from itertools import pairwise

from PIL import Image, ImageChops

from patchbay.pictures import designs, templates
from patchbay.pictures.files import Content
from patchbay.pictures.templates.plate import Box, LookUp, Plate

_JPEG_QUALITY = 92
_CELL = 20  # pixels; inside a cell the bent surface is taken as flat
_MARGIN = 2  # transparent pixels around the design, so that its edges come out smooth
_DETAIL = 1.25  # pixels of the design for one of the scene, for sharpness after warping


def make_mockup(design: Content, template_id: str) -> bytes:
    """A 1600 × 1600 JPEG of the design on the template; the same input gives the same bytes.

    Takes what `inspect.read_picture` accepts; raises `Invalid` or `TooLarge` as it does, and `NotFound` for an
    unknown template.
    """
    template = templates.named(template_id)
    area = (round(template.print_width * _DETAIL), round(template.print_height * _DETAIL))
    print_area = _contained(designs.open_design(design, box=max(area)), area)
    mockup = _printed(templates.plate_of(template_id), print_area)
    encoded = BytesIO()
    mockup.save(encoded, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return encoded.getvalue()


def _contained(design: Image.Image, area: tuple[int, int]) -> Image.Image:
    """The design as large as it fits, in the middle of a transparent print area with a margin around."""
    scale = min(area[0] / design.width, area[1] / design.height)
    size = (max(1, round(design.width * scale)), max(1, round(design.height * scale)))
    fitted = design.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0).convert("RGBA")
    canvas = Image.new("RGBA", (area[0] + 2 * _MARGIN, area[1] + 2 * _MARGIN))
    canvas.paste(fitted, ((canvas.width - size[0]) // 2, (canvas.height - size[1]) // 2))
    return canvas


def _printed(plate: Plate, print_area: Image.Image) -> Image.Image:
    width, height = plate.box[2] - plate.box[0], plate.box[3] - plate.box[1]
    mesh = _mesh(plate.box, plate.look_up, print_area.size)
    warped = print_area.transform((width, height), Image.Transform.MESH, mesh, Image.Resampling.BICUBIC)
    ink = ImageChops.multiply(warped.convert("RGB"), _grey(plate.shade))
    ink = ImageChops.screen(ink, _grey(plate.light))
    mockup = plate.picture.copy()
    mockup.paste(ink, plate.box, ImageChops.multiply(warped.getchannel("A"), plate.mask))
    return mockup


def _mesh(box: Box, look_up: LookUp, size: tuple[int, int]) -> list[tuple[Box, tuple[float, ...]]]:
    """Cells of the box, each with the four points of the print area (counter-clockwise) that fall on it."""
    left, top, right, bottom = box
    xs, ys = _steps(right - left), _steps(bottom - top)
    inner_width, inner_height = size[0] - 2 * _MARGIN, size[1] - 2 * _MARGIN

    def source(x: int, y: int) -> tuple[float, float]:
        u, v = look_up(left + x, top + y)
        return _MARGIN + u * inner_width, _MARGIN + v * inner_height

    points = {(x, y): source(x, y) for y in ys for x in xs}
    return [
        ((x0, y0, x1, y1), (*points[x0, y0], *points[x0, y1], *points[x1, y1], *points[x1, y0]))
        for y0, y1 in pairwise(ys)
        for x0, x1 in pairwise(xs)
    ]


def _steps(length: int) -> list[int]:
    return [*range(0, length, _CELL), length]


def _grey(layer: Image.Image) -> Image.Image:
    return Image.merge("RGB", (layer, layer, layer))
