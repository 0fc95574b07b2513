"""What is due is started once, made up for once, held back with a reason, and never doubled."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobs.tick import tick
from patchbay import queue as hints
from patchbay import runs, schedules
from patchbay.errors import CircuitOpen
from patchbay.limits import breakers
from patchbay.models import (
    Connection,
    ConnectionState,
    Run,
    RunStatus,
    Schedule,
    Trigger,
    User,
    db,
    fresh_view,
    new_id,
    transaction,
)
from patchbay.schedules import starting
from tests.stage import FrozenClock, Queue, at_once, count_answer

pytestmark = pytest.mark.usefixtures("context", "connection")

HOURLY = {"repeat": "hours", "every": 1}
DAILY = {"repeat": "daily", "time": "09:00"}
EARLY = datetime(2027, 3, 1, 5, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _early_morning(frozen_clock: FrozenClock) -> None:
    frozen_clock.moment = EARLY


def make(user: User, values: dict[str, Any], **more: str) -> Schedule:
    return schedules.make(user.id, "dropbox", "import_things", {**values, **more})


def reread(schedule: Schedule) -> Schedule:
    fresh_view()
    return schedules.get(schedule.user_id, schedule.id)


def started() -> list[Run]:
    fresh_view()
    return list(db.session.scalars(select(Run).where(Run.trigger == Trigger.SCHEDULE).order_by(Run.id)))


def set_state(connection: Connection, state: ConnectionState) -> None:
    with transaction() as session:
        session.execute(update(Connection).where(Connection.id == connection.id).values(state=state))


def go_on(queue: Queue, frozen_clock: FrozenClock, until: datetime, step: timedelta = timedelta(minutes=10)) -> None:
    """Let the clock tick until then, and the workers do what it offers."""
    while frozen_clock.moment < until:
        frozen_clock.moment += step
        tick()
        queue.run_all()


def test_a_schedule_that_is_due_starts_a_run_that_says_so(ada: User, queue: Queue, frozen_clock: FrozenClock) -> None:
    schedule = make(ada, HOURLY)
    go_on(queue, frozen_clock, EARLY + timedelta(minutes=59), timedelta(minutes=59))
    before = started()

    go_on(queue, frozen_clock, EARLY + timedelta(minutes=66), timedelta(minutes=7))

    assert before == []
    assert [(run.trigger, run.status) for run in started()] == [(Trigger.SCHEDULE, RunStatus.SUCCEEDED)]
    assert reread(schedule).last_run_id == started()[0].id


def test_offered_twice_it_starts_once(ada: User, frozen_clock: FrozenClock, queue: Queue) -> None:
    schedule = make(ada, HOURLY)
    frozen_clock.advance(hours=1, minutes=6)
    tick()
    hints.enqueue(hints.SCHEDULE, schedule.id)
    offered = queue.hints()

    queue.run_all()

    assert offered.count(("jobs.schedules.start", schedule.id)) == 2
    assert len(started()) == 1


def test_many_at_the_same_time_start_it_once(app: Flask, ada: User, frozen_clock: FrozenClock) -> None:
    schedule_id = make(ada, HOURLY).id
    frozen_clock.advance(hours=1, minutes=6)

    at_once(app, [lambda: schedules.start(schedule_id)] * 8)

    assert len(started()) == 1


def test_three_days_of_standstill_are_made_up_for_by_one_run(
    ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    schedule = make(ada, HOURLY)
    frozen_clock.advance(days=3, minutes=30)

    go_on(queue, frozen_clock, frozen_clock.moment + timedelta(minutes=20))

    assert len(started()) == 1
    assert reread(schedule).next_at == EARLY + timedelta(days=3, hours=1) + schedules.shift_of(schedule)


def test_a_clock_that_is_put_back_brings_nothing_a_second_time(
    ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    schedule = make(ada, DAILY)
    go_on(queue, frozen_clock, datetime(2027, 3, 1, 9, 10, tzinfo=UTC))

    frozen_clock.advance(hours=-1)
    go_on(queue, frozen_clock, datetime(2027, 3, 1, 9, 30, tzinfo=UTC))

    assert len(started()) == 1
    assert reread(schedule).next_at == datetime(2027, 3, 2, 9, 0, tzinfo=UTC) + schedules.shift_of(schedule)


def test_a_clock_that_ran_a_year_ahead_stops_nothing_for_good(
    ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    schedule = make(ada, DAILY)
    frozen_clock.advance(days=365)
    tick()
    queue.run_all()
    frozen_clock.moment = EARLY + timedelta(hours=1)

    tick()
    queue.run_all()

    assert len(started()) == 1
    assert reread(schedule).next_at == datetime(2027, 3, 1, 9, 0, tzinfo=UTC) + schedules.shift_of(schedule)


def test_while_a_run_is_open_the_next_is_left_out(ada: User, frozen_clock: FrozenClock) -> None:
    schedule = make(ada, HOURLY)
    runs.start(ada.id, "dropbox", "import_things", {}, Trigger.PAGE)
    frozen_clock.advance(hours=1, minutes=6)

    schedules.start(schedule.id)

    after = reread(schedule)
    assert started() == []
    assert (after.skipped_at, after.held_reason) == (frozen_clock.now(), None)
    assert after.next_at == EARLY + timedelta(hours=2) + schedules.shift_of(schedule)


def test_or_starts_once_it_has_ended(ada: User, frozen_clock: FrozenClock, queue: Queue) -> None:
    schedule = make(ada, HOURLY, overlap="queue")
    runs.start(ada.id, "dropbox", "import_things", {}, Trigger.PAGE)
    queue.drop_all()
    frozen_clock.advance(hours=3, minutes=6)
    schedules.start(schedule.id)
    held = reread(schedule)
    reason, again_at = held.held_reason, held.next_at

    go_on(queue, frozen_clock, frozen_clock.moment + timedelta(minutes=2), timedelta(seconds=31))

    assert reason == starting.RUN_BEFORE
    assert again_at == EARLY + timedelta(hours=3, minutes=6, seconds=30)
    assert len(started()) == 1
    assert reread(schedule).held_reason is None


@pytest.mark.parametrize("state", [ConnectionState.RECONNECT_NEEDED, ConnectionState.DISCONNECTED])
def test_a_connection_that_cannot_be_used_holds_it_until_it_can_and_one_run_makes_up(
    ada: User, connection: Connection, queue: Queue, frozen_clock: FrozenClock, state: ConnectionState
) -> None:
    schedule = make(ada, HOURLY)
    set_state(connection, state)
    go_on(queue, frozen_clock, EARLY + timedelta(hours=10), timedelta(minutes=30))
    held = reread(schedule)
    reason, since, next_at, kept_waiting = held.held_reason, held.held_since, held.next_at, started()

    set_state(connection, ConnectionState.CONNECTED)
    go_on(queue, frozen_clock, EARLY + timedelta(hours=10, minutes=30))

    assert reason is not None
    assert (since, next_at, kept_waiting) == (EARLY + timedelta(hours=1, minutes=30), None, [])
    assert len(started()) == 1
    assert reread(schedule).next_at == EARLY + timedelta(hours=11) + schedules.shift_of(schedule)


def test_a_connection_that_comes_back_before_it_is_due_changes_nothing(
    ada: User, connection: Connection, queue: Queue, frozen_clock: FrozenClock
) -> None:
    make(ada, HOURLY)
    set_state(connection, ConnectionState.DISCONNECTED)
    go_on(queue, frozen_clock, EARLY + timedelta(minutes=30), timedelta(minutes=10))
    set_state(connection, ConnectionState.CONNECTED)

    go_on(queue, frozen_clock, EARLY + timedelta(minutes=50), timedelta(minutes=10))

    assert started() == []


def test_an_operation_that_is_gone_holds_it_and_is_looked_for_again(
    ada: User, frozen_clock: FrozenClock, queue: Queue
) -> None:
    schedule = make(ada, HOURLY)
    with transaction() as session:
        session.execute(update(Schedule).values(operation="import_nothing"))
    frozen_clock.advance(hours=1, minutes=6)

    schedules.start(schedule.id)

    held = reread(schedule)
    assert held.held_reason
    assert held.next_at == frozen_clock.now() + starting.LOOK_AGAIN
    assert held.held_since == frozen_clock.now()


def test_a_platform_that_is_to_be_left_alone_holds_it_until_the_breaker_lets_a_probe_go(
    ada: User, connection: Connection, frozen_clock: FrozenClock, queue: Queue
) -> None:
    schedule = make(ada, HOURLY)
    frozen_clock.moment = datetime.now(UTC)  # Redis knows no other time
    with transaction() as session:
        session.execute(update(Schedule).values(next_at=frozen_clock.moment))
    for _ in range(breakers.LEAST_CALLS["connection"]):
        count_answer("dropbox", connection.id, "HTTP 503")
    probe_at = breakers.state("dropbox", connection.id, is_sandbox=True).retry_at

    schedules.start(schedule.id)
    held = reread(schedule)
    reason, until = held.held_reason, held.next_at
    frozen_clock.advance(hours=1)
    schedules.start(schedule.id)

    assert reason == CircuitOpen.sentence
    assert until == probe_at
    assert len(started()) == 1
    assert reread(schedule).held_reason is None


def test_whoever_was_switched_off_starts_nothing(ada: User, frozen_clock: FrozenClock) -> None:
    schedule = make(ada, HOURLY)
    with transaction() as session:
        session.execute(update(User).where(User.id == ada.id).values(is_active=False))
    frozen_clock.advance(hours=1, minutes=6)

    schedules.start(schedule.id)

    assert started() == []
    assert reread(schedule).held_reason == starting.SWITCHED_OFF


def test_paused_nothing_starts_and_resumed_nothing_is_made_up_for(
    ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    schedule = make(ada, HOURLY)
    schedules.pause(ada.id, schedule.id)
    go_on(queue, frozen_clock, EARLY + timedelta(hours=5), timedelta(minutes=30))
    schedules.resume(ada.id, schedule.id)

    go_on(queue, frozen_clock, EARLY + timedelta(hours=5, minutes=30), timedelta(minutes=10))

    assert started() == []
    assert reread(schedule).next_at == EARLY + timedelta(hours=6) + schedules.shift_of(schedule)


def test_another_zone_moves_the_next_start(ada: User) -> None:
    schedule = make(ada, DAILY, timeZone="Europe/Berlin")
    shift = schedules.shift_of(schedule)
    in_berlin = schedule.next_at

    moved = schedules.change(ada.id, schedule.id, {"timeZone": "America/New_York"})

    assert in_berlin == datetime(2027, 3, 1, 8, 0, tzinfo=UTC) + shift
    assert moved.next_at == datetime(2027, 3, 1, 14, 0, tzinfo=UTC) + shift


def test_a_thousand_at_nine_are_spread_over_five_minutes_and_each_keeps_its_place(ada: User) -> None:
    kept = make(ada, DAILY)
    names = ("repeat", "every", "time", "weekdays", "time_zone", "counts_from")
    twins = [Schedule(id=new_id("sch"), **{name: getattr(kept, name) for name in names}) for _ in range(1000)]

    found = [starting.following(twin, EARLY) for twin in twins]

    minutes = Counter(at.minute for at in found)
    assert set(minutes) == {0, 1, 2, 3, 4}
    assert min(minutes.values()) > 140
    assert len({at.second for at in found}) == 60
    assert [starting.following(twin, at) - at for twin, at in zip(twins, found, strict=True)] == [
        timedelta(days=1)
    ] * 1000


def test_a_lost_hint_only_costs_a_tick(ada: User, queue: Queue, frozen_clock: FrozenClock) -> None:
    make(ada, HOURLY)
    frozen_clock.advance(hours=1, minutes=6)
    tick()
    queue.drop_all()

    tick()
    queue.run_all()

    assert len(started()) == 1


def test_looking_for_what_is_due_uses_the_index(ada: User) -> None:
    make(ada, HOURLY)
    statement = select(Schedule.id).where(Schedule.paused_at.is_(None), Schedule.next_at <= EARLY)
    if db.engine.dialect.name != "sqlite":
        assert db.session.scalars(statement).all() == []
        return

    plan = db.session.connection().exec_driver_sql(
        f"EXPLAIN QUERY PLAN {statement.compile(db.engine, compile_kwargs={'literal_binds': True})}"
    )

    assert "ix_schedules_paused_at_next_at" in str(plan.all())
