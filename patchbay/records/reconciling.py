"""Comparing the records of a stream with what its platform has, whatever the versions say: nothing is changed by it.

The run that reads the platform lives in `runs.comparing`; a repair is an import that reads everything.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, insert, select, update

from patchbay import clock
from patchbay.errors import NotFound, storable
from patchbay.models import (
    Checkpoint,
    Comparison,
    Connection,
    ConnectionState,
    Difference,
    DifferenceKind,
    Record,
    Run,
    StreamRule,
    db,
    new_id,
)
from patchbay.records.bringing import content_hash
from patchbay.spec import Item

EVERY = timedelta(days=7)
IDS_EVERY = timedelta(days=1)
KEPT = 1_000
"""So many differences of a kind are kept of a comparison; all are counted."""


def begin(run: Run) -> Comparison:
    """The run's comparison, made in the present transaction the first time."""
    found = db.session.get(Comparison, run.id, populate_existing=True)
    if found is None:
        found = Comparison(
            run_id=run.id,
            user_id=run.user_id,
            connection_id=run.connection_id,
            integration_id=run.integration_id,
            stream=run.stream or "",
            is_read=False,
            is_whole=False,
            created_at=clock.now(),
            **{f"count_{name}": 0 for name in ("same", "missing", "changed", "deleted")},
        )
        db.session.add(found)
    return found


def compare(comparison: Comparison, items: Sequence[Item], cursor: str | None, total: int | None) -> None:
    """A page of the platform's objects, in the present transaction; `cursor` and `total` as the page says them."""
    latest = {item.external_id: item for item in items}
    known = _known(comparison, list(latest))
    changed = {
        external_id: item
        for external_id, item in latest.items()
        if (row := known.get(external_id)) is not None
        and row.deleted_at is None
        and row.compared_in != comparison.run_id
        and row.content_hash != content_hash(item)
    }
    missing = _not_yet_reported(
        comparison,
        {one: item for one, item in latest.items() if (row := known.get(one)) is None or row.deleted_at is not None},
    )
    fields = _changed_fields(comparison, changed)
    met = [row for row in known.values() if row.deleted_at is None and row.compared_in != comparison.run_id]
    _report(comparison, DifferenceKind.MISSING, [_row(item.external_id, item.title, None) for item in missing.values()])
    _report(
        comparison,
        DifferenceKind.CHANGED,
        [_row(one, item.title, known[one].id, fields[one]) for one, item in changed.items()],
    )
    comparison.count_same += len(met) - len(changed)
    comparison.cursor, comparison.is_read = cursor, cursor is None
    comparison.total = max(comparison.total or 0, total) if total is not None else comparison.total
    _mark(comparison, [row.id for row in met])


def unmet(comparison: Comparison, *, limit: int) -> list[Record]:
    """Records of which nothing is known yet, by id: not listed there, and here before the comparison began."""
    statement = (
        select(Record)
        .where(
            Record.connection_id == comparison.connection_id,
            Record.stream == comparison.stream,
            Record.compared_in.is_distinct_from(comparison.run_id),
            Record.deleted_at.is_(None),
            Record.first_seen_at < comparison.created_at,
        )
        .order_by(Record.id)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def is_whole(comparison: Comparison) -> bool:
    """Whether the platform's list came to its end, with no fewer objects than it said there are."""
    met = comparison.count_same + comparison.count_changed + comparison.count_missing
    return comparison.is_read and (comparison.total is None or met >= comparison.total)


def report_unmet(comparison: Comparison, unmet: Sequence[Record], there: Collection[str]) -> None:
    """In the present transaction: these were not listed; those whose id is `there` exist, the others have gone."""
    gone = [record for record in unmet if record.external_id not in there]
    _report(comparison, DifferenceKind.DELETED, [_row(one.external_id, one.title, one.id) for one in gone])
    comparison.count_same += len(unmet) - len(gone)
    _mark(comparison, [record.id for record in unmet])


def get(user_id: str, run_id: str) -> Comparison:
    """What a comparing run of the user's has found so far. Raises NotFound."""
    found = db.session.get(Comparison, run_id, populate_existing=True)
    if found is None or found.user_id != user_id:
        raise NotFound(run_id)
    return found


def latest(connection_id: str, stream: str, limit: int = 5) -> list[Comparison]:
    """The newest comparisons of a stream, newest first."""
    statement = (
        select(Comparison)
        .where(Comparison.connection_id == connection_id, Comparison.stream == stream)
        .order_by(Comparison.run_id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def differences(
    comparison: Comparison, kind: DifferenceKind | None, *, cursor: str | None, limit: int
) -> tuple[list[Difference], str | None]:
    """What disagrees, of one kind or all, by id behind `cursor`; and the cursor of the next page."""
    statement = select(Difference).where(Difference.run_id == comparison.run_id).order_by(Difference.id)
    if kind is not None:
        statement = statement.where(Difference.kind == kind)
    if cursor:
        statement = statement.where(Difference.id > cursor)
    found = list(db.session.scalars(statement.limit(limit + 1)))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def due_weekly(limit: int = 20) -> list[tuple[str, str]]:
    """Connections and streams whose records were neither compared nor first brought in within a week."""
    before = clock.now() - EVERY
    recent = exists().where(
        Comparison.connection_id == Checkpoint.connection_id,
        Comparison.stream == Checkpoint.stream,
        Comparison.created_at > before,
    )
    is_off = exists().where(
        StreamRule.connection_id == Checkpoint.connection_id,
        StreamRule.stream == Checkpoint.stream,
        ~StreamRule.compares_weekly,
    )
    statement = (
        select(Checkpoint.connection_id, Checkpoint.stream)
        .join(Connection, Connection.id == Checkpoint.connection_id)
        .where(Connection.state == ConnectionState.CONNECTED, Connection.connected_at < before, ~recent, ~is_off)
        .where(Checkpoint.is_complete, Checkpoint.swept_at.is_not(None))
        .order_by(Checkpoint.connection_id, Checkpoint.stream)
        .limit(limit)
    )
    return [(row.connection_id, row.stream) for row in db.session.execute(statement)]


def due_for_ids(limit: int = 20) -> list[tuple[str, str]]:
    """Connections and streams of which nobody has looked for a day whether something has gone."""
    statement = (
        select(Checkpoint.connection_id, Checkpoint.stream)
        .join(Connection, Connection.id == Checkpoint.connection_id)
        .where(Connection.state == ConnectionState.CONNECTED, Checkpoint.is_complete)
        .where(Checkpoint.swept_at < clock.now() - IDS_EVERY)
        .order_by(Checkpoint.swept_at)
        .limit(limit)
    )
    return [(row.connection_id, row.stream) for row in db.session.execute(statement)]


def _known(comparison: Comparison, external_ids: list[str]) -> dict[str, Any]:
    columns = (Record.id, Record.external_id, Record.content_hash, Record.deleted_at, Record.compared_in)
    statement = select(*columns).where(
        Record.connection_id == comparison.connection_id,
        Record.stream == comparison.stream,
        Record.external_id.in_(external_ids),
    )
    return {row.external_id: row for row in db.session.execute(statement)}


def _not_yet_reported(comparison: Comparison, missing: Mapping[str, Item]) -> dict[str, Item]:
    """A platform that lists an object twice must not have it counted twice."""
    if not missing:
        return {}
    reported = set(
        db.session.scalars(
            select(Difference.external_id).where(
                Difference.run_id == comparison.run_id,
                Difference.kind == DifferenceKind.MISSING,
                Difference.external_id.in_(missing),
            )
        )
    )
    return {external_id: item for external_id, item in missing.items() if external_id not in reported}


def _changed_fields(comparison: Comparison, changed: Mapping[str, Item]) -> dict[str, list[str]]:
    if not changed:
        return {}
    rows = db.session.execute(
        select(Record.external_id, Record.data).where(
            Record.connection_id == comparison.connection_id,
            Record.stream == comparison.stream,
            Record.external_id.in_(changed),
        )
    )
    return {row.external_id: _otherwise(row.data, changed[row.external_id].data) for row in rows}


def _otherwise(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*here, *there} if here.get(name) != there.get(name))


def _mark(comparison: Comparison, record_ids: list[str]) -> None:
    if record_ids:
        db.session.execute(
            update(Record).where(Record.id.in_(record_ids)).values(compared_in=comparison.run_id),
            execution_options={"synchronize_session": False},
        )


def _row(external_id: str, title: str, record_id: str | None, fields: list[str] | None = None) -> dict[str, Any]:
    return {"external_id": external_id, "title": storable(title), "record_id": record_id, "fields": fields or []}


def _report(comparison: Comparison, kind: DifferenceKind, rows: list[dict[str, Any]]) -> None:
    """Count them all; keep as many as there is room for."""
    name = f"count_{kind.value}"
    counted = getattr(comparison, name)
    room = max(0, KEPT - counted)
    if rows[:room]:
        same = {"run_id": comparison.run_id, "user_id": comparison.user_id, "kind": kind}
        db.session.flush()  # the comparison may be as new as its first differences
        db.session.connection().execute(
            insert(Difference), [{"id": new_id("dif"), **same, **row} for row in rows[:room]]
        )
    setattr(comparison, name, counted + len(rows))
