"""A job outlives its worker or its lease: as it wakes up, it stops at its next page and writes nothing more."""

import signal
import time

import psutil

from tests.journeys.hubs import Hub, Person, pages_of
from tests.journeys.test_killed_workers import PAGE, assert_same_products, counts

SOME = 5000
TAKEN_OVER_WITHIN_S = 90.0  # how soon is told by `test_killed_workers`; here it must only come to pass


def test_a_stopped_job_whose_worker_is_killed_gives_its_run_back_as_it_wakes_up(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="orphan")
    hub.sandbox.generate("shopify", count=SOME, seed=3, shop="orphan")
    run_id = ada.start("shopify", "import_products")
    ada.run_that(run_id, lambda run: run["progress"]["done"] >= 1000)

    (orphan,) = hub.horses()
    orphan.send_signal(signal.SIGSTOP)
    psutil.Process(orphan.ppid()).send_signal(signal.SIGKILL)
    stopped_at, done = time.monotonic(), ada.run(run_id)["progress"]["done"]
    has_ended = _ends(orphan, 15)  # the kernel wakes it up: its process group lost its last parent
    ada.run_that(run_id, lambda run: run["progress"]["done"] > done + PAGE, TAKEN_OVER_WITHIN_S)
    resumed_after_s = time.monotonic() - stopped_at
    run = ada.ended(run_id, 90)

    assert has_ended
    assert resumed_after_s < 20, "it lay in the lease's way"
    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=SOME, created=SOME)
    assert_same_products(hub, ada, "orphan.myshopify.com", SOME)


def test_a_job_that_overslept_its_lease_stops_at_its_next_page(hub: Hub, ada: Person) -> None:
    """Nobody tells this one to stop: its worker lives, and no signal comes. The lease alone keeps it from writing."""
    ada.connect("shopify", shop="oversleeper")
    hub.sandbox.generate("shopify", count=SOME, seed=4, shop="oversleeper")
    run_id = ada.start("shopify", "import_products")
    ada.run_that(run_id, lambda run: run["progress"]["done"] >= 1000)

    (oversleeper,) = hub.horses()
    oversleeper.send_signal(signal.SIGSTOP)
    done = ada.run(run_id)["progress"]["done"]
    ada.run_that(run_id, lambda run: run["progress"]["done"] > done + PAGE, TAKEN_OVER_WITHIN_S)
    oversleeper.send_signal(signal.SIGCONT)
    has_ended = _ends(oversleeper, 10)
    run = ada.ended(run_id, 90)

    assert has_ended
    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=SOME, created=SOME)
    assert_same_products(hub, ada, "oversleeper.myshopify.com", SOME)
    asked = pages_of(hub.sandbox.received("shopify", host="oversleeper.myshopify.com"))
    assert len(asked) <= SOME / PAGE + 2, "the late one fetched more than the page it had in hand"


def _ends(process: psutil.Process, within_s: float) -> bool:
    try:
        process.wait(within_s)
    except psutil.TimeoutExpired:
        return False
    return True
