"""How platforms say "not now": every dialect of a wait, sense or none, and rules that look at headers."""

import pytest

from patchbay.spec import Answer, Meaning, Rule, classify
from patchbay.spec.faults import retry_after_s, wait_in, wait_told_s
from tests.stage import FrozenClock

NOON = 1_803_902_400  # 2027-03-01T12:00:00Z, where the frozen clock stands


def answer(status: int = 429, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): text for name, text in headers.items()}, body, "")


DIALECTS = [
    pytest.param("120", 120.0, id="seconds"),
    pytest.param(" 2 ", 2.0, id="seconds with blanks around"),
    pytest.param("2.5", 2.5, id="decimal"),
    pytest.param("0", 0.0, id="at once"),
    pytest.param("-5", 0.0, id="less than nothing"),
    pytest.param(str(NOON + 90), 90.0, id="Unix time"),
    pytest.param(f"{NOON + 90}.5", 90.5, id="Unix time with a fraction"),
    pytest.param(str(NOON - 90), 0.0, id="Unix time that has passed"),
    pytest.param(str((NOON + 90) * 1000), 90.0, id="Unix time in milliseconds"),
    pytest.param("Mon, 01 Mar 2027 12:00:30 GMT", 30.0, id="HTTP date"),
    pytest.param("Mon, 01 Mar 2027 14:00:30 +0200", 30.0, id="date with an offset"),
    pytest.param("Mon, 01 Mar 2027 11:00:00 GMT", 0.0, id="HTTP date that has passed"),
    pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 251_598_398_399.0, id="HTTP date without sense, but a date"),
    pytest.param("2027-03-01T12:01:00Z", 60.0, id="ISO 8601"),
    pytest.param("2027-03-01T12:01:00", None, id="ISO 8601 without a zone"),
    pytest.param("Mon, 01 Mar 99999 12:00:00 GMT", None, id="a year that no calendar has"),
    pytest.param(f"Mon, 01 Mar {'9' * 30} 12:00:00 GMT", None, id="a year that no machine has"),
    pytest.param("Mon, 01 Mar 2027 12:00:30 +9999999999999", None, id="an offset that no zone has"),
    pytest.param("9999-12-31T23:59:59-23:59", 251_598_484_739.0, id="the end of all days, elsewhere"),
    pytest.param("nan", None, id="not a number"),
    pytest.param("soon", None, id="a word"),
    pytest.param("", None, id="nothing"),
]


@pytest.mark.parametrize(("told", "seconds"), DIALECTS)
def test_retry_after_is_read_in_every_dialect(frozen_clock: FrozenClock, told: str, seconds: float | None) -> None:
    assert retry_after_s(answer(retry_after=told)) == seconds


@pytest.mark.parametrize(
    "header", ["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset", "x-ratelimit-reset-after"]
)
@pytest.mark.parametrize(
    ("told", "seconds"),
    [("42", 42.0), (str(NOON + 42), 42.0), (str((NOON + 42) * 1000), 42.0), (str(NOON - 1), 0.0), ("later", None)],
)
def test_the_end_of_a_window_is_read_where_nothing_else_is_said(
    frozen_clock: FrozenClock, header: str, told: str, seconds: float | None
) -> None:
    assert wait_told_s(Answer(429, {header: told}, b"", "")) == seconds


def test_what_retry_after_says_counts_before_the_end_of_the_window(frozen_clock: FrozenClock) -> None:
    assert wait_told_s(answer(retry_after="3", x_ratelimit_reset="600")) == 3.0
    assert wait_told_s(answer(retry_after="soon", x_ratelimit_reset="600")) == 600.0


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"error": {"retry_after": 15}}', 15.0),
        (b'{"error": {"retry_after": 1.5}}', 1.5),
        (b'{"error": {"retry_after": "15"}}', 15.0),
        (b'{"error": {"retry_after": 1803902460}}', 60.0),
        (b'{"error": {"retry_after": "2027-03-01T12:00:20Z"}}', 20.0),
        (b'{"error": {"retry_after": true}}', 9.0),
        (b'{"error": {"retry_after": null}}', 9.0),
        (b'{"error": {"retry_after": [15]}}', 9.0),
        (b'{"error": "slow down"}', 9.0),
        (b"not JSON", 9.0),
    ],
)
def test_a_wait_in_the_body_counts_before_the_header(frozen_clock: FrozenClock, body: bytes, seconds: float) -> None:
    read = wait_in("error", "retry_after")

    assert read(answer(body=body, retry_after="9")) == seconds


@pytest.mark.parametrize("told", ["1e999", "9" * 400, "999999999999999999"])
def test_a_wait_without_end_is_a_wait_all_the_same(frozen_clock: FrozenClock, told: str) -> None:
    fault = classify((), answer(503, retry_after=told))

    assert fault is not None
    assert fault.wait_s is not None
    assert fault.wait_s > 10**15


HINTED = Rule(Meaning.THROTTLED, status=403, header=("x-denied-because", "Quota"), wait=wait_told_s)
NAMED = Rule(Meaning.THROTTLED, status=403, header=("retry-after", ""), wait=retry_after_s)


@pytest.mark.parametrize(
    ("headers", "fits"),
    [
        ({"x-denied-because": "quota used up"}, True),
        ({"x-denied-because": "QUOTA"}, True),
        ({"x-denied-because": "the quota"}, False),
        ({"x-denied-because": ""}, False),
        ({"x-denied": "quota"}, False),
        ({}, False),
    ],
)
def test_a_rule_may_look_at_how_a_header_begins(headers: dict[str, str], fits: bool) -> None:
    fault = classify((HINTED,), Answer(403, headers, b"", ""))

    assert fault is not None
    assert (fault.meaning is Meaning.THROTTLED) is fits


@pytest.mark.parametrize(("headers", "wait_s"), [({"retry-after": "7"}, 7.0), ({"retry-after": ""}, None)])
def test_a_rule_may_ask_for_a_header_whatever_it_says(headers: dict[str, str], wait_s: float | None) -> None:
    fault = classify((NAMED,), Answer(403, headers, b"", ""))

    assert fault is not None
    assert (fault.meaning, fault.wait_s) == (Meaning.THROTTLED, wait_s)


def test_header_and_body_of_a_rule_must_both_fit() -> None:
    rule = Rule(Meaning.FULL, header=("x-kind", "storage"), path=("full",))

    both = classify((rule,), Answer(403, {"x-kind": "storage"}, b'{"full": true}', ""))
    header_alone = classify((rule,), Answer(403, {"x-kind": "storage"}, b"{}", ""))
    body_alone = classify((rule,), Answer(403, {}, b'{"full": true}', ""))

    assert [fault.meaning for fault in (both, header_alone, body_alone) if fault] == [
        Meaning.FULL,
        Meaning.SCOPE_MISSING,
        Meaning.SCOPE_MISSING,
    ]
