"""A row of somebody's in every table that there is, made from what the tables say of themselves.

A table that comes later is planted by itself; what is done with the rows lives in the tests.
"""

from collections.abc import Mapping
from itertools import count
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Enum, Integer, LargeBinary, Table, insert, select
from sqlalchemy.orm import Session

from patchbay import clock, tenancy
from patchbay.models import Base
from patchbay.models.base import UTCDateTime

Row = dict[str, Any]
MARK = "zq~h"
"""In every text that was planted, and for its tilde in no id and no token, of whatever letters they happen to be."""
OWNED = [table for table in Base.metadata.sorted_tables if tenancy.belonging(table) is not None]
_numbers = count(1)


def plant(session: Session, user_id: str) -> dict[str, Row]:
    """The rows by their tables; in the tables of the installation only when there is none yet."""
    rows: dict[str, Row] = {"users": {"id": user_id}, "integrations": {"id": "shopify"}}
    connection = session.connection()
    for table in OWNED:
        is_there = table.name in tenancy.ADMINISTERED and connection.execute(select(table)).first() is not None
        if table.name not in rows and not is_there:
            values = _values(table, user_id, rows)
            made = connection.execute(insert(table).values(values).returning(*table.columns)).mappings().one()
            rows[table.name] = dict(made)
    return rows


def belongings(session: Session, user_id: str) -> dict[str, list[str]]:
    """All that belongs to the user, to be compared with what it was before."""
    with tenancy.of(user_id):
        return {table.name: sorted(str(tuple(row)) for row in session.execute(select(table))) for table in OWNED}


def _values(table: Table, user_id: str, rows: Mapping[str, Row]) -> Row:
    return {
        column.name: _value(column, user_id, rows)
        for column in table.columns
        if column.name == "user_id" or not (column.nullable or column.default or column.server_default)
        if column is not table.autoincrement_column
    }


def _value(column: Column[Any], user_id: str, rows: Mapping[str, Row]) -> Any:
    if column.name == "user_id":
        return user_id
    for key in column.foreign_keys:
        return rows[key.column.table.name][key.column.name]
    kind = column.type
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return next(iter(kind.enum_class))
    plain = {JSON: {}, Boolean: False, Integer: next(_numbers), LargeBinary: b"", UTCDateTime: clock.now()}
    text = f"{'row' if column.primary_key else MARK}{next(_numbers)}"
    return next((value for found, value in plain.items() if isinstance(kind, found)), text)
