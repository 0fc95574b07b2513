"""Waiting in a request until a run has ended, by at most half of the web threads, so that the other half is free.

How a run comes to its end lives in `patchbay.runs`; this only looks at its row.
"""

import time
from datetime import timedelta

from patchbay import clock, runs, settings
from patchbay.connections.seats import Seats
from patchbay.models import Run, RunStatus, fresh_view

FIRST_PAUSE_S = 0.03
LONGEST_PAUSE_S = 0.25

seats = Seats()


def until_ended(user_id: str, run: Run, seconds: int) -> Run:
    """The run as it is when it has ended, or when it cannot be waited for any longer. Raises NotFound."""
    run_id = run.id
    with seats.take(settings.current().web_threads // 2) as is_seated:
        deadline = time.monotonic() + (seconds if is_seated else 0)
        pause_s = FIRST_PAUSE_S
        while True:
            fresh_view()
            run = runs.get(user_id, run_id)
            left_s = deadline - time.monotonic()
            if not run.is_open or left_s <= 0 or _is_hopeless(run, left_s):
                return run
            fresh_view()  # nothing stays open while this sleeps
            time.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)


def _is_hopeless(run: Run, left_s: float) -> bool:
    """Whether the run itself waits for longer than its caller would, or for its owner."""
    if run.is_asking:
        return True
    if run.status is not RunStatus.WAITING or run.resumes_at is None:
        return False
    return run.resumes_at > clock.now() + timedelta(seconds=left_s)
