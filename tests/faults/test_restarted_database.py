"""PostgreSQL is stopped and started again amid the work: pages say so, runs and refreshes go on afterwards."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from jobs.tick import tick
from patchbay import records, runs, tokens
from patchbay.models import Connection, Run, RunStatus, Trigger, User, db, fresh_view
from patchbay.runs.lease import LENGTH
from patchbay.runs.patience import STORAGE_PAUSE
from tests.faults.conftest import Shelf, reread
from tests.servers import PostgreSQLServer
from tests.stage import FrozenClock, Queue, Sandbox, Walker, wait_until

DATABASES = ("postgresql",)


def gone_on(run: Run, clock: FrozenClock, queue: Queue, lapse: timedelta) -> Run:
    clock.moment += lapse + timedelta(seconds=1)
    tick()
    queue.run_all()
    return reread(run)


def test_a_restart_between_two_steps_of_a_run_is_not_noticed(
    postgresql_server: PostgreSQLServer, shelf: Shelf, ordered: Callable[..., Run]
) -> None:
    def restart() -> None:
        postgresql_server.stop()
        postgresql_server.start()

    shelf.before[1] = restart

    run = ordered()

    assert shelf.read == [0, 1, 2]
    assert (run.status, run.attempts, run.count_created) == (RunStatus.SUCCEEDED, 1, 6)


def test_a_restart_in_the_middle_of_a_step_costs_a_run_a_pause(
    postgresql_server: PostgreSQLServer,
    shelf: Shelf,
    ordered: Callable[..., Run],
    queue: Queue,
    frozen_clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, restarts = records.upsert, [postgresql_server.stop, postgresql_server.start]

    def upsert(*args: Any) -> records.Tally:
        tally = store(*args)
        while restarts:
            restarts.pop(0)()
        return tally

    monkeypatch.setattr(records, "upsert", upsert)

    waiting = ordered()
    told = (waiting.status, waiting.wait_reason)
    run = gone_on(waiting, frozen_clock, queue, STORAGE_PAUSE)

    assert told == ("waiting", "storage")
    assert shelf.read == [0, 0, 1, 2]
    assert (run.status, run.count_created) == (RunStatus.SUCCEEDED, 6)


def test_while_it_is_away_pages_say_so_and_a_run_is_left_until_its_lease_lapses(
    postgresql_server: PostgreSQLServer,
    client: FlaskClient,
    ada: User,
    key_for: Callable[..., dict[str, str]],
    shelved: Connection,
    shelf: Shelf,
    queue: Queue,
    frozen_clock: FrozenClock,
) -> None:
    headers = key_for(ada)
    run = runs.start(ada.id, "dropbox", "import_things", {}, Trigger.API)
    shelf.before[1] = postgresql_server.stop

    queue.run_all()
    call = client.get("/api/runs", headers=headers)
    page = client.get("/integrations")
    health = client.get("/health")
    postgresql_server.start()
    afterwards = client.get("/api/runs", headers=headers)
    done = gone_on(run, frozen_clock, queue, LENGTH)

    assert (call.status_code, call.get_json()["type"]) == (503, "STORAGE_UNAVAILABLE")
    assert page.status_code == 503
    assert "Back in a moment" in page.get_data(as_text=True)
    assert health.status_code == 503
    assert afterwards.status_code == 200
    assert (done.status, done.count_created, shelf.read) == (RunStatus.SUCCEEDED, 6, [0, 1, 1, 2])


@pytest.mark.usefixtures("context")
def test_a_refresh_whose_answer_comes_while_it_is_away_is_stored_when_it_is_back(
    postgresql_server: PostgreSQLServer,
    app: Flask,
    ada: User,
    connect: Walker,
    sandbox: Sandbox,
    frozen_clock: FrozenClock,
    let_go: Callable[[], None],
) -> None:
    shop_id = connect(ada, "shopify", shop="demo-shop").id
    frozen_clock.advance(hours=2)
    sandbox.fault("shopify", "slow", match="access_token")
    asked = {"grantType": "refresh_token"}
    got: list[str] = []

    def use() -> None:
        with app.app_context():
            got.append(tokens.fresh(shop_id).value)

    worker = threading.Thread(target=use)
    worker.start()
    wait_until(lambda: len(sandbox.received("shopify", **asked)) == 1)
    fresh_view()
    postgresql_server.stop()
    let_go()
    time.sleep(0.5)
    postgresql_server.start()
    worker.join()

    fresh_view()
    shop = db.session.get_one(Connection, shop_id, populate_existing=True)
    assert got == [shop.access_token]
    assert len(sandbox.received("shopify", **asked)) == 1
    assert shop.is_connected
