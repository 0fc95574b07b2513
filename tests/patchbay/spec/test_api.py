"""Reading what a platform answered without knowing its shape."""

import pytest

from patchbay.spec import Answer


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
