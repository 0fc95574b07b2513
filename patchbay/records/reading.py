"""Reading records again: lists, counts, one of them.

What does not live here: how they came in (`bringing`).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from patchbay.errors import N_, Invalid, NotFound
from patchbay.models import Checkpoint, Record, db

DELETED = ("without", "with", "only")


@dataclass(frozen=True)
class Query:
    """Which records to list: all of a user's, narrowed by integration, stream and words in the title."""

    user_id: str
    integration_id: str | None = None
    stream: str | None = None
    search: str | None = None
    deleted: str = "without"


def page(query: Query, *, cursor: str | None, limit: int) -> tuple[list[Record], str | None]:
    """Records by id behind `cursor`, and the cursor of the next page. Raises Invalid for an unknown `deleted`."""
    if query.deleted not in DELETED:
        raise Invalid({"deleted": N_("This is not one of the choices.")})
    statement = select(Record).where(Record.user_id == query.user_id).order_by(Record.id).limit(limit + 1)
    if query.integration_id:
        statement = statement.where(Record.integration_id == query.integration_id)
    if query.stream:
        statement = statement.where(Record.stream == query.stream)
    if query.search:
        statement = statement.where(Record.title.icontains(query.search, autoescape=True))
    if query.deleted != "with":
        is_gone = Record.deleted_at.is_not(None)
        statement = statement.where(is_gone if query.deleted == "only" else ~is_gone)
    if cursor:
        statement = statement.where(Record.id > cursor)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def counts(connection_id: str) -> dict[str, int]:
    """How many records are kept of each stream, those that vanished at the platform included."""
    statement = select(Record.stream, func.count()).where(Record.connection_id == connection_id).group_by(Record.stream)
    return {row.stream: row[1] for row in db.session.execute(statement)}


def swept(connection_id: str) -> dict[str, datetime]:
    """When each stream was last seen from one end to the other (aware UTC); without those that never were."""
    statement = select(Checkpoint.stream, Checkpoint.swept_at).where(Checkpoint.connection_id == connection_id)
    return {stream: at for stream, at in db.session.execute(statement) if at is not None}


def get(user_id: str, record_id: str) -> Record:
    """One record of the user's, as it is now. Raises NotFound."""
    record = db.session.get(Record, record_id, populate_existing=True)
    if record is None or record.user_id != user_id:
        raise NotFound(record_id)
    return record
