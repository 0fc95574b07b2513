"""The worker processes: one parent that forks the workers and the clock, and each worker's way to carry out a job.

A job runs in a process forked for it. When its worker dies or is told to stop, it gives its lease back and ends.
"""

import ctypes
import os
import random
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

import structlog
from flask import Flask
from rq import Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from jobs.tick import run_clock
from patchbay import health, queue
from patchbay.models import db
from patchbay.runs.lease import Interrupted

log = structlog.get_logger()

PR_SET_PDEATHSIG = 1
GRACE_S = 5.0
RESTART_AFTER_S = 1.0
BEAT_EVERY_S = 5.0

# A job is forked from a process with several threads: a lock that another one holds just then stays closed in the job
# for ever. So nothing is looked up in the C library there, and no job is forked while a sign of life is written.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
_beating = threading.Lock()


class LeasedWorker(Worker):
    """RQ's forking worker, whose jobs end in order when it is killed or told to stop."""

    def setup_work_horse_signals(self) -> None:
        """In the forked job: SIGTERM, sent at a stop or by the kernel at the worker's death, interrupts it."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the kernel's, to a stopped job that lost its worker (setpgid(2))
        signal.signal(signal.SIGTERM, _interrupt)
        _die_with_parent(signal.SIGTERM)

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork the job, when no other thread of this process is at the database."""
        with _beating:
            super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """A forked job has connections of its own: two processes must not share one."""
        db.session.remove()
        db.engine.dispose(close=False)
        super().main_work_horse(job, queue)

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """Send `sig` to the present job, and to nobody else: RQ's takes its group, which is all workers' own until the
        forked process has made one for itself, and when the job has just ended.
        """
        if self.horse_pid:
            _send(self.horse_pid, sig)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Interrupt the present job; the run is taken up again from its checkpoint."""
        if self.horse_pid:
            self.kill_horse(signal.SIGTERM)
            threading.Timer(GRACE_S, self.kill_horse).start()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ leaves it untyped


def run_workers(app: Flask, count: int) -> NoReturn:
    """Fork `count` workers and the clock, replace one that dies, end all on SIGTERM. Does not return."""
    roles = [*(f"worker-{number + 1}" for number in range(count)), "clock"]
    stopping: list[bool] = []
    children: dict[int, str] = {}

    def stop(*_: object) -> None:
        stopping.append(True)
        for pid in children:
            _send(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for role in roles:
        children[_fork(app, role)] = role
    while children:
        ended = _await_one(children)
        if stopping or ended is None:
            continue
        log.warning("A worker process ended; starting another.", role=ended)
        time.sleep(RESTART_AFTER_S)
        children[_fork(app, ended)] = ended
    sys.exit(0)


def work(app: Flask, role: str) -> None:
    """Be one worker until told to stop."""
    with app.app_context():
        worker = LeasedWorker(
            list(queue.QUEUES),
            connection=queue.redis(),
            serializer=JSONSerializer,
            name=f"{role}-{os.getpid()}",
            log_job_description=False,
        )
        threading.Thread(target=_beat, args=(app, role), name="heartbeat", daemon=True).start()
        worker.work(logging_level="WARNING")


def _beat(app: Flask, role: str) -> None:
    while True:
        with _beating, app.app_context():
            health.beat_quietly(role)
        time.sleep(BEAT_EVERY_S)


def _fork(app: Flask, role: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    _die_with_parent(signal.SIGTERM)
    random.seed()
    code = 1
    try:
        _be(app, role)
        code = 0
    except SystemExit:
        code = 0
    except Exception:
        log.exception("A worker process failed.", role=role)
    finally:
        os._exit(code)


def _be(app: Flask, role: str) -> None:
    with app.app_context():
        db.engine.dispose(close=False)
    if role != "clock":
        work(app, role)
        return
    stopping: list[bool] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(True))
    run_clock(app, lambda: bool(stopping))


def _await_one(children: dict[int, str]) -> str | None:
    try:
        pid, _ = os.wait()
    except ChildProcessError:
        children.clear()
        return None
    return children.pop(pid, None)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        log.debug("The process had ended already.", pid=pid)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the giving back
    raise Interrupted


def _die_with_parent(number: signal.Signals) -> None:
    """Linux sends this process `number` when its parent dies (prctl(2), PR_SET_PDEATHSIG); elsewhere nothing does."""
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, int(number))
