"""The right to carry a run out: taken by one worker, renewed by a heartbeat, lost when another has taken over.

Every write of a run's work goes through `Lease.step`, so that a worker that was given up for dead can change nothing.
"""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, and_, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from patchbay import clock
from patchbay.models import Run, RunStatus, db, new_id, transaction, update_one
from patchbay.models.base import writing

LENGTH = timedelta(seconds=30)
BEAT_S = 8.0
DOUBT = timedelta(seconds=BEAT_S + 2)


_doubted: set[str] = set()
"""Tokens of the leases that were odd when this process last looked: each is given a last beat once."""


def doubt_impossible() -> None:
    """Let leases end in a few seconds that cannot be while the clock goes evenly, unless their holders renew them.

    One that ends later than any can was made before the clock was set back, one that lapsed long ago before it was set
    ahead, or while nobody looked. A holder that lives renews it with its next beat, so that no step of the clock gives
    a run to two workers.
    """
    now = clock.now()
    is_odd = or_(Run.lease_until < now - LENGTH, Run.lease_until > now + LENGTH)
    odd = select(Run.lease_token).where(Run.status == RunStatus.RUNNING, is_odd, Run.lease_token.is_not(None))
    found = {token for token in db.session.scalars(odd) if token}
    fresh = found - _doubted
    _doubted.clear()
    _doubted.update(found)
    if not fresh:
        return
    with transaction() as session:
        session.execute(
            update(Run).where(Run.lease_token.in_(fresh), is_odd).values(lease_until=now + DOUBT),
            execution_options={"synchronize_session": False},
        )


class LeaseLost(Exception):
    """Another worker has the run, or it is no longer open: stop at once, write nothing."""


class CancelRequested(Exception):
    """The owner asked for the run to end."""


class Interrupted(BaseException):
    """This process is to end now: give the run back, so that another worker takes it up at once."""


class Lease:
    """Held from `claim` to `release`. The heartbeat runs in a thread with a database connection of its own."""

    def __init__(self, run_id: str, token: str, engine: Engine) -> None:
        self.run_id = run_id
        self._token = token
        self._engine = engine
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._cancelled = threading.Event()
        beat = copy_context().run  # the thread may write what belongs to the run's owner, as this one may
        self._thread = threading.Thread(target=beat, args=(self._beat,), name=f"lease-{run_id}", daemon=True)

    @classmethod
    def claim(cls, run_id: str) -> "Lease | None":
        """Take the run when it is due and nobody works on it; None when it is not to be had."""
        token, now = new_id("lse"), clock.now()
        is_due = or_(
            Run.status == RunStatus.QUEUED,
            and_(Run.status == RunStatus.WAITING, Run.resumes_at <= now),
            and_(Run.status == RunStatus.RUNNING, Run.lease_until < now),
        )
        claim = (
            update(Run)
            .where(Run.id == run_id, is_due)
            .values(
                status=RunStatus.RUNNING,
                lease_token=token,
                lease_until=now + LENGTH,
                attempts=Run.attempts + 1,
                resumes_at=None,
                wait_reason=None,
                version=Run.version + 1,
            )
        )
        with transaction():
            is_ours = update_one(claim)
        if not is_ours:
            return None
        lease = cls(run_id, token, db.engine)
        lease._thread.start()
        return lease

    def check(self) -> None:
        """Raise when the run was taken over or is to be cancelled."""
        if self._lost.is_set():
            raise LeaseLost(self.run_id)
        if self._cancelled.is_set():
            raise CancelRequested(self.run_id)

    @contextmanager
    def step(self, **values: Any) -> Iterator[None]:
        """A transaction that holds only while the lease is ours; `values` are written to the run with it."""
        renewed = {"lease_until": clock.now() + LENGTH, "version": Run.version + 1}
        mine = (Run.id == self.run_id, Run.lease_token == self._token, Run.status == RunStatus.RUNNING)
        with transaction():
            if not update_one(update(Run).where(*mine).values(renewed | values)):
                self._lost.set()
                raise LeaseLost(self.run_id)
            yield

    def give_back(self) -> None:
        """Put the run back into the queue, when it is still ours."""
        with contextlib.suppress(LeaseLost), self.step(status=RunStatus.QUEUED):
            update_one(update(Run).where(Run.id == self.run_id).values(lease_token=None, lease_until=None))

    def release(self) -> None:
        """End the heartbeat. What the run came to is written before, by a last `step`."""
        self._stop.set()
        self._thread.join(timeout=BEAT_S)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_S if not self._cancelled.is_set() else 1.0):
            try:
                self._renew()
            except SQLAlchemyError:
                continue  # the lease itself says when it is too late

    def _renew(self) -> None:
        with writing(), self._engine.begin() as connection:
            row = connection.execute(
                update(Run)
                .where(Run.id == self.run_id, Run.lease_token == self._token, Run.status == RunStatus.RUNNING)
                .values(lease_until=clock.now() + LENGTH)
                .returning(Run.cancel_requested_at)
            ).first()
        if row is None:
            self._lost.set()
            self._stop.set()
        elif row.cancel_requested_at is not None:
            self._cancelled.set()

    def notice_cancel(self) -> None:
        """The run's row, read in a step, asks for the end."""
        self._cancelled.set()
