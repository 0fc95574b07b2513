"""Reading the statistics: success rates, lengths of calls, hours as a line; in a constant number of queries.

What they say about a connection's state is decided in `states`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from patchbay import clock
from patchbay.health.calls import hour_of
from patchbay.health.durations import Durations
from patchbay.models import Connection, Contact, Outcome, Span, Statistic, db

RUNS = frozenset({Outcome.RUN_SUCCEEDED, Outcome.RUN_FAILED})
FAILURES = frozenset({Outcome.PASSING, Outcome.OWNERS, Outcome.OURS})
HOURS = 24


@dataclass(frozen=True)
class Figures:
    """What was counted over a stretch of time, of a connection or one of its operations."""

    counts: Mapping[Outcome, int] = field(default_factory=dict)
    durations: Durations = field(default_factory=Durations)

    @property
    def calls(self) -> int:
        """Requests that were sent, repeated ones and those that met a limit included."""
        return sum(count for outcome, count in self.counts.items() if outcome not in RUNS)

    @property
    def failures(self) -> int:
        """Calls that came to nothing; being asked to slow down is no failure."""
        return sum(self.counts.get(outcome, 0) for outcome in FAILURES)

    @classmethod
    def added(cls, several: Sequence["Figures"]) -> "Figures":
        """The figures of several together."""
        counts: dict[Outcome, int] = {}
        for one in several:
            for outcome, count in one.counts.items():
                counts[outcome] = counts.get(outcome, 0) + count
        return cls(counts, Durations.added(pair for one in several for pair in one.durations.counts.items()))

    @property
    def failure_rate(self) -> float | None:
        """The share of calls that failed; None without calls."""
        return self.failures / self.calls if self.calls else None

    @property
    def success_rate(self) -> float | None:
        """The share of calls that did not fail; None without calls."""
        return 1 - self.failures / self.calls if self.calls else None

    @property
    def availability(self) -> float | None:
        """The share of calls that the platform answered as a platform that works; None without calls."""
        return 1 - self.counts.get(Outcome.PASSING, 0) / self.calls if self.calls else None

    @property
    def runs(self) -> int:
        """Runs that ended by themselves, well or not."""
        return sum(self.counts.get(outcome, 0) for outcome in RUNS)

    @property
    def failed_runs(self) -> int:
        """Runs that failed."""
        return self.counts.get(Outcome.RUN_FAILED, 0)

    @property
    def median_ms(self) -> float | None:
        """Half of the calls took no longer."""
        return self.durations.within_ms(0.5)

    @property
    def p95_ms(self) -> float | None:
        """Of twenty calls, nineteen took no longer."""
        return self.durations.within_ms(0.95)


@dataclass(frozen=True)
class Hour:
    """One hour of the last day: when it began, and how its calls went; `success_rate` None without calls."""

    starts_at: datetime
    calls: int
    success_rate: float | None


@dataclass(frozen=True)
class Reached:
    """When a connection, or one of its operations, last had an answer, ended well, brought a change, failed."""

    answered_at: datetime | None = None
    succeeded_at: datetime | None = None
    changed_at: datetime | None = None
    failed_at: datetime | None = None


def of_connections(user_id: str, since: datetime) -> dict[str, Figures]:
    """The figures of each of the user's connections since that moment, the start of an hour; one query."""
    return _figures(Statistic.connection_id, (Statistic.user_id == user_id, *_hours(since)))


def of_operations(connection: Connection, since: datetime) -> dict[str, Figures]:
    """The figures of one connection, by operation; one query."""
    is_its = (Statistic.user_id == connection.user_id, Statistic.connection_id == connection.id)
    return _figures(Statistic.operation, (*is_its, *_hours(since)))


def last_day(user_id: str) -> dict[str, list[Hour]]:
    """The last 24 hours of each of the user's connections that made calls, oldest first; one query."""
    moments = _last_hours()
    statement = (
        select(Statistic.connection_id, Statistic.starts_at, Statistic.outcome, func.sum(Statistic.count))
        .where(
            Statistic.user_id == user_id,
            *_hours(moments[0]),
            Statistic.outcome.not_in(RUNS),
        )
        .group_by(Statistic.connection_id, Statistic.starts_at, Statistic.outcome)
    )
    counted: dict[tuple[str, datetime], dict[Outcome, int]] = {}
    for connection_id, starts_at, outcome, count in db.session.execute(statement):
        counted.setdefault((connection_id, starts_at), {})[outcome] = count
    return {
        connection_id: [_hour(moment, Figures(counted.get((connection_id, moment), {}))) for moment in moments]
        for connection_id in {connection_id for connection_id, _ in counted}
    }


def silent_day() -> list[Hour]:
    """The last 24 hours of a connection that made no call."""
    return [_hour(moment, Figures()) for moment in _last_hours()]


def reached(user_id: str) -> dict[str, Reached]:
    """When each of the user's connections was last reached, whatever the operation; one query."""
    statement = (
        select(Contact.connection_id, *(func.max(column) for column in _MOMENTS))
        .where(Contact.user_id == user_id)
        .group_by(Contact.connection_id)
    )
    return {name: Reached(*moments) for name, *moments in db.session.execute(statement)}


def reached_by_operation(connection: Connection) -> dict[str, Reached]:
    """When each operation of a connection was last reached; one query."""
    statement = select(Contact.operation, *_MOMENTS).where(Contact.connection_id == connection.id)
    return {name: Reached(*moments) for name, *moments in db.session.execute(statement)}


_MOMENTS = (Contact.answered_at, Contact.succeeded_at, Contact.changed_at, Contact.failed_at)


def _hours(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return Statistic.span == Span.HOUR, Statistic.starts_at >= since


def _figures(by: InstrumentedAttribute[str], conditions: Sequence[ColumnElement[bool]]) -> dict[str, Figures]:
    statement = (
        select(by, Statistic.outcome, Statistic.bucket, func.sum(Statistic.count))
        .where(*conditions)
        .group_by(by, Statistic.outcome, Statistic.bucket)
    )
    counts: dict[str, dict[Outcome, int]] = {}
    lengths: dict[str, list[tuple[int, int]]] = {}
    for name, outcome, bucket, count in db.session.execute(statement):
        of = counts.setdefault(name, {})
        of[outcome] = of.get(outcome, 0) + count
        if outcome not in RUNS:
            lengths.setdefault(name, []).append((bucket, count))
    return {name: Figures(of, Durations.added(lengths.get(name, ()))) for name, of in counts.items()}


def _last_hours() -> list[datetime]:
    present = hour_of(clock.now())
    return [present - timedelta(hours=ago) for ago in reversed(range(HOURS))]


def _hour(moment: datetime, figures: Figures) -> Hour:
    return Hour(moment, figures.calls, figures.success_rate)
