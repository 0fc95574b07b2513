"""The end of an import: whether its sweep can be trusted, and what becomes of the records that it did not meet.

How records are deleted, held and brought back lives in `records.deletions`; the owner's decision in `runs.deciding`.
"""

from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import update

from patchbay import clock, providers, records
from patchbay.errors import N_
from patchbay.models import (
    Connection,
    Deletion,
    DeletionState,
    LogLevel,
    Run,
    RunLog,
    RunStatus,
    WaitReason,
    db,
    update_one,
)
from patchbay.records import deletions, sweeps
from patchbay.records.sweeps import Standing
from patchbay.runs.lease import Lease
from patchbay.spec import ASKED_AT_ONCE, ASKED_SINGLY, Api, Import

AGAIN = "again"
"""Kept in the run's memo: a sweep left doubts, so it is made once more. What both have missed may be deleted."""


class Work(Protocol):
    """What an import needs of the execution of its run. `saved` and `total` say how far it has come."""

    run: Run
    connection: Connection
    lease: Lease
    memo: dict[str, Any]
    saved: int
    total: int | None
    has_come_further: bool

    def check(self) -> None:
        """Raise when the run is to stop."""

    def log(self, level: str, message: str, **params: str | int) -> None:
        """Add a line, in a step of its own."""

    def add_line(self, level: str, message: str, **params: str | int) -> None:
        """Add a line in the present step, and nothing else."""

    def write(self, level: str, message: str, **params: str | int) -> None:
        """Add a line in the present step."""

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """The value kept under `name`, made and stored the first time."""


def is_in_doubt(work: Work, operation: Import, stands: Standing) -> bool:
    """Whether the stream has to be read once more: something was missed, and that does not prove that it has gone.

    A list that came to its end with as many objects as the platform says there are is whole; even so, what came while
    it was read may stand in for what was left out. So the platform is asked for each object by its id, and where that
    cannot be done, or would take too many requests, the list is read twice.
    """
    if not stands.vanished or AGAIN in work.memo or not records.checkpoint(*_place(work, operation)):
        return False
    return not stands.is_whole or not _may_ask(operation, stands)


def settle(work: Work, operation: Import, api: Api, stands: Standing) -> Deletion | None:
    """Delete what has provably gone, or hold it; None when nothing has, or when nothing is proven."""
    is_second, may_ask = AGAIN in work.memo, _may_ask(operation, stands)
    is_proven = not stands.vanished or may_ask or stands.is_steady
    if not stands.is_whole or not is_proven:
        _tell_doubt(work, stands)
        return None
    if stands.vanished and may_ask:
        _ask_platform(work, operation, api)
        stands = standing(work, operation)
    stream, run_id = operation.stream, work.run.id
    with work.lease.step():
        answered = deletions.held_of(work.connection.id, stream)
        deletion = deletions.settle(work.connection, stream, run_id, stands, is_second=is_second)
        end_waiting(answered, N_("A later import has read everything again: this question is void."))
        if deletion is not None and deletion.state is DeletionState.DELETED:
            db.session.execute(update(Run).where(Run.id == run_id).values(count_deleted=deletion.count))
    return deletion


def ending(deletion: Deletion | None) -> dict[str, Any]:
    """What the run's last step writes: that it has ended well, or that it waits for its owner to decide."""
    if deletion is None or deletion.state is not DeletionState.HELD:
        return {"status": RunStatus.SUCCEEDED, "ended_at": clock.now(), "open_key": None}
    # Without its key it stands in the way of no later import, and without a time nobody takes it up.
    waiting = {"status": RunStatus.WAITING, "wait_reason": WaitReason.CONFIRM_DELETIONS, "resumes_at": None}
    return {**waiting, "open_key": None, "lease_token": None, "lease_until": None}


def end_waiting(run_ids: list[str], message: str) -> None:
    """In the present transaction: end runs whose question needs no answer any more."""
    now = clock.now()
    for run_id in run_ids:
        ended = {"status": RunStatus.SUCCEEDED, "ended_at": now, "wait_reason": None, "version": Run.version + 1}
        if update_one(update(Run).where(Run.id == run_id, Run.status == RunStatus.WAITING).values(ended)):
            db.session.add(RunLog(run_id=run_id, at=now, level=LogLevel.INFO, message=message, params={}))


def _may_ask(operation: Import, stands: Standing) -> bool:
    """Whether the platform can be asked for each of what was missed, with no more requests than another walk takes."""
    is_too_much = operation.present_singly and stands.vanished > ASKED_SINGLY
    return operation.present is not None and not is_too_much


def _ask_platform(work: Work, operation: Import, api: Api) -> None:
    """What was not listed, but is there when it is asked for by its id, has not gone."""
    connection_id, stream, run_id = _place(work, operation)
    there = 0
    for ids in sweeps.missed(connection_id, stream, run_id, at_once=ASKED_AT_ONCE):
        work.check()
        found = sorted(set(operation.present(api, ids)) & set(ids)) if operation.present else []
        if found:
            with work.lease.step():
                records.meet(connection_id, stream, run_id, found)
            there += len(found)
    if there:
        work.log("warning", N_("Not listed, but still there: %(count)s. They stay."), count=there)


def _tell_doubt(work: Work, stands: Standing) -> None:
    """Nothing is deleted; the run says so where there would have been something to delete."""
    if not stands.vanished:
        return
    message = N_("The list of %(provider)s was not whole: %(met)s of %(total)s were met. Nothing is deleted.")
    name = providers.get(work.run.integration_id).name
    work.log("warning", message, provider=name, met=stands.met, total=stands.total if stands.total else "?")


def standing(work: Work, operation: Import) -> Standing:
    """What the run's sweep has come to: one pass over the stream's records."""
    return sweeps.standing(*_place(work, operation), is_second=AGAIN in work.memo)


def _place(work: Work, operation: Import) -> tuple[str, str, str]:
    return work.connection.id, operation.stream, work.run.id
