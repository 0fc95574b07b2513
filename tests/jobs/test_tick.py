"""The clock: what is due is offered, what has served its time is forgotten, and a lost database is waited for."""

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import cleanup, tick
from patchbay import health, runs
from patchbay.models import Heartbeat, PendingAuthorization, RunLog, Trigger, User, db
from tests.servers import RedisServer
from tests.stage import FrozenClock, Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")


def test_a_tick_leaves_a_sign_of_life(frozen_clock: FrozenClock) -> None:
    tick.tick()

    assert db.session.get_one(Heartbeat, "clock").at == frozen_clock.now()


def test_the_clock_knows_since_when_it_has_not_stood_still(frozen_clock: FrozenClock) -> None:
    tick.tick()
    began = frozen_clock.now()
    frozen_clock.advance(minutes=9)
    tick.tick()
    first = db.session.get_one(Heartbeat, "awake").at
    frozen_clock.advance(minutes=11)

    tick.tick()

    assert (first, db.session.get_one(Heartbeat, "awake").at) == (began, frozen_clock.now())


def test_a_token_that_ends_soon_is_refreshed_by_a_job(
    frozen_clock: FrozenClock, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connection = connect(ada, "shopify", shop="demo-shop")
    frozen_clock.advance(minutes=56)

    tick.tick()
    hints = queue.hints()
    queue.run_all()

    assert hints == [("jobs.tokens.refresh", connection.id)]
    assert len(sandbox.received("shopify", grantType="refresh_token")) == 1


def test_nothing_due_means_nothing_offered(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "shopify", shop="demo-shop")

    tick.tick()

    assert queue.hints() == []


def test_a_tick_without_redis_still_leaves_its_sign(
    frozen_clock: FrozenClock, ada: User, connect: Walker, redis_server: RedisServer
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    frozen_clock.advance(seconds=5)
    redis_server.stop()

    tick.tick()

    assert health.checks()["scheduler"] == "ok"
    assert health.checks()["queue"] == "Redis does not answer"


def test_the_clock_ticks_until_it_is_told_to_stop(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tick, "PERIOD_S", 0.01)
    answers = iter([False, False, False, True, True, True])

    tick.run_clock(app, lambda: next(answers))

    assert db.session.get(Heartbeat, "clock") is not None


def test_cleaning_up_forgets_what_has_served_its_time(
    frozen_clock: FrozenClock, ada: User, connect: Walker, queue: Queue
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    run = runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    queue.run_all()
    frozen_clock.advance(days=29)
    cleanup.clean_up()
    kept = len(runs.logs(run.id))

    frozen_clock.advance(days=2)
    cleanup.clean_up()

    assert kept > 0
    assert db.session.scalars(select(RunLog)).all() == []
    assert db.session.scalars(select(PendingAuthorization)).all() == []
