"""The right to carry out what an account has asked for: taken by one worker, renewed by each of its steps.

The moment at which it ends, to the microsecond, is its own token. Runs, tokens, batches and messages have leases of
their own, in their own places; when one lapses is said in `patchbay.leases`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, update

from patchbay import clock
from patchbay.leases import is_free
from patchbay.models import Export, Leaving, transaction, update_one

Table = type[Export] | type[Leaving]


class LeaseLost(Exception):
    """Another worker has it, or it was called off: stop at once, write nothing."""


class Lease:
    """Of one row, from `claim` on; it ends `length` after the last step."""

    def __init__(self, table: Table, row_id: str, length: timedelta, until: datetime) -> None:
        self._table, self._row_id, self._length, self._until = table, row_id, length, until

    @classmethod
    def claim(
        cls, table: Table, row_id: str, length: timedelta, *where: ColumnElement[bool], **values: Any
    ) -> "Lease | None":
        """Take the row, and write `values` to it; None when it is not to be had."""
        until = clock.now() + length
        mine = (table.id == row_id, is_free(table.lease_until, length), *where)
        taken = _written(table, mine, values | {"lease_until": until})
        return cls(table, row_id, length, until) if taken else None

    def renew(self, **values: Any) -> None:
        """A step that does nothing else. Raises LeaseLost."""
        with self.step(**values):
            pass

    @contextmanager
    def step(self, **values: Any) -> Iterator[None]:
        """A transaction that holds only while the lease is ours; `values` are written to the row. Raises LeaseLost."""
        until = clock.now() + self._length
        mine = (self._table.id == self._row_id, self._table.lease_until == self._until)
        with transaction():
            if not _written(self._table, mine, {"lease_until": until, **values}):
                raise LeaseLost(self._row_id)
            yield
        self._until = until


def _written(table: Table, where: tuple[ColumnElement[bool], ...], values: dict[str, Any]) -> bool:
    with transaction():
        return update_one(update(table).where(*where).values(values))
