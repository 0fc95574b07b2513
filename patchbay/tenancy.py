"""Whose rows may be seen and written now: nobody's, one user's or everybody's; and which tables belong to users.

How a database is held to it lives in `patchbay.models.isolation` (SQLite), `patchbay.models.postgresql` and
`patchbay.migrations.isolation` (PostgreSQL).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Table

NOBODY = ""
EVERYONE = "*"

SHARED = frozenset({"heartbeats", "integrations", "provider_credentials"})
"""Tables without anything of a user's."""

ADMINISTERED = frozenset({"audit_links", "audit_retention", "audit_seals", "one_time_links"})
"""Tables that belong to the installation: their rows are seen and written in the scope of everyone only."""

_present: ContextVar[str] = ContextVar("tenancy", default=NOBODY)


@dataclass(frozen=True)
class Belonging:
    """How a row of a table belongs to a user.

    `column` holds the user's id, or the id of a row of the table `parent` that this one hangs on and belongs with. It
    is "" where rows belong to no user, and only who sees everything sees them.
    """

    column: str
    parent: str | None = None


@contextmanager
def of(user_id: str) -> Iterator[None]:
    """See and write what belongs to this user, and nothing of anybody else's. Raises ValueError for no user's id."""
    if user_id in {NOBODY, EVERYONE}:
        raise ValueError("this is not the id of a user")
    with _as(user_id):
        yield


@contextmanager
def everyone() -> Iterator[None]:
    """See and write what belongs to anybody: for the clock, for administrators, to look up who is asking.

    As short as can be, and never around what a user may have a say in.
    """
    with _as(EVERYONE):
        yield


@contextmanager
def nobody() -> Iterator[None]:
    """See and write nothing that belongs to a user, which is also what holds where nothing was said."""
    with _as(NOBODY):
        yield


def present() -> str:
    """Whose rows they are now: a user's id, NOBODY or EVERYONE."""
    return _present.get()


@cache
def belonging(table: Table) -> Belonging | None:
    """How the table's rows belong to users; None when they are shared.

    By its column `user_id`; without one, by the first row that it cannot be without and that belongs to a user. Raises
    LookupError for a table of which neither can be said: it is to be named above.
    """
    if table.name in SHARED:
        return None
    if table.name in ADMINISTERED:
        return Belonging("")
    if table.name == "users":
        return Belonging("id")
    if "user_id" in table.columns:
        return Belonging("user_id")
    for column in table.columns:
        for key in column.foreign_keys:
            if not column.nullable and key.column.table.name not in SHARED:
                return Belonging(column.name, key.column.table.name)
    raise LookupError(f"nothing says whose the rows of {table.name} are: give it a user_id, or name it in tenancy")


@contextmanager
def _as(scope: str) -> Iterator[None]:
    before = _present.get()
    _present.set(scope)
    try:
        yield
    finally:
        _present.set(before)  # not by its token: an answer that is sent piece by piece may end in another context
