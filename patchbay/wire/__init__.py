"""The wire log: what was sent for a run and what came back, to read, to search, to try again by hand.

Recording lives in `recording`, what may be kept in `shown`, carrying a run out again from its record in `replay`.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import defer

from patchbay.errors import NotFound
from patchbay.models import WireEntry, db, transaction
from patchbay.redaction import MASK, is_secret_name
from patchbay.wire.recording import WireLog

__all__ = ["OUTCOMES", "Query", "WireLog", "as_curl", "forget", "get", "page"]

_PLACE = re.compile(r"[0-9]{1,9}")
_BUILT_IN = frozenset({"host", "content-length", "connection", "accept-encoding", "user-agent"})


@dataclass(frozen=True)
class Query:
    """Which entries to list: of one user's runs, narrowed by run, platform, words in address or bodies, and by how
    they went: "ok" (below 400), "4xx", "5xx", "none" (no answer) or "" for all."""

    user_id: str
    run_id: str | None = None
    integration_id: str | None = None
    search: str | None = None
    outcome: str = ""


OUTCOMES: Mapping[str, ColumnElement[bool]] = {
    "ok": WireEntry.status < 400,
    "4xx": WireEntry.status.between(400, 499),
    "5xx": WireEntry.status >= 500,
    "none": WireEntry.status.is_(None),
}


def page(query: Query, *, cursor: str | None, limit: int) -> tuple[list[WireEntry], str | None]:
    """Entries behind `cursor` without their whole answers, and the cursor of the next page: a run's in their order,
    of all runs the newest first."""
    statement = select(WireEntry).options(defer(WireEntry.whole_sealed)).where(*_narrowed(query)).limit(limit + 1)
    if query.run_id:
        behind = int(cursor) if cursor and _PLACE.fullmatch(cursor) else 0
        statement = statement.where(WireEntry.number > behind).order_by(WireEntry.number)
    elif cursor:
        statement = statement.where(WireEntry.id < cursor)
    found = list(db.session.scalars(statement if query.run_id else statement.order_by(WireEntry.id.desc())))
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], str(last.number) if query.run_id else last.id


def _narrowed(query: Query) -> Iterator[ColumnElement[bool]]:
    yield WireEntry.user_id == query.user_id
    if query.run_id:
        yield WireEntry.run_id == query.run_id
    if query.integration_id:
        yield WireEntry.integration_id == query.integration_id
    if query.search:
        words = (WireEntry.url, WireEntry.request_body, WireEntry.response_body)
        yield or_(*(text.icontains(query.search, autoescape=True) for text in words))
    if query.outcome in OUTCOMES:
        yield OUTCOMES[query.outcome]


def get(user_id: str, entry_id: str) -> WireEntry:
    """One entry of the user's. Raises NotFound."""
    entry = db.session.get(WireEntry, entry_id)
    if entry is None or entry.user_id != user_id:
        raise NotFound(entry_id)
    return entry


def as_curl(entry: WireEntry) -> str:
    """The request as a command for a shell, with variables in the place of secrets."""
    parts = ["curl", "-X", entry.method, _quoted(entry.url)]
    for name, value in entry.request_headers.items():
        if name.lower() not in _BUILT_IN:
            parts += ["-H", _header(name, value)]
    if entry.request_body:
        parts += ["--data-binary", _quoted(entry.request_body)]
    command = " ".join(parts)
    return f"{command}  # the body was cut" if entry.request_bytes > len(entry.request_body.encode()) else command


def forget(before: datetime, limit: int = 500) -> int:
    """Delete entries from before the moment; returns how many, at most `limit`."""
    with transaction() as session:
        old = list(
            session.scalars(select(WireEntry.id).where(WireEntry.at < before).order_by(WireEntry.at).limit(limit))
        )
        session.execute(
            delete(WireEntry).where(WireEntry.id.in_(old)), execution_options={"synchronize_session": False}
        )
    return len(old)


def _header(name: str, value: str) -> str:
    """A header whose secret comes from a variable of the reader's own."""
    if MASK in value or is_secret_name(name):
        scheme = value.partition(" ")[0] + " " if value.startswith(("Bearer ", "Basic ")) else ""
        scheme = scheme or ("Bearer " if name.lower() == "authorization" else "")
        return f'"{name}: {scheme}$ACCESS_TOKEN"'
    return shlex.quote(f"{name}: {value}")


def _quoted(text: str) -> str:
    """Quoted for a shell, with a variable wherever something was masked."""
    return '"$SECRET"'.join(shlex.quote(part) if part else "" for part in text.split(MASK)) or "''"
