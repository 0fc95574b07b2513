"""SQL written as text cannot be narrowed on SQLite: whatever holds some is refused, unless it is for everyone.

What statements of classes and tables may reach is decided in the package itself.
"""

import re
from typing import Any

from sqlalchemy import ColumnClause, Engine, TextClause, event
from sqlalchemy.engine import Connection as DatabaseConnection
from sqlalchemy.engine.interfaces import ExecutionContext
from sqlalchemy.ext.compiler import compiles

from patchbay import tenancy

_BEGINNINGS = frozenset({"BEGIN", "BEGIN IMMEDIATE"})
"""What this application itself sends as text, in whatever scope a transaction begins."""
_PLAIN = re.compile(r"\*|\w+|'%'")
"""What SQLAlchemy itself writes as a literal column: a star, a number, and the ends of a search for words."""


@compiles(TextClause, "sqlite")
def _mark_text(element: TextClause, compiler: Any, **how: Any) -> str:
    """Remember of a statement that something in it was written as text."""
    compiler.holds_text = True
    compiled: str = compiler.visit_textclause(element, **how)
    return compiled


@compiles(ColumnClause, "sqlite")
def _mark_literal(element: ColumnClause[Any], compiler: Any, **how: Any) -> str:
    """The same of a literal column, which may hold any SQL."""
    if element.is_literal and not _PLAIN.fullmatch(element.name):
        compiler.holds_text = True
    compiled: str = compiler.visit_column(element, **how)
    return compiled


@event.listens_for(Engine, "before_cursor_execute")
def _refuse_text(
    connection: DatabaseConnection, _cursor: object, statement: str, _values: object, context: ExecutionContext, _: bool
) -> None:
    """What is written as text cannot be narrowed, and tables are not changed for a user. Raises PermissionError."""
    if connection.dialect.name != "sqlite" or tenancy.present() == tenancy.EVERYONE or statement in _BEGINNINGS:
        return
    compiled = context.compiled
    if compiled is None or compiled.is_ddl or getattr(compiled, "holds_text", False):
        raise PermissionError("SQL written as text may reach rows of all users: select a class")
