"""What the clock finds amiss by looking at rows, and that it finds it over."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, select

from patchbay import alerts, clock, connections, health, providers
from patchbay.alerts import rules
from patchbay.models import (
    Alert,
    AlertKind,
    Connection,
    ConnectionState,
    Contact,
    Outcome,
    Overlap,
    Repeat,
    Run,
    RunStatus,
    Schedule,
    Span,
    Statistic,
    Trigger,
    User,
    db,
    fresh_view,
    new_id,
    transaction,
)
from tests.stage import FrozenClock, Walker

pytestmark = pytest.mark.usefixtures("context")
IMPORT = "import_products"


@pytest.fixture
def shop(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    """Ada's connection to Shopify."""
    return connect(ada, "shopify", shop="demo-shop")


def add_run(connection: Connection, status: RunStatus, **values: Any) -> Run:
    run = Run(
        id=new_id("run"),
        user_id=connection.user_id,
        connection_id=connection.id,
        integration_id=connection.integration_id,
        operation=IMPORT,
        stream="products",
        trigger=Trigger.PAGE,
        status=status,
        created_at=clock.now(),
        **values,
    )
    with transaction() as session:
        session.add(run)
    return run


def add_schedule(connection: Connection, repeat: Repeat = Repeat.HOURS, **values: Any) -> Schedule:
    now = clock.now()
    told = {"every": 1, "time": None, "weekdays": [], **values}
    schedule = Schedule(
        id=new_id("sch"),
        user_id=connection.user_id,
        connection_id=connection.id,
        integration_id=connection.integration_id,
        operation=IMPORT,
        repeat=repeat,
        time_zone="UTC",
        overlap=Overlap.SKIP,
        counts_from=now,
        next_at=now + timedelta(hours=1),
        created_at=now,
        updated_at=now,
        **told,
    )
    with transaction() as session:
        session.add(schedule)
    return schedule


def touch(connection: Connection, **moments: datetime) -> None:
    with transaction() as session:
        session.merge(Contact(connection_id=connection.id, operation=IMPORT, user_id=connection.user_id, **moments))


def count(connection: Connection, outcome: Outcome, times: int) -> None:
    with transaction() as session:
        session.add(
            Statistic(
                connection_id=connection.id,
                operation=IMPORT,
                span=Span.HOUR,
                starts_at=clock.now().replace(minute=0),
                outcome=outcome,
                bucket=1,
                user_id=connection.user_id,
                count=times,
            )
        )


def open_alerts() -> list[tuple[str, str]]:
    fresh_view()
    found = db.session.scalars(select(Alert).where(Alert.is_open).order_by(Alert.kind, Alert.user_id))
    return [(alert.kind.value, alert.subject_id) for alert in found]


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_where_all_is_well_nothing_is_raised(shop: Connection) -> None:
    add_schedule(shop)
    add_run(shop, RunStatus.RUNNING, started_at=clock.now())
    touch(shop, succeeded_at=clock.now())
    count(shop, Outcome.RUN_SUCCEEDED, 100)

    rules.look()

    assert open_alerts() == []


def test_a_run_that_comes_no_further_is_told_of_until_it_ends(shop: Connection, frozen_clock: FrozenClock) -> None:
    run = add_run(shop, RunStatus.RUNNING, started_at=clock.now())
    frozen_clock.advance(minutes=61)
    rules.look()
    rules.look()
    assert open_alerts() == [("run_stuck", shop.id)]
    (alert,) = db.session.scalars(select(Alert))
    assert (alert.count, alert.params["run"]) == (1, run.id)

    with transaction() as session:
        session.get_one(Run, run.id).status = RunStatus.CANCELLED
    rules.look()

    assert open_alerts() == []


def test_a_long_run_whose_platform_answers_is_not_stuck(shop: Connection, frozen_clock: FrozenClock) -> None:
    add_run(shop, RunStatus.RUNNING, started_at=clock.now())
    frozen_clock.advance(hours=5)
    touch(shop, answered_at=clock.now() - timedelta(minutes=59))

    rules.look()

    assert open_alerts() == []


def test_a_run_that_was_to_go_on_and_has_not_is_told_of(shop: Connection, frozen_clock: FrozenClock) -> None:
    add_run(shop, RunStatus.WAITING, resumes_at=clock.now())
    frozen_clock.advance(minutes=16)

    rules.look()

    assert open_alerts() == [("run_stuck", shop.id)]


@pytest.mark.parametrize(
    ("failed", "succeeded", "is_told"), [(2, 3, True), (1, 4, False), (4, 0, False), (21, 79, True), (20, 80, False)]
)
def test_more_than_a_fifth_of_five_runs_is_too_many(
    shop: Connection, failed: int, succeeded: int, is_told: bool
) -> None:
    count(shop, Outcome.RUN_FAILED, failed)
    if succeeded:
        count(shop, Outcome.RUN_SUCCEEDED, succeeded)

    rules.look()

    assert open_alerts() == ([("error_rate", shop.id)] if is_told else [])


def test_failures_of_yesterday_are_forgotten(shop: Connection, frozen_clock: FrozenClock) -> None:
    count(shop, Outcome.RUN_FAILED, 10)
    rules.look()
    frozen_clock.advance(hours=25)

    rules.look()

    assert open_alerts() == []


def test_a_run_that_nobody_takes_up_is_told_to_administrators(
    shop: Connection, ada: User, frozen_clock: FrozenClock
) -> None:
    run = add_run(shop, RunStatus.QUEUED)
    frozen_clock.advance(minutes=6)
    rules.look()
    told = [(alert.kind.value, alert.user_id) for alert in db.session.scalars(select(Alert).where(Alert.is_open))]
    assert told == [("backlog_old", ada.id)]

    with transaction() as session:
        session.get_one(Run, run.id).status = RunStatus.RUNNING
    rules.look()

    assert open_alerts() == []


@pytest.mark.parametrize(
    ("free", "total", "is_told"),
    [
        (900_000_000, 20_000_000_000, True),
        (4_000_000_000, 100_000_000_000, True),
        (11_000_000_000, 4_000_000_000_000, False),
        (6_000_000_000, 100_000_000_000, False),
    ],
)
def test_a_disk_that_runs_full_is_told_to_administrators(
    monkeypatch: pytest.MonkeyPatch, free: int, total: int, is_told: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free, total=total))

    rules.look()

    assert open_alerts() == ([("disk_low", "installation")] if is_told else [])


def test_a_scheduled_import_that_keeps_failing_is_told_of_after_three_intervals(
    shop: Connection, frozen_clock: FrozenClock
) -> None:
    schedule = add_schedule(shop)
    touch(shop, succeeded_at=clock.now(), failed_at=clock.now() + timedelta(hours=1))
    frozen_clock.advance(hours=2, minutes=59)
    rules.look()
    assert open_alerts() == []

    frozen_clock.advance(minutes=2)
    rules.look()
    assert open_alerts() == [("no_success", schedule.id)]

    touch(shop, succeeded_at=clock.now())
    rules.look()
    assert open_alerts() == []


def test_a_hub_that_was_switched_off_raises_no_alarm(shop: Connection, frozen_clock: FrozenClock) -> None:
    add_schedule(shop)
    touch(shop, succeeded_at=clock.now())
    frozen_clock.advance(days=9)

    rules.look()

    assert open_alerts() == []


def wait_awake(clock: FrozenClock, minutes: int) -> None:
    """Time goes by while the clock ticks."""
    for _ in range(minutes // 5):
        clock.advance(minutes=5)
        health.beat("clock")


def test_after_a_standstill_a_failure_before_it_is_no_alarm_until_there_was_time_to_catch_up(
    shop: Connection, frozen_clock: FrozenClock
) -> None:
    health.beat("clock")
    schedule = add_schedule(shop)
    touch(shop, succeeded_at=clock.now(), failed_at=clock.now() + timedelta(hours=1))
    frozen_clock.advance(days=9)
    health.beat("clock")
    wait_awake(frozen_clock, 55)
    rules.look()
    in_time = open_alerts()

    wait_awake(frozen_clock, 5)
    rules.look()

    assert (in_time, open_alerts()) == ([], [("no_success", schedule.id)])


def test_a_run_that_catches_up_gets_the_time_of_any_run(shop: Connection, frozen_clock: FrozenClock) -> None:
    schedule = add_schedule(shop)
    touch(shop, succeeded_at=clock.now(), failed_at=clock.now() + timedelta(hours=1))
    frozen_clock.advance(days=9)
    run = add_run(shop, RunStatus.RUNNING, started_at=clock.now())
    with transaction() as session:
        session.get_one(Schedule, schedule.id).last_run_id = run.id
    frozen_clock.advance(hours=2)
    touch(shop, answered_at=clock.now())
    rules.look()
    on_time = open_alerts()

    frozen_clock.advance(minutes=1)
    rules.look()

    assert (on_time, open_alerts()) == ([], [("no_success", schedule.id)])


def test_a_new_try_is_no_recovery(shop: Connection, frozen_clock: FrozenClock) -> None:
    schedule = add_schedule(shop)
    touch(shop, succeeded_at=clock.now(), failed_at=clock.now() + timedelta(hours=1))
    frozen_clock.advance(hours=4)
    rules.look()
    run = add_run(shop, RunStatus.QUEUED)
    with transaction() as session:
        session.get_one(Schedule, schedule.id).last_run_id = run.id
    health.beat("clock")

    rules.look()

    assert open_alerts() == [("no_success", schedule.id)]


@pytest.mark.parametrize("change", [{"paused_at": datetime(2027, 3, 1, tzinfo=UTC)}, {}], ids=["paused", "ended"])
def test_schedules_that_cannot_run_are_left_out(
    shop: Connection, frozen_clock: FrozenClock, change: dict[str, Any]
) -> None:
    schedule = add_schedule(shop)
    touch(shop, failed_at=clock.now() + timedelta(hours=1))
    frozen_clock.advance(days=2)
    with transaction() as session:
        for name, value in change.items():
            setattr(session.get_one(Schedule, schedule.id), name, value)
        if not change:
            session.get_one(Connection, shop.id).state = ConnectionState.RECONNECT_NEEDED

    rules.look()

    assert open_alerts() == []


def test_a_declared_end_is_told_sixty_days_ahead(shop: Connection, frozen_clock: FrozenClock) -> None:
    ends = providers.get("shopify").api_ends
    assert ends is not None
    eve = datetime(ends.year, ends.month, ends.day, tzinfo=UTC) - timedelta(days=61)
    frozen_clock.advance(seconds=(eve - clock.now()).total_seconds())
    rules.look()
    assert open_alerts() == []

    frozen_clock.advance(days=1)
    rules.look()

    assert open_alerts() == [("api_ending", f"{shop.id}:declared")]
    (alert,) = db.session.scalars(select(Alert))
    assert alert.params["until"] == f"{ends}T00:00:00+00:00"


def test_an_announced_end_counts_for_a_week(shop: Connection, ada: User, frozen_clock: FrozenClock) -> None:
    subject = f"{shop.id}:heard"
    alerts.raise_alert(AlertKind.API_ENDING, user_id=ada.id, subject_id=subject, connection_id=shop.id)
    frozen_clock.advance(days=6)
    rules.look()
    assert open_alerts() == [("api_ending", subject)]

    frozen_clock.advance(days=2)
    rules.look()

    assert open_alerts() == []


def test_what_was_open_about_a_connection_ends_with_it(shop: Connection, ada: User) -> None:
    alerts.raise_alert(AlertKind.UNEXPECTED_SHAPE, user_id=ada.id, subject_id=shop.id, connection_id=shop.id)
    connections.disconnect(ada.id, "shopify")

    rules.look()

    assert open_alerts() == []


def test_many_connections_take_no_more_queries_than_one(
    shop: Connection, ada: User, ben: User, connect: Walker, frozen_clock: FrozenClock
) -> None:
    def look() -> int:
        with counted_statements() as seen:
            rules.look()
        return len(seen)

    def fill(connection: Connection) -> None:
        add_schedule(connection)
        touch(connection, succeeded_at=clock.now())
        count(connection, Outcome.RUN_SUCCEEDED, 9)
        for _ in range(5):
            add_run(connection, RunStatus.RUNNING, started_at=clock.now())

    fill(shop)
    look()
    few = look()
    fill(connect(ben, "shopify", shop="northwind"))
    fill(connect(ada, "google-drive"))

    many = look()

    assert many == few
