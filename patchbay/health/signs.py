"""Signs of life of the background processes, and the checks behind `/health`.

What the checks of a whole installation are lives in `patchbay.doctor`.
"""

from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from patchbay import clock, queue
from patchbay.errors import N_
from patchbay.models import Heartbeat, db, transaction
from patchbay.models.heartbeat import AWAKE, CLOCK

log = structlog.get_logger()

FRESH = timedelta(seconds=20)
STANDSTILL = timedelta(minutes=10)
"""Without a sign of the clock for so long the installation was off, or asleep."""


def beat(name: str) -> None:
    """Leave a sign of life of the process or thread of that name; of the clock also when it began anew, if it did."""
    now = clock.now()
    with transaction() as session:
        row = session.get(Heartbeat, name)
        if name == CLOCK and (row is None or row.at < now - STANDSTILL):
            session.merge(Heartbeat(name=AWAKE, at=now))
        session.merge(Heartbeat(name=name, at=now))


def beat_quietly(name: str) -> None:
    """As `beat`; a database that is away for a moment is no reason to end."""
    try:
        beat(name)
    except SQLAlchemyError as error:
        log.warning("No sign of life could be left.", error=type(error).__name__)


def checks() -> dict[str, str]:
    """`ok`, or what is wrong, for database, queue, workers and scheduler."""
    try:
        alive = set(db.session.scalars(select(Heartbeat.name).where(Heartbeat.at > clock.now() - FRESH)))
    except SQLAlchemyError as error:
        return {"database": type(error).__name__, "queue": "unknown", "workers": "unknown", "scheduler": "unknown"}
    return {
        "database": "ok",
        "queue": "ok" if queue.depth() is not None else N_("Redis does not answer"),
        "workers": "ok" if any(name.startswith("worker-") for name in alive) else N_("no worker gives signs of life"),
        "scheduler": "ok" if CLOCK in alive else N_("the clock gives no signs of life"),
    }
