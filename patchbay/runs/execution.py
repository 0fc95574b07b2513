"""Carrying a run out: claim it, do its pages or its action under the lease, write what it came to.

Whatever happens, the row says so: succeeded, failed with its cause, waiting with a time, cancelled. A kill leaves a
lease that lapses, and the next worker goes on from the checkpoint.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from patchbay import audit, client, clock
from patchbay.audit import Deed
from patchbay.errors import N_, Invalid, PatchbayError, Postponed, SyncFailed
from patchbay.models import Connection, Deletion, Purpose, RunStatus, Trigger, WaitReason, db
from patchbay.models.outage import outage
from patchbay.redaction import redact_text
from patchbay.runs import comparing, finishing, importing, patience, receipts
from patchbay.runs.lease import CancelRequested, Interrupted, Lease, LeaseLost
from patchbay.runs.watching import Watching
from patchbay.spec import Action, Import

log = structlog.get_logger()

WAITS = {
    WaitReason.RATE_LIMIT: N_("%(provider)s asked us to slow down. Going on at %(time)s."),
    WaitReason.BREAKER: N_("Many requests to %(provider)s failed of late. Going on at %(time)s."),
    WaitReason.UNAVAILABLE: N_("%(provider)s does not answer. Going on at %(time)s."),
    WaitReason.STORAGE: N_("Patchbay's database is away or its disk full. Going on at %(time)s."),
}


def execute(run_id: str) -> None:
    """Carry the run out, or do nothing when it is not due or somebody else has it. Raises nothing: the row tells."""
    lease = Lease.claim(run_id)
    if lease is None:
        return
    structlog.contextvars.bind_contextvars(run_id=run_id)
    try:
        _Execution(lease).carry_out()
    except LeaseLost:
        log.warning("The run was taken over; stopping.")
    except Interrupted:
        db.session.rollback()
        lease.give_back()
        raise
    finally:
        lease.release()
        structlog.contextvars.unbind_contextvars("run_id")


class _Execution(Watching):
    """One claim of one run, carried out."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(lease)
        self.missed: Deletion | None = None

    def carry_out(self) -> None:
        """Do the work and write the end of it."""
        try:
            with self.lease.step(started_at=self.run.started_at or clock.now()):
                resumed = self.run.attempts > 1
                self.add_line("info", N_("Resumed from the last checkpoint.") if resumed else N_("Started."))
            self._finish_well(self._work())
        except LeaseLost:
            raise
        except CancelRequested:
            self._end(RunStatus.CANCELLED, "warning", N_("Cancelled."), {}, {})
        except Postponed as error:
            self._wait(WaitReason(error.wait_reason), error.retry_at)
        except PatchbayError as error:
            self._bear_or_fail(error)
        except Exception as error:
            lack = outage(error)
            if lack is not None:
                self._give_back(lack)
                return
            log.exception("A run failed for a reason of ours.")
            self._fail(SyncFailed(type(error).__name__))

    def _work(self) -> dict[str, Any]:
        operation = self.provider.operation(self.run.operation)
        if operation is None:
            raise SyncFailed("the provider no longer has this operation")
        api = client.of_connection(self.connection, doing=operation.doing, stream=self.run.stream or "", watch=self)
        if isinstance(operation, Action):
            return dict(operation.run(api, self.run.input))
        return self._import(operation, api)

    def _import(self, operation: Import, api: client.Client) -> dict[str, Any]:
        if self.run.purpose is Purpose.COMPARE:
            return comparing.compare(self, operation, api)
        result, self.missed = importing.bring_in(self, operation, api)
        return result

    def _finish_well(self, result: dict[str, Any]) -> None:
        ending = finishing.ending(self.missed)
        with self.lease.step(result=result, **ending):
            connection = db.session.get_one(Connection, self.connection.id, populate_existing=True)
            if self.run.stream is not None and self.run.purpose is not Purpose.COMPARE:
                connection.last_synced_at = clock.now()
            if ending["status"] is RunStatus.SUCCEEDED:
                self.add_line("info", N_("Finished."))
                self._audit_end(RunStatus.SUCCEEDED)
            elif self.missed is not None:
                message = N_(
                    "%(count)s of %(known)s records are no longer there. Deleting them waits for your decision."
                )
                self.add_line("warning", message, count=self.missed.count, known=self.missed.known)
            self.listened()

    def _fail(self, error: PatchbayError) -> None:
        params = {"provider": self.provider.name, "saved": str(self.saved), "total": str(self.total or self.saved)}
        params |= {name: redact_text(text) for name, text in error.params.items() if text}
        fields = error.fields.values() if isinstance(error, Invalid) else ()
        detail = redact_text(error.detail or "; ".join(fields))[:2000]
        cause = {
            "error_kind": error.kind,
            "error_params": params | {"sentence": error.sentence},
            "error_detail": detail,
        }
        self._end(RunStatus.FAILED, "error", error.title, params, cause)
        log.warning("A run failed.", error=error.kind, detail=detail)

    def _bear_or_fail(self, error: PatchbayError) -> None:
        """Wait for a platform that does not answer, where that is wise; else the run has failed."""
        now = clock.now()
        further = self.has_come_further
        resumes_at = patience.resumes_at(self.run, error, now, has_come_further=further) if self._may_wait() else None
        if resumes_at is None:
            self._fail(error)
            return
        since = now if further or self.run.stuck_since is None else self.run.stuck_since
        self._wait(WaitReason.UNAVAILABLE, resumes_at, waits=1 if further else self.run.waits + 1, stuck_since=since)

    def _may_wait(self) -> bool:
        """Whether the run can be begun again later, and whether its owner is better served by that than by an answer.

        Whoever asks now, of a platform that has not answered well yet, is told at once; so is who only reads. What was
        sent already, and perhaps carried out, has to be looked up.
        """
        operation = self.provider.operation(self.run.operation)
        if operation is None:
            return False
        if isinstance(operation, Action) and operation.is_read_only:
            return False
        is_under_way = self.was_answered or self.saved > 0 or self.run.waits > 0
        return is_under_way or self.run.trigger is Trigger.SCHEDULE or receipts.are_open(self.run.id)

    def _give_back(self, lack: PatchbayError) -> None:
        """The database was away or locked, or the disk full: nothing was lost but this try, unless that has no end.

        Where not even that can be written, the lease lapses, and somebody takes the run up then.
        """
        log.warning("Storage did not take a step; the run waits.", error=lack.kind)
        db.session.rollback()
        if self.run.attempts >= patience.MOST_ATTEMPTS:
            self._fail(lack)
            return
        try:
            self._wait(WaitReason.STORAGE, clock.now() + patience.STORAGE_PAUSE)
        except SQLAlchemyError:
            with suppress(SQLAlchemyError):
                self.lease.give_back()

    def _wait(self, reason: WaitReason, resumes_at: datetime, **values: Any) -> None:
        waiting = {"status": RunStatus.WAITING, "resumes_at": resumes_at, "wait_reason": reason, **values}
        with self.lease.step(**waiting, lease_token=None, lease_until=None):
            told = resumes_at.isoformat(timespec="minutes")
            self.add_line("warning", WAITS[reason], provider=self.provider.name, time=told)
            self.listened()

    def _end(
        self, status: RunStatus, level: str, message: str, params: Mapping[str, str], cause: Mapping[str, Any]
    ) -> None:
        with self.lease.step(status=status, ended_at=clock.now(), open_key=None, **cause):
            self.add_line(level, message, **params)
            self._audit_end(status)
            self.listened()

    def _audit_end(self, status: RunStatus) -> None:
        audit.add(
            Deed.RUN_ENDED,
            user_id=self.run.user_id,
            subject_id=self.connection.id,
            run=self.lease.run_id,
            status=status.value,
        )
