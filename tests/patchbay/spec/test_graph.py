"""Meta's dialect: usage as JSON in headers, waits in minutes, lists that go on where `next` stands."""

import json

import msgspec
import pytest

from patchbay.spec import Answer, CountedBy
from patchbay.spec.graph import Paging, read_usage, regain_s


def answer(**headers: object) -> Answer:
    told = {
        name.replace("_", "-"): value if isinstance(value, str) else json.dumps(value)
        for name, value in headers.items()
    }
    return Answer(200, told, b"{}", "")


def business(percent: int, minutes: int = 0) -> dict[str, object]:
    row = {"type": "pages", "call_count": percent, "total_time": 3, "estimated_time_to_regain_access": minutes}
    return {"1784": [row]}


def test_an_answer_without_usage_says_nothing() -> None:
    assert read_usage(answer()) == ()
    assert regain_s(answer()) is None


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "null", '{"1": 2}', '{"1": [3]}'])
def test_usage_that_makes_no_sense_says_nothing(text: str) -> None:
    assert read_usage(answer(x_business_use_case_usage=text, x_app_usage=text)) == ()


def test_the_fullest_percentage_counts() -> None:
    app, account = read_usage(
        answer(x_app_usage={"call_count": 12, "total_time": 88}, x_business_use_case_usage=business(30))
    )

    assert (app.by, app.available, app.maximum) == (CountedBy.APP, 12, 100)
    assert (account.by, account.available, account.maximum) == (CountedBy.ACCOUNT, 70, 100)


def test_the_last_percent_are_left_to_others() -> None:
    (budget,) = read_usage(answer(x_app_usage={"call_count": 97}))

    assert (budget.keep - budget.available) / budget.per_second == pytest.approx(2 * 36)


def test_a_wait_is_told_in_minutes() -> None:
    told = answer(x_business_use_case_usage=business(100, 7))

    (budget,) = read_usage(told)

    assert regain_s(told) == 420
    assert (budget.keep - budget.available) / budget.per_second == pytest.approx(420)


def test_a_list_goes_on_only_where_next_stands() -> None:
    cursors = {"before": "a", "after": "b"}

    assert msgspec.convert({"cursors": cursors}, Paging).next_cursor is None
    assert msgspec.convert({"cursors": cursors, "next": "https://graph"}, Paging).next_cursor == "b"
    assert Paging().next_cursor is None


@pytest.mark.parametrize(
    "text", ["[" * 50_000, '{"1": ' * 20_000, '{"1": [{"call_count": "12"}]}', '{"call_count": null}']
)
def test_usage_without_end_or_sense_says_nothing(text: str) -> None:
    assert read_usage(answer(x_business_use_case_usage=text, x_app_usage=text)) == ()
