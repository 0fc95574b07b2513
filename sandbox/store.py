"""Durable documents, blobs and counters of the sandbox on SQLite: one file, or one that vanishes with the process.

What the documents mean is the platforms' own affair.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

Document = dict[str, Any]  # outside JSON in the platform's own words; each host checks what it reads

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    platform TEXT NOT NULL, collection TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (platform, collection, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (
    platform TEXT NOT NULL, key TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (platform, key));
CREATE TABLE IF NOT EXISTS counters (
    platform TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (platform, name)) WITHOUT ROWID;
"""
_AFTER_ALL_KEYS = "\U0010ffff"
_WALK_STEP = 500


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a collection in key order; `next_cursor` is None at the end. `keys` stand beside `documents`."""

    documents: list[Document]
    next_cursor: str | None
    keys: tuple[str, ...] = ()


class Database:
    """The one SQLite file behind all platforms; one connection, one lock, so that transactions never interleave."""

    def __init__(self, path: Path | None = None) -> None:
        """Without a path SQLite keeps a temporary file of its own: millions of documents need not fit in memory."""
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(path or "", check_same_thread=False, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL" if path else "PRAGMA journal_mode=MEMORY")
        self.connection.execute("PRAGMA synchronous=NORMAL" if path else "PRAGMA synchronous=OFF")
        self.connection.executescript(_SCHEMA)
        self._depth = 0

    def store(self, platform: str) -> "Store":
        """The part of the file that belongs to one platform."""
        return Store(self, platform)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, others wait; a transaction inside another joins it."""
        with self.lock:
            if self._depth == 0:
                self.connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self.connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self.connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file; a later call on any store raises sqlite3.ProgrammingError."""
        with self.lock:
            self.connection.close()


class Store:
    """Documents of one platform, in collections, ordered by key (text order). Safe to call from any thread."""

    def __init__(self, database: Database, platform: str) -> None:
        self._database = database
        self._platform = platform

    def transaction(self) -> AbstractContextManager[None]:
        """Several calls as one; see Database.transaction."""
        return self._database.transaction()

    def get(self, collection: str, key: str) -> Document | None:
        """The document, a copy of the caller's own, or None."""
        rows = self._rows(
            "SELECT body FROM documents WHERE platform=? AND collection=? AND key=?", self._platform, collection, key
        )
        return _decoded(rows[0][0]) if rows else None

    def put(self, collection: str, key: str, document: Document) -> None:
        """Insert or replace."""
        self.put_many(collection, [(key, document)])

    def put_many(self, collection: str, documents: Iterable[tuple[str, Document]]) -> int:
        """Insert or replace a stream of (key, document) in one transaction; answers how many."""
        rows = ((self._platform, collection, key, msgspec.json.encode(document)) for key, document in documents)
        with self._database.transaction():
            statement = "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)"
            return self._database.connection.executemany(statement, rows).rowcount

    def delete(self, collection: str, key: str) -> bool:
        """Whether there was something to delete."""
        return self._write(
            "DELETE FROM documents WHERE platform=? AND collection=? AND key=?", self._platform, collection, key
        )

    def clear(self, collection: str | None = None, prefix: str = "") -> None:
        """Delete all keys with the prefix in a collection, or everything of this platform, blobs and counters too."""
        if collection is not None:
            self._write(
                "DELETE FROM documents WHERE platform=? AND collection=? AND key>=? AND key<?",
                *(self._platform, collection, prefix, prefix + _AFTER_ALL_KEYS),
            )
            return
        with self._database.transaction():
            for table in ("documents", "blobs", "counters"):
                self._write(f"DELETE FROM {table} WHERE platform=?", self._platform)  # noqa: S608 - our own names

    def count(self, collection: str, prefix: str = "") -> int:
        """How many keys of the collection begin with the prefix."""
        found: int = self._rows(
            "SELECT count(*) FROM documents WHERE platform=? AND collection=? AND key>=? AND key<?",
            *(self._platform, collection, prefix, prefix + _AFTER_ALL_KEYS),
        )[0][0]
        return found

    def page(
        self, collection: str, cursor: str | None = None, limit: int = 100, *, prefix: str = "", reverse: bool = False
    ) -> Page:
        """Documents after the key `cursor`, before it with `reverse`; `next_cursor`: the last key if there is more."""
        lower, upper = prefix, prefix + _AFTER_ALL_KEYS
        if cursor is not None:
            lower, upper = (lower, min(upper, cursor)) if reverse else (max(lower, cursor + "\0"), upper)
        order = "DESC" if reverse else "ASC"
        rows = self._rows(
            f"SELECT key, body FROM documents WHERE platform=? AND collection=? AND key>=? AND key<? "  # noqa: S608 - `order` is one of two words
            f"ORDER BY key {order} LIMIT ?",
            *(self._platform, collection, lower, upper, limit + 1),
        )
        shown = rows[:limit]
        more = shown[-1][0] if shown and len(rows) > limit else None
        return Page([_decoded(body) for _, body in shown], more, tuple(key for key, _ in shown))

    def each(self, collection: str, prefix: str = "", after: str | None = None) -> Iterator[tuple[str, Document]]:
        """All (key, document) in key order, fetched in small pages so that nobody waits on a long walk."""
        cursor = after
        while True:
            page = self.page(collection, cursor, _WALK_STEP, prefix=prefix)
            yield from zip(page.keys, page.documents, strict=True)
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def next_number(self, name: str, step: int = 1) -> int:
        """1, 2, 3 and so on for each name; survives a restart, starts anew after `clear()`.

        With `step` so many numbers are taken at once, the answer is the last of them.
        """
        with self._database.transaction():
            self._write(
                "INSERT INTO counters VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = value + ?3",
                *(self._platform, name, step),
            )
            return self.last_number(name)

    def last_number(self, name: str) -> int:
        """The number given last under this name, 0 before the first."""
        rows = self._rows("SELECT value FROM counters WHERE platform=? AND name=?", self._platform, name)
        return int(rows[0][0]) if rows else 0

    def put_blob(self, key: str, content: bytes) -> None:
        """Keep bytes under a key; prefixes work as with documents, see `blobs`."""
        self._write("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)", self._platform, key, content)

    def get_blob(self, key: str) -> bytes | None:
        """The bytes, or None."""
        rows = self._rows("SELECT bytes FROM blobs WHERE platform=? AND key=?", self._platform, key)
        return bytes(rows[0][0]) if rows else None

    def blobs(self, prefix: str) -> list[str]:
        """Keys of all blobs with the prefix, in key order."""
        rows = self._rows(
            "SELECT key FROM blobs WHERE platform=? AND key>=? AND key<? ORDER BY key",
            *(self._platform, prefix, prefix + _AFTER_ALL_KEYS),
        )
        return [row[0] for row in rows]

    def delete_blob(self, key: str) -> bool:
        """Whether there was something to delete."""
        return self._write("DELETE FROM blobs WHERE platform=? AND key=?", self._platform, key)

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._database.lock:
            return self._database.connection.execute(statement, values).fetchall()

    def _write(self, statement: str, *values: object) -> bool:
        with self._database.lock:
            return self._database.connection.execute(statement, values).rowcount > 0


def _decoded(body: bytes) -> Document:
    document: Document = msgspec.json.decode(body)
    return document
