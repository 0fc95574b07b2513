"""Filters that write times, numbers and sizes for people, in their language and time zone.

Machine-readable forms on the wire are in `patchbay.clock`.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, dates
from babel.lists import format_list
from flask import Flask
from flask_babel import (
    format_date,
    format_datetime,
    format_decimal,
    format_percent,
    format_time,
    format_timedelta,
    get_locale,
    get_timezone,
    gettext,
)

from patchbay import clock

A_WINK = timedelta(seconds=2)
A_MOMENT = timedelta(seconds=45)
UNITS = ("B", "KB", "MB", "GB", "TB")
WORLD_ENGLISH = Locale("en", "001")  # "en" alone is that of the United States: month before day


def ago(moment: datetime) -> str:
    """The distance from now: "5 minutes ago", "in 2 hours"; below three quarters of a minute no figure is told."""
    distance = moment - clock.now()
    if abs(distance) < A_MOMENT:
        return str(gettext("just now") if distance < A_WINK else gettext("in a moment"))
    return str(format_timedelta(distance, add_direction=True))


def moment(at: datetime) -> str:
    """Date and time in full, with the zone's name: "21 Nov 2026, 14:05 UTC"."""
    return str(format_datetime(at, f"{_pattern_of_days()}, HH:mm zzz"))


def day(at: datetime) -> str:
    """The date alone: "21 Nov 2026"."""
    return str(format_date(at, _pattern_of_days()))


def _pattern_of_days() -> str:
    """Day, short month and year, in the order and with the points of the reader's language."""
    return str(_locale().datetime_skeletons["yMMMd"].pattern)


def _locale() -> Locale:
    locale = get_locale()
    return WORLD_ENGLISH if locale is None or locale.language == "en" else locale


def hour(at: datetime) -> str:
    """The time of day: "14:05", with " UTC" behind it while the reader's zone is unknown."""
    return _clock(at, "HH:mm")


def hour_in(at: datetime, zone: ZoneInfo) -> str:
    """The time of day in that zone, whatever the reader's is: "14:05"."""
    return str(dates.format_time(at, "HH:mm", tzinfo=zone, locale=_locale()))


def day_in(at: datetime, zone: ZoneInfo) -> str:
    """The weekday and date in that zone, without the year: "Tue, 2 Mar"."""
    return str(dates.format_skeleton("MMMEd", at, tzinfo=zone, locale=_locale()))


def second(at: datetime) -> str:
    """The time of day to the second, as in a log: "14:05:09", with the zone as `hour` has it."""
    return _clock(at, "HH:mm:ss")


def _clock(at: datetime, pattern: str) -> str:
    zone = " zzz" if str(get_timezone()) == "UTC" else ""
    return str(format_time(at, pattern + zone))


def duration(length: timedelta) -> str:
    """A length: "850 ms", "12 s", "3 min 20 s", "2 h 5 min", "24 h"."""
    seconds = int(length.total_seconds())
    if seconds < 1:
        return str(gettext("%(n)s ms", n=int(length.total_seconds() * 1000)))
    if seconds < 60:
        return str(gettext("%(n)s s", n=seconds))
    if seconds < 3600:
        n, rest = divmod(seconds, 60)
        return str(gettext("%(n)s min %(rest)s s", n=n, rest=rest) if rest else gettext("%(n)s min", n=n))
    n, rest = divmod(seconds // 60, 60)
    return str(gettext("%(n)s h %(rest)s min", n=n, rest=rest) if rest else gettext("%(n)s h", n=n))


def number(value: float) -> str:
    """Grouped as the reader's language does: "1,204"."""
    return str(format_decimal(value))


def share(value: float) -> str:
    """A share in percent, with one decimal where it has any, as the reader's language does: "99.9%"."""
    pattern = str(_locale().percent_formats[None].pattern)
    return str(format_percent(value, pattern.replace("#,##0", "#,##0.#")))


def listed(words: Iterable[str], style: Literal["standard", "or"] = "standard") -> str:
    """One behind the other: "a, b and c"; where one of them is enough, by `or`: "a, b or c"."""
    return str(format_list(list(words), style, locale=_locale()))


def size(size_bytes: int) -> str:
    """A size: "0 B", "12 KB", "3.4 MB", in steps of 1000."""
    value, unit = float(size_bytes), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = "#,##0.#" if unit > 1 else "#,##0"
    return f"{format_decimal(value, digits)} {UNITS[unit]}"


def percent(done: int, total: int) -> int:
    """Whole percent, rounded down, so that 100 means finished."""
    return min(100, done * 100 // total) if total > 0 else 0


def pretty(value: object) -> str:
    """JSON as one reads it. Jinja escapes the result, since it is plain text."""
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=False, default=str)


def init_app(app: Flask) -> None:
    """Register the filters."""
    filters = (ago, moment, day, hour, second, duration, number, listed, size, percent, pretty)
    app.jinja_env.filters.update({filter_.__name__: filter_ for filter_ in filters})
    app.jinja_env.filters["iso"] = clock.iso
