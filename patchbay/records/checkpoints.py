"""Where the import of a stream stands: written with each page, taken over by a retry, begun again.

What a complete sweep says about deletions lives in `deletions`.
"""

from sqlalchemy import update

from patchbay import clock
from patchbay.models import Checkpoint, Record, db, transaction


def checkpoint(connection_id: str, stream: str, run_id: str) -> Checkpoint | None:
    """Where this run's import stands; None at the beginning."""
    found = db.session.get(Checkpoint, (connection_id, stream), populate_existing=True)
    return found if found is not None and found.run_id == run_id else None


def advance(connection_id: str, stream: str, run_id: str, cursor: str | None, total: int | None = None) -> Checkpoint:
    """Write where the import stands, in the transaction of the page; cursor None: the platform's list has ended.

    `total` is how many objects the platform says there are, None where it does not; the most that it said counts.
    """
    with transaction() as session:
        found = session.get(Checkpoint, (connection_id, stream))
        if found is None:
            found = Checkpoint(connection_id=connection_id, stream=stream)
            session.add(found)
        if found.run_id != run_id:
            found.run_id, found.total, found.passed_over, found.sweeps = run_id, None, [], 1
        found.cursor, found.is_complete, found.updated_at = cursor, cursor is None, clock.now()
        found.total = max(total, found.total or 0) if total is not None else found.total
    return found


def begin_again(connection_id: str, stream: str, run_id: str) -> None:
    """Let the run's next page be the first one, in the present transaction. What it has met stays met.

    For a sweep that is in doubt, and for a cursor that the platform no longer knows.
    """
    found = checkpoint(connection_id, stream, run_id)
    if found is not None:
        found.cursor, found.is_complete, found.total, found.sweeps = None, False, None, found.sweeps + 1


def hand_over(connection_id: str, stream: str, from_run: str, to_run: str) -> bool:
    """Let `to_run` go on where `from_run` stopped: its checkpoint, and what it has already met; False: it cannot."""
    with transaction() as session:
        found = session.get(Checkpoint, (connection_id, stream))
        if found is None or found.run_id != from_run or found.is_complete:
            return False
        found.run_id = to_run
        session.execute(
            update(Record)
            .where(Record.connection_id == connection_id, Record.stream == stream, Record.seen_in == from_run)
            .values(seen_in=to_run),
            execution_options={"synchronize_session": False},
        )
    return True
