"""Pictures as feeds take them: JPEG within the bounds of width and ratio, white where there was nothing."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from patchbay.errors import Invalid
from patchbay.pictures import renditions

WHITE, TEAL = (255, 255, 255), (0, 128, 128)


def picture(size: tuple[int, int], mode: str = "RGB", colour: Any = TEAL, kind: str = "PNG", **options: Any) -> bytes:
    written = BytesIO()
    Image.new(mode, size, colour).save(written, kind, **options)
    return written.getvalue()


def drawn(content: bytes) -> Image.Image:
    return Image.open(BytesIO(renditions.for_feeds(content)))


def is_near(pixel: Any, wanted: tuple[int, int, int]) -> bool:
    """Whether a pixel has that colour, as far as a JPEG keeps it."""
    return all(abs(one - other) <= 6 for one, other in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize(
    "size",
    [
        (1080, 1080), (1, 1), (4000, 4000), (1440, 754), (1441, 754), (1000, 523), (999, 523), (1440, 1), (3000, 2),
        (4, 5), (1000, 1250), (1000, 1251), (1439, 1799), (1000, 3000), (1, 4000), (2, 3000), (720, 1280), (1280, 720),
    ],
)  # fmt: skip
def test_a_picture_of_any_size_is_within_the_bounds(size: tuple[int, int]) -> None:
    found = drawn(picture(size))

    width, height = found.size
    assert (found.format, found.mode) == ("JPEG", "RGB")
    assert width <= 1440
    assert 4 / 5 <= width / height <= 1.91


@pytest.mark.parametrize("size", [(1080, 1080), (1440, 1800), (1440, 760), (300, 300)])
def test_a_picture_within_the_bounds_keeps_its_size(size: tuple[int, int]) -> None:
    assert drawn(picture(size)).size == size


def test_what_is_lacking_is_white_on_both_sides() -> None:
    found = drawn(picture((400, 1000)))

    assert found.size == (800, 1000)
    assert is_near(found.getpixel((10, 500)), WHITE)
    assert is_near(found.getpixel((790, 500)), WHITE)
    assert is_near(found.getpixel((400, 500)), TEAL)


@pytest.mark.parametrize(("mode", "colour"), [("RGBA", (0, 0, 0, 0)), ("LA", (0, 0)), ("RGBA", (255, 0, 0, 0))])
def test_what_shows_through_is_white(mode: str, colour: Any) -> None:
    assert is_near(drawn(picture((100, 100), mode, colour)).getpixel((50, 50)), WHITE)


def test_what_shows_through_in_part_is_mixed_with_white() -> None:
    assert is_near(drawn(picture((100, 100), "RGBA", (0, 0, 0, 128))).getpixel((50, 50)), (127, 127, 127))


@pytest.mark.parametrize(("mode", "colour"), [("L", 77), ("P", 0), ("1", 1), ("I;16", 30_000), ("CMYK", (0, 0, 0, 0))])
def test_every_kind_of_pixel_becomes_rgb(mode: str, colour: Any) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"

    assert drawn(picture((100, 100), mode, colour, kind)).mode == "RGB"


def test_a_turned_picture_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    found = drawn(picture((1200, 900), kind="JPEG", exif=exif))

    assert found.size == (960, 1200)  # 900 wide when upright, and white up to 4:5
    assert found.getexif().get(0x0112) is None


def test_nothing_about_the_camera_is_passed_on() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x9286] = "A Camera", "at home"

    assert dict(drawn(picture((500, 500), kind="JPEG", exif=exif)).getexif()) == {}


def test_a_drawing_is_drawn_large() -> None:
    square = b'<rect width="10" height="10" fill="teal"/>'

    found = drawn(b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10">' + square + b"</svg>")

    assert found.size == (1440, 1440)
    assert is_near(found.getpixel((700, 700)), TEAL)


@pytest.mark.parametrize("content", [b"", b"no picture", picture((100, 100))[:60]])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        renditions.for_feeds(content)
