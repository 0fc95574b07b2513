"""Carrying a run out: claim it, do its pages or its action under the lease, write what it came to.

Whatever happens, the row says so: succeeded, failed with its cause, waiting with a time, cancelled. A kill leaves a
lease that lapses, and the next worker goes on from the checkpoint.
"""

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import select

from patchbay import assets, audit, client, clock, providers
from patchbay.audit import Deed
from patchbay.errors import N_, Invalid, PatchbayError, Postponed, SyncFailed, storable
from patchbay.models import Connection, Deletion, LogLevel, Purpose, Run, RunLog, RunStatus, WaitReason, db
from patchbay.redaction import redact_text
from patchbay.runs import comparing, finishing, importing
from patchbay.runs.lease import CancelRequested, Interrupted, Lease, LeaseLost
from patchbay.runs.listening import LISTENERS
from patchbay.spec import Action, Import, Picture

log = structlog.get_logger()

WAITS = {
    WaitReason.RATE_LIMIT: N_("%(provider)s asked us to slow down. Going on at %(time)s."),
    WaitReason.BREAKER: N_("Many requests to %(provider)s failed of late. Going on at %(time)s."),
    WaitReason.UNAVAILABLE: N_("%(provider)s does not answer. Going on at %(time)s."),
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


class _Execution:
    """One claim of one run; also the `Watch` that its client looks to."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.run = db.session.get_one(Run, lease.run_id, populate_existing=True)
        self.connection = db.session.get_one(Connection, self.run.connection_id, populate_existing=True)
        self.provider = providers.get(self.run.integration_id)
        self.memo = dict(self.run.memo)
        self.saved = self.run.progress_done
        self.total = self.run.progress_total
        self.missed: Deletion | None = None
        self.listeners = [listener(self.run) for listener in LISTENERS]

    def carry_out(self) -> None:
        """Do the work and write the end of it."""
        try:
            with self.lease.step(started_at=self.run.started_at or clock.now()):
                resumed = self.run.attempts > 1
                self._add_line("info", N_("Resumed from the last checkpoint.") if resumed else N_("Started."))
            self._finish_well(self._work())
        except LeaseLost:
            raise
        except CancelRequested:
            self._end(RunStatus.CANCELLED, "warning", N_("Cancelled."), {}, {})
        except Postponed as error:
            self._wait(error)
        except PatchbayError as error:
            self._fail(error)
        except Exception as error:
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
                self._add_line("info", N_("Finished."))
                self._audit_end(RunStatus.SUCCEEDED)
            elif self.missed is not None:
                message = N_(
                    "%(count)s of %(known)s records are no longer there. Deleting them waits for your decision."
                )
                self._add_line("warning", message, count=self.missed.count, known=self.missed.known)
            self._listened()

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

    def _wait(self, error: Postponed) -> None:
        reason = WaitReason(error.wait_reason)
        waiting = {"status": RunStatus.WAITING, "resumes_at": error.retry_at, "wait_reason": reason}
        with self.lease.step(**waiting, lease_token=None, lease_until=None):
            self._add_line("warning", WAITS[reason], provider=self.provider.name, time=error.params["time"])
            self._listened()

    def _end(
        self, status: RunStatus, level: str, message: str, params: Mapping[str, str], cause: Mapping[str, Any]
    ) -> None:
        with self.lease.step(status=status, ended_at=clock.now(), open_key=None, **cause):
            self._add_line(level, message, **params)
            self._audit_end(status)
            self._listened()

    def _listened(self) -> None:
        for listener in self.listeners:
            listener.write()

    # -- Watch

    def check(self) -> None:
        """Raise when the run is to stop."""
        self.lease.check()

    def log(self, level: str, message: str, **params: str | int) -> None:
        """Add a line, in a step of its own."""
        with self.lease.step():
            self._add_line(level, message, **params)
            self._notice_cancel()

    def progress(self, done: int, total: int | None) -> None:
        """Write how far an action has come."""
        with self.lease.step(progress_done=done, progress_total=total):
            self._notice_cancel()
        self.saved, self.total = done, total
        self.check()

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """Durable before it is used."""
        if name not in self.memo:
            value = make()
            self.memo[name] = value
            with self.lease.step(memo=dict(self.memo)):
                self._notice_cancel()
        return self.memo[name]

    def forget(self, name: str) -> None:
        """Made anew at the next `remember`."""
        self.memo.pop(name, None)
        with self.lease.step(memo=dict(self.memo)):
            self._notice_cancel()

    def picture(self, address: str) -> Picture:
        """Own assets from disk, others through the address guard."""
        return assets.read_picture(self.run.user_id, address)

    def public_address(self, address: str, content_type: str) -> str:
        """Own assets by their signed link, others as they are."""
        copy_id = self.remember(f"copy:{address}", assets.reserve) if content_type else ""
        return assets.public_address(self.run.user_id, address, content_type, copy_id=copy_id)

    def keep(self, content: bytes, filename: str) -> Mapping[str, Any]:
        """Once per run and file name, so that a resumed run makes no second copy."""
        asset_id = self.remember(f"kept:{filename}", assets.reserve)
        if not assets.is_kept(asset_id):
            assets.upload(self.run.user_id, content, filename, asset_id=asset_id)
        asset = assets.get(self.run.user_id, asset_id)
        return {
            "id": asset.id,
            "name": asset.name,
            "url": assets.link(asset),
            "width": asset.width,
            "height": asset.height,
        }

    def exchanged(self, exchange: client.Exchange) -> None:
        """Whoever listens takes a note; it is written with the run's next step."""
        for listener in self.listeners:
            listener.exchanged(exchange)

    def write(self, level: str, message: str, **params: str | int) -> None:
        """Add a line in the present step, let the listeners write, and see whether the run is to stop."""
        self._notice_cancel()
        self._add_line(level, message, **params)
        self._listened()

    def _add_line(self, level: str, message: str, **params: str | int) -> None:
        safe = {name: redact_text(storable(text)) if isinstance(text, str) else text for name, text in params.items()}
        db.session.add(
            RunLog(run_id=self.lease.run_id, at=clock.now(), level=LogLevel(level), message=message, params=safe)
        )

    def _notice_cancel(self) -> None:
        if db.session.scalar(select(Run.cancel_requested_at).where(Run.id == self.lease.run_id)) is not None:
            self.lease.notice_cancel()

    def _audit_end(self, status: RunStatus) -> None:
        audit.add(
            Deed.RUN_ENDED,
            user_id=self.run.user_id,
            subject_id=self.connection.id,
            run=self.lease.run_id,
            status=status.value,
        )
