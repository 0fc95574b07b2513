"""What a mockup shows: the design in its place, in its ratio, under the product's light, and the same each time.

What does not live here: whether the products please the eye, which only a person can say.
"""

from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from patchbay.errors import Invalid, NotFound
from patchbay.pictures import render, templates
from patchbay.pictures.templates import surfaces

IDS = [template.id for template in templates.all()]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="10" height="10" fill="#d00"/></svg>'


def png(picture: Image.Image, **options: object) -> bytes:
    content = BytesIO()
    picture.save(content, "PNG", **options)
    return content.getvalue()


def opened(mockup: bytes) -> Image.Image:
    return Image.open(BytesIO(mockup)).convert("RGB")


def change(template_id: str, design: bytes) -> Image.Image:
    """Where the mockup differs from the empty template by more than JPEG does; white there."""
    difference = ImageChops.difference(opened(render.make_mockup(design, template_id)), _empty(template_id))
    return difference.convert("L").point(lambda level: 255 if level > 24 else 0).filter(ImageFilter.MedianFilter(5))


def changed_box(template_id: str, design: bytes) -> tuple[int, int, int, int]:
    box = change(template_id, design).getbbox()
    assert box is not None
    return box


def _empty(template_id: str) -> Image.Image:
    """The template under a fully transparent design, so that both went through the same encoder."""
    return opened(render.make_mockup(png(Image.new("RGBA", (8, 8))), template_id))


def test_there_are_six_templates_each_with_its_own_key_and_name() -> None:
    keys = {(template.id, template.name) for template in templates.all()}

    assert len(keys) == 6
    assert {template.width for template in templates.all()} == {1600}


@pytest.mark.parametrize("template_id", IDS)
def test_a_mockup_is_a_jpeg_of_1600_pixels_a_side(template_id: str) -> None:
    mockup = Image.open(BytesIO(render.make_mockup(png(Image.new("RGB", (30, 20), "navy")), template_id)))

    assert (mockup.format, mockup.mode, mockup.size) == ("JPEG", "RGB", (1600, 1600))


@pytest.mark.parametrize("template_id", IDS)
def test_the_same_design_gives_the_same_bytes_even_when_the_plate_is_drawn_anew(template_id: str) -> None:
    design = png(Image.effect_mandelbrot((200, 200), (-2, -1, 1, 1), 60))
    first = render.make_mockup(design, template_id)
    templates.plate_of.cache_clear()

    second = render.make_mockup(design, template_id)

    assert first == second


@pytest.mark.parametrize("template_id", IDS)
def test_nothing_is_printed_outside_the_print_area(template_id: str) -> None:
    template, plate = templates.named(template_id), templates.plate_of(template_id)
    design = png(Image.new("RGB", (template.print_width, template.print_height), "black"))

    left, top, right, bottom = changed_box(template_id, design)

    assert plate.box[0] <= left < right <= plate.box[2]
    assert plate.box[1] <= top < bottom <= plate.box[3]


@pytest.mark.parametrize("template_id", IDS)
def test_a_design_of_the_print_areas_ratio_fills_it(template_id: str) -> None:
    template, plate = templates.named(template_id), templates.plate_of(template_id)
    design = png(Image.new("RGB", (template.print_width, template.print_height), "black"))

    left, top, right, bottom = changed_box(template_id, design)

    assert right - left > 0.85 * (plate.box[2] - plate.box[0])
    assert bottom - top > 0.85 * (plate.box[3] - plate.box[1])


@pytest.mark.parametrize(("template_id", "tolerance"), [("tpl_shirt", 0.02), ("tpl_tote", 0.02), ("tpl_cushion", 0.05)])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_the_ratio_of_the_design_is_kept(template_id: str, tolerance: float, ratio: float) -> None:
    left, top, right, bottom = changed_box(template_id, png(Image.new("RGB", (round(400 * ratio), 400), "black")))

    assert (right - left) / (bottom - top) == pytest.approx(ratio, rel=tolerance)


@pytest.mark.parametrize("template_id", IDS)
def test_the_product_shows_through_what_is_transparent(template_id: str) -> None:
    ring = Image.new("RGBA", (400, 400))
    ImageDraw.Draw(ring).ellipse((20, 20, 380, 380), outline="black", width=40)

    changed = change(template_id, png(ring))

    left, top, right, bottom = changed.getbbox() or (0, 0, 0, 0)
    assert changed.getpixel(((left + right) // 2, (top + bottom) // 2)) == 0


def test_half_transparent_ink_lies_between_cloth_and_full_ink() -> None:
    cloth, half, full = (_brightness_of_shirt_under(alpha) for alpha in (0, 128, 255))

    assert half == pytest.approx((cloth + full) / 2, abs=12)


def _brightness_of_shirt_under(alpha: int) -> float:
    mockup = opened(render.make_mockup(png(Image.new("RGBA", (50, 50), (0, 0, 0, alpha))), "tpl_shirt"))
    return ImageStat.Stat(mockup.convert("L").crop((780, 730, 820, 770))).mean[0]


@pytest.mark.parametrize("template_id", IDS)
def test_the_products_shading_falls_on_the_print(template_id: str) -> None:
    mockup = opened(render.make_mockup(png(Image.new("RGB", (300, 400), (200, 200, 200))), template_id))

    plate = templates.plate_of(template_id)
    middle = tuple(round((a + b) / 2) for a, b in zip(plate.box[:2], plate.box[2:], strict=True))
    printed = mockup.crop((middle[0] - 200, middle[1] - 200, middle[0] + 200, middle[1] + 200)).convert("L")
    assert ImageStat.Stat(printed.resize((20, 20), Image.Resampling.BOX)).stddev[0] > 0.8


@pytest.mark.parametrize("template_id", IDS)
def test_an_svg_is_printed(template_id: str) -> None:
    box = changed_box(template_id, SVG)

    assert box[2] - box[0] > 400


@pytest.mark.parametrize(
    "design",
    [
        Image.new("1", (60, 60), 0),
        Image.new("L", (60, 60), 0),
        Image.new("LA", (60, 60), (0, 255)),
        Image.new("P", (60, 60), 0),
        Image.new("I;16", (60, 60), 0),
    ],
    ids=lambda design: design.mode,
)
def test_every_colour_layout_is_printed(design: Image.Image) -> None:
    box = changed_box("tpl_tote", png(design))

    assert box[2] - box[0] > 400


def test_16_bit_grey_keeps_its_middle_tones() -> None:
    mockups = [
        opened(render.make_mockup(png(design), "tpl_framed-poster")).convert("L").getpixel((790, 780))
        for design in (Image.new("I;16", (60, 60), 128 * 257), Image.new("L", (60, 60), 128))
    ]

    assert mockups[0] == mockups[1]


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_designs_of_odd_sizes_are_printed(size: tuple[int, int]) -> None:
    mockup = render.make_mockup(png(Image.new("RGB", size, "black")), "tpl_mug")

    assert opened(mockup).size == (1600, 1600)


def test_a_mockup_carries_no_metadata_of_the_design() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"

    mockup = render.make_mockup(png(Image.new("RGB", (50, 50)), exif=exif), "tpl_shirt")

    assert b"SecretCamera" not in mockup
    assert not Image.open(BytesIO(mockup)).getexif()


def test_an_unknown_template_is_not_found() -> None:
    with pytest.raises(NotFound):
        render.make_mockup(png(Image.new("RGB", (5, 5))), "tpl_spoon")


def test_a_design_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        render.make_mockup(b"\x89PNG\r\n\x1a\nrubbish", "tpl_shirt")

    assert "damaged" in refusal.value.fields["file"]


def test_perspective_maps_its_corners_to_the_print_areas_corners() -> None:
    corners = ((372.0, 222.0), (988.0, 140.0), (1170.0, 1362.0), (538.0, 1452.0))
    look_up = surfaces.perspective(corners)

    found = [look_up(x, y) for x, y in corners]

    for (u, v), expected in zip(found, [(0, 0), (1, 0), (1, 1), (0, 1)], strict=True):
        assert (u, v) == pytest.approx(expected, abs=1e-9)
        assert surfaces.projected(corners, u, v) == pytest.approx(
            corners[[(0, 0), (1, 0), (1, 1), (0, 1)].index(expected)]
        )


def test_a_cylinder_keeps_its_middle_and_narrows_towards_its_edges() -> None:
    look_up = surfaces.cylinder(500, 300, 100, 700, sag=50, angle=1.0)

    middle, near_edge = look_up(510, 400)[0] - look_up(490, 400)[0], look_up(750, 400)[0] - look_up(730, 400)[0]

    assert look_up(500, 150) == pytest.approx((0.5, 0))
    assert near_edge > 1.5 * middle
