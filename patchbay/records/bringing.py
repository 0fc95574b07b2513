"""Bringing objects in, a page at a time and in the present transaction, and marking those as seen that were met.

What was not met is the affair of `deletions`; what was edited here and has changed there that of `edits`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Select, insert, select, update

from patchbay import clock
from patchbay.errors import storable
from patchbay.models import Checkpoint, Connection, Record, db, new_id
from patchbay.records import edits
from patchbay.spec import Item

MOST_PASSED_OVER = 1_000
_canonical = msgspec.json.Encoder(order="sorted")
_MET = {"vanished_in": None, "is_kept": False}


@dataclass(frozen=True)
class Tally:
    """What a page did."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    @property
    def changes(self) -> "Tally":
        """Of a sweep made again: what it changed, for what it met was counted before."""
        return Tally(created=self.created, updated=self.updated)


def upsert(connection: Connection, stream: str, run_id: str, items: Sequence[Item]) -> Tally:
    """Write a page in the present transaction: new objects in, changed ones over, all of them marked as seen.

    An object that comes twice in the page counts once, as it was last.
    """
    latest = {item.external_id: item for item in items}
    statement = _known(connection.id, stream, list(latest)).add_columns(Record.local, Record.base)
    # On PostgreSQL an edit could come between this reading and the writing below.
    known = {row.external_id: row for row in db.session.execute(statement.with_for_update())}
    now = clock.now()
    fresh, changed, newer, edited = [], [], [], []
    for external_id, item in latest.items():
        digest = content_hash(item)
        row = known.get(external_id)
        if row is None:
            fresh.append(_new_row(connection, stream, run_id, item, digest, now))
        elif row.content_hash != digest or row.deleted_at is not None:
            changed.append(
                {"id": row.id, "title": storable(item.title), "data": item.data, "content_hash": digest,
                 "version": item.version, "updated_at": now, "deleted_at": None}
            )  # fmt: skip
            if row.local is not None:
                edited.append((row, item))
        elif row.version != item.version:
            newer.append({"id": row.id, "version": item.version})
    session = db.session
    if fresh:
        session.connection().execute(insert(Record), fresh)  # the session need not know rows that nobody holds
    if changed:
        session.execute(update(Record), changed)
    if newer:
        session.execute(update(Record), newer)  # the same content under another version
    if edited:
        edits.meet(connection, stream, run_id, edited)
    if known:
        session.execute(
            update(Record).where(Record.id.in_([row.id for row in known.values()])).values(seen_in=run_id, **_MET),
            execution_options={"synchronize_session": False},
        )
    return Tally(len(latest), len(fresh), len(changed), len(latest) - len(fresh) - len(changed))


def content_hash(item: Item) -> str:
    """What tells one content from another, whatever the order of its keys."""
    return hashlib.sha256(_canonical.encode(item.data)).hexdigest()


def stale(connection_id: str, stream: str, versions: Mapping[str, str]) -> list[str]:
    """Those ids of an outline whose objects must be read again: unknown, changed, come back, or not to be trusted."""
    rows = db.session.execute(_known(connection_id, stream, list(versions)))
    known = {row.external_id: row for row in rows}
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
        .values(seen_in=run_id, **_MET),
        execution_options={"synchronize_session": False},
    )
    return Tally(read=len(external_ids), unchanged=len(external_ids))


def pass_over(connection_id: str, stream: str, run_id: str, external_ids: Sequence[str]) -> None:
    """In the present transaction, behind `advance`: the platform listed these, but they could not be read or stored.

    What is kept of them stays as it is; of those that are not kept, the checkpoint knows that they were met.
    """
    if not external_ids:
        return
    meet(connection_id, stream, run_id, external_ids)
    known = known_ids(connection_id, stream, external_ids)
    found = db.session.get(Checkpoint, (connection_id, stream))
    if found is not None and found.run_id == run_id:
        missing = {*found.passed_over, *(one for one in external_ids if one not in known)}
        found.passed_over = sorted(missing)[:MOST_PASSED_OVER]


def known_ids(connection_id: str, stream: str, external_ids: Sequence[str]) -> set[str]:
    """Those of the ids of which a record is kept, also when it has vanished."""
    return {row.external_id for row in db.session.execute(_known(connection_id, stream, list(external_ids)))}


def has_versions(connection_id: str, stream: str) -> bool:
    """Whether an import has been here that kept versions, so that an outline tells what has changed since."""
    found = select(Record.id).where(
        Record.connection_id == connection_id, Record.stream == stream, Record.version.is_not(None)
    )
    return db.session.scalar(found.limit(1)) is not None


def _known(connection_id: str, stream: str, external_ids: list[str]) -> Select[*tuple[Any, ...]]:
    columns = (Record.id, Record.external_id, Record.content_hash, Record.deleted_at, Record.version)
    return select(*columns).where(
        Record.connection_id == connection_id, Record.stream == stream, Record.external_id.in_(external_ids)
    )


def _new_row(
    connection: Connection, stream: str, run_id: str, item: Item, digest: str, now: datetime
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
        "content_hash": digest,
        "version": item.version,
        "seen_in": run_id,
        "first_seen_at": now,
        "updated_at": now,
        "deleted_at": None,
    }
