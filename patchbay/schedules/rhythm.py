"""When a schedule comes round: its fields, their check, and the next moment behind a given one.

The calendar's arithmetic, summer time included, is cronsim's; what is done then lives in `schedules.starting`.
"""

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cronsim import CronSim

from patchbay.errors import N_, Invalid
from patchbay.models import Repeat
from patchbay.models.schedule import UNITS, WEEKDAYS
from patchbay.spec import Field, Kind, check

MOST_HOURS = 168
WIDEST_SPREAD = timedelta(minutes=5)
A_DAY = timedelta(days=1)
NO_PLACES = {"localtime", "posixrules", "Factory"}

BY_COUNT = ("repeat", (Repeat.MINUTES, Repeat.HOURS))
BY_CLOCK = ("repeat", (Repeat.DAILY, Repeat.WEEKLY))
FIELDS = (
    Field(
        "repeat",
        N_("Runs"),
        Kind.CHOICE,
        choices=tuple(Repeat),
        words=(N_("every so many minutes"), N_("every so many hours"), N_("every day"), N_("on chosen weekdays")),
    ),
    Field("every", N_("How many of them"), Kind.NUMBER, lowest=1, highest=1440, only_if=BY_COUNT),
    Field("weekdays", N_("Weekdays"), Kind.LIST, only_if=("repeat", (Repeat.WEEKLY,))),
    Field(
        "time",
        N_("Time of day"),
        pattern=r"([01][0-9]|2[0-3]):[0-5][0-9]",
        mismatch=N_("This must be a time of day such as 09:30."),
        placeholder="09:30",
        max_length=5,
        only_if=BY_CLOCK,
    ),
    Field("timeZone", N_("Time zone"), required=False, default="UTC", max_length=64),
)


@dataclass(frozen=True)
class Rhythm:
    """A checked choice of moments; which of the values are there depends on `repeat` (see `models.Schedule`)."""

    repeat: Repeat
    every: int | None
    weekdays: tuple[str, ...]
    time: str | None
    time_zone: str

    def after(self, moment: datetime, counts_from: datetime) -> datetime:
        """The first moment of the rhythm behind `moment`, in UTC; minutes and hours are counted from `counts_from`.

        A time of day that summer time leaves out is taken at the end of the gap; of one that comes twice, the first.
        """
        if self.repeat in UNITS:
            passed = (moment - counts_from) // self.period
            return counts_from + self.period * max(passed + 1, 1)
        zone = zoneinfo.ZoneInfo(self.time_zone)
        found = (local.astimezone(UTC) for local in CronSim(self._expression, moment.astimezone(zone)))
        return next(at for at in found if at > moment)  # within the hour that comes twice cronsim may look back

    @property
    def period(self) -> timedelta:
        """The shortest time between two moments, summer time left aside."""
        return UNITS[self.repeat] * (self.every or 1) if self.repeat in UNITS else A_DAY

    @property
    def spread(self) -> timedelta:
        """How far apart schedules of the same moment are laid, so that not all of them start at once."""
        return min(WIDEST_SPREAD, self.period / 10)

    @property
    def _expression(self) -> str:
        hour, minute = (self.time or "00:00").split(":")
        days = ",".join(str(WEEKDAYS.index(day) + 1) for day in self.weekdays) or "*"
        return f"{int(minute)} {int(hour)} * * {days}"


def read(values: Mapping[str, Any]) -> Rhythm:
    """The rhythm that the values of `FIELDS` tell. Raises Invalid, naming every wrong one."""
    problems = _own_problems(values)
    try:
        clean = check(FIELDS, values)
    except Invalid as error:
        raise Invalid({**problems, **error.fields}) from None
    if problems:
        raise Invalid(problems)
    days = tuple(day for day in WEEKDAYS if day in (clean["weekdays"] or ()))
    return Rhythm(Repeat(clean["repeat"]), clean["every"], days, clean["time"], clean["timeZone"])


@cache
def time_zones() -> frozenset[str]:
    """Names of all time zones (IANA); finding them reads hundreds of files."""
    return frozenset(zoneinfo.available_timezones() - NO_PLACES)


def _own_problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What `check` cannot know."""
    problems: dict[str, str] = {}
    zone, days, every = (values.get(name) for name in ("timeZone", "weekdays", "every"))
    if zone not in (None, "") and not (isinstance(zone, str) and zone.strip() in time_zones()):
        problems["timeZone"] = N_("This is not a time zone. Use a name such as Europe/Berlin.")
    if isinstance(days, list) and any(day not in WEEKDAYS for day in days):
        problems["weekdays"] = N_("This is not one of the choices.")
    if values.get("repeat") == Repeat.HOURS and _number(every) > MOST_HOURS:
        problems["every"] = N_("This number is out of range.")
    return problems


def _number(value: Any) -> int:
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0
