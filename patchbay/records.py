"""Records: bringing a page of external objects in, finding what has vanished, and reading them again.

What does not live here: fetching the page (`providers` through `client`) and the run around it (`runs`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, update

from patchbay import clock
from patchbay.errors import N_, Invalid, NotFound, storable
from patchbay.models import Checkpoint, Connection, Record, db, new_id, transaction
from patchbay.spec import Item

DELETED = ("without", "with", "only")
_canonical = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True)
class Tally:
    """What a page did."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Query:
    """Which records to list: all of a user's, narrowed by integration, stream and words in the title."""

    user_id: str
    integration_id: str | None = None
    stream: str | None = None
    search: str | None = None
    deleted: str = "without"


def upsert(connection: Connection, stream: str, run_id: str, items: Sequence[Item]) -> Tally:
    """Write a page in the present transaction: new objects in, changed ones over, all of them marked as seen.

    An object that comes twice in the page counts once, as it was last.
    """
    latest = {item.external_id: item for item in items}
    known = _known(connection.id, stream, list(latest))
    now = clock.now()
    fresh, changed, newer = [], [], []
    for external_id, item in latest.items():
        content_hash = hashlib.sha256(_canonical.encode(item.data)).hexdigest()
        row = known.get(external_id)
        if row is None:
            fresh.append(_new_row(connection, stream, run_id, item, content_hash, now))
        elif row.content_hash != content_hash or row.deleted_at is not None:
            changed.append(
                {"id": row.id, "title": storable(item.title), "data": item.data, "content_hash": content_hash,
                 "version": item.version, "updated_at": now, "deleted_at": None}
            )  # fmt: skip
        elif row.version != item.version:
            newer.append({"id": row.id, "version": item.version})
    session = db.session
    if fresh:
        session.connection().execute(insert(Record), fresh)  # the session need not know rows that nobody holds
    if changed:
        session.execute(update(Record), changed)
    if newer:
        session.execute(update(Record), newer)  # the same content under another version
    if known:
        session.execute(
            update(Record).where(Record.id.in_([row.id for row in known.values()])).values(seen_in=run_id),
            execution_options={"synchronize_session": False},
        )
    return Tally(len(latest), len(fresh), len(changed), len(latest) - len(fresh) - len(changed))


def stale(connection_id: str, stream: str, versions: Mapping[str, str]) -> list[str]:
    """Those ids of an outline whose objects must be read again: unknown, changed, come back, or not to be trusted."""
    known = _known(connection_id, stream, list(versions))
    return [
        external_id
        for external_id, version in versions.items()
        if (row := known.get(external_id)) is None or row.version != version or row.deleted_at is not None
    ]


def meet(connection_id: str, stream: str, run_id: str, external_ids: Sequence[str]) -> Tally:
    """Mark records as seen whose objects have not changed, in the present transaction."""
    db.session.execute(
        update(Record)
        .where(Record.connection_id == connection_id, Record.stream == stream, Record.external_id.in_(external_ids))
        .values(seen_in=run_id),
        execution_options={"synchronize_session": False},
    )
    return Tally(read=len(external_ids), unchanged=len(external_ids))


def has_versions(connection_id: str, stream: str) -> bool:
    """Whether an import has been here that kept versions, so that an outline tells what has changed since."""
    found = select(Record.id).where(
        Record.connection_id == connection_id, Record.stream == stream, Record.version.is_not(None)
    )
    return db.session.scalar(found.limit(1)) is not None


def mark_vanished(connection_id: str, stream: str, run_id: str) -> int:
    """After a complete sweep by `run_id`: mark what it did not meet as deleted; returns how many."""
    vanished = db.session.execute(
        update(Record)
        .where(
            Record.connection_id == connection_id,
            Record.stream == stream,
            Record.seen_in != run_id,
            Record.deleted_at.is_(None),
        )
        .values(deleted_at=clock.now(), updated_at=clock.now()),
        execution_options={"synchronize_session": False},
    )
    count: int = vanished.rowcount  # type: ignore[attr-defined]  # an UPDATE's result has it
    return count


def checkpoint(connection_id: str, stream: str, run_id: str) -> Checkpoint | None:
    """Where this run's import stands; None at the beginning."""
    found = db.session.get(Checkpoint, (connection_id, stream), populate_existing=True)
    return found if found is not None and found.run_id == run_id else None


def advance(connection_id: str, stream: str, run_id: str, cursor: str | None) -> None:
    """Write where the import stands, in the transaction of the page; None: it is complete."""
    with transaction() as session:
        found = session.get(Checkpoint, (connection_id, stream))
        if found is None:
            found = Checkpoint(connection_id=connection_id, stream=stream)
            session.add(found)
        found.run_id, found.cursor, found.is_complete, found.updated_at = run_id, cursor, cursor is None, clock.now()


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


def get(user_id: str, record_id: str) -> Record:
    """One record of the user's. Raises NotFound."""
    record = db.session.get(Record, record_id)
    if record is None or record.user_id != user_id:
        raise NotFound(record_id)
    return record


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


def _known(connection_id: str, stream: str, external_ids: list[str]) -> dict[str, Any]:
    columns = (Record.id, Record.external_id, Record.content_hash, Record.deleted_at, Record.version)
    statement = select(*columns).where(
        Record.connection_id == connection_id, Record.stream == stream, Record.external_id.in_(external_ids)
    )
    return {row.external_id: row for row in db.session.execute(statement)}


def _new_row(
    connection: Connection, stream: str, run_id: str, item: Item, content_hash: str, now: datetime
) -> dict[str, Any]:
    return {
        "id": new_id("rec"),
        "user_id": connection.user_id,
        "connection_id": connection.id,
        "integration_id": connection.integration_id,
        "stream": stream,
        "external_id": item.external_id,
        "title": storable(item.title),
        "data": item.data,
        "content_hash": content_hash,
        "version": item.version,
        "seen_in": run_id,
        "first_seen_at": now,
        "updated_at": now,
        "deleted_at": None,
    }
