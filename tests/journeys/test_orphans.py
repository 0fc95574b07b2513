"""A job outlives its worker or its lease: as it wakes up, it stops at its next page and writes nothing more."""

import signal
import time

import psutil

from tests.journeys.hubs import Hub, Person, pages_of
from tests.journeys.test_killed_workers import PAGE, assert_same_products, counts

SOME = 5000
PAGE_TAKES_S = 2


def test_a_stopped_job_whose_worker_is_killed_gives_its_run_back_as_it_wakes_up(hub: Hub, ada: Person) -> None:
    run_id, orphan = _stopped_between_pages(hub, ada, "orphan", seed=3)
    psutil.Process(orphan.ppid()).send_signal(signal.SIGKILL)
    stopped_at, done = time.monotonic(), ada.run(run_id)["progress"]["done"]
    has_ended = _ends(orphan)  # the kernel wakes it up: its process group lost its last parent
    ada.run_that(run_id, lambda run: run["progress"]["done"] > done + PAGE)
    resumed_after_s = time.monotonic() - stopped_at
    run = ada.ended(run_id)

    assert has_ended
    assert resumed_after_s < 20, "it lay in the lease's way"
    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=SOME, created=SOME)
    assert_same_products(hub, ada, "orphan.myshopify.com", SOME)


def test_a_job_that_overslept_its_lease_stops_at_its_next_page(hub: Hub, ada: Person) -> None:
    """Nobody tells this one to stop: its worker lives, and no signal comes. The lease alone keeps it from writing."""
    run_id, oversleeper = _stopped_between_pages(hub, ada, "oversleeper", seed=4)
    done = ada.run(run_id)["progress"]["done"]
    ada.run_that(run_id, lambda run: run["progress"]["done"] > done + PAGE)
    oversleeper.send_signal(signal.SIGCONT)
    has_ended = _ends(oversleeper)
    run = ada.ended(run_id)

    assert has_ended
    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=SOME, created=SOME)
    assert_same_products(hub, ada, "oversleeper.myshopify.com", SOME)
    asked = pages_of(hub.sandbox.received("shopify", host="oversleeper.myshopify.com"))
    assert len(asked) <= SOME / PAGE + 2, "the late one fetched more than the page it had in hand"


def _stopped_between_pages(hub: Hub, person: Person, shop: str, *, seed: int) -> tuple[str, psutil.Process]:
    """An import whose job was stopped (SIGSTOP) while it waited for a page; the run's id, and the job.

    Stopped in the middle of a write it would keep SQLite's lock, and with it everybody else from writing.
    """
    person.connect("shopify", shop=shop)
    hub.sandbox.generate("shopify", count=SOME, seed=seed, shop=shop)
    hub.sandbox.fault("shopify", "slow", seconds=PAGE_TAKES_S, times=0, match="products")
    run_id = person.start("shopify", "import_products")
    person.run_that(run_id, lambda run: run["progress"]["done"] >= 2 * PAGE)
    (job,) = hub.horses()
    job.send_signal(signal.SIGSTOP)
    hub.sandbox.clear_faults("shopify")
    return run_id, job


def _ends(process: psutil.Process, within_s: float = 60) -> bool:
    try:
        process.wait(within_s)
    except psutil.TimeoutExpired:
        return False
    return True
