"""Taking a batch on: when all of a stage has ended, the recipe plans the next one; without a recipe the batch ends.

A stage may make something first (mockups), so whoever plans holds the batch for a while; a worker that dies leaves a
lease that lapses, and the next one goes on with what `memo` remembers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import update

from patchbay import batches, clock
from patchbay.batches.recipes import Kitchen, recipe
from patchbay.errors import PatchbayError, SyncFailed
from patchbay.leases import is_free
from patchbay.models import Batch, Run, db, fresh_view, new_id, transaction, update_one

log = structlog.get_logger()


class HeldByAnother(Exception):
    """Another worker has taken the batch over: stop, write nothing."""


class Cancelled(Exception):
    """The owner has called the batch off: plan nothing more."""


def advance(batch_id: str) -> None:
    """Go on with the batch as far as it goes now. Raises nothing: the row tells."""
    token = _claim(batch_id)
    if token is None:
        return
    try:
        _Planning(batch_id, token).carry_out()
    except HeldByAnother:
        log.warning("The batch was taken over; stopping.", batch_id=batch_id)


def after_run(run_id: str) -> None:
    """Go on with the batches that the run was the last open part of."""
    for batch_id in batches.of_run(run_id):
        advance(batch_id)


@dataclass
class _Planning:
    batch_id: str
    token: str

    def carry_out(self) -> None:
        """Go on as far as it goes, and write what keeps it from going further."""
        try:
            self.go_on()
        except Cancelled:
            self.end(None)
        except PatchbayError as error:
            self.end(error)
        except HeldByAnother:
            raise
        except Exception:
            log.exception("A stage could not be planned for a reason of ours.", batch_id=self.batch_id)
            self.end(SyncFailed("planning the next stage failed", provider="Patchbay", saved="0", total="0"))

    def go_on(self) -> None:
        batch = self._read()
        if any(_is_awaited(batch, part.run) for part in batch.parts):
            self._release()
            return
        following = recipe(batch.recipe).stages[batch.stage + 1 :] if batch.recipe else ()
        if batch.cancelled_at is not None or not following or not _has_success(batch):
            self.end(None)
            return
        parts = following[0](Kitchen(batch, self._remember))
        if not parts:
            self.end(None)
            return
        ordered = batches.order_parts(batch.user_id, parts)
        with transaction():
            self._demand_wanted()
            batch = self._hold(stage=batch.stage + 1, lease_token=None, lease_until=None)
            batches.add_parts(batch, ordered)

    def _remember(self, name: str, make: Callable[[], Any]) -> Any:
        """The value kept under `name`, made and stored the first time; also the sign that the work goes on."""
        memo: Mapping[str, Any] = self._demand_wanted().memo
        if name in memo:
            return memo[name]
        db.session.commit()
        value = make()
        with transaction():
            self._hold(memo={**memo, name: value}, lease_until=clock.now() + batches.LEASE)
        return value

    def _demand_wanted(self) -> Batch:
        """The batch as it is now. Raises Cancelled when its owner has called it off."""
        batch = self._read()
        if batch.cancelled_at is not None:
            raise Cancelled(self.batch_id)
        return batch

    def end(self, error: PatchbayError | None) -> None:
        """Write the end of the batch, with what kept it from going on."""
        with transaction():
            told = batches.told_of(error, "") if error else {}
            batches.end(self._hold(error_kind=error.kind if error else None, error_params=told))

    def _release(self) -> None:
        with transaction():
            self._hold(lease_token=None, lease_until=None)

    def _hold(self, **values: Any) -> Batch:
        """Write to the batch while it is ours. Raises HeldByAnother."""
        mine = (Batch.id == self.batch_id, Batch.lease_token == self.token, Batch.ended_at.is_(None))
        if not update_one(update(Batch).where(*mine).values(version=Batch.version + 1, **values)):
            raise HeldByAnother(self.batch_id)
        return self._read()

    def _read(self) -> Batch:
        return db.session.get_one(Batch, self.batch_id, populate_existing=True)


def _claim(batch_id: str) -> str | None:
    fresh_view()
    token = new_id("lse")
    free = (Batch.id == batch_id, Batch.ended_at.is_(None), is_free(Batch.lease_until, batches.LEASE))
    with transaction():
        lease_until = clock.now() + batches.LEASE
        is_ours = update_one(update(Batch).where(*free).values(lease_token=token, lease_until=lease_until))
    return token if is_ours else None


def _is_awaited(batch: Batch, run: Run | None) -> bool:
    """Whether the batch goes on only when the run has ended; one that was called off waits for what it called off.

    A run that asks its owner about deletions has brought in what it was to bring in: nobody waits for the answer.
    """
    if run is None or not run.is_open or run.is_asking:
        return False
    return batch.cancelled_at is None or run.cancel_requested_at is not None


def _has_success(batch: Batch) -> bool:
    """Whether anything of the present stage went well; without it there is nothing to go on with."""
    parts = [part for part in batch.parts if part.stage == batch.stage]
    return any(part.run is not None and part.run.result is not None for part in parts)
