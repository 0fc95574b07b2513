"""Small pictures for the gallery: their size, their ratio, and what they do not carry.

What does not live here: mockups (`test_render`).
"""

import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image

from patchbay.errors import Invalid, NotFound
from patchbay.pictures import templates, thumbnails


def encoded(picture: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    content = BytesIO()
    picture.save(content, file_format, **options)
    return content.getvalue()


@pytest.mark.parametrize(
    ("source", "small"),
    [((1000, 500), (256, 128)), ((500, 1000), (128, 256)), ((40, 30), (40, 30)), ((9000, 3), (256, 1))],
)
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_it_fits_the_box_in_its_own_ratio(file_format: str, source: tuple[int, int], small: tuple[int, int]) -> None:
    thumbnail = Image.open(BytesIO(thumbnails.fit(encoded(Image.new("RGB", source, "teal"), file_format), box=256)))

    assert (thumbnail.format, thumbnail.size) == ("WEBP", small)


def test_transparency_is_kept() -> None:
    thumbnail = Image.open(BytesIO(thumbnails.fit(encoded(Image.new("RGBA", (600, 600))), box=256)))

    assert thumbnail.convert("RGBA").getchannel("A").getextrema() == (0, 0)


def test_a_turned_photo_is_shown_upright_and_without_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    thumbnail = Image.open(BytesIO(thumbnails.fit(encoded(Image.new("RGB", (800, 400)), "JPEG", exif=exif), box=256)))

    assert thumbnail.size == (128, 256)
    assert not thumbnail.getexif()


def test_an_svg_is_drawn_at_the_size_of_the_box() -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"><rect width="4" height="2"/></svg>'

    thumbnail = Image.open(BytesIO(thumbnails.fit(drawing, box=512)))

    assert thumbnail.size == (512, 256)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(Invalid):
        thumbnails.fit(b"<html>", box=256)


@pytest.mark.parametrize("template", templates.all(), ids=lambda template: template.id)
def test_every_template_has_a_preview(template: templates.Template) -> None:
    preview = Image.open(BytesIO(templates.preview(template.id, 256)))

    assert (preview.format, preview.size) == ("WEBP", (256, 256))


def test_an_unknown_template_has_no_preview() -> None:
    with pytest.raises(NotFound):
        templates.preview("tpl_spoon", 256)


def test_listing_the_templates_loads_no_picture_library() -> None:
    program = "import sys; from patchbay.pictures import templates; templates.all(); print('PIL' in sys.modules)"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "False"
