"""All rows of the database as lines of JSON, and back: the same on both databases, so that one can follow the other.

Which tables there are is asked of the database itself, because a backup may be older than the code.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, Any

from sqlalchemy import Connection, DateTime, LargeBinary, MetaData, Table, func, insert, select, text
from sqlalchemy.types import TypeEngine

BATCH = 1000
_OWN = "alembic_version"  # written by the migrations

Change = Callable[[Any], Any]


def tables_of(connection: Connection) -> list[Table]:
    """All tables but the migrations' own, in an order in which each comes behind those that it refers to."""
    there = MetaData()
    there.reflect(connection)
    return [table for table in there.sorted_tables if table.name != _OWN]


def lines_of(connection: Connection, table: Table) -> Iterator[bytes]:
    """The rows of a table as JSON, one per line, by primary key, so that a row comes behind those that it refers to."""
    rows = connection.execution_options(yield_per=BATCH).execute(select(table).order_by(*table.primary_key.columns))
    for row in rows.mappings():
        yield json.dumps({name: _plain(value) for name, value in row.items()}).encode() + b"\n"


def load(connection: Connection, table: Table, lines: IO[bytes]) -> int:
    """Put rows back into an empty table, in the present transaction; returns how many."""
    changes: Mapping[str, Change] = {column.name: _change_of(column.type, connection) for column in table.columns}
    count, batch = 0, []
    for line in lines:
        batch.append({name: changes[name](value) for name, value in json.loads(line).items()})
        count += 1
        if len(batch) == BATCH:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)
    _go_on_counting(connection, table)
    return count


def is_empty(connection: Connection, table: str) -> bool:
    """Whether there is no such table, or nothing in it."""
    found = {one.name: one for one in tables_of(connection)}.get(table)
    return found is None or connection.execute(select(found).limit(1)).first() is None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(value, bytes | memoryview):
        return b64encode(bytes(value)).decode()
    return str(value) if isinstance(value, Decimal) else value


def _change_of(kind: TypeEngine[Any], connection: Connection) -> Change:
    """From what JSON holds to what this database takes."""
    if isinstance(kind, DateTime):
        is_sqlite = connection.dialect.name == "sqlite"
        return lambda value: value and _moment(value, is_naive=is_sqlite)
    if isinstance(kind, LargeBinary):
        return lambda value: None if value is None else b64decode(value)
    return lambda value: value


def _moment(value: str, *, is_naive: bool) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=None) if is_naive else moment


def _go_on_counting(connection: Connection, table: Table) -> None:
    """PostgreSQL counts in a sequence, which does not know of rows that came with a number."""
    key = list(table.primary_key.columns)
    if connection.dialect.name == "sqlite" or len(key) != 1:
        return
    name = connection.scalar(
        text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": key[0].name}
    )
    if name is not None:
        last = connection.scalar(select(func.max(key[0])))
        connection.execute(
            text("SELECT setval(:name, :last, :is_used)"),
            {"name": name, "last": last or 1, "is_used": last is not None},
        )
