"""A worker is told to stop (SIGTERM) in each phase of a run: the next one ends it well, nothing is doubled or lost.

Workers are real processes. Where a phase is too short to be hit, the work stands still there (`nursery.PLACES`);
requests are hit while the platform takes its time to answer.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy.exc import SQLAlchemyError

from jobs.tick import tick
from patchbay import assets, batches, queue, runs, tokens
from patchbay.batches import Part
from patchbay.models import Connection, Record, Run, RunStatus, Trigger, User, db, fresh_view
from patchbay.settings import ROOT, Settings
from tests.faults.conftest import reread
from tests.faults.test_storage import noisy_png
from tests.stage import Queue, Sandbox, Walker, wait_until

SHOP = "stopped.myshopify.com"
PRODUCTS = 600  # three pages
PATIENCE_S, BETWEEN_TICKS_S = 120, 8
DUMPED_S, MOST_TOLD = 1.0, 20_000


class Nursery:
    """Where workers come from, one after another."""

    def __init__(self, log: Path) -> None:
        self.log = log
        command = [sys.executable, "-m", "tests.faults.nursery"]
        with log.open("w") as lines:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=lines, text=True
            )

    def start(self, **order: Any) -> int:
        """A worker's process id."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self._answer("started"))

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        return int(self._answer("ended"))

    def account(self, pid: int) -> str:
        """What its workers logged last, and where this one and its job stand now, thread by thread."""
        worker = psutil.Process(pid)
        for each in (worker, *worker.children()):
            each.send_signal(signal.SIGUSR1)
        time.sleep(DUMPED_S)
        return self.log.read_text()[-MOST_TOLD:]

    def close(self) -> None:
        self.process.communicate(timeout=120)

    def _answer(self, word: str) -> str:
        assert self.process.stdout
        said, _, value = self.process.stdout.readline().partition(" ")
        assert said == word
        return value


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("nursery") / "log")
    yield made
    made.close()


@dataclass
class Stage:
    """What a test stops and goes on with."""

    nursery: Nursery
    settings: Settings
    sandbox: Sandbox
    hints: Queue
    sign: Path

    def stop_worker(self, is_there: Callable[[], bool], place: str = "") -> None:
        """Let a worker work until it is there, and tell it to stop; the clock ticks meanwhile."""
        pid = self.nursery.start(environment=_environment(self.settings), place=place, sign=str(self.sign))
        try:
            for _ in range(PATIENCE_S // BETWEEN_TICKS_S):
                with suppress(AssertionError):
                    wait_until(is_there, BETWEEN_TICKS_S)
                    break
                with suppress(SQLAlchemyError):  # a phase may hold the lock that the clock wants
                    tick()
            assert is_there(), f"{_standing()}\n{self.nursery.account(pid)}"
        finally:
            os.kill(pid, signal.SIGTERM)
            code = self.nursery.ended()
        assert code == 0
        fresh_view()

    def go_on(self) -> None:
        """What another worker does with all that is due."""
        self.hints.drop_all()
        tick()
        self.hints.run_all()
        fresh_view()

    def has_arrived(self, provider: str, **wanted: Any) -> Callable[[], bool]:
        """Whether the platform has one more such request than now."""
        before = len(self.sandbox.received(provider, **wanted))
        return lambda: len(self.sandbox.received(provider, **wanted)) > before


@pytest.fixture
def stage(
    nursery: Nursery,
    settings: Settings,
    sandbox: Sandbox,
    queue: Queue,
    tmp_path: Path,
    context: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    monkeypatch.setattr("patchbay.runs.UNCLAIMED", runs.UNCLAIMED * 0)
    return Stage(nursery, settings, sandbox, queue, tmp_path / "sign")


def _standing() -> str:
    fresh_view()
    standing = db.session.execute(db.select(Run.id, Run.status, Run.resumes_at, Run.error_detail))
    return "\n".join(" ".join(map(str, row)) for row in standing)


def _environment(here: Settings) -> dict[str, str]:
    return {
        "PATCHBAY_HOME": str(here.home),
        "PUBLIC_URL": here.public_url,
        "DATABASE_URL": here.database_url,
        "REDIS_URL": here.redis_url,
        "SANDBOX": "on",
        "SANDBOX_URL": here.sandbox_url,
        "SECRET_KEY": here.secret_key,
        "VAULT_KEYS": ",".join(here.vault_keys),
        "DEMO_PASSWORD": "a password for the demo",
    }


# -- imports


@pytest.fixture
def shop(stage: Stage, connect: Walker, ada: User) -> Connection:
    stage.sandbox.generate("shopify", count=PRODUCTS, seed=11, shop=SHOP)
    return connect(ada, "shopify", shop="stopped")


def start(user: User, integration: str, operation: str, **values: Any) -> Run:
    return runs.start(user.id, integration, operation, values, Trigger.API)


def assert_imported_once(run: Run, stage: Stage, user: User) -> None:
    """Each of the shop's products is there, once, and no page was stored twice."""
    stored = Counter(db.session.scalars(db.select(Record.external_id).where(Record.deleted_at.is_(None))))
    there = {f"gid://shopify/Product/{each['id']}" for each in stage.sandbox.state("shopify", "products", shop=SHOP)}
    assert run.status is RunStatus.SUCCEEDED, (run.status, run.error_detail)
    assert set(stored) == there
    assert set(stored.values()) == {1}


@pytest.mark.parametrize(
    "place",
    [
        "before it is taken up",
        "in the transaction of a page",
        "between two pages",
        "in the last transaction",
        "when all is written",
    ],
)
def test_an_import_that_is_stopped_at_any_step_goes_on_where_it_was(
    stage: Stage, shop: Connection, ada: User, place: str
) -> None:
    run = start(ada, "shopify", "import_products")

    stage.stop_worker(stage.sign.exists, place)
    left = reread(run).status
    stage.go_on()

    run = reread(run)
    assert left is (RunStatus.SUCCEEDED if place == "when all is written" else RunStatus.QUEUED)
    assert_imported_once(run, stage, ada)
    assert (run.count_created, run.count_read) == (PRODUCTS, PRODUCTS)


@pytest.mark.parametrize("fault", ["slow", "rate_limit"], ids=["while a request is under way", "while it waits"])
def test_an_import_that_is_stopped_while_the_platform_takes_its_time_asks_again(
    stage: Stage, shop: Connection, ada: User, let_go: Callable[[], None], fault: str
) -> None:
    for kind in (fault, "slow"):  # after the wait, too, it is held
        stage.sandbox.fault("shopify", kind, seconds=4, match=f"{SHOP}/admin/api")
    run = start(ada, "shopify", "import_products")

    stage.stop_worker(stage.has_arrived("shopify", fault=fault))
    left = reread(run).status
    stage.hints.forget_limits()
    let_go()
    stage.go_on()

    assert left is RunStatus.QUEUED
    assert_imported_once(reread(run), stage, ada)


def test_an_import_that_is_stopped_while_it_deletes_deletes_once(stage: Stage, shop: Connection, ada: User) -> None:
    start(ada, "shopify", "import_products")
    stage.hints.run_all()
    handle = stage.sandbox.state("shopify", "products", shop=SHOP)[0]["handle"]
    stage.sandbox.remove_product(handle, shop=SHOP)
    run = start(ada, "shopify", "import_products")

    stage.stop_worker(stage.sign.exists, "in the transaction that deletes")
    left = reread(run)
    told = (left.status, left.count_deleted)
    stage.go_on()

    run = reread(run)
    assert told == (RunStatus.QUEUED, 0)
    assert_imported_once(run, stage, ada)
    assert run.count_deleted == 1


def test_a_refresh_that_is_under_way_is_brought_to_its_end(stage: Stage, shop: Connection, ada: User) -> None:
    stage.sandbox.fault("shopify", "expired_token")
    stage.sandbox.fault("shopify", "slow", seconds=1.5, match="access_token")
    run = start(ada, "shopify", "import_products")

    stage.stop_worker(stage.has_arrived("shopify", grantType="refresh_token"))
    stage.go_on()

    assert_imported_once(reread(run), stage, ada)
    assert len(stage.sandbox.received("shopify", grantType="refresh_token")) == 1
    assert tokens.fresh(shop.id).value


# -- actions


@pytest.fixture
def drive(connect: Walker, ada: User, stage: Stage) -> Connection:
    return connect(ada, "google-drive")


def named(stage: Stage, name: str) -> int:
    """How many things of that name the drive holds."""
    return sum(each["name"].startswith(name) for each in stage.sandbox.state("google-drive", "files"))


@pytest.mark.parametrize(
    "place", ["between receipt and request", "between answer and receipt", "in the last transaction"]
)
def test_an_action_that_is_stopped_at_any_step_is_done_once(
    stage: Stage, connect: Walker, ada: User, place: str
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    product = stage.sandbox.state("shopify", "products")[0]["id"]
    design = assets.upload(ada.id, noisy_png(40), "rose.png")
    before = len(stage.sandbox.state("shopify", "media"))
    picture = {"productId": f"gid://shopify/Product/{product}", "mockupUrls": [assets.link(design)]}
    run = start(ada, "shopify", "publish_mockup", **picture)

    stage.stop_worker(stage.sign.exists, place)
    left = reread(run).status
    stage.go_on()

    assert left is RunStatus.QUEUED
    assert reread(run).status is RunStatus.SUCCEEDED, reread(run).error_detail
    assert len(stage.sandbox.state("shopify", "media")) == before + 1
    assert len(stage.sandbox.received("shopify", operation="productUpdate")) == 1


def test_an_action_that_is_stopped_while_its_request_is_under_way_is_done_once(
    stage: Stage, drive: Connection, ada: User, let_go: Callable[[], None]
) -> None:
    stage.sandbox.fault("google-drive", "slow", match="POST www.googleapis.com/drive/v3/files")
    run = start(ada, "google-drive", "create_folder", folderName="Once")

    stage.stop_worker(stage.has_arrived("google-drive", fault="slow"))
    left = reread(run).status
    let_go()
    stage.go_on()

    assert left is RunStatus.QUEUED
    assert reread(run).status is RunStatus.SUCCEEDED
    assert named(stage, "Once") == 1


def test_an_upload_that_is_stopped_in_the_middle_of_a_chunk_leaves_one_file(
    stage: Stage, drive: Connection, ada: User, let_go: Callable[[], None]
) -> None:
    design = assets.upload(ada.id, noisy_png(1500), "large.png")  # more than is sent in one piece
    stage.sandbox.fault("google-drive", "slow", match="PUT www.googleapis.com/upload/")
    run = start(ada, "google-drive", "upload_file", mockupUrls=[assets.link(design)])

    stage.stop_worker(stage.has_arrived("google-drive", fault="slow"))
    left = reread(run).status
    let_go()
    stage.go_on()

    assert left is RunStatus.QUEUED
    assert reread(run).status is RunStatus.SUCCEEDED, reread(run).error_detail
    assert named(stage, "large") == 1


def test_a_batch_that_is_stopped_in_one_of_its_parts_does_each_once(
    stage: Stage, drive: Connection, ada: User, let_go: Callable[[], None]
) -> None:
    parts = [Part("google-drive", "create_folder", {"folderName": name}, name) for name in ("One", "Two")]
    stage.sandbox.fault("google-drive", "slow", match="POST www.googleapis.com/drive/v3/files")
    batch = batches.start(ada.id, "Two folders", parts, Trigger.PAGE)

    stage.stop_worker(stage.has_arrived("google-drive", fault="slow"))
    let_go()
    stage.go_on()

    done = batches.get(ada.id, batch.id)
    assert [part.run.status for part in done.parts if part.run] == [RunStatus.SUCCEEDED] * 2
    assert (named(stage, "One"), named(stage, "Two")) == (1, 1)
    assert done.ended_at is not None
    assert queue.depth() == 0
