"""Where the import of a stream stands: written with each page, taken over by a retry, begun again.

What a complete sweep says about deletions lives in `deletions`.
"""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import InstrumentedAttribute

from patchbay import clock
from patchbay.models import Checkpoint, Record, db, transaction


def checkpoint(connection_id: str, stream: str, run_id: str) -> Checkpoint | None:
    """Where this run's import stands; None at the beginning."""
    found = db.session.get(Checkpoint, (connection_id, stream), populate_existing=True)
    return found if found is not None and found.run_id == run_id else None


def advance(connection_id: str, stream: str, run_id: str, cursor: str | None, total: int | None = None) -> Checkpoint:
    """Write where the import stands, in the transaction of the page; cursor None: the platform's list has ended.

    `total` is how many objects the platform says there are, None where it does not.
    """
    with transaction() as session:
        found = session.get(Checkpoint, (connection_id, stream))
        if found is None:
            found = Checkpoint(connection_id=connection_id, stream=stream)
            session.add(found)
        if found.run_id != run_id:
            found.run_id, found.total, found.least, found.passed_over, found.sweeps = run_id, None, None, [], 1
        found.cursor, found.is_complete, found.updated_at = cursor, cursor is None, clock.now()
        if total is not None:
            found.total = max(total, found.total or 0)
            found.least = total if found.least is None else min(total, found.least)
    return found


def begin_again(connection_id: str, stream: str, run_id: str) -> None:
    """Let the run's next page be the first one, in the present transaction, as if it had met nothing yet."""
    found = checkpoint(connection_id, stream, run_id)
    if found is not None:
        found.cursor, found.is_complete, found.sweeps = None, False, found.sweeps + 1
        found.total, found.least, found.passed_over = None, None, []
        _rename(connection_id, stream, Record.seen_in, run_id, "")


def hand_over(connection_id: str, stream: str, from_run: str, to_run: str) -> bool:
    """Let `to_run` go on where `from_run` stopped: its checkpoint, and what it has already met; False: it cannot."""
    with transaction() as session:
        found = session.get(Checkpoint, (connection_id, stream))
        if found is None or found.run_id != from_run or found.is_complete:
            return False
        found.run_id = to_run
        _rename(connection_id, stream, Record.seen_in, from_run, to_run)
        _rename(connection_id, stream, Record.vanished_in, from_run, to_run)
    return True


def _rename(connection_id: str, stream: str, mark: InstrumentedAttribute[Any], before: str, after: str) -> None:
    db.session.execute(
        update(Record)
        .where(Record.connection_id == connection_id, Record.stream == stream, mark == before)
        .values({mark: after}),
        execution_options={"synchronize_session": False},
    )
