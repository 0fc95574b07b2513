"""Absence of success: scheduled imports that ought to have succeeded by now, and something keeps from it.

A hub that was switched off itself raises no alarm: its imports are only late, start at once, and get their time.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from patchbay import clock
from patchbay.alerts.finding import Finding, title_of
from patchbay.models import OPEN, Connection, ConnectionState, Contact, Heartbeat, Repeat, Run, Schedule, db
from patchbay.models.heartbeat import AWAKE
from patchbay.models.schedule import UNITS, WEEKDAYS

SHORTEST = timedelta(hours=1)
SLACK = timedelta(hours=24)
INTERVALS = 3
HEAD_START = timedelta(hours=1)
"""So long nothing is told of absence after a standstill, whatever went wrong before it."""


def find() -> list[Finding]:
    """The schedules whose import has had no success for three of its intervals.

    That is an hour at least, and at most a day more than one interval. Left out are paused schedules, and those whose
    connection cannot be used: their owner knows already. After a standstill, and while a run is under way that is not
    late itself, nothing new is told; what was told stays true.
    """
    now, found, may_tell = clock.now(), [], _has_caught_up()
    for schedule, succeeded_at, connected_at, run_since in db.session.execute(_candidates(now)):
        since = max(moment for moment in (succeeded_at, schedule.updated_at, connected_at) if moment is not None)
        if now - since <= patience(schedule):
            continue
        is_on_time = run_since is not None and now - run_since <= patience(schedule) - _interval(schedule)
        params = {
            "operation": title_of(schedule.integration_id, schedule.operation),
            "since": clock.iso(succeeded_at or schedule.created_at),
            "run": schedule.last_run_id or "",
        }
        opens = may_tell and not is_on_time
        found.append(Finding(schedule.user_id, schedule.id, schedule.connection_id, params, opens))
    return found


def patience(schedule: Schedule) -> timedelta:
    """How long it may go without a success."""
    interval = _interval(schedule)
    return min(max(INTERVALS * interval, SHORTEST), interval + SLACK)


def _has_caught_up() -> bool:
    """Whether the installation is up for long enough that what went wrong before counts again."""
    awake = db.session.get(Heartbeat, AWAKE, populate_existing=True)
    return awake is None or awake.at <= clock.now() - HEAD_START


def _candidates(now: datetime) -> Select[Schedule, datetime | None, datetime, datetime | None]:
    """Schedules without a success for the shortest time, and with a sign of what keeps them from it.

    With them their last success, when they were connected, and since when their run is open, if it is.
    """
    contact = and_(Contact.connection_id == Schedule.connection_id, Contact.operation == Schedule.operation)
    return (
        select(Schedule, Contact.succeeded_at, Connection.connected_at, Run.created_at)
        .join(Connection, Connection.id == Schedule.connection_id)
        .outerjoin(Contact, contact)
        .outerjoin(Run, and_(Run.id == Schedule.last_run_id, Run.status.in_(OPEN)))
        .where(
            Schedule.paused_at.is_(None),
            Connection.state == ConnectionState.CONNECTED,
            func.coalesce(Contact.succeeded_at, Schedule.created_at) < now - SHORTEST,
            _is_kept_from_it(),
        )
    )


def _is_kept_from_it() -> ColumnElement[bool]:
    """Since the last success a run failed, is open still, was left out, or could not start."""
    last = func.coalesce(Contact.succeeded_at, Schedule.created_at)
    return or_(Contact.failed_at > last, Run.id.is_not(None), Schedule.skipped_at > last, Schedule.held_since > last)


def _interval(schedule: Schedule) -> timedelta:
    """The time between two moments of the schedule; of chosen weekdays, the longest."""
    if schedule.repeat in UNITS:
        return UNITS[schedule.repeat] * (schedule.every or 1)
    if schedule.repeat is Repeat.DAILY or not schedule.weekdays:
        return timedelta(days=1)
    days = sorted(WEEKDAYS.index(day) for day in schedule.weekdays)
    gaps = [following - day for day, following in zip(days, [*days[1:], days[0] + len(WEEKDAYS)], strict=True)]
    return timedelta(days=max(gaps))
