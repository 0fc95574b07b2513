"""What a run leaves behind of its calls and its own end: statistics by the hour, and when it last got through."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from patchbay import clock, counters, runs
from patchbay.health import CallLog, figures
from patchbay.health.ageing import age
from patchbay.health.calls import hour_of, outcome_of
from patchbay.models import (
    Connection,
    Contact,
    Outcome,
    Run,
    RunStatus,
    Span,
    Statistic,
    Trigger,
    User,
    db,
    transaction,
)
from tests.servers import RedisServer
from tests.stage import FrozenClock, Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def shop(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    return connect(ada, "shopify", shop="demo-shop")


def imported(user: User, queue: Queue) -> Run:
    run = runs.start(user.id, "shopify", "import_products", {}, Trigger.API)
    queue.run_all()
    return run


def counts() -> dict[Outcome, int]:
    found: dict[Outcome, int] = {}
    for row in db.session.scalars(select(Statistic)):
        found[row.outcome] = found.get(row.outcome, 0) + row.count
    return found


def contact() -> Contact:
    return db.session.scalars(select(Contact).execution_options(populate_existing=True)).one()


def plant(connection: Connection, starts_at: datetime, count: int = 1, outcome: Outcome = Outcome.OK) -> None:
    with transaction() as session:
        session.add(
            Statistic(
                connection_id=connection.id,
                operation="import_products",
                span=Span.HOUR,
                starts_at=starts_at,
                outcome=outcome,
                bucket=14,
                user_id=connection.user_id,
                count=count,
            )
        )


def test_a_run_that_ends_well_leaves_its_calls_and_its_end(
    ada: User, shop: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    before = len(sandbox.received("shopify"))

    imported(ada, queue)

    sent = len(sandbox.received("shopify")) - before
    assert counts() == {Outcome.OK: sent, Outcome.RUN_SUCCEEDED: 1}
    assert {row.starts_at for row in db.session.scalars(select(Statistic))} == {hour_of(clock.now())}
    assert contact().answered_at is not None
    assert (contact().succeeded_at, contact().changed_at, contact().failed_at) == (clock.now(), clock.now(), None)


def test_a_run_that_brings_nothing_new_was_in_contact_all_the_same(
    ada: User, shop: Connection, queue: Queue, frozen_clock: FrozenClock
) -> None:
    imported(ada, queue)
    first = clock.now()
    frozen_clock.advance(hours=3)

    imported(ada, queue)

    assert (contact().changed_at, contact().succeeded_at) == (first, first + timedelta(hours=3))
    assert len({row.starts_at for row in db.session.scalars(select(Statistic))}) == 2


def test_a_run_that_fails_leaves_its_failure(ada: User, shop: Connection, queue: Queue, sandbox: Sandbox) -> None:
    sandbox.fault("shopify", "malformed", times=0)

    imported(ada, queue)

    assert counts()[Outcome.RUN_FAILED] == 1
    assert (contact().succeeded_at, contact().failed_at) == (None, clock.now())


def test_what_happens_again_within_the_hour_is_added(ada: User, shop: Connection, queue: Queue) -> None:
    imported(ada, queue)
    once = counts()

    imported(ada, queue)

    assert counts()[Outcome.RUN_SUCCEEDED] == 2
    assert counts()[Outcome.OK] > once[Outcome.OK]


def test_writing_without_an_end_waits_for_its_time(ada: User, shop: Connection) -> None:
    run = runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    with transaction() as session:
        session.get_one(Run, run.id).status = RunStatus.RUNNING
    calls = CallLog(run)

    with transaction():
        calls.write(run)

    assert counts() == {}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("", Outcome.OK),
        ("RateLimited", Outcome.THROTTLED),
        ("NetworkError", Outcome.PASSING),
        ("ProviderUnavailable", Outcome.PASSING),
        ("CredentialsRefused", Outcome.OWNERS),
        ("ScopeMissing", Outcome.OWNERS),
        ("UnexpectedShape", Outcome.OURS),
        ("NeverHeardOf", Outcome.OURS),
    ],
)
def test_a_failure_is_somebody_s(error: str, outcome: Outcome) -> None:
    assert outcome_of(error) is outcome


def test_the_figures_of_a_day_say_shares_and_hours(ada: User, shop: Connection) -> None:
    now = hour_of(clock.now())
    plant(shop, now - timedelta(hours=2), 90)
    plant(shop, now - timedelta(hours=2), 10, Outcome.PASSING)
    plant(shop, now - timedelta(hours=1), 5, Outcome.THROTTLED)
    plant(shop, now - timedelta(hours=30), 1000, Outcome.OURS)

    found = figures.of_connections(ada.id, now - timedelta(hours=23))[shop.id]
    hours = figures.last_day(ada.id)[shop.id]

    assert (found.calls, found.failures) == (105, 10)
    assert found.availability == pytest.approx(1 - 10 / 105)
    assert [hour.success_rate for hour in hours[-3:]] == [0.9, 1.0, None]
    assert len(hours) == 24


def test_nobody_reads_the_figures_of_another(cleo: User, shop: Connection) -> None:
    plant(shop, hour_of(clock.now()), 5)

    assert figures.of_connections(cleo.id, hour_of(clock.now())) == {}
    assert figures.last_day(cleo.id) == {}
    assert figures.reached(cleo.id) == {}


def test_old_hours_become_days_and_lose_no_call(shop: Connection, frozen_clock: FrozenClock) -> None:
    day = hour_of(clock.now()).replace(hour=0)
    for hour in (0, 5, 23):
        plant(shop, day + timedelta(hours=hour), 10)
    plant(shop, day + timedelta(days=1), 7)
    frozen_clock.advance(days=91)

    age()

    rows = {(row.span, row.starts_at): row.count for row in db.session.scalars(select(Statistic))}
    assert rows == {(Span.DAY, day): 30, (Span.HOUR, day + timedelta(days=1)): 7}


def test_days_are_forgotten_after_two_years(shop: Connection, frozen_clock: FrozenClock) -> None:
    plant(shop, hour_of(clock.now()), 10)
    frozen_clock.advance(days=91)
    age()
    frozen_clock.advance(days=640)

    age()

    assert counts() == {}


def test_counters_grow_with_the_commit_alone(queue: Queue) -> None:
    with transaction() as session:
        session.execute(select(1))
        counters.add("refreshes", provider="etsy", outcome="ok")
        inside = counters.read()
    counters.add("refreshes", 2, provider="etsy", outcome="ok")

    assert inside == {}
    assert counters.read() == {("refreshes", (("outcome", "ok"), ("provider", "etsy"))): 3}


def test_what_is_undone_is_not_counted() -> None:
    def fail() -> None:
        with transaction() as session:
            session.execute(select(1))
            counters.add("refreshes", provider="etsy")
            raise ValueError

    with pytest.raises(ValueError):
        fail()

    assert counters.read() == {}


def test_without_redis_nothing_is_counted_and_nothing_fails(redis_server: RedisServer) -> None:
    redis_server.stop()

    counters.add("refreshes", provider="etsy")

    assert counters.read() is None
