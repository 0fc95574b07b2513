"""What an answer means: the provider's rules first, then its status; and how long it asks to wait."""

import pytest

from patchbay.spec import Answer, Meaning, Rule, classify, retry_after_s
from tests.stage import FrozenClock


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): text for name, text in headers.items()}, body, "")


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (401, Meaning.TOKEN_EXPIRED), (403, Meaning.SCOPE_MISSING), (404, Meaning.NOT_FOUND), (410, Meaning.NOT_FOUND),
        (429, Meaning.THROTTLED), (408, Meaning.UNAVAILABLE), (302, Meaning.REFUSED), (400, Meaning.REFUSED),
        (422, Meaning.REFUSED), (500, Meaning.UNAVAILABLE), (599, Meaning.UNAVAILABLE),
    ],
)  # fmt: skip
def test_without_rules_the_status_tells(status: int, meaning: Meaning) -> None:
    fault = classify((), answer(status))

    assert fault is not None
    assert fault.meaning is meaning


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_is_no_fault(status: int) -> None:
    assert classify((), answer(status)) is None


def test_the_first_rule_that_fits_decides() -> None:
    rules = (
        Rule(Meaning.THROTTLED, status=403, path=("reason",), values=frozenset({"slow"})),
        Rule(Meaning.REFUSED, status=403, text=("words",)),
    )

    slow, other = classify(rules, answer(403, b'{"reason": "slow"}')), classify(rules, answer(403, b'{"words": "no"}'))

    assert slow is not None
    assert other is not None
    assert slow.meaning is Meaning.THROTTLED
    assert (other.meaning, other.text) == (Meaning.REFUSED, "no")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b"null",
        b'"reason"',
        b'{"reason": ["slow"]}',
        b'{"reason": {"slow": 1}}',
        b"\xff",
        b'{"reason"',
    ],
)
def test_bodies_that_are_not_as_expected_fit_no_rule(body: bytes) -> None:
    rules = (Rule(Meaning.THROTTLED, path=("reason",), values=frozenset({"slow"})),)

    assert classify(rules, answer(200, body)) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("", None), ("soon", None), ("Mon, 01 Mar 2027 12:00:30 GMT", 30.0),
     ("Mon, 01 Mar 2027 11:00:00 GMT", 0.0), ("Mon, 99 Mar 2027 12:00:30 GMT", None)],
)  # fmt: skip
def test_a_wait_is_seconds_or_a_date(frozen_clock: FrozenClock, text: str, seconds: float | None) -> None:
    assert retry_after_s(answer(429, retry_after=text)) == seconds
