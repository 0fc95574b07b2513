"""Edits of records, made here and shown here; and what becomes of them when the platform changes the same field.

An edit lies over the platform's own values (`Record.local` over `Record.data`), which stay as they came.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select, update

from patchbay import audit, clock
from patchbay.audit import Deed
from patchbay.errors import N_, Conflict, Invalid, NotFound, storable
from patchbay.models import Clash, Connection, Record, Winner, db, new_id, transaction
from patchbay.records import rules
from patchbay.spec import EditRule, Field, Item, check

_WINNERS = {EditRule.REMOTE_WINS: Winner.REMOTE, EditRule.LOCAL_WINS: Winner.LOCAL, EditRule.ASK: Winner.OPEN}


def editable(record: Record) -> tuple[Field, ...]:
    """The fields of the record that may be edited here."""
    return rules.import_of(record.integration_id, record.stream).editable


def change(user_id: str, record_id: str, values: Mapping[str, Any]) -> Record:
    """Edit some fields of a record; a value that equals the platform's ends the edit of its field.

    Raises NotFound, Invalid with field errors, and Conflict for a record that has vanished.
    """
    with transaction() as session:
        record = _locked(user_id, record_id)
        fields = editable(record)
        if not fields:
            raise Conflict(sentence=N_("Records of this kind cannot be edited here."))
        unknown = {name: N_("This field cannot be edited.") for name in values if name not in {f.name for f in fields}}
        if unknown:
            raise Invalid(unknown)
        if record.deleted_at is not None:
            raise Conflict(sentence=N_("This record was deleted at its platform. Undo that first."))
        clean = check(tuple(field for field in fields if field.name in values), values)
        clean = {name: value.replace("\r\n", "\n") if value else None for name, value in clean.items()}  # as forms send
        local, base = dict(record.local or {}), dict(record.base or {})
        for name, value in clean.items():
            local.pop(name, None)
            base.pop(name, None)
            if not _is_same(value, record.data.get(name)):
                local[name], base[name] = value, record.data.get(name)
        _set(record, local, base)
        _close(record, set(clean), Winner.LOCAL)
        audit.add(Deed.RECORD_EDITED, user_id=user_id, subject_id=record.connection_id, record=record.id)
        session.flush()  # what is read next in this transaction must be what was written
    return record


def revert(user_id: str, record_id: str) -> Record:
    """End all edits of a record: the platform's values count again. Raises NotFound."""
    with transaction():
        record = _locked(user_id, record_id)
        if record.local:
            _close(record, set(record.local), Winner.REMOTE)
            _set(record, {}, {})
            audit.add(Deed.RECORD_EDITED, user_id=user_id, subject_id=record.connection_id, record=record.id)
    return record


def meet(connection: Connection, stream: str, run_id: str, edited: Sequence[tuple[Row[Any], Item]]) -> None:
    """In the transaction of a page: edited records that the platform has changed meanwhile, each by the stream's rule.

    Only a field that changed there too clashes; when it came to be what was written here, the edit has served its end.
    """
    winner = _WINNERS[rules.of_stream(connection, stream).edits]
    changes, clashes = [], []
    for row, item in edited:
        local, base = dict(row.local), dict(row.base or {})
        for name in list(local):
            theirs = item.data.get(name)
            if theirs == base.get(name):
                continue
            if theirs != local[name]:
                clashes.append(_clash(connection, row.id, run_id, name, local[name], theirs, winner))
            if theirs == local[name] or winner is Winner.REMOTE:
                del local[name], base[name]
            else:
                base[name] = theirs
        title = storable(str(local.get("title") or item.title))
        changes.append({"id": row.id, "title": title, "local": local or None, "base": base or None})
    db.session.execute(update(Record), changes)
    for clash in clashes:
        _supersede(clash)
        db.session.add(clash)


def decide(user_id: str, clash_id: str, winner: Winner) -> Clash:
    """Settle an open clash: the edit stays, or the platform's value counts. Raises NotFound, Conflict when settled."""
    with transaction() as session:
        clash = session.get(Clash, clash_id, populate_existing=True, with_for_update=True)
        if clash is None or clash.user_id != user_id:
            raise NotFound(clash_id)
        if clash.winner is not Winner.OPEN:
            raise Conflict(sentence=N_("This was decided already."))
        record = _locked(user_id, clash.record_id)
        clash.winner, clash.decided_at = winner, clock.now()
        if winner is Winner.REMOTE:
            local, base = dict(record.local or {}), dict(record.base or {})
            local.pop(clash.field, None)
            base.pop(clash.field, None)
            _set(record, local, base)
        audit.add(Deed.RECORD_EDITED, user_id=user_id, subject_id=record.connection_id, record=record.id)
    return clash


def open_clashes(user_id: str, *, cursor: str | None, limit: int) -> tuple[list[tuple[Clash, Record]], str | None]:
    """What the user has to decide, oldest first, with the records; and the cursor of the next page."""
    statement = (
        select(Clash, Record)
        .join(Record, Record.id == Clash.record_id)
        .where(Clash.user_id == user_id, Clash.winner == Winner.OPEN)
        .order_by(Clash.id)
        .limit(limit + 1)
    )
    if cursor:
        statement = statement.where(Clash.id > cursor)
    found = [(row[0], row[1]) for row in db.session.execute(statement)]
    return found[:limit], found[limit - 1][0].id if len(found) > limit else None


def count_open(user_id: str) -> int:
    """How many clashes the user has to decide."""
    statement = select(func.count()).select_from(Clash).where(Clash.user_id == user_id, Clash.winner == Winner.OPEN)
    return int(db.session.scalar(statement) or 0)


def clashes_of(record: Record, limit: int = 50) -> list[Clash]:
    """Where edits of the record met changes of the platform, newest first; the losing values are in them."""
    statement = select(Clash).where(Clash.record_id == record.id).order_by(Clash.id.desc()).limit(limit)
    return list(db.session.scalars(statement))


def _locked(user_id: str, record_id: str) -> Record:
    """The record, as no page of an import can change it until the present transaction ends."""
    record = db.session.get(Record, record_id, populate_existing=True, with_for_update=True)
    if record is None or record.user_id != user_id:
        raise NotFound(record_id)
    return record


def _is_same(mine: str | None, theirs: Any) -> bool:
    """Whether a text is what the platform has, but for white space around it and its kind of line ends."""
    return (mine or "").strip() == str(theirs or "").replace("\r\n", "\n").strip()


def _set(record: Record, local: dict[str, Any], base: dict[str, Any]) -> None:
    record.local, record.base = local or None, base or None
    record.title = storable(str(record.content.get("title") or record.title))
    record.updated_at = clock.now()


def _close(record: Record, fields: set[str], winner: Winner) -> None:
    """An edit made anew, or ended, answers what was still asked about the field."""
    db.session.execute(
        update(Clash)
        .where(Clash.record_id == record.id, Clash.winner == Winner.OPEN, Clash.field.in_(fields))
        .values(winner=winner, decided_at=clock.now()),
        execution_options={"synchronize_session": False},
    )


def _supersede(clash: Clash) -> None:
    """A later change there takes the place of an earlier one that nobody has decided about."""
    db.session.execute(
        update(Clash)
        .where(Clash.record_id == clash.record_id, Clash.field == clash.field, Clash.winner == Winner.OPEN)
        .values(winner=Winner.LOCAL, decided_at=clash.created_at),
        execution_options={"synchronize_session": False},
    )


def _clash(
    connection: Connection, record_id: str, run_id: str, field: str, mine: Any, theirs: Any, winner: Winner
) -> Clash:
    now = clock.now()
    return Clash(
        id=new_id("cla"),
        user_id=connection.user_id,
        record_id=record_id,
        run_id=run_id,
        field=field,
        local_value=mine,
        remote_value=theirs,
        winner=winner,
        created_at=now,
        decided_at=None if winner is Winner.OPEN else now,
    )
