"""Statements without any filter on each table that there is, also one that was added yesterday."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import ProgrammingError

from patchbay import tenancy
from patchbay.models import User, db, new_id, transaction
from tests.patchbay.tenancy.planting import OWNED, Row, belongings, plant
from tests.stage import in_context

pytestmark = pytest.mark.usefixtures("context")
CHANGEABLE = [table for table in OWNED if table.name != "audit_entries"]  # those are only ever added to


@pytest.fixture
def hers(app: Flask, ada: User, ben: User) -> dict[str, Row]:
    """Ada's rows, beside which are as many of Ben's."""
    with in_context(app), transaction() as session:
        rows = plant(session, ada.id)
        plant(session, ben.id)
    return rows


def test_everybody_has_something_in_every_table(hers: dict[str, Row], ada: User, ben: User) -> None:
    ours = {table.name for table in OWNED} - tenancy.ADMINISTERED

    for user in (ada, ben):
        assert {name for name, rows in belongings(db.session(), user.id).items() if rows} == ours


def test_who_reads_all_of_a_table_reads_their_own(hers: dict[str, Row], ada: User, ben: User) -> None:
    mine, others = belongings(db.session(), ben.id), belongings(db.session(), ada.id)

    assert {name for name, rows in mine.items() if set(rows) & set(others[name])} == set()
    assert not any(ada.id in row for rows in mine.values() for row in rows)


def test_who_changes_all_of_a_table_changes_their_own(hers: dict[str, Row], ada: User, ben: User) -> None:
    before = belongings(db.session(), ada.id)

    for table in CHANGEABLE:
        with tenancy.of(ben.id), transaction() as session:
            session.connection().execute(update(table).values(_change(table)))

    assert belongings(db.session(), ada.id) == before


def test_who_deletes_all_of_a_table_deletes_their_own(hers: dict[str, Row], ada: User, ben: User) -> None:
    before = belongings(db.session(), ada.id)

    for table in reversed(CHANGEABLE):
        with tenancy.of(ben.id), transaction() as session:
            session.connection().execute(delete(table))

    assert belongings(db.session(), ada.id) == before
    assert [name for name, rows in belongings(db.session(), ben.id).items() if rows] == ["audit_entries"]


def test_nothing_is_added_to_any_table_for_somebody_else(hers: dict[str, Row], ada: User, ben: User) -> None:
    before = belongings(db.session(), ada.id)

    accepted = [table.name for table in OWNED if _adds(table, hers, ben)]

    assert accepted == []
    assert belongings(db.session(), ada.id) == before


def test_the_tables_of_the_installation_are_nobodys(hers: dict[str, Row], ada: User) -> None:
    of_installation = [table for table in OWNED if table.name in tenancy.ADMINISTERED]

    with tenancy.of(ada.id):
        seen = [db.session.execute(select(table)).first() for table in of_installation]

    assert seen == [None] * len(of_installation)
    assert of_installation != []


def _change(table: Any) -> dict[Any, Any]:
    """A text over each that the table has for people to read, or at least a column over itself."""
    free = [one for one in table.columns if not (one.primary_key or one.foreign_keys or one.name == "user_id")]
    return {one: one for one in free[-1:]} | {one: "was here" for one in free if one.name in {"title", "message"}}


def _adds(table: Any, hers: dict[str, Row], ben: User) -> bool:
    """Whether the database takes a row like hers from Ben, under another key where that can be."""
    row = hers[table.name]
    if table.name == "users":
        row = {"id": new_id("usr"), "email": "x@example.org", "role": "member", "created_at": ben.created_at}
    elif "id" in row:
        row = row | {"id": new_id("new") if isinstance(row["id"], str) else row["id"] + 1000}
    try:
        with tenancy.of(ben.id), transaction() as session:
            session.connection().execute(insert(table), [row])
    except (PermissionError, ProgrammingError):
        return False
    return True
