"""Which SVG files are drawn and which are refused, and that refusing is quick.

What does not live here: telling an SVG from other files (`test_inspect`).
"""

import base64
import time
from io import BytesIO

import pytest
from PIL import Image

from patchbay.errors import Invalid, TooLarge
from patchbay.pictures import svg

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def drawing(inside: str, attributes: str = 'width="40" height="20"', before: str = "") -> bytes:
    return f"{before}<svg {NAMESPACES} {attributes}>{inside}</svg>".encode()


def embedded(width: int, height: int) -> str:
    content = BytesIO()
    Image.new("1", (width, height)).save(content, "PNG")
    return f'<image href="data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}" width="9" height="9"/>'


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="40" height="20"', (40, 20)),
        ('width="1in" height="2.54cm"', (96, 96)),
        ('viewBox="0 0 300 150"', (300, 150)),
        ('width="100%" height="100%" viewBox="0,0,300,150"', (300, 150)),
        ('width="600" viewBox="0 0 300 150"', (600, 300)),
        ('height="75px" viewBox="0 0 300 150"', (150, 75)),
        ('width="300" height="200" viewBox="0 0 1e9 1e9"', (300, 200)),
    ],
)
def test_the_size_is_the_one_a_browser_would_give_it(attributes: str, size: tuple[int, int]) -> None:
    measured = svg.measure(drawing("<circle r='5'/>", attributes))

    assert measured == size


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        'width="0" height="20"',
        'width="1e30" height="20"',
        'width="100001" height="20"',
        'viewBox="0 0 1000000000 1000000000"',
        'viewBox="0 0 -5 5"',
        'viewBox="0 0 inf 5"',
        'viewBox="0 0 nan nan"',
    ],
)
def test_a_size_that_cannot_be_drawn_is_refused(attributes: str) -> None:
    with pytest.raises(Invalid) as refusal:
        svg.measure(drawing("", attributes))

    assert "no usable size" in refusal.value.fields["file"]


@pytest.mark.parametrize(
    "inside",
    [
        '<image href="https://example.com/a.png"/>',
        '<image xlink:href="file:///etc/passwd"/>',
        '<image href="../secret.png"/>',
        '<image href="data:image/svg+xml;base64,PHN2Zy8+"/>',
        '<use href="other.svg#part"/>',
        '<style>@import url("https://example.com/a.css");</style>',
        "<style>rect { fill: url(https://example.com/a#b) }</style>",
        "<style><![CDATA[rect { fill: u\\72l(https://example.com/a) }]]></style>",
        '<rect fill="url(https://example.com/a#b)"/>',
        "<rect style=\"fill:url( '//example.com/a#b' )\"/>",
        '<g xml:base="https://example.com/"/>',
        '<filter><feImage href="https://example.com/a.png"/></filter>',
    ],
)
def test_a_reference_out_of_the_file_is_refused(inside: str) -> None:
    with pytest.raises(Invalid) as refusal:
        svg.render(drawing(inside), box=64)

    assert "outside the file" in refusal.value.fields["file"]


def test_a_style_sheet_instruction_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        svg.measure(drawing("", before='<?xml-stylesheet href="https://example.com/a.css"?>'))

    assert "outside the file" in refusal.value.fields["file"]


@pytest.mark.parametrize(
    "inside",
    [
        "<script>fetch('/')</script>",
        '<rect onclick="fetch()"/>',
        "<foreignObject><p>page</p></foreignObject>",
        '<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>',
        '<a><animate attributeName="href" to="javascript:0"/></a>',
        '<set attributeName="href" to="x"/>',
    ],
)
def test_scripts_animation_and_pages_are_refused(inside: str) -> None:
    with pytest.raises(Invalid) as refusal:
        svg.render(drawing(inside), box=64)

    assert "scripts" in refusal.value.fields["file"]


def test_an_entity_bomb_is_refused_at_once() -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = drawing("<text>&a11;</text>", before=f"<!DOCTYPE svg [{entities}]>")
    started = time.process_time()

    with pytest.raises(Invalid) as refusal:
        svg.render(bomb, box=64)

    assert "entities" in refusal.value.fields["file"]
    assert time.process_time() - started < 1


def test_an_external_entity_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        svg.measure(drawing("<text>&x;</text>", before='<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'))

    assert "entities" in refusal.value.fields["file"]


def test_a_plain_document_type_is_fine() -> None:
    public = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'

    measured = svg.measure(drawing("", before=f'<?xml version="1.0"?>{public}'))

    assert measured == (40, 20)


def test_references_that_multiply_are_refused() -> None:
    doubled = "".join(f'<g id="g{n}"><use href="#g{n - 1}"/><use href="#g{n - 1}"/></g>' for n in range(1, 40))
    bomb = drawing(f'<defs><rect id="g0" width="1" height="1"/>{doubled}</defs><use href="#g39"/>')

    with pytest.raises(Invalid) as refusal:
        svg.render(bomb, box=64)

    assert "cannot be drawn" in refusal.value.fields["file"]


@pytest.mark.parametrize("inside", ["<g>" * 200 + "</g>" * 200, "<g/>" * (svg.MAX_ELEMENTS + 1)])
def test_too_deep_or_too_many_elements_are_refused(inside: str) -> None:
    with pytest.raises(Invalid) as refusal:
        svg.measure(drawing(inside))

    assert "too complex" in refusal.value.fields["file"]


@pytest.mark.parametrize("content", [b"<svg", b"<html><body/></html>", b"<svg>\xff</svg>", b"<", b"<!-- only this -->"])
def test_what_is_no_svg_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        svg.measure(content)

    assert "not a picture" in refusal.value.fields["file"]


def test_embedded_pictures_are_drawn() -> None:
    content = BytesIO()
    Image.new("RGB", (8, 8), "lime").save(content, "PNG")
    source = f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"

    png = svg.render(
        drawing(f'<image xlink:href="{source}" width="40" height="20" preserveAspectRatio="none"/>'), box=80
    )

    assert Image.open(BytesIO(png)).getpixel((40, 20)) == (0, 255, 0, 255)


def test_embedded_pictures_above_the_limit_are_refused() -> None:
    with pytest.raises(TooLarge) as refusal:
        svg.measure(drawing(embedded(6000, 6000) * 2))

    assert refusal.value.params == {"limit": "50 megapixels"}


def test_an_embedded_picture_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        svg.measure(drawing('<image href="data:image/png;base64,AAAA"/>'))

    assert "damaged" in refusal.value.fields["file"]


@pytest.mark.parametrize(
    ("attributes", "size"), [('width="40" height="20"', (512, 256)), ('width="1" height="90000"', (1, 512))]
)
def test_it_is_drawn_to_fit_the_box(attributes: str, size: tuple[int, int]) -> None:
    png = svg.render(drawing('<rect width="40" height="20" fill="red"/>', f'{attributes} viewBox="0 0 40 20"'), box=512)

    assert Image.open(BytesIO(png)).size == size


def test_local_gradients_clips_and_styles_are_drawn() -> None:
    inside = (
        '<style>.a { fill: url(#g) }</style><linearGradient id="g"><stop stop-color="red"/></linearGradient>'
        '<rect class="a" width="40" height="20"/>'
    )

    png = svg.render(drawing(inside), box=40)

    assert Image.open(BytesIO(png)).getpixel((20, 10)) == (255, 0, 0, 255)
