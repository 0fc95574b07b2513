"""What an upload is taken for, what is refused, and which bytes are kept.

What does not live here: SVG's own rules (`test_svg`).
"""

import struct
import time
import zlib
from dataclasses import asdict, dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from patchbay.errors import Invalid, TooLarge
from patchbay.pictures import containers, files, inspect
from patchbay.pictures.files import Content

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20" fill="red"/></svg>'
GPS_IFD = 0x8825
MIB = 1024 * 1024
ORIENTATION = 0x0112


@dataclass(frozen=True)
class Kept(inspect.Picture):
    """What was kept, with its bytes."""

    content: bytes


def read_picture(content: Content, *, declared_name: str) -> Kept:
    kept = BytesIO()
    picture = inspect.read_picture(content, declared_name=declared_name, kept=kept)
    return Kept(**asdict(picture), content=kept.getvalue())


def encoded(picture: Image.Image, file_format: str, **options: object) -> bytes:
    content = BytesIO()
    picture.save(content, file_format, **options)
    return content.getvalue()


def two_halves(mode: str = "RGB") -> Image.Image:
    """64 × 32, left half red, right half blue."""
    picture = Image.new("RGB", (64, 32), "red")
    picture.paste("blue", (32, 0, 64, 32))
    return picture.convert(mode)


def png_of(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG whose header claims a size; `body` is the compressed pixels."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def note_on(refusal: pytest.ExceptionInfo[Invalid]) -> str:
    return refusal.value.fields["file"]


@pytest.mark.parametrize(
    ("file_format", "name", "content_type", "extension"),
    [
        ("PNG", "logo.png", "image/png", ".png"),
        ("JPEG", "photo.JPEG", "image/jpeg", ".jpg"),
        ("WEBP", "art.webp", "image/webp", ".webp"),
    ],
)
def test_a_still_picture_is_known_by_its_content(
    file_format: str, name: str, content_type: str, extension: str
) -> None:
    picture = read_picture(encoded(two_halves(), file_format), declared_name=name)

    assert (picture.content_type, picture.extension) == (content_type, extension)
    assert (picture.width, picture.height) == (64, 32)
    assert picture.sha256 == sha256(picture.content).hexdigest()


def test_an_svg_is_known_by_its_content() -> None:
    picture = read_picture(SVG, declared_name="logo.svg")

    assert (picture.content_type, picture.width, picture.height) == ("image/svg+xml", 40, 20)
    assert picture.content == SVG


def test_a_name_without_an_ending_is_fine() -> None:
    picture = read_picture(encoded(two_halves(), "PNG"), declared_name="exported from a design tool")

    assert picture.extension == ".png"


@pytest.mark.parametrize("name", ["logo.png", "logo.svg", "logo.exe", "logo.jpg.webp"])
def test_an_ending_that_does_not_fit_the_content_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_picture(encoded(two_halves(), "JPEG"), declared_name=name)

    assert "does not fit" in note_on(refusal)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        read_picture(b"", declared_name="logo.png")

    assert "empty" in note_on(refusal)


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7",
        b"GIF89a" + bytes(20),
        b"PK\x03\x04" + bytes(30),
        b"\x1f\x8b" + bytes(30),
        b"RIFF\x04\0\0\0WAVE",
        b"hello",
    ],
)
def test_other_kinds_of_files_are_refused(content: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        read_picture(content, declared_name="design.png")

    assert "not a picture" in note_on(refusal)


def test_more_than_256_megabytes_are_refused_before_anything_is_read() -> None:
    with pytest.raises(TooLarge) as refusal:
        read_picture(bytes(256 * MIB + 1), declared_name="design.png")

    assert refusal.value.params == {"limit": "256 MB"}


def test_a_drawing_of_more_than_20_megabytes_is_refused() -> None:
    with pytest.raises(TooLarge) as refusal:
        read_picture(SVG + b" " * 20 * MIB, declared_name="design.svg")

    assert refusal.value.params == {"limit": "20 MB"}


@pytest.mark.parametrize(
    ("width", "height"), [(8500, 6000), (12_000, 12_000), (65_000, 65_000), (2**31 - 1, 2**31 - 1)]
)
def test_a_picture_above_50_megapixels_is_refused_by_its_header(width: int, height: int) -> None:
    bomb = png_of(width, height, zlib.compress(bytes(1000)))

    with pytest.raises(TooLarge) as refusal:
        read_picture(bomb, declared_name="bomb.png")

    assert refusal.value.params == {"limit": "50 megapixels"}


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_picture_that_is_cut_short_is_refused(file_format: str, kept: float) -> None:
    noisy = Image.effect_mandelbrot((300, 200), (-2, -1, 1, 1), 80).convert("RGB")
    content = encoded(noisy, file_format)

    with pytest.raises(Invalid) as refusal:
        read_picture(content[: int(len(content) * kept)], declared_name="")

    assert "damaged" in note_on(refusal)


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x10\0\0\0WEBP"])
def test_a_signature_with_rubbish_behind_it_is_refused(start: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        read_picture(start + b"rubbish" * 50, declared_name="")

    assert "damaged" in note_on(refusal)


def test_pixels_that_do_not_decompress_are_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        read_picture(png_of(100, 100, b"not zlib"), declared_name="broken.png")

    assert "damaged" in note_on(refusal)


def test_a_jpeg_whose_markers_are_lost_is_refused() -> None:
    content = encoded(two_halves(), "JPEG")
    without_end = content[:-2] + bytes(2)

    with pytest.raises(Invalid) as refusal:
        read_picture(without_end, declared_name="photo.jpg")

    assert "damaged" in note_on(refusal)


@pytest.mark.parametrize("segment", [b"\xff\xe0\xff\xfe", b"\xff\xfe\x00\x00", b"\x00" * 40])
def test_a_jpeg_with_segments_that_lead_nowhere_is_refused(segment: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        list(containers.without_metadata("JPEG", b"\xff\xd8" + segment))

    assert "damaged" in note_on(refusal)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8" + b"\xff" * MIB,
        b"\xff\xd8" + b"\xff\xe1\x00\x02" * MIB,
        b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\x00teXt\x00\x00\x00\x00" * MIB,
        b"RIFF" + struct.pack("<I", 8 * MIB + 4) + b"WEBP" + b"EXIF\x00\x00\x00\x00" * MIB,
    ],
    ids=["fill bytes", "segments", "chunks of PNG", "chunks of WebP"],
)
def test_a_file_of_a_million_empty_parts_is_refused_at_once(content: bytes) -> None:
    started = time.process_time()

    with pytest.raises(Invalid) as refusal:
        read_picture(content, declared_name="")

    assert "damaged" in note_on(refusal)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_a_large_file_is_read_where_it_lies_and_kept_without_its_metadata(file_format: str, tmp_path: Path) -> None:
    """Room for 20 MB more is made by metadata, which all three formats may carry that much of."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    small = encoded(two_halves(), file_format, exif=exif)
    large = tmp_path / "large"
    large.write_bytes(_padded(small, file_format))

    with large.open("rb") as file, files.opened(file) as content:
        kept = read_picture(content, declared_name="")
        is_mapped = not isinstance(content, bytes)

    assert is_mapped
    assert kept.content == read_picture(small, declared_name="").content
    assert (kept.size_bytes, kept.sha256) == (len(kept.content), sha256(kept.content).hexdigest())


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_an_animated_picture_is_refused(file_format: str) -> None:
    content = encoded(two_halves(), file_format, save_all=True, append_images=[Image.new("RGB", (64, 32), "green")])

    with pytest.raises(Invalid) as refusal:
        read_picture(content, declared_name="")

    assert "Animated" in note_on(refusal)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_colour_layout_of_png_is_kept_as_it_is(mode: str) -> None:
    source = Image.new("I;16", (64, 32), 40_000) if mode == "I;16" else two_halves(mode)
    content = encoded(source, "PNG")

    picture = read_picture(content, declared_name="logo.png")

    assert Image.open(BytesIO(picture.content)).tobytes() == source.tobytes()


def test_the_transparent_colour_of_a_palette_is_kept() -> None:
    content = encoded(two_halves("P"), "PNG", transparency=0)

    picture = read_picture(content, declared_name="logo.png")

    assert Image.open(BytesIO(picture.content)).has_transparency_data


def test_a_cmyk_jpeg_is_kept_as_rgb() -> None:
    picture = read_picture(encoded(two_halves("CMYK"), "JPEG"), declared_name="print.jpg")

    kept = Image.open(BytesIO(picture.content))
    red, green, blue = kept.getpixel((5, 5))  # type: ignore[misc] # an RGB pixel is three numbers
    assert kept.mode == "RGB"
    assert red > 200
    assert max(green, blue) < 80


def test_a_jpeg_turned_by_its_camera_is_kept_upright() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # turn clockwise to see it upright
    content = encoded(two_halves(), "JPEG", exif=exif, quality=95)

    picture = read_picture(content, declared_name="phone.jpg")

    kept = Image.open(BytesIO(picture.content))
    red, _green, blue = kept.getpixel((16, 8))  # type: ignore[misc] # an RGB pixel is three numbers
    assert (picture.width, picture.height) == kept.size == (32, 64)
    assert red > 200
    assert blue < 60
    assert not kept.getexif()


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_place_and_camera_are_not_kept_and_the_pixels_are(file_format: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(GPS_IFD)[1] = "N"
    content = encoded(two_halves(), file_format, exif=exif, xmp=b"<x:xmpmeta>SecretPlace</x:xmpmeta>")

    picture = read_picture(content, declared_name="")

    kept = Image.open(BytesIO(picture.content))
    assert kept.tobytes() == Image.open(BytesIO(content)).tobytes()
    assert b"Secret" in content
    assert b"Secret" not in picture.content
    assert not kept.getexif()


def test_texts_and_bytes_behind_the_end_of_a_png_are_not_kept() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "SecretName")
    content = encoded(two_halves(), "PNG", pnginfo=texts) + b"<script>hidden</script>"

    picture = read_picture(content, declared_name="logo.png")

    assert b"SecretName" not in picture.content
    assert b"hidden" not in picture.content


def test_comments_and_bytes_behind_the_end_of_a_jpeg_are_not_kept() -> None:
    content = encoded(two_halves(), "JPEG", comment=b"SecretName", progressive=True) + b"PK\x03\x04hidden"

    picture = read_picture(content, declared_name="photo.jpg")

    assert picture.content.endswith(b"\xff\xd9")
    assert b"SecretName" not in picture.content
    assert Image.open(BytesIO(picture.content)).tobytes() == Image.open(BytesIO(content)).tobytes()


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_a_colour_profile_is_kept(file_format: str) -> None:
    profile = _display_profile()
    content = encoded(two_halves(), file_format, icc_profile=profile)

    picture = read_picture(content, declared_name="")

    assert Image.open(BytesIO(picture.content)).info["icc_profile"] == profile


def test_reading_what_was_kept_changes_nothing_more() -> None:
    first = read_picture(encoded(two_halves(), "JPEG"), declared_name="photo.jpg")

    second = read_picture(first.content, declared_name="photo.jpg")

    assert second == first


def _padded(content: bytes, file_format: str) -> bytes:
    """The same picture, made larger than 20 MB by parts that draw nothing."""
    if file_format == "PNG":
        note = b"tEXt" + bytes(21 * MIB)
        return content[:33] + struct.pack(">I", 21 * MIB) + note + struct.pack(">I", zlib.crc32(note)) + content[33:]
    if file_format == "JPEG":
        return content[:2] + (b"\xff\xed\xff\xff" + bytes(65533)) * (21 * MIB // 65537 + 1) + content[2:]
    end = len(content) - 8 + 8 + 21 * MIB
    return content[:4] + struct.pack("<I", end) + content[8:] + b"XMP " + struct.pack("<I", 21 * MIB) + bytes(21 * MIB)


def _display_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
