"""Reading what a platform answered without knowing its shape."""

import pytest

from patchbay.spec import Answer, Picture


@pytest.mark.parametrize(
    ("body", "path", "value"),
    [
        (b'{"error": {"code": 7}}', ("error", "code"), 7),
        (b'{"error": {"code": 7}}', ("error", "text"), None),
        (b'{"error": "no"}', ("error", "code"), None),
        (b'{"errors": []}', ("errors", 0), None),
        (b'[{"message": "no"}]', (0, "message"), "no"),
        (b'[{"message": "no"}]', (1, "message"), None),
        (b"<html>", ("error",), None),
        (b"<html>", (0, "message"), None),
    ],
)
def test_a_place_in_a_body_is_read_or_there_is_none(body: bytes, path: tuple[str | int, ...], value: object) -> None:
    assert Answer(400, {}, body, "").at(*path) == value


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"error": ' * 200_000])
def test_a_body_without_end_has_no_places(body: bytes) -> None:
    given = Answer(400, {}, body, "")

    assert given.json is None
    assert given.at("error", "code") is None
    assert given.at(0) is None


@pytest.mark.parametrize(
    ("date", "told"),
    [("Mon, 01 Mar 2027 12:00:00 GMT", True), ("", False), ("soon", False), ("Mon, 99 Mar 2027 12:00:00 GMT", False)],
)
def test_when_an_answer_was_sent_is_told_by_its_header_or_not_at_all(date: str, told: bool) -> None:
    sent_at = Answer(200, {"date": date}, b"", "").sent_at

    assert (sent_at is not None) is told
    assert sent_at is None or sent_at.utcoffset() is not None


def test_a_picture_is_read_in_parts_or_whole() -> None:
    picture = Picture.of(b"0123456789", filename="a.png", content_type="image/png")

    assert (picture.size_bytes, picture.content, picture.name) == (10, b"0123456789", "a.png")
    assert [picture.read(start, 4) for start in (0, 4, 8, 12)] == [b"0123", b"4567", b"89", b""]
    assert "0123" not in repr(picture)
