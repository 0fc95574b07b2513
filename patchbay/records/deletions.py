"""What a complete sweep did not meet: deleted here too, or held until its owner has decided; undone, forgotten.

Whether a sweep was complete is judged in `sweeps`. Nothing is deleted at any platform.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, select, update

from patchbay import alerts, audit, clock
from patchbay.audit import Deed
from patchbay.errors import N_, Conflict, NotFound
from patchbay.models import (
    Checkpoint,
    Connection,
    Deletion,
    DeletionState,
    Record,
    db,
    new_id,
    transaction,
    update_one,
)
from patchbay.records import rules
from patchbay.records.sweeps import Standing, is_missed

ASKED_FROM = 20
"""Fewer than this may always vanish without a question."""

UNDO_FOR = timedelta(days=30)


def settle(
    connection: Connection, stream: str, run_id: str, stands: Standing, *, is_second: bool = False
) -> Deletion | None:
    """After a complete sweep, in the present transaction: delete what it did not meet, or hold it when it is too much.

    None when nothing has vanished. A question that an earlier run left open is answered by this sweep. May be called
    again for the same run. `is_second`: only what both sweeps of the run have missed.
    """
    found = of_run(run_id)
    if found is not None:
        return found
    _note_sweep(connection.id, stream)
    for earlier_id in held_of(connection.id, stream):
        release(earlier_id)
    if not stands.vanished:
        return None
    percent = rules.of_stream(connection, stream).deletion_percent
    is_held = is_braked(stands.vanished, stands.known, percent)
    deletion = Deletion(
        id=new_id("del"),
        run_id=run_id,
        user_id=connection.user_id,
        connection_id=connection.id,
        integration_id=connection.integration_id,
        stream=stream,
        state=DeletionState.HELD if is_held else DeletionState.DELETED,
        count=stands.vanished,
        known=stands.known,
        created_at=clock.now(),
    )
    db.session.add(deletion)
    now = clock.now()
    gone: dict[str, Any] = {} if is_held else {"deleted_at": now, "updated_at": now}
    deletion.count = _change(
        _of_stream(connection.id, stream), is_missed(run_id, is_second=is_second), vanished_in=deletion.id, **gone
    )
    if is_held:
        _ask(deletion)
    return deletion


def is_braked(vanished: int, known: int, percent: int) -> bool:
    """Whether so many of the known records would vanish that their owner is asked first."""
    return vanished >= ASKED_FROM and vanished * 100 > known * percent


def of_run(run_id: str) -> Deletion | None:
    """What the run's sweep missed, as it stands now."""
    return db.session.scalar(
        select(Deletion).where(Deletion.run_id == run_id).execution_options(populate_existing=True)
    )


def get(user_id: str, run_id: str) -> Deletion:
    """The same of a run of the user's. Raises NotFound, also where nothing vanished."""
    found = of_run(run_id)
    if found is None or found.user_id != user_id:
        raise NotFound(run_id)
    return found


def page(deletion: Deletion, *, cursor: str | None, limit: int) -> tuple[list[Record], str | None]:
    """The records that it is about, by id behind `cursor`, and the cursor of the next page.

    Those that were met again since are no longer among them.
    """
    statement = select(Record).where(Record.vanished_in == deletion.id).order_by(Record.id).limit(limit + 1)
    if cursor:
        statement = statement.where(Record.id > cursor)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def remaining(deletion: Deletion) -> int:
    """How many records it is still about."""
    statement: Select[Any] = select(func.count()).select_from(Record).where(Record.vanished_in == deletion.id)
    return int(db.session.scalar(statement) or 0)


def newest(connection_id: str, stream: str, *, cursor: str | None = None, limit: int = 10) -> list[Deletion]:
    """What vanished from a stream of late, newest first."""
    statement = (
        select(Deletion)
        .where(Deletion.connection_id == connection_id, Deletion.stream == stream)
        .order_by(Deletion.id.desc())
        .limit(limit)
    )
    if cursor:
        statement = statement.where(Deletion.id < cursor)
    return list(db.session.scalars(statement))


def confirm(deletion: Deletion) -> int:
    """In the present transaction: delete what is held, but for what was met since; returns how many.

    Raises Conflict when it was decided already.
    """
    _decide(deletion, DeletionState.HELD, DeletionState.DELETED)
    now = clock.now()
    count = _change(_is_of(deletion), Record.deleted_at.is_(None), deleted_at=now, updated_at=now)
    deletion.count = count
    _remember(deletion, Deed.DELETIONS_CONFIRMED, count)
    return count


def keep(deletion: Deletion) -> int:
    """In the present transaction: keep what is held, also when later sweeps miss it; returns how many.

    Raises Conflict when it was decided already.
    """
    _decide(deletion, DeletionState.HELD, DeletionState.KEPT)
    count = _change(_is_of(deletion), Record.deleted_at.is_(None), is_kept=True)
    _remember(deletion, Deed.DELETIONS_KEPT, count)
    return count


def undo(user_id: str, run_id: str) -> int:
    """Bring back what was deleted after the run, and keep it; returns how many. Raises NotFound, Conflict."""
    with transaction():
        deletion = get(user_id, run_id)
        if not can_be_undone(deletion):
            raise Conflict(sentence=N_("This can no longer be undone, or was undone already."))
        _decide(deletion, DeletionState.DELETED, DeletionState.UNDONE)
        now = clock.now()
        count = _change(_is_of(deletion), Record.deleted_at.is_not(None), deleted_at=None, updated_at=now, is_kept=True)
        _remember(deletion, Deed.DELETIONS_UNDONE, count)
    return count


def can_be_undone(deletion: Deletion) -> bool:
    """Whether it deleted something that is still here to be brought back."""
    deleted_at = deletion.decided_at or deletion.created_at
    return deletion.state is DeletionState.DELETED and deleted_at > clock.now() - UNDO_FOR


def purge(before: datetime, limit: int = 500) -> int:
    """Forget records that vanished before the moment, for good; returns how many, at most `limit`."""
    with transaction() as session:
        old = list(session.scalars(select(Record.id).where(Record.deleted_at < before).limit(limit)))
        session.execute(delete(Record).where(Record.id.in_(old)))
    return len(old)


def release(run_id: str) -> None:
    """In the present transaction: the run was called off, so what it holds stays until the next sweep."""
    found = of_run(run_id)
    if found is not None and found.state is DeletionState.HELD:
        found.state, found.decided_at = DeletionState.REPLACED, clock.now()
        _change(_is_of(found), vanished_in=None)
        alerts.resolve(alerts.Kind.DELETIONS_HELD, found.run_id)


def release_all(connection_id: str) -> None:
    """In the present transaction: the runs of the connection were called off, and with them what they hold."""
    for run_id in _held(connection_id):
        release(run_id)


def held_of(connection_id: str, stream: str) -> list[str]:
    """Runs that still ask about the stream."""
    return _held(connection_id, Deletion.stream == stream)


def _note_sweep(connection_id: str, stream: str) -> None:
    found = db.session.get(Checkpoint, (connection_id, stream))
    if found is not None:
        found.swept_at = clock.now()


def _held(connection_id: str, *where: ColumnElement[bool]) -> list[str]:
    is_held = and_(Deletion.connection_id == connection_id, Deletion.state == DeletionState.HELD)
    return list(db.session.scalars(select(Deletion.run_id).where(is_held, *where)))


def _ask(deletion: Deletion) -> None:
    alerts.raise_alert(
        alerts.Kind.DELETIONS_HELD,
        user_id=deletion.user_id,
        subject_id=deletion.run_id,
        connection_id=deletion.connection_id,
        count=str(deletion.count),
        known=str(deletion.known),
        stream=deletion.stream,
    )


def _decide(deletion: Deletion, before: DeletionState, after: DeletionState) -> None:
    """One of two who decide at once wins; the other gets a Conflict."""
    undecided = (Deletion.id == deletion.id, Deletion.state == before)
    if not update_one(update(Deletion).where(*undecided).values(state=after, decided_at=clock.now())):
        raise Conflict(sentence=N_("This was decided already."))
    db.session.refresh(deletion)


def _remember(deletion: Deletion, deed: Deed, count: int) -> None:
    alerts.resolve(alerts.Kind.DELETIONS_HELD, deletion.run_id)
    audit.add(deed, user_id=deletion.user_id, subject_id=deletion.connection_id, run=deletion.run_id, count=count)


def _of_stream(connection_id: str, stream: str) -> ColumnElement[bool]:
    return and_(Record.connection_id == connection_id, Record.stream == stream)


def _is_of(deletion: Deletion) -> ColumnElement[bool]:
    return Record.vanished_in == deletion.id


def _change(*where: ColumnElement[bool], **values: Any) -> int:
    done = db.session.execute(
        update(Record).where(*where).values(**values), execution_options={"synchronize_session": False}
    )
    count: int = done.rowcount  # type: ignore[attr-defined]  # an UPDATE's result has it
    return count
