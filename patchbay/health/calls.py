"""How a run's calls and the run itself went: noted in memory while it goes on, written with the run's own steps.

Reading them lives in `figures`, adding old hours up in `ageing`. Calls that belong to no run are not counted.
"""

import time
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy.dialects import postgresql, sqlite

from patchbay import clock, counters
from patchbay.client import Exchange
from patchbay.errors import (
    CredentialsRefused,
    GrantExpired,
    NetworkError,
    NotFoundThere,
    ProviderUnavailable,
    QuotaFull,
    RateLimited,
    ScopeMissing,
    named,
)
from patchbay.health.durations import bucket_of
from patchbay.models import Base, Contact, Outcome, Run, RunStatus, Span, Statistic, db

WRITTEN_EVERY_S = 10.0
"""What a killed run has not written yet is lost: so much at most."""

_PASSING = (NetworkError, ProviderUnavailable)
_OWNERS = (CredentialsRefused, GrantExpired, ScopeMissing, NotFoundThere, QuotaFull)
_ENDS = {RunStatus.SUCCEEDED: Outcome.RUN_SUCCEEDED, RunStatus.FAILED: Outcome.RUN_FAILED}


class CallLog:
    """Listens to one claim of a run (`runs.listening.Listener`)."""

    def __init__(self, run: Run) -> None:
        self._user_id, self._connection_id, self._operation = run.user_id, run.connection_id, run.operation
        self._integration_id = run.integration_id
        self._noted: Counter[tuple[datetime, Outcome, int]] = Counter()
        self._lasted_ms = 0
        self._answered_at: datetime | None = None
        self._written_at = time.monotonic()

    def exchanged(self, exchange: Exchange) -> None:
        """Note how long the call took and what came of it. A token's refresh is no call of the operation's."""
        if exchange.is_refresh:
            return
        outcome = outcome_of(exchange.error)
        self._noted[hour_of(exchange.started_at), outcome, bucket_of(exchange.duration_ms)] += 1
        self._lasted_ms += exchange.duration_ms
        if exchange.status is not None:
            self._answered_at = exchange.started_at + timedelta(milliseconds=exchange.duration_ms)

    def write(self, run: Run) -> None:
        """Write what was noted, when the run has ended, waits, or the last time is long ago."""
        if run.status is RunStatus.RUNNING and time.monotonic() - self._written_at < WRITTEN_EVERY_S:
            return
        contact = {"answered_at": self._answered_at}
        if run.status in _ENDS:
            at = run.ended_at or clock.now()
            length = at - (run.started_at or at)
            self._noted[hour_of(at), _ENDS[run.status], bucket_of(length / timedelta(milliseconds=1))] += 1
            contact["succeeded_at" if run.status is RunStatus.SUCCEEDED else "failed_at"] = at
            contact["changed_at"] = at if run.count_created or run.count_updated or run.count_deleted else None
        self._add_up()
        self._touch({name: at for name, at in contact.items() if at is not None})
        self._written_at = time.monotonic()

    def _add_up(self) -> None:
        rows = [
            {
                "connection_id": self._connection_id,
                "operation": self._operation,
                "span": Span.HOUR,
                "starts_at": starts_at,
                "outcome": outcome,
                "bucket": bucket,
                "user_id": self._user_id,
                "count": count,
            }
            for (starts_at, outcome, bucket), count in sorted(self._noted.items())  # one order: no two may deadlock
        ]
        add_up(rows)
        for (_, outcome, bucket), count in self._noted.items():
            name = "runs" if outcome in _ENDS.values() else "calls"
            labels = {"provider": self._integration_id, "outcome": outcome.value, "bucket": str(bucket)}
            counters.add(name, count, **labels)
        if self._lasted_ms:
            counters.add("call_milliseconds", self._lasted_ms, provider=self._integration_id)
        self._noted.clear()
        self._lasted_ms = 0

    def _touch(self, changed: dict[str, datetime]) -> None:
        if not changed:
            return
        key = {"connection_id": self._connection_id, "operation": self._operation}
        statement = _insert(Contact).values(key | {"user_id": self._user_id} | changed)
        db.session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))


def add_up(rows: list[dict[str, object]]) -> None:
    """Add these rows of statistics to what is there, in the caller's transaction."""
    if not rows:
        return
    statement = _insert(Statistic)
    key = [column.name for column in Statistic.__table__.primary_key]
    added = {"count": Statistic.count + statement.excluded.count}
    db.session.execute(statement.on_conflict_do_update(index_elements=key, set_=added), rows)


def outcome_of(error_kind: str) -> Outcome:
    """In which of the classes of failures an error belongs, given the name of its class; "" is none."""
    if not error_kind:
        return Outcome.OK
    error = named(error_kind)
    if issubclass(error, RateLimited):
        return Outcome.THROTTLED
    if issubclass(error, _PASSING):
        return Outcome.PASSING
    return Outcome.OWNERS if issubclass(error, _OWNERS) else Outcome.OURS


def hour_of(moment: datetime) -> datetime:
    """The hour (UTC) in which the moment lies."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _insert(table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """SQLite and PostgreSQL both know ON CONFLICT, and SQLAlchemy has it in their dialects alone."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)
