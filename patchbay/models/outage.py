"""Failures of the database and the disk in our own words: out of reach for a while, or no room left.

What becomes of what was asked for is decided by who asked: a run waits (`runs.execution`), a request is answered.
"""

import errno
import sqlite3
from collections.abc import Iterator

from sqlalchemy import exc

from patchbay.errors import PatchbayError, StorageAway, StorageFull

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DISK_FULL = "53100"  # PostgreSQL, Appendix A, "Error Codes"
_AWAY = frozenset(  # SQLite, "Result and Error Codes"; what else is an operational error to it is a wrong statement
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)


def outage(failure: BaseException) -> PatchbayError | None:
    """StorageFull or StorageAway, None for a failure of any other kind. Its detail repeats nothing of the driver's."""
    name = type(failure).__name__
    if any(_is_full(one) for one in _with_earlier(failure)):
        return StorageFull(name)
    return StorageAway(name) if _is_away(failure) else None


def _with_earlier(failure: BaseException) -> Iterator[BaseException]:
    """The failure and those behind it: a full SQLite ends the transaction, so that undoing a part of it fails too."""
    one: BaseException | None = failure
    while one is not None:
        yield one
        one = one.__context__


def _is_full(failure: BaseException) -> bool:
    if isinstance(failure, OSError):
        return failure.errno in _NO_ROOM
    return _sqlite_code(failure) == sqlite3.SQLITE_FULL or getattr(failure, "sqlstate", None) == _DISK_FULL


def _is_away(failure: BaseException) -> bool:
    if isinstance(failure, exc.OperationalError | exc.InterfaceError):
        code = _sqlite_code(failure.orig)
        return code is None or code in _AWAY
    return isinstance(failure, exc.TimeoutError)


def _sqlite_code(failure: BaseException | None) -> int | None:
    """The primary result code; None for another database."""
    code = getattr(failure, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
