"""The product's own workers and clock at work for a bench, and waiting until they have nothing left to do.

What does not live here: what they are given to do, and what is measured of it.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rq.registry import BaseRegistry, FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from bench import refreshing
from launch.commands import workers_command
from patchbay import queue
from patchbay.settings import ROOT, Settings

AT_MOST_S = 3600


@contextmanager
def workers(settings: Settings, count: int) -> Iterator[None]:
    """So many workers and the clock, of the same installation."""
    env = {**refreshing.environment_of(settings), "WORKERS": str(count)}
    process = subprocess.Popen(workers_command(), env=env, cwd=ROOT, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for(is_over: Callable[[], bool]) -> None:
    """Look twice a second. Raises RuntimeError after an hour."""
    until = time.monotonic() + AT_MOST_S
    while not is_over():
        if time.monotonic() > until:
            raise RuntimeError("the jobs did not come to an end")
        time.sleep(0.5)


def is_idle() -> bool:
    """Whether no job waits, and none is carried out."""
    return queue.depth() == 0 and not _jobs_in(StartedJobRegistry)


def broken_jobs() -> int:
    """How many jobs ended with an exception."""
    return _jobs_in(FailedJobRegistry)


def _jobs_in(registry: type[BaseRegistry]) -> int:
    kinds = [registry(name, connection=queue.redis(), serializer=JSONSerializer) for name in queue.QUEUES]
    return sum(kind.get_job_count(cleanup=False) for kind in kinds)
