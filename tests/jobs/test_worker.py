"""A worker's power over the job that it has forked."""

import signal
import subprocess

import pytest

from jobs.worker import LeasedWorker
from patchbay import queue

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("context")


def test_a_job_that_has_no_group_of_its_own_yet_is_killed_alone() -> None:
    worker = LeasedWorker([queue.RUN.queue], connection=queue.redis())

    with subprocess.Popen(["sleep", "60"]) as job:  # in our own group, as a job is at its very beginning
        worker._horse_pid = job.pid
        worker.kill_horse()
        worker._horse_pid = 0
        worker.kill_horse()

    assert job.returncode == -signal.SIGKILL
