"""How far a run's walk through a stream proves anything: what it met, what it missed, whether the list was whole.

What becomes of what was missed lives in `deletions`; sweeping again and asking the platform is the affair of `runs`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select, update

from patchbay.models import Record, db
from patchbay.records.bringing import MOST_PASSED_OVER
from patchbay.records.checkpoints import checkpoint


@dataclass(frozen=True)
class Standing:
    """What a run's sweep has come to: how many records it met, how many it did not, of how many that are kept here.

    `is_ended`: the platform's list came to its own end. `total` and `least`: the most and the fewest that the platform
    said there are.
    """

    met: int
    vanished: int
    known: int
    is_ended: bool
    total: int | None
    least: int | None

    @property
    def is_whole(self) -> bool:
        """Whether the list came to its end with as many objects as there are, as far as the platform lets one tell."""
        return self.is_ended and (self.total is None or self.met >= self.total)

    @property
    def is_steady(self) -> bool:
        """Whether the list had as many objects from its first page to the last.

        Else what came while it was read may stand in the number for what was left out.
        """
        return self.total == self.least


def standing(connection_id: str, stream: str, run_id: str, *, is_second: bool = False) -> Standing:
    """Where the run's sweep stands, in one pass over the stream's records; `is_second`: see `is_missed`."""
    mine, is_live = Record.seen_in == run_id, Record.deleted_at.is_(None)
    row = db.session.execute(
        select(
            func.count().filter(mine),
            func.count().filter(is_missed(run_id, is_second=is_second)),
            func.count().filter(is_live),
        )
        .select_from(Record)
        .where(Record.connection_id == connection_id, Record.stream == stream)
    ).one()
    reached = checkpoint(connection_id, stream, run_id)
    passed_over = len(reached.passed_over) if reached else 0
    met = row[0] + (passed_over if passed_over < MOST_PASSED_OVER else 0)
    if reached is None:  # not even a first page came
        return Standing(met, row[1], row[2], is_ended=False, total=None, least=None)
    return Standing(met, row[1], row[2], reached.is_complete, reached.total, reached.least)


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


def doubt(connection_id: str, stream: str, run_id: str) -> None:
    """In the present transaction, before a second sweep: note what the first one has missed."""
    db.session.execute(
        update(Record)
        .where(Record.connection_id == connection_id, Record.stream == stream, is_missed(run_id))
        .values(vanished_in=run_id),
        execution_options={"synchronize_session": False},
    )


def is_missed(run_id: str, *, is_second: bool = False) -> ColumnElement[bool]:
    """Kept here, and not met by the run's sweep; nor by its first one, when this `is_second`.

    What its owner wants to keep although it has gone is not missed.
    """
    missed = and_(Record.seen_in != run_id, Record.deleted_at.is_(None), ~Record.is_kept)
    return and_(missed, Record.vanished_in == run_id) if is_second else missed
