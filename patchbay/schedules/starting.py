"""Starting what is due: which schedules the clock offers, and what becomes of one that a worker takes up.

Taking a schedule, starting its run and writing its next time are one transaction: whoever comes second finds it done.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, or_, select

from patchbay import clock, credentials, providers, runs
from patchbay.errors import N_, CircuitOpen, Conflict, PatchbayError, Postponed
from patchbay.limits import breakers
from patchbay.models import (
    OPEN,
    Connection,
    ConnectionState,
    Overlap,
    Run,
    Schedule,
    Trigger,
    User,
    db,
    transaction,
)
from patchbay.schedules.rhythm import Rhythm

log = structlog.get_logger()

LOOK_AGAIN = timedelta(minutes=10)
LOOK_FOR_THE_END = timedelta(seconds=30)
TOO_FAR = timedelta(days=8)
"""No rhythm leaves more than a week between two moments: what is further off was written by a clock that ran ahead."""

NOT_SET_UP = N_("%(provider)s is not set up here. Ask your administrator.")
SWITCHED_OFF = N_("The account of whoever made this schedule is switched off.")
RUN_BEFORE = N_("The run before it is still going on. This one follows.")


def due(limit: int = 200) -> list[str]:
    """Ids of schedules to look at: due, or asleep although their connection can be used again; `limit` of each."""
    now = clock.now()
    timely = select(Schedule.id).where(Schedule.paused_at.is_(None), _is_timely(now))
    asleep = select(Schedule.id).join(Schedule.connection).where(*_IS_ASLEEP, _IS_USABLE)
    return [
        *db.session.scalars(timely.order_by(Schedule.next_at).limit(limit)),
        *db.session.scalars(asleep.order_by(Schedule.id).limit(limit)),
    ]


def start(schedule_id: str) -> None:
    """Start the schedule's run when it is due, or write down why not; in any case, when to look at it again.

    However many moments have passed, one run makes up for all of them. Does nothing for one that is not due (any more).
    """
    now, shut = clock.now(), _breaker(schedule_id)
    with transaction() as session:
        schedule = _taken(schedule_id, now)
        if schedule is None:
            return
        if schedule.next_at is not None and schedule.next_at > now:
            schedule.next_at = following(schedule, now)
            return
        connection = session.get_one(Connection, schedule.connection_id, populate_existing=True)
        try:
            order = _order(schedule, connection, shut)
        except PatchbayError as error:
            _hold(schedule, error.sentence, error.params, _again_at(error, connection, now))
            return
        run = _placed(schedule, order)
        if run is not None:
            schedule.last_run_id = run.id
        elif schedule.overlap is Overlap.QUEUE:
            _hold(schedule, RUN_BEFORE, {}, now + LOOK_FOR_THE_END)
            return
        else:
            schedule.skipped_at = now
        move_on(schedule, now)


def move_on(schedule: Schedule, now: datetime) -> None:
    """Nothing is owed any more: on to the next moment. A clock that was put back brings no moment a second time."""
    schedule.next_at = following(schedule, max(now, schedule.next_at or now))
    schedule.held_since, schedule.held_reason, schedule.held_params = None, None, {}


def following(schedule: Schedule, moment: datetime) -> datetime:
    """When the schedule is due behind the next moment of its rhythm, its own shift within the spread included."""
    return rhythm_of(schedule).after(moment, schedule.counts_from) + shift_of(schedule)


def shift_of(schedule: Schedule) -> timedelta:
    """How much later than its moment it starts: always the same for one schedule, evenly spread over many."""
    share = int.from_bytes(hashlib.sha256(schedule.id.encode()).digest()[:8]) / 2**64
    return timedelta(seconds=int(rhythm_of(schedule).spread.total_seconds() * share))


def rhythm_of(schedule: Schedule) -> Rhythm:
    """When it comes round."""
    return Rhythm(schedule.repeat, schedule.every, tuple(schedule.weekdays), schedule.time, schedule.time_zone)


_IS_USABLE = Connection.state == ConnectionState.CONNECTED
_IS_ASLEEP = (Schedule.paused_at.is_(None), Schedule.next_at.is_(None))


def _is_timely(now: datetime) -> ColumnElement[bool]:
    return or_(Schedule.next_at <= now, Schedule.next_at > now + TOO_FAR)


def _taken(schedule_id: str, now: datetime) -> Schedule | None:
    """The schedule, locked against others until this transaction ends; None when it is not to be looked at now."""
    may_wake = and_(*_IS_ASLEEP, Schedule.connection.has(_IS_USABLE))
    statement = (
        select(Schedule)
        .where(Schedule.id == schedule_id, Schedule.paused_at.is_(None), or_(_is_timely(now), may_wake))
        .with_for_update(of=Schedule)
        .execution_options(populate_existing=True)
    )
    return db.session.scalar(statement)


def _breaker(schedule_id: str) -> CircuitOpen | None:
    """Why the platform is to be left alone for now, if it is. Asks Redis, so never inside a transaction."""
    of_it = select(Connection).join(Schedule, Schedule.connection_id == Connection.id).where(Schedule.id == schedule_id)
    connection = db.session.scalar(of_it)
    if connection is None or connection.integration_id not in {provider.key for provider in providers.all()}:
        return None
    told = breakers.state(connection.integration_id, connection.id, is_sandbox=connection.is_sandbox)
    if told.retry_at is None or told.retry_at <= clock.now():
        return None
    return CircuitOpen(
        "a breaker is open", retry_at=told.retry_at, provider=providers.get(connection.integration_id).name
    )


def _order(schedule: Schedule, connection: Connection, shut: CircuitOpen | None) -> runs.Order:
    """What is to be run. Raises whatever stands in its way: what `runs.order` raises, Conflict, `shut`."""
    owner = db.session.get_one(User, schedule.user_id)
    if not owner.is_active:
        raise Conflict(sentence=SWITCHED_OFF)
    order = runs.order(schedule.user_id, schedule.integration_id, schedule.operation, schedule.input)
    provider = providers.get(schedule.integration_id)
    if credentials.find(provider, connection.settings) is None:
        raise Conflict(sentence=NOT_SET_UP, provider=provider.name)
    if shut is not None:
        raise shut
    return order


def _again_at(error: PatchbayError, connection: Connection, now: datetime) -> datetime | None:
    """When to look whether it still stands in the way; None: when the connection can be used again."""
    if not connection.is_connected:
        return None
    return error.retry_at if isinstance(error, Postponed) else now + LOOK_AGAIN


def _placed(schedule: Schedule, order: runs.Order) -> Run | None:
    """The run, started now; None when one of the same import is open."""
    same = select(Run.id).where(
        Run.connection_id == schedule.connection_id, Run.operation == schedule.operation, Run.status.in_(OPEN)
    )
    if db.session.scalar(same.limit(1)) is not None:
        return None
    run = runs.place(order, Trigger.SCHEDULE)
    is_new = run.trigger is Trigger.SCHEDULE and run.id != schedule.last_run_id
    return run if is_new else None  # on PostgreSQL somebody else may have been quicker


def _hold(schedule: Schedule, reason: str, params: Mapping[str, str], again_at: datetime | None) -> None:
    """Remember why it has not started and look again at that time; None: as soon as its connection can be used."""
    if schedule.held_since is None:
        log.info("A schedule is held back.", schedule=schedule.id, reason=reason)
    schedule.held_since = schedule.held_since or clock.now()
    schedule.held_reason, schedule.held_params = reason, dict(params)
    schedule.next_at = again_at
