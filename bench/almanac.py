"""The plan of the simulated month: who runs when, what gets in the way, and the moments that a calendar tells.

They are found without the library that the hub uses; what is lived and compared is `month`'s.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo


def _weekly(at: str, zone: str, *days: str) -> dict[str, Any]:
    """Half past two is an hour that summer time leaves out, or brings twice."""
    return {"repeat": "weekly", "time": at, "timeZone": zone, "weekdays": list(days)}


START = datetime(2027, 3, 5, tzinfo=UTC)  # summer time begins in New York and Berlin, and ends in Sydney
DAYS = 31
SEED = 20270305
RATE = 0.05
STEP = timedelta(minutes=2)
LOOK_EVERY = timedelta(hours=6)
CHANGES_EVERY = timedelta(days=5)
LATE = timedelta(minutes=5) + 3 * STEP
"""The spread of a schedule, and the steps of this clock."""

CALM = timedelta(days=7)
"""At the end nothing changes any more, so that the last sweeps must have everything."""

STILL = timedelta(hours=12)
"""At the very end nothing fails any more, so that every run can end."""

_AT_NIGHT = (
    (_weekly("02:30", "America/New_York", "sunday", "wednesday"), timedelta(days=4)),
    (_weekly("02:30", "Australia/Sydney", "sunday", "thursday"), timedelta(days=4)),
    ({"repeat": "hours", "every": 72}, timedelta(hours=72)),
    (_weekly("02:30", "Europe/Berlin", "sunday", "monday"), timedelta(days=6)),
)
RHYTHMS: tuple[tuple[dict[str, Any], timedelta], ...] = (
    ({"repeat": "daily", "time": "09:00", "timeZone": "Europe/Berlin"}, timedelta(days=1)),
    *_AT_NIGHT,
    (_weekly("09:00", "Europe/Berlin", "tuesday", "saturday"), timedelta(days=4)),
    *_AT_NIGHT,
)
"""What the connections have in turn, and the longest time between two moments of each."""

LOCKED_OUT, DESERTED = "0", "10"
"""Accounts: one whose login ends for a while, and one whose platform is away for a while."""

LOCKED = (datetime(2027, 3, 15, 12, tzinfo=UTC), datetime(2027, 3, 18, 12, tzinfo=UTC))
AWAY = (datetime(2027, 3, 10, 6, tzinfo=UTC), datetime(2027, 3, 12, 12, tzinfo=UTC))
STANDSTILL = (datetime(2027, 3, 22, 6, tzinfo=UTC), datetime(2027, 3, 23, 10, tzinfo=UTC))
PUT_BACK_AT = datetime(2027, 3, 26, 0, 30, tzinfo=UTC)


def rhythm(account: str) -> tuple[dict[str, Any], timedelta]:
    """When the account's import runs, and the longest time between two of its moments."""
    return RHYTHMS[int(account) % len(RHYTHMS)]


def moments(values: dict[str, Any], end: datetime) -> Iterator[datetime]:
    """When the calendar says that it is time, found without the library that the hub uses."""
    if values["repeat"] == "hours":
        at = START + timedelta(hours=values["every"])
        while at <= end:
            yield at
            at += timedelta(hours=values["every"])
        return
    zone, (hour, minute) = ZoneInfo(values["timeZone"]), map(int, values["time"].split(":"))
    for number in range(-1, DAYS + 2):
        day: date = START.date() + timedelta(days=number)
        local = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a time on a wall
        while local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
            local += timedelta(minutes=1)
        at = local.replace(tzinfo=zone).astimezone(UTC)
        if START < at <= end and f"{day:%A}".lower() in values.get("weekdays", [f"{day:%A}".lower()]):
            yield at


def collapsed(found_moments: list[datetime], pauses: list[tuple[datetime, datetime]]) -> list[datetime]:
    """The moments, those of a pause as one at its end."""
    found = set(found_moments)
    for begin, end in pauses:
        missed = {at for at in found if begin <= at < end}
        found = (found - missed) | ({end} if missed else set())
    return sorted(found)
