"""The owner's decision about deletions that a run holds: they are carried out, or the records stay.

What is held, and how it is undone later, lives in `records.deletions`.
"""

from patchbay import audit, clock, runs
from patchbay.audit import Deed
from patchbay.errors import N_, Conflict
from patchbay.models import Deletion, LogLevel, Run, RunLog, RunStatus, db, transaction
from patchbay.records import deletions


def confirm(user_id: str, run_id: str) -> Run:
    """Delete what the run holds, but for what was met since. Raises NotFound, Conflict when nothing waits for this."""
    with transaction():
        run, deletion = _asked(user_id, run_id)
        count = deletions.confirm(deletion)
        _end(run, N_("You decided to delete: %(count)s."), count, deleted=count)
    return run


def keep(user_id: str, run_id: str) -> Run:
    """Keep what the run holds, now and after later imports. Raises NotFound, Conflict when nothing waits for this."""
    with transaction():
        run, deletion = _asked(user_id, run_id)
        count = deletions.keep(deletion)
        _end(run, N_("You decided to keep: %(count)s."), count, deleted=0)
    return run


def _asked(user_id: str, run_id: str) -> tuple[Run, Deletion]:
    run = runs.get(user_id, run_id)
    deletion = deletions.get(user_id, run_id)
    if not run.is_asking:
        raise Conflict(sentence=N_("This was decided already."))
    return run, deletion


def _end(run: Run, message: str, count: int, *, deleted: int) -> None:
    now = clock.now()
    run.status, run.ended_at, run.wait_reason, run.count_deleted = RunStatus.SUCCEEDED, now, None, deleted
    run.version += 1
    run.result = {**(run.result or {}), "counts": run.counts}
    db.session.add(RunLog(run_id=run.id, at=now, level=LogLevel.INFO, message=message, params={"count": count}))
    audit.add(Deed.RUN_ENDED, user_id=run.user_id, subject_id=run.connection_id, run=run.id, status=run.status.value)
