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


# -- rules that look at words, at the kind of an answer, and at its depth


def meaning_of(rule: Rule, given: Answer) -> Meaning | None:
    fault = classify((rule,), given)
    return fault.meaning if fault else None


BEGINNING = Rule(Meaning.FULL, path=("why",), begins=("path/full/", "team/"))


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        (b'{"why": "path/full/.."}', True),
        (b'{"why": "team/x"}', True),
        (b'{"why": "xpath/full/"}', False),
        (b'{"why": ""}', False),
        (b'{"why": null}', False),
        (b'{"why": ["path/full/"]}', False),
        (b'{"why": {"path/full/": 1}}', False),
        (b'{"because": "path/full/"}', False),
    ],
)
def test_a_rule_may_look_at_how_a_text_begins(body: bytes, fits: bool) -> None:
    assert (meaning_of(BEGINNING, answer(200, body)) is Meaning.FULL) is fits


CONTAINING = Rule(Meaning.SETUP_WRONG, status=403, contains=("not own shop", "Unknown App"))


@pytest.mark.parametrize(
    ("status", "body", "fits"),
    [
        (403, b"You do NOT OWN SHOP 7", True),
        (403, b'{"error": "unknown app"}', True),
        (403, b"", False),
        (403, b"\xff\xfe unknown app", True),
        (403, b"x" * 20_000 + b"unknown app", False),
        (404, b"unknown app", False),
    ],
)
def test_a_rule_may_look_for_words_in_the_body(status: int, body: bytes, fits: bool) -> None:
    assert (meaning_of(CONTAINING, answer(status, body)) is Meaning.SETUP_WRONG) is fits


PAGE = Rule(Meaning.REFUSED, status=403, media="text/html", says="A page came.")


@pytest.mark.parametrize(
    ("content_type", "fits"),
    [
        ("text/html", True),
        ("text/html; charset=utf-8", True),
        ("Text/HTML", True),
        ("application/json", False),
        ("", False),
    ],
)
def test_a_rule_may_look_at_the_kind_of_an_answer(content_type: str, fits: bool) -> None:
    fault = classify((PAGE,), answer(403, content_type=content_type))

    assert fault is not None
    assert (fault.says == "A page came.") is fits


@pytest.mark.parametrize("status", [402, 404, 500])
def test_a_rule_for_a_range_of_statuses_speaks_of_them_alone(status: int) -> None:
    rule = Rule(Meaning.FULL, status=range(403, 405))

    assert (meaning_of(rule, answer(status)) is Meaning.FULL) is (status == 404)


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"why": ' * 200_000, b'{"why": "path/full/' + b"x" * 100_000 + b'"}']
)
def test_bodies_without_end_are_judged_all_the_same(body: bytes) -> None:
    fault = classify((Rule(Meaning.FULL, path=("why",), begins=("path/full/",), text=("why",)),), answer(400, body))

    assert fault is not None
    assert len(fault.text) <= 500


@pytest.mark.parametrize(("told", "kept"), [(7.0, 7.0), (0.0, 0.0), (-1.0, None), (float("nan"), None), (None, None)])
def test_a_wait_that_makes_no_sense_is_as_good_as_none(told: float | None, kept: float | None) -> None:
    fault = classify((Rule(Meaning.THROTTLED, status=429, wait=lambda _: told),), answer(429))

    assert fault is not None
    assert fault.wait_s == kept
