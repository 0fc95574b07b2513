"""Schedules as pages show them: when an import runs by itself, in words, and what keeps it from doing so.

Times of a schedule are told in its own zone, whatever zone the reader is in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import get_day_names
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from blueprints.rendering import said
from blueprints.rendering.formats import day_in, hour_in, listed, number
from blueprints.shown.platforms import AtPlatform
from blueprints.shown.runs import RunRow
from patchbay import clock, providers, schedules
from patchbay.errors import N_
from patchbay.models import Connection, ConnectionState, Overlap, Repeat, Schedule
from patchbay.schedules import WEEKDAYS
from patchbay.spec import Provider

APART = N_("%(provider)s is not connected. Once it is again, one sync makes up for what was missed.")
RECONNECT = N_("%(provider)s needs you to reconnect first.")


@dataclass(frozen=True)
class ScheduleRow(AtPlatform):
    """A schedule in a list or beside its import."""

    _row: Schedule
    _provider: Provider

    @property
    def id(self) -> str:
        """Its id."""
        return self._row.id

    @property
    def operation(self) -> str:
        """The import's name."""
        return self._row.operation

    @property
    def title(self) -> str:
        """The import's title (a message id)."""
        found = self._provider.operation(self._row.operation)
        return found.title if found is not None else self._row.operation

    @property
    def account_label(self) -> str:
        """Whose account it works on."""
        return self._row.connection.account_label

    @property
    def rhythm(self) -> str:
        """How often, in words: "Every 6 hours", "Monday and Friday at 09:00"."""
        return rhythm_in_words(self._row)

    @property
    def is_paused(self) -> bool:
        """Whether its owner has paused it."""
        return self._row.paused_at is not None

    @property
    def next_at(self) -> datetime | None:
        """The moment of its rhythm that comes next; None while nothing will start by itself."""
        row = self._row
        if row.next_at is None or self.hindrance or self.is_paused:
            return None
        return row.next_at - schedules.shift_of(row)

    @property
    def next(self) -> str:
        """The same in words: "about 14:00 Europe/Berlin", with the day when it is another one; "" for None."""
        return about(self.next_at, self._row.time_zone) if self.next_at is not None else ""

    @property
    def hindrance(self) -> str:
        """Why nothing starts although it is not paused, in a sentence; "" when nothing stands in the way."""
        connection = self._row.connection
        if not connection.is_connected:
            apart = RECONNECT if connection.state is ConnectionState.RECONNECT_NEEDED else APART
            return said(apart, {"provider": self._provider.name})
        return "" if self.is_waking else said(self._row.held_reason or "", self._row.held_params)

    @property
    def is_waking(self) -> bool:
        """Whether it starts within seconds: its connection can be used again."""
        return self._row.next_at is None and not self.is_paused and self._row.connection.is_connected

    @property
    def held_since(self) -> datetime | None:
        """Since when a run that is due waits."""
        return self._row.held_since

    @property
    def follows(self) -> bool:
        """Whether it waits for an open run, instead of leaving one out."""
        return self._row.overlap is Overlap.QUEUE

    @property
    def left_out_at(self) -> datetime | None:
        """When it was left out because of an open run, unless it has run since."""
        run, at = self._row.last_run, self._row.skipped_at
        return at if at is not None and (run is None or run.created_at < at) else None

    @property
    def last_run(self) -> RunRow | None:
        """What it started last."""
        return RunRow(self._row.last_run, self._provider) if self._row.last_run is not None else None


def rows_of(connection: Connection) -> Mapping[str, ScheduleRow]:
    """The connection's schedules by the name of their import."""
    provider = providers.get(connection.integration_id)
    found = schedules.of_connection(connection.id)
    return {name: ScheduleRow(schedule, provider) for name, schedule in found.items()}


def rows(found: Sequence[Schedule]) -> list[ScheduleRow]:
    """Those schedules, in their order."""
    return [ScheduleRow(schedule, providers.get(schedule.integration_id)) for schedule in found]


def next_sync(found: Mapping[str, ScheduleRow]) -> str:
    """When the next of them runs by itself: "Next sync about 14:00 Europe/Berlin."; "" when none will."""
    if any(row.is_waking for row in found.values()):
        return str(_("A sync that was missed starts now."))
    coming = [row for row in found.values() if row.next_at is not None]
    first = min(coming, key=lambda row: row.next_at or clock.now(), default=None)
    return str(_("Next sync %(when)s.", when=first.next)) if first is not None else ""


def rhythm_in_words(schedule: Schedule) -> str:
    """How often it runs: "Every 6 hours", "Every day at 09:00"."""
    every, time = schedule.every or 1, schedule.time or ""
    if schedule.repeat is Repeat.MINUTES:
        return str(ngettext("Every minute", "Every %(count)s minutes", every, count=number(every)))
    if schedule.repeat is Repeat.HOURS:
        return str(ngettext("Every hour", "Every %(count)s hours", every, count=number(every)))
    if schedule.repeat is Repeat.DAILY:
        return str(_("Every day at %(time)s", time=time))
    names = dict(day_names())
    return str(_("%(days)s at %(time)s", days=listed(names[day] for day in schedule.weekdays), time=time))


def about(moment: datetime, time_zone: str) -> str:
    """A moment to come as people of that zone say it, without the minutes that a schedule may be shifted by."""
    zone = ZoneInfo(time_zone)
    hour, today = hour_in(moment, zone), clock.now().astimezone(zone).date()
    if moment.astimezone(zone).date() == today:
        return str(_("about %(time)s %(zone)s", time=hour, zone=time_zone))
    return str(_("on %(day)s about %(time)s %(zone)s", day=day_in(moment, zone), time=hour, zone=time_zone))


def day_names() -> list[tuple[str, str]]:
    """The weekdays by their key, as the reader's language calls them."""
    names = get_day_names("wide", locale=get_locale())
    return [(key, names[position]) for position, key in enumerate(WEEKDAYS)]
