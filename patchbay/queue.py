"""Hints to the workers that there is something to do: names of jobs, their queues and time limits.

A hint may be lost at any time: the row in the database is the truth, and `jobs.tick` re-offers what stays pending.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import event
from sqlalchemy.orm import Session

from patchbay import settings
from patchbay.models import db

log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """A function of `jobs` by its dotted name: takes one id, is safe to run twice, leaves its outcome on a row."""

    function: str
    queue: str
    timeout_s: int


RUN = Job("jobs.run.execute", "runs", 6 * 3600)
REFRESH = Job("jobs.tokens.refresh", "tokens", 300)
BATCH = Job("jobs.batch.advance", "runs", 1800)
ALERT = Job("jobs.alerts.deliver", "alerts", 120)
SCHEDULE = Job("jobs.schedules.start", "tokens", 120)
EXPORT = Job("jobs.accounts.export", "runs", 3600)
LEAVE = Job("jobs.accounts.leave", "runs", 3600)
ALL = (RUN, REFRESH, BATCH, SCHEDULE, ALERT, EXPORT, LEAVE)
QUEUES = ("tokens", "alerts", "runs")

_JOINT = "--"


def enqueue(job: Job, row_id: str) -> None:
    """Offer `job` for the row to the workers, once the present transaction has been committed; at once without one."""
    session = db.session()
    if session.in_transaction():
        session.info.setdefault("hints", []).append((job, row_id))
    else:
        _send([(job, row_id)])


def offer(job: Job, row_ids: Sequence[str]) -> None:
    """Offer `job` for rows that the clock has found again, but for those whose hint still waits; at once."""
    if not row_ids:
        return
    try:
        waiting = {hint_id.rpartition(_JOINT)[0] for hint_id in _queue(job).get_job_ids()}
    except RedisError:
        waiting = set()  # sending says so
    _send([(job, row_id) for row_id in row_ids if _mark(job, row_id) not in waiting])


@cache
def redis() -> Redis:
    """The Redis of this installation; answers or fails within a second."""
    return Redis.from_url(settings.current().redis_url, socket_timeout=1, socket_connect_timeout=1)


def depth() -> int | None:
    """How many hints wait; None when Redis does not answer."""
    found = depths()
    return None if found is None else sum(found.values())


def depths() -> dict[str, int] | None:
    """The same by queue."""
    try:
        return {name: Queue(name, connection=redis()).count for name in QUEUES}
    except RedisError:
        return None


def _send(hints: list[tuple[Job, str]]) -> None:
    try:
        for job, row_id in hints:
            _queue(job).enqueue_call(
                job.function,
                (row_id,),
                timeout=job.timeout_s,
                result_ttl=0,
                failure_ttl=3600,
                ttl=3600,
                job_id=_mark(job, row_id) + _JOINT + uuid4().hex,
            )
    except RedisError as error:
        log.warning("The queue did not take a hint; the clock will offer it again.", error=type(error).__name__)


def _queue(job: Job) -> Queue:
    return Queue(job.queue, connection=redis(), serializer=JSONSerializer)


def _mark(job: Job, row_id: str) -> str:
    """What the ids of all hints to do this for that row begin with."""
    return job.function.replace(".", "-") + _JOINT + row_id


@event.listens_for(Session, "after_commit")
def _send_hints(session: Session) -> None:
    hints = session.info.pop("hints", None)
    if hints:
        _send(hints)


@event.listens_for(Session, "after_rollback")
def _drop_hints(session: Session) -> None:
    session.info.pop("hints", None)
