"""The rule of `patchbay.tenancy` on SQLite: what the session reads and what reaches an owned table.

PostgreSQL holds the same rule by itself (`postgresql` beside this file); there only `is_seen` is needed, for a session
gives a row that it holds without asking any database. That SQL written as text is refused lives in `text`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnElement,
    Delete,
    Engine,
    Insert,
    Select,
    SelectBase,
    String,
    Table,
    TableClause,
    Update,
    and_,
    bindparam,
    event,
    exists,
    false,
    func,
    select,
    sql,
    true,
)
from sqlalchemy.dialects.sqlite.dml import OnConflictDoUpdate
from sqlalchemy.engine import Connection as DatabaseConnection
from sqlalchemy.orm import (
    DeclarativeBase,
    FromStatement,
    LoaderCriteriaOption,
    Mapper,
    ORMExecuteState,
    Session,
    object_mapper,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.util import find_tables

from patchbay import tenancy
from patchbay.models.isolation import text  # noqa: F401 - listens from here on
from patchbay.tenancy import Belonging

ME: ColumnElement[str] = bindparam("tenancy", callable_=tenancy.present, type_=String)
"""Filled in when a statement is sent, so that all users share its compiled form."""
_narrowed: WeakKeyDictionary[Select[Any], Select[Any]] = WeakKeyDictionary()
_HELD = {"is_held_to_scope": True}
"""The mark of a statement that came by way of the session."""


class _Rule(LoaderCriteriaOption):
    """SQLAlchemy's option that adds a condition for each class, which otherwise begins anew with every new statement.

    It walks all classes then and makes the condition again, which takes longer than most statements do.
    """

    _traverse_internals = LoaderCriteriaOption._traverse_internals  # so that statements with it are still cached

    def _all_mappers(self) -> Iterator[Mapper[Any]]:
        return iter(_mappers(self.root_entity))  # type: ignore[arg-type]  # it is made with a base

    def _resolve_where_criteria(self, ext_info: Any) -> ColumnElement[bool]:
        return _of_class(self, ext_info) if ext_info.is_mapper else super()._resolve_where_criteria(ext_info)


def hold(base: type[DeclarativeBase]) -> None:
    """Hold all sessions to the rule in what they read of the tables of `base`: entities, aliases, joins, subqueries."""
    option = _Rule(
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
        if isinstance(state.statement, FromStatement):
            _check_reading(state.statement.element, seen=())
        elif state.is_orm_statement:
            state.statement = state.statement.options(option)
        elif isinstance(state.statement, Select):
            known = _narrowed.get(state.statement)
            state.statement = _narrow(state.statement) if known is None else known
        else:
            _check_reading(state.statement, seen=())
        state.update_execution_options(**_HELD)


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
    parent = table.metadata.tables[how.parent]
    owner = _slim(parent).alias()
    return exists().where(owner.c[_key(parent).name] == column, criterion(owner.c, parent))


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
    return session.get(_class_of(mapper.registry, how.parent), value) is not None


@event.listens_for(Engine, "before_cursor_execute")
def _check_change(connection: DatabaseConnection, _c: object, _s: str, _v: object, context: Any, _: bool) -> None:
    """Raises PermissionError for a change that asks other tables of users first; looked into once for all of its form.

    Those of its own table are those by which it was narrowed.
    """
    compiled = context.compiled
    if connection.dialect.name != "sqlite" or tenancy.present() == tenancy.EVERYONE or compiled is None:
        return
    if not isinstance(compiled.statement, Insert | Update | Delete) or getattr(compiled, "asks_nobody", False):
        return
    for inner in visitors.iterate(compiled.statement):
        if isinstance(inner, SelectBase):
            _check_reading(inner, seen=[_table(compiled.statement.table).name])
    compiled.asks_nobody = True


@event.listens_for(Engine, "before_execute", retval=True)
def _narrow_writing(
    connection: DatabaseConnection,
    statement: Any,
    many: Sequence[Mapping[str, Any]],
    one: Mapping[str, Any],
    options: Mapping[str, Any],
) -> tuple[Any, Any, Any]:
    """Changes reach rows of the present scope only, as if there were no others; what is written belongs to it.

    What is read past the session is held to nothing. Raises PermissionError for both.
    """
    if connection.dialect.name != "sqlite" or tenancy.present() == tenancy.EVERYONE:
        return statement, many, one
    if isinstance(statement, SelectBase) and not options.keys() >= _HELD.keys():
        _check_reading(statement, seen=())
    if not isinstance(statement, Insert | Update | Delete):
        return statement, many, one
    table = _table(statement.table)
    how = tenancy.belonging(table)
    if how is None:
        return statement, many, one
    _check_written(connection, table, how, _written(statement, how, many or [one]))
    if isinstance(statement, Insert):
        return _narrow_conflict(statement, table, how), many, one
    return statement.where(_own_rows(table)), many, one


def _narrow_conflict(statement: Insert, table: Table, how: Belonging) -> Insert:
    """An INSERT that changes the row that stands in its way, if that is a row of the present scope."""
    conflict = statement._post_values_clause  # SQLAlchemy has no public word
    if not isinstance(conflict, OnConflictDoUpdate):
        return statement
    if any(getattr(key, "name", key) == how.column for key in dict(conflict.update_values_to_set)):
        raise PermissionError(f"a row of {table.name} might belong to somebody else afterwards")
    narrowed, statement = copy(conflict), copy(statement)
    theirs = conflict.update_whereclause
    narrowed.update_whereclause = _own_rows(table) if theirs is None else and_(theirs, _own_rows(table))
    statement._post_values_clause = narrowed
    return statement


def _written(statement: Any, how: Belonging, rows: Sequence[Mapping[str, Any]]) -> set[Any]:
    """What the statement writes to the column that says whose a row is; None stands for what cannot be known."""
    if isinstance(statement, Delete):
        return set()
    if getattr(statement, "select", None) is not None or getattr(statement, "_multi_values", None):
        return {None}
    fixed = {column.name: value for column, value in (statement._values or {}).items()}  # SQLAlchemy has no public word
    if how.column in fixed:
        return {getattr(fixed[how.column], "value", None)}
    if isinstance(statement, Insert):
        return {row.get(how.column) for row in rows}
    return {row[how.column] for row in rows if how.column in row}


def _check_written(connection: DatabaseConnection, table: Table, how: Belonging, written: set[Any]) -> None:
    """Raises PermissionError when a row would come to belong to another scope."""
    if how.parent is None:
        is_allowed = written <= ({tenancy.present()} if how.column and tenancy.present() else set())
    else:
        seen = _count_of_seen(table.metadata.tables[how.parent])
        ids = {"ids": list(written)}
        is_allowed = not written or connection.execute(seen, ids, execution_options=_HELD).scalar_one() == len(written)
    if not is_allowed:
        raise PermissionError(f"a row of {table.name} would belong to somebody else")


@cache
def _own_rows(table: Table) -> ColumnElement[bool]:
    """The criterion of a table under its own name, built once: it comes with every change."""
    return criterion(table.c, table)


@cache
def _count_of_seen(table: Table) -> Select[int]:
    """How many of the rows with these `ids` may be seen."""
    return select(func.count()).where(_key(table).in_(bindparam("ids", expanding=True)), _own_rows(table))


def _slim(parent: Table) -> TableClause:
    """The table with the columns alone that say whose a row is: each more takes its time whenever SQL is made."""
    how = tenancy.belonging(parent)
    names = {_key(parent).name, how.column if how else ""} - {""}
    return sql.table(parent.name, *(sql.column(name) for name in sorted(names)))


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
    """A statement on tables instead of classes, narrowed. Raises PermissionError where other owned ones are inside."""
    sources = [source for source in statement.get_final_froms() if isinstance(source, Table)]
    _check_reading(statement, seen=[source.name for source in sources])
    narrowed = statement.where(*(_own_rows(_table(source)) for source in sources))
    _narrowed[statement] = narrowed
    return narrowed


def _check_reading(statement: Any, *, seen: Collection[str]) -> None:
    """Raises PermissionError where a statement on tables instead of classes reads others of users than those."""
    inside = {table.name for table in find_tables(statement, include_selects=True) if isinstance(table, Table)}
    hidden = inside - set(seen) - tenancy.SHARED
    if hidden:
        raise PermissionError(f"rows of {', '.join(sorted(hidden))} would be read by their tables: select a class")


@cache
def _mappers(base: type[DeclarativeBase]) -> tuple[Mapper[Any], ...]:
    return tuple(base.registry.mappers)


@cache
def _of_class(rule: _Rule, mapper: Mapper[Any]) -> ColumnElement[bool]:
    """The condition of a class under its own name; under an alias it is another each time."""
    return LoaderCriteriaOption._resolve_where_criteria(rule, mapper)


@event.listens_for(Mapper, "after_mapper_constructed")
def _forget_mappers(*_: object) -> None:
    _mappers.cache_clear()


@cache
def _class_of(registry: Any, table: str) -> type[Any]:
    """The class whose rows are in the table."""
    found: type[Any] = next(one.class_ for one in registry.mappers if _table(one.local_table).name == table)
    return found


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
