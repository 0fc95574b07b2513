"""The check by HTTP's own rules: that it finds what breaks one, and lets pass what does not."""

import pytest

from tests.conformance.http_rules import misfits
from tests.conformance.recording import Exchange


def answer(status: int, body: bytes = b"", **headers: str) -> Exchange:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Exchange("GET", "api.acme.example", "/", (), {}, b"", status, named, body)


@pytest.mark.parametrize(
    "fitting",
    [
        answer(200, b'{"a": 1}', content_type="application/json; charset=utf-8"),
        answer(200, b"{}", content_type="application/octet-stream"),
        answer(409, b"path/not_found/..", content_type="text/plain"),
        answer(204),
        answer(302, location="https://acme.example/"),
        answer(308, range="bytes=0-5"),
    ],
    ids=str,
)
def test_what_keeps_the_rules_passes(fitting: Exchange) -> None:
    assert misfits(fitting) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (answer(200, b"{}"), "a body has a type"),
        (answer(200, b"{", content_type="application/json"), "not what its type says: application/json"),
        (answer(200, b'{"a": 1}', content_type="text/plain"), "the body is JSON, not text/plain"),
        (answer(204, b"{}", content_type="application/json"), "status 204 has no body"),
        (answer(302), "says where to go"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_breaks_a_rule_is_named(wrong: Exchange, said: str) -> None:
    (misfit,) = misfits(wrong)

    assert said in misfit
