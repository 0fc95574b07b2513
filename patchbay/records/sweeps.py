"""How far a run's walk through a stream proves anything: what it met, what it missed, whether the list was whole.

What becomes of what was missed lives in `deletions`; sweeping again and asking the platform is the affair of `runs`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select

from patchbay.models import Record, db
from patchbay.records.bringing import MOST_PASSED_OVER
from patchbay.records.checkpoints import checkpoint


@dataclass(frozen=True)
class Standing:
    """What a run's sweep has come to: how many records it met, how many it did not, of how many that are kept here.

    `is_ended`: the platform's list came to its own end. `total`: how many the platform said there are.
    """

    met: int
    vanished: int
    known: int
    is_ended: bool
    total: int | None

    @property
    def is_whole(self) -> bool:
        """Whether nothing that the platform has can have been missed, as far as it lets one tell."""
        return self.is_ended and (self.total is None or self.met >= self.total)


def standing(connection_id: str, stream: str, run_id: str) -> Standing:
    """Where the run's sweep stands, in one pass over the stream's records."""
    mine, is_live = Record.seen_in == run_id, Record.deleted_at.is_(None)
    row = db.session.execute(
        select(
            func.count().filter(mine),
            func.count().filter(is_missed(run_id)),
            func.count().filter(is_live),
        )
        .select_from(Record)
        .where(Record.connection_id == connection_id, Record.stream == stream)
    ).one()
    reached = checkpoint(connection_id, stream, run_id)
    passed_over = len(reached.passed_over) if reached else 0
    met = row[0] + (passed_over if passed_over < MOST_PASSED_OVER else 0)
    if reached is None:  # not even a first page came
        return Standing(met, row[1], row[2], is_ended=False, total=None)
    return Standing(met, row[1], row[2], reached.is_complete, reached.total)


def missed(connection_id: str, stream: str, run_id: str, *, at_once: int) -> Iterator[list[str]]:
    """The external ids of what the run did not meet, by id, some at once; no transaction is left open in between."""
    last = ""
    while True:
        statement = (
            select(Record.id, Record.external_id)
            .where(Record.connection_id == connection_id, Record.stream == stream, is_missed(run_id), Record.id > last)
            .order_by(Record.id)
            .limit(at_once)
        )
        rows = db.session.execute(statement).all()
        if not rows:
            return
        last = rows[-1].id
        yield [row.external_id for row in rows]


def is_missed(run_id: str) -> ColumnElement[bool]:
    """Kept here, and not met by the run; what its owner wants to keep although it has gone is not missed."""
    return and_(Record.seen_in != run_id, Record.deleted_at.is_(None), ~Record.is_kept)
