"""The rule of `patchbay.tenancy` on SQLite, in one place: what the session reads and what reaches an owned table.

PostgreSQL holds the same rule by itself (`postgresql` beside this file); there only `is_seen` is needed, for a session
gives a row that it holds without asking any database.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnElement,
    Delete,
    Engine,
    Insert,
    Select,
    String,
    Table,
    Update,
    bindparam,
    event,
    exists,
    false,
    func,
    select,
    true,
)
from sqlalchemy.engine import Connection as DatabaseConnection
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session, object_mapper, with_loader_criteria
from sqlalchemy.sql.util import find_tables

from patchbay import tenancy
from patchbay.tenancy import Belonging

ME: ColumnElement[str] = bindparam("tenancy", callable_=tenancy.present, type_=String)
"""Filled in when a statement is sent, so that all users share its compiled form."""
_narrowed: WeakKeyDictionary[Select[Any], Select[Any]] = WeakKeyDictionary()


def hold(base: type[DeclarativeBase]) -> None:
    """Hold all sessions to the rule in what they read of the tables of `base`: entities, aliases, joins, subqueries."""
    option = with_loader_criteria(
        base,
        lambda entity: entity.is_of_present_scope(),
        include_aliases=True,
        propagate_to_loaders=False,  # a statement of its own loads a relation, and is narrowed then
        track_closure_variables=False,
    )

    @event.listens_for(Session, "do_orm_execute")
    def narrow(state: ORMExecuteState) -> None:
        if not state.is_select or tenancy.present() == tenancy.EVERYONE or not _is_sqlite(state.session):
            return
        if state.is_orm_statement:
            state.statement = state.statement.options(option)
        elif isinstance(state.statement, Select):
            known = _narrowed.get(state.statement)
            state.statement = _narrow(state.statement) if known is None else known


def criterion(columns: Any, table: Table) -> ColumnElement[bool]:
    """That a row belongs to the user of the present scope; `columns` has the row's columns as attributes."""
    how = tenancy.belonging(table)
    if how is None:
        return true()
    if not how.column:
        return false()
    column: ColumnElement[str] = getattr(columns, how.column)
    if how.parent is None:
        return column == ME
    owner = table.metadata.tables[how.parent].alias()
    return exists().where(_key(owner) == column, criterion(owner.c, table.metadata.tables[how.parent]))


def is_seen(session: Session, row: Any) -> bool:
    """Whether a row that the session holds belongs to the present scope."""
    if tenancy.present() == tenancy.EVERYONE:
        return True
    mapper = object_mapper(row)
    how = tenancy.belonging(_table(mapper.local_table))
    if how is None or not how.column:
        return how is None
    value = getattr(row, how.column)
    if how.parent is None:
        return bool(value == tenancy.present())
    parents = (one.class_ for one in mapper.registry.mappers if _table(one.local_table).name == how.parent)
    return session.get(next(parents), value) is not None


@event.listens_for(Engine, "before_execute", retval=True)
def _narrow_writing(
    connection: DatabaseConnection,
    statement: Any,
    many: Sequence[Mapping[str, Any]],
    one: Mapping[str, Any],
    _options: Mapping[str, Any],
) -> tuple[Any, Any, Any]:
    """Changes reach rows of the present scope only, as if there were no others; a new row must belong to it."""
    if (
        not isinstance(statement, Insert | Update | Delete)
        or connection.dialect.name != "sqlite"
        or tenancy.present() == tenancy.EVERYONE
    ):
        return statement, many, one
    table = _table(statement.table)
    how = tenancy.belonging(table)
    if how is None:
        return statement, many, one
    if isinstance(statement, Insert):
        _check_new(connection, statement, table, how, many or [one])
        return statement, many, one
    return statement.where(criterion(table.c, table)), many, one


def _check_new(
    connection: DatabaseConnection, statement: Insert, table: Table, how: Belonging, rows: Iterable[Mapping[str, Any]]
) -> None:
    """Raises PermissionError when a row that is to be added belongs to another scope."""
    fixed = statement.compile().params if not any(rows) else {}
    belong_to = {row.get(how.column, fixed.get(how.column)) for row in rows} if how.column else {None}
    if how.parent is None:
        is_allowed = belong_to == {tenancy.present()}
    else:
        parent = table.metadata.tables[how.parent]
        found = select(func.count()).where(_key(parent).in_(belong_to), criterion(parent.c, parent))
        is_allowed = connection.execute(found).scalar_one() == len(belong_to)
    if not is_allowed:
        raise PermissionError(f"a new row of {table.name} belongs to another user")


def _key(table: Any) -> ColumnElement[str]:
    """The one column of the table's primary key."""
    (key,) = table.primary_key
    found: ColumnElement[str] = key
    return found


def _table(found: Any) -> Table:
    """The plain table behind what a statement or mapper names."""
    table: Table = found.metadata.tables[found.name]
    return table


def _narrow(statement: Select[Any]) -> Select[Any]:
    """A statement on tables instead of classes, narrowed. Raises PermissionError for one with owned tables inside."""
    sources = [_table(source) for source in statement.get_final_froms() if isinstance(source, Table)]
    inside = {table.name for table in find_tables(statement, include_selects=True) if isinstance(table, Table)}
    hidden = inside - {table.name for table in sources} - tenancy.SHARED
    if hidden:
        raise PermissionError(f"rows of {', '.join(sorted(hidden))} would be read by their tables: use their classes")
    _narrowed[statement] = narrowed = statement.where(*(criterion(table.c, table) for table in sources))
    return narrowed


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
