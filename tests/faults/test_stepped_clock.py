"""The clock is set ahead or back by an hour while a run is under way: its work is done once, and not forgotten.

What the same does to tokens, schedules, budgets and breakers stands with their own tests.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from jobs.tick import tick
from patchbay import runs
from patchbay.models import Connection, Run, RunStatus, Trigger, WaitReason, db, fresh_view, transaction
from patchbay.runs import lease
from patchbay.runs.lease import DOUBT, LENGTH, Lease
from tests.faults.conftest import Shelf, reread
from tests.stage import FrozenClock, Queue, wait_until

DATABASES = ("sqlite", "postgresql")
AN_HOUR = timedelta(hours=1)
AHEAD, BACK = AN_HOUR, -AN_HOUR


@pytest.fixture(autouse=True)
def _quick_heart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are renewed ten times as often, since the frozen clock goes in leaps."""
    monkeypatch.setattr(lease, "BEAT_S", 0.6)


def taken_up(clock: FrozenClock, queue: Queue, step: timedelta) -> None:
    """Set the clock, and let it offer what it takes for due, then and ten seconds later; the workers try to get it."""
    clock.moment += step
    for _ in range(2):
        tick()
        queue.run_all()
        clock.moment += DOUBT + timedelta(seconds=1)
        wait_until_renewed(clock)
    tick()
    queue.run_all()


def wait_until_renewed(clock: FrozenClock) -> None:
    """A beat or two of those who hold a lease."""

    def is_renewed() -> bool:
        fresh_view()
        return all(
            run.lease_until == clock.moment + LENGTH for run in db.session.query(Run).filter_by(status="running")
        )

    wait_until(is_renewed)


@pytest.mark.parametrize("step", [AHEAD, BACK], ids=["ahead", "back"])
def test_a_run_that_is_under_way_is_carried_out_by_one_worker_alone(
    shelf: Shelf, ordered: Callable[..., Run], queue: Queue, frozen_clock: FrozenClock, step: timedelta
) -> None:
    shelf.before[1] = lambda: taken_up(frozen_clock, queue, step)

    run = ordered()

    assert shelf.read == [0, 1, 2]
    assert (run.status, run.attempts, run.count_created) == (RunStatus.SUCCEEDED, 1, 6)


@pytest.mark.parametrize("step", [AHEAD, BACK], ids=["ahead", "back"])
def test_a_run_whose_worker_died_is_taken_up_within_seconds(
    shelved: Connection, shelf: Shelf, queue: Queue, frozen_clock: FrozenClock, step: timedelta
) -> None:
    run = runs.start(shelved.user_id, "dropbox", "import_things", {}, Trigger.API)
    dead = Lease.claim(run.id)
    assert dead is not None
    dead.release()
    queue.drop_all()

    frozen_clock.moment += step
    tick()
    frozen_clock.moment += DOUBT + timedelta(seconds=1)
    tick()
    queue.run_all()

    assert (reread(run).status, shelf.read) == (RunStatus.SUCCEEDED, [0, 1, 2])


def test_a_dead_workers_run_is_taken_up_though_the_clock_looks_seldom(
    shelved: Connection, shelf: Shelf, queue: Queue, frozen_clock: FrozenClock
) -> None:
    run = runs.start(shelved.user_id, "dropbox", "import_things", {}, Trigger.API)
    dead = Lease.claim(run.id)
    assert dead is not None
    dead.release()
    queue.drop_all()

    for _ in range(2):
        frozen_clock.moment += 4 * LENGTH
        tick()
    queue.run_all()

    assert (reread(run).status, shelf.read) == (RunStatus.SUCCEEDED, [0, 1, 2])


def test_a_run_whose_hint_was_lost_is_offered_though_the_clock_was_set_back(
    shelved: Connection, queue: Queue, frozen_clock: FrozenClock
) -> None:
    run = runs.start(shelved.user_id, "dropbox", "import_things", {}, Trigger.API)
    queue.drop_all()

    frozen_clock.moment += BACK
    tick()
    queue.run_all()

    assert reread(run).status is RunStatus.SUCCEEDED


def test_a_run_that_waits_until_a_time_goes_on_when_the_clock_was_set_ahead_and_later_when_it_was_set_back(
    shelved: Connection, queue: Queue, frozen_clock: FrozenClock
) -> None:
    ahead, back = (runs.start(shelved.user_id, "dropbox", name, {}, Trigger.API) for name in ("import_things", "act"))
    queue.drop_all()
    with transaction():
        for run in (ahead, back):
            run.status, run.wait_reason = RunStatus.WAITING, WaitReason.UNAVAILABLE
            run.resumes_at = frozen_clock.now() + timedelta(minutes=1)
        back.resumes_at = frozen_clock.now() + 2 * AN_HOUR

    frozen_clock.moment += AHEAD
    tick()
    queue.run_all()
    after_ahead = [reread(run).status for run in (ahead, back)]
    frozen_clock.moment += BACK + 2 * AN_HOUR
    tick()
    queue.run_all()

    assert after_ahead == [RunStatus.SUCCEEDED, RunStatus.WAITING]
    assert reread(back).status is RunStatus.SUCCEEDED
