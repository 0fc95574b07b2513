"""What a platform received: one row for each request, numbered, without any secret.

Which requests count and what the rows say of operation and account comes from the callers.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlencode

from sandbox.platform import Description
from sandbox.store import Document, Store

KEPT_ROWS = 10_000
_HIDDEN = "***"
_SECRET_PARAMETERS = frozenset(
    {"access_token", "client_secret", "code", "code_challenge", "code_verifier", "hmac", "id_token", "key"}
    | {"oauth_token", "password", "refresh_token", "session", "signature", "state", "token", "upload_id"}
)


class Ledger:
    """The rows of one platform; older ones than the last 10,000 are dropped, numbers keep counting."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, method: str, host: str, path: str, query: str, description: Description) -> int:
        """Write the row of a request that has just come in, as yet without status; answers its number."""
        number = self._store.next_number("requests")
        row: Document = {
            "n": number,
            "at": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "method": method,
            "host": host,
            "path": path,
            "query": query,
            "operation": description.operation,
            "grantType": description.grant_type,
            "status": None,
            "tokenTail": description.token_tail,
            "account": description.account,
            "fault": None,
        }
        with self._store.transaction():
            self._store.put("requests", _key(number), row)
            self._store.delete("requests", _key(number - KEPT_ROWS))
        return number

    def close(self, number: int, status: int | None, fault: str | None) -> None:
        """Note how the request ended; status None says that the connection was dropped."""
        with self._store.transaction():
            row = self._store.get("requests", _key(number))
            if row is not None:  # a reset came in between
                self._store.put("requests", _key(number), row | {"status": status, "fault": fault})

    def since(self, number: int, limit: int) -> list[Document]:
        """Up to `limit` rows after a number, oldest first."""
        return self._store.page("requests", _key(number), limit).documents

    def latest(self, limit: int) -> list[Document]:
        """The newest rows, newest first."""
        return self._store.page("requests", None, limit, reverse=True).documents

    def clear(self) -> None:
        """Start again at 0."""
        self._store.clear()


def redacted(parameters: Iterable[tuple[str, str]], also: frozenset[str] = frozenset()) -> str:
    """A query string in which secrets, codes and state are `***`, and what a platform puts them into `also`."""
    hidden = _SECRET_PARAMETERS | also
    shown = [(name, _HIDDEN if name.lower() in hidden else value) for name, value in parameters]
    return urlencode(shown, safe="*/:,'() ").replace(" ", "+")


def _key(number: int) -> str:
    return f"{max(number, 0):012d}"
