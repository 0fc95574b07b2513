"""What all tables share: the database handle, ids, column types, and the rules by which transactions begin and end.

The tables themselves are one file per noun beside this one.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import ColumnElement, DateTime, Dialect, Engine, Enum, MetaData, Text, Update, event, select, true
from sqlalchemy.engine import Connection as DatabaseConnection
from sqlalchemy.orm import DeclarativeBase, MappedColumn, Session, mapped_column
from sqlalchemy.types import TypeDecorator
from ulid import ULID

from patchbay import tenancy, vault
from patchbay.models import isolation

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_writing: ContextVar[bool] = ContextVar("writing", default=False)


class Base(DeclarativeBase):
    """The root of all tables; every constraint has a name, so that a migration can speak of it."""

    metadata = MetaData(naming_convention=NAMES)

    @classmethod
    def is_of_present_scope(cls) -> ColumnElement[bool]:
        """The condition under which a row of this table, or of an alias of it, may be seen now (see `tenancy`)."""
        return true() if cls is Base else isolation.criterion(cls, cls.metadata.tables[cls.__tablename__])


isolation.hold(Base)


class ScopedSession(FlaskSession):
    """A session that gives none of the rows that it holds from another scope."""

    def get(self, entity: Any, ident: Any, **how: Any) -> Any:
        """The row of that primary key; None when there is none in the present scope."""
        found = super().get(entity, ident, **how)
        return found if found is None or isolation.is_seen(self, found) else None


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "class_": ScopedSession})


class UTCDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python on every database; SQLite returns naive values even for a time-zone column."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone reached the database")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Always aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EncryptedText:
    """A secret column: sealed by the vault and bound to table, column and row, so a moved ciphertext does not open.

    Used as `access_token = EncryptedText("access_token_sealed")` beside the mapped column of that name. The row's
    `id` must be set before the first assignment.
    """

    columns: ClassVar[list[tuple[type[Base], "EncryptedText"]]] = []

    def __init__(self, column: str) -> None:
        self.column = column

    def __set_name__(self, owner: type[Base], name: str) -> None:
        self.columns.append((owner, self))

    def __get__(self, row: Base, owner: type[Base] | None = None) -> str | None:
        sealed = getattr(row, self.column)
        return None if sealed is None else vault.current().open(sealed, context=self.context(row))

    def __set__(self, row: Base, plaintext: str | None) -> None:
        sealed = None if plaintext is None else vault.current().seal(plaintext, context=self.context(row))
        setattr(row, self.column, sealed)

    def context(self, row: Base) -> str:
        """The place the ciphertext belongs to: `table.column:row id`."""
        identity = row.id  # type: ignore[attr-defined]  # every table with a secret has the column `id`
        if not identity:
            raise ValueError("an encrypted column was set before the row had its id")
        return sealed_place(row.__tablename__, self.column, identity)


def sealed_place(table: str, column: str, row_id: str) -> str:
    """What a ciphertext is bound to; for those who read a sealed column without its row."""
    return f"{table}.{column}:{row_id}"


def sealed_column() -> MappedColumn[str | None]:
    """The column that an EncryptedText keeps its ciphertext in; never loaded into a repr."""
    return mapped_column(Text, default=None)


def text_enum(kind: type[StrEnum], *, checked_as: str | None = None) -> Enum:
    """A column type that stores an enum's values as text; `checked_as` names the constraint that admits no others."""
    return Enum(
        kind,
        native_enum=False,
        length=32,
        create_constraint=checked_as is not None,
        name=checked_as,
        values_callable=lambda members: [member.value for member in members],
    )


def new_id(prefix: str) -> str:
    """A fresh, prefixed, time-sortable id: `run_01k…`."""
    return f"{prefix}_{str(ULID()).lower()}"


@contextmanager
def transaction() -> Iterator[Session]:
    """One write transaction: commits at the end, rolls back on any error; a nested one joins the outer.

    A snapshot that was only read from is ended first, because SQLite refuses to turn it into a writing one when
    somebody else wrote in between. Never wait for the network inside.
    """
    session = db.session()
    if _writing.get():
        yield session
        return
    if session.in_transaction():
        session.commit()
    mark = _writing.set(True)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _writing.reset(mark)


@contextmanager
def writing() -> Iterator[None]:
    """Let the transactions that begin inside take the write lock at once; for connections outside the session."""
    mark = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(mark)


def update_one(statement: Update) -> bool:
    """Carry out an UPDATE of at most one row; False when the row is not (any more) as the statement wants it.

    What the session holds of the row stays as it was.
    """
    done = db.session.execute(statement, execution_options={"synchronize_session": False})
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result has it


def owner_of(table: Any, row_id: str) -> str | None:
    """Whose the row is; None when there is none. Leaves no transaction open."""
    with tenancy.everyone():
        owner: str | None = db.session.scalar(select(table.user_id).where(table.id == row_id))
    fresh_view()
    return owner


def fresh_view() -> None:
    """End the present snapshot, so that the next read sees what others have committed since."""
    db.session.rollback()


@event.listens_for(Session, "before_flush")
def _refuse_stray_writes(session: Session, *_: object) -> None:
    if not _writing.get() and (session.new or session.dirty or session.deleted):
        raise RuntimeError("a write outside `transaction()`: on SQLite it would begin as a reader and may fail")


@event.listens_for(Engine, "connect")
def _set_up_sqlite(connection: Any, _: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=5000", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: DatabaseConnection) -> None:
    if connection.dialect.name == "sqlite":
        # A deferred transaction that writes later fails with "database is locked" under several processes.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")
