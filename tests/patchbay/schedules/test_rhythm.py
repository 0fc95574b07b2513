"""When a schedule comes round: intervals, times of day in their own zone, summer time, and what is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from patchbay.errors import Invalid
from patchbay.models import Repeat
from patchbay.schedules import WEEKDAYS, Rhythm, rhythm

START = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)  # a Monday
WORKDAYS = list(WEEKDAYS[:5])


def moments(values: dict[str, Any], start: datetime, counts_from: datetime | None = None) -> Iterator[datetime]:
    """One moment behind the other."""
    found, at = rhythm.read(values), start
    while True:
        at = found.after(at, counts_from or start)
        yield at


def local(values: dict[str, Any], start: datetime, count: int) -> list[str]:
    """The first moments as clocks in the schedule's zone show them, with their distance from UTC."""
    zone = ZoneInfo(values["timeZone"])
    found = moments(values, start)
    return [f"{next(found).astimezone(zone):%d %b %H:%M %z}" for _ in range(count)]


def daily(time: str, zone: str) -> dict[str, Any]:
    return {"repeat": "daily", "time": time, "timeZone": zone}


def problems(**values: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        rhythm.read(values)
    return dict(refused.value.fields)


@pytest.mark.parametrize(("repeat", "every", "apart"), [("minutes", 15, 15 * 60), ("hours", 6, 6 * 3600)])
def test_an_interval_is_counted_from_its_start(repeat: str, every: int, apart: int) -> None:
    found = moments({"repeat": repeat, "every": every}, START + timedelta(seconds=7))

    first_four = [next(found) for _ in range(4)]

    assert first_four[0] == START + timedelta(seconds=7 + apart)
    assert {later - earlier for earlier, later in pairwise(first_four)} == {timedelta(seconds=apart)}


def test_an_interval_knows_no_summer_time() -> None:
    before = datetime(2027, 3, 27, 20, 0, tzinfo=UTC)

    found = local({"repeat": "hours", "every": 6, "timeZone": "Europe/Berlin"}, before, 3)

    assert found == ["28 Mar 04:00 +0200", "28 Mar 10:00 +0200", "28 Mar 16:00 +0200"]


def test_moments_that_have_passed_are_one_step_over() -> None:
    found = rhythm.read({"repeat": "minutes", "every": 15})

    following = found.after(START + timedelta(days=3, minutes=4), START)

    assert following == START + timedelta(days=3, minutes=15)


def test_a_moment_in_front_of_the_start_leads_to_the_first() -> None:
    found = rhythm.read({"repeat": "hours", "every": 1})

    assert found.after(START - timedelta(hours=5), START) == START + timedelta(hours=1)


def test_a_time_of_day_follows_the_clocks_of_its_zone() -> None:
    found = local(daily("09:00", "Europe/Berlin"), datetime(2027, 3, 26, 12, 0, tzinfo=UTC), 3)

    assert found == ["27 Mar 09:00 +0100", "28 Mar 09:00 +0200", "29 Mar 09:00 +0200"]


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        ("Europe/Berlin", "2027-03-27T12:00Z", ["28 Mar 03:00 +0200", "29 Mar 02:30 +0200"]),
        ("America/New_York", "2027-03-13T12:00Z", ["14 Mar 03:00 -0400", "15 Mar 02:30 -0400"]),
        ("Australia/Sydney", "2027-10-02T12:00Z", ["03 Oct 03:00 +1100", "04 Oct 02:30 +1100"]),
        ("America/Santiago", "2027-09-04T20:00Z", ["05 Sep 02:30 -0300", "06 Sep 02:30 -0300"]),
    ],
)
def test_a_time_that_spring_leaves_out_is_taken_at_the_end_of_the_gap(
    zone: str, start: str, expected: list[str]
) -> None:
    assert local(daily("02:30", zone), datetime.fromisoformat(start), 2) == expected


def test_midnight_that_spring_leaves_out_is_one_oclock() -> None:
    found = local(daily("00:00", "America/Santiago"), datetime.fromisoformat("2027-09-04T12:00Z"), 2)

    assert found == ["05 Sep 01:00 -0300", "06 Sep 00:00 -0300"]


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        ("Europe/Berlin", "2027-10-30T12:00Z", ["31 Oct 02:30 +0200", "01 Nov 02:30 +0100"]),
        ("America/New_York", "2027-11-06T16:00Z", ["07 Nov 01:30 -0400", "08 Nov 01:30 -0500"]),
        ("Australia/Sydney", "2027-04-03T12:00Z", ["04 Apr 02:30 +1100", "05 Apr 02:30 +1000"]),
    ],
)
def test_a_time_that_autumn_brings_twice_is_taken_once(zone: str, start: str, expected: list[str]) -> None:
    time = expected[0][7:12]

    assert local(daily(time, zone), datetime.fromisoformat(start), 2) == expected


def test_within_the_hour_that_comes_twice_nothing_comes_round_again() -> None:
    second_pass = datetime(2027, 10, 31, 1, 10, tzinfo=UTC)  # 02:10 in Berlin for the second time

    found = rhythm.read(daily("02:30", "Europe/Berlin")).after(second_pass, START)

    assert found == datetime(2027, 11, 1, 1, 30, tzinfo=UTC)


def test_a_zone_whose_summer_time_is_half_an_hour_is_right_too() -> None:
    found = local(daily("02:15", "Australia/Lord_Howe"), datetime.fromisoformat("2027-10-02T12:00Z"), 2)

    assert found == ["03 Oct 02:30 +1100", "04 Oct 02:15 +1100"]


def test_chosen_weekdays_are_those_of_the_zone() -> None:
    values = {"repeat": "weekly", "weekdays": ["monday", "friday"], "time": "00:30", "timeZone": "Asia/Tokyo"}

    found = local(values, START, 3)

    assert found == ["05 Mar 00:30 +0900", "08 Mar 00:30 +0900", "12 Mar 00:30 +0900"]


def test_a_year_of_workdays_has_one_moment_each() -> None:
    values = {"repeat": "weekly", "weekdays": WORKDAYS, "time": "02:30", "timeZone": "Europe/Berlin"}
    found, zone = moments(values, datetime(2027, 1, 1, 12, 0, tzinfo=UTC)), ZoneInfo("Europe/Berlin")

    days = [next(found).astimezone(zone).date() for _ in range(260)]

    assert len(set(days)) == 260
    assert {day.weekday() for day in days} == {0, 1, 2, 3, 4}
    assert (days[-1] - days[0]).days == 51 * 7 + 4


def test_weekdays_are_kept_in_their_order_and_once() -> None:
    found = rhythm.read({"repeat": "weekly", "weekdays": ["friday", "monday", "friday"], "time": "09:00"})

    assert found == Rhythm(Repeat.WEEKLY, None, ("monday", "friday"), "09:00", "UTC")


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({"repeat": "minutes", "every": 10}, 60),
        ({"repeat": "hours", "every": 1}, 300),
        ({"repeat": "daily", "time": "09:00"}, 300),
    ],
)
def test_the_spread_is_a_tenth_of_the_interval_and_at_most_five_minutes(values: dict[str, Any], seconds: int) -> None:
    assert rhythm.read(values).spread == timedelta(seconds=seconds)


@pytest.mark.parametrize("every", [0, -1, 10**9, "many", 1.5, True, None])
def test_a_number_that_is_none_is_refused(every: object) -> None:
    assert set(problems(repeat="minutes", every=every)) == {"every"}


@pytest.mark.parametrize("every", [169, "1000", " 200 "])
def test_more_hours_than_a_week_has_are_refused(every: object) -> None:
    assert problems(repeat="hours", every=every) == {"every": "This number is out of range."}


@pytest.mark.parametrize("time", ["25:00", "24:00", "9:60", "noon", "", None, 9, "09:30:00", "²1:00"])
def test_a_time_that_no_clock_shows_is_refused(time: object) -> None:
    assert set(problems(repeat="daily", time=time)) == {"time"}


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "localtime", "europe/berlin", 7, ["UTC"], "x" * 70]
)
def test_a_zone_that_nobody_knows_is_refused(zone: object) -> None:
    assert set(problems(repeat="daily", time="09:00", timeZone=zone)) == {"timeZone"}


@pytest.mark.parametrize("days", [None, [], ["someday"], [1], [["monday"]], "monday"])
def test_weekdays_that_are_none_are_refused(days: object) -> None:
    assert set(problems(repeat="weekly", time="09:00", weekdays=days)) == {"weekdays"}


def test_everything_that_is_wrong_is_named_at_once() -> None:
    found = problems(repeat="weekly", weekdays=["someday"], time="25:00", timeZone="Nowhere", colour="red")

    assert set(found) == {"weekdays", "time", "timeZone", "colour"}


def test_what_does_not_go_with_the_choice_is_refused() -> None:
    assert set(problems(repeat="daily", time="09:00", every=3)) == {"every"}
    assert set(problems(repeat="hours", every=3, time="09:00")) == {"time"}
    assert "repeat" in problems(repeat="yearly", time="09:00")
