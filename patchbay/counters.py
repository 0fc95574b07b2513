"""Numbers that only grow, shared by all processes: how often something happened since Redis began, for `/metrics`.

They are kept in Redis, since a job runs in a process of its own that is gone before anybody could ask it. A wiped Redis
begins anew, as a restarted process would; whoever reads counters knows how to take that. What is shown to users is
counted in the database (`patchbay.health.calls`).
"""

from collections import Counter

import msgspec
import structlog
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.orm import Session

from patchbay import queue
from patchbay.models import db

log = structlog.get_logger()

KEY = "patchbay:counters"
Name = tuple[str, tuple[tuple[str, str], ...]]
"""A counter's name and its labels, by name."""


def add(name: str, amount: int = 1, **labels: str) -> None:
    """Count something, once the present transaction has been committed; at once without one. Never raises.

    Labels are words of ours (a provider's key, an outcome), never a user's.
    """
    session = db.session()
    counted: Counter[Name] = Counter({(name, tuple(sorted(labels.items()))): amount})
    if session.in_transaction():
        session.info.setdefault("counted", Counter()).update(counted)
    else:
        _send(counted)


def read() -> dict[Name, int] | None:
    """All of them; None when Redis does not answer."""
    try:
        found = queue.redis().hgetall(KEY)
    except RedisError:
        return None
    return {msgspec.json.decode(name, type=Name): int(amount) for name, amount in found.items()}


def _send(counted: Counter[Name]) -> None:
    try:
        pipe = queue.redis().pipeline(transaction=False)
        for name, amount in counted.items():
            pipe.hincrby(KEY, msgspec.json.encode(name).decode(), amount)
        pipe.execute()
    except RedisError as error:
        log.debug("Redis did not take a count.", error=type(error).__name__)


@event.listens_for(Session, "after_commit")
def _send_counted(session: Session) -> None:
    counted = session.info.pop("counted", None)
    if counted:
        _send(counted)


@event.listens_for(Session, "after_rollback")
def _drop_counted(session: Session) -> None:
    session.info.pop("counted", None)
