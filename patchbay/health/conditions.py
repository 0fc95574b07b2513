"""How each of a user's connections is: its state with the reason, figures, hours, quota, what comes next.

Gathers facts in a constant number of queries, whatever the number of connections; `states` judges them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, select

from patchbay import clock, limits, providers
from patchbay.health import figures
from patchbay.health.calls import hour_of
from patchbay.health.figures import Figures, Hour, Reached
from patchbay.health.states import EndedRun, Facts, OpenRun, State, Verdict, judge
from patchbay.limits import Headroom
from patchbay.limits.breakers import State as Circuit
from patchbay.models import (
    OPEN,
    WITHOUT_CONTENT,
    Alert,
    AlertKind,
    Connection,
    ConnectionState,
    Run,
    RunStatus,
    Schedule,
    db,
)
from patchbay.spec import Provider

T = TypeVar("T", Run, Schedule)

A_DAY = timedelta(hours=figures.HOURS - 1)
A_WEEK = timedelta(days=7)
AVAILABILITY_TARGET = 0.999
LONGEST_CALL_TARGET_MS = 2000.0
FAILURES_TARGET = 0.01
MOST_OPEN_RUNS = 500


@dataclass(frozen=True)
class Condition:
    """One connection: what state it is in, the figures of the last 24 hours, and what comes next.

    `headrooms` are the limits of its account that something is known of, `circuits` the breakers that have a say in it.
    """

    connection: Connection
    provider: Provider
    verdict: Verdict
    figures: Figures
    hours: Sequence[Hour]
    reached: Reached
    next_at: datetime | None
    headrooms: Sequence[Headroom] = ()
    circuits: Sequence[Circuit] = ()


@dataclass(frozen=True)
class OperationHealth:
    """One operation of a connection over the last seven days. `title` is a message id."""

    name: str
    title: str
    figures: Figures
    reached: Reached


def of_user(user_id: str) -> list[Condition]:
    """All of the user's connections: what waits for them first, what works last, then by name."""
    found = _conditions(user_id, Connection.user_id == user_id)
    order = list(State)
    return sorted(found, key=lambda one: (order.index(one.verdict.state), one.provider.name.lower()))


def of_connection(connection: Connection) -> Condition:
    """The condition of one connection that is not disconnected."""
    return _conditions(connection.user_id, Connection.id == connection.id)[0]


def operations(connection: Connection) -> list[OperationHealth]:
    """Every operation that was asked for within seven days, or ever ended, by name."""
    provider = providers.get(connection.integration_id)
    counted = figures.of_operations(connection, hour_of(clock.now() - A_WEEK))
    reached = figures.reached_by_operation(connection)
    return [
        OperationHealth(name, _title(provider, name), counted.get(name, Figures()), reached.get(name, Reached()))
        for name in sorted(counted.keys() | reached.keys())
    ]


def _conditions(user_id: str, which: ColumnElement[bool]) -> list[Condition]:
    is_live = Connection.state != ConnectionState.DISCONNECTED
    connections = list(db.session.scalars(select(Connection).where(which, is_live)))
    counted = figures.of_connections(user_id, hour_of(clock.now()) - A_DAY)
    hours, reached = figures.last_day(user_id), figures.reached(user_id)
    open_runs, ended = _open_runs(user_id), _ended_imports(connections)
    schedules, alerts = _schedules(user_id), _alerts(user_id)
    headrooms, circuits = limits.headrooms([limits.of(one) for one in connections]), _circuits(connections)
    return [
        Condition(
            connection=one,
            provider=providers.get(one.integration_id),
            verdict=judge(
                _facts(
                    one,
                    open_runs[one.id],
                    ended.get(one.id),
                    schedules[one.id],
                    frozenset(alerts[one.id]),
                    reached.get(one.id),
                    circuits[one.id],
                )
            ),
            figures=counted.get(one.id, Figures()),
            hours=hours.get(one.id) or figures.silent_day(),
            reached=reached.get(one.id, Reached()),
            next_at=_next_of(one, schedules[one.id]),
            headrooms=headrooms[limits.of(one)],
            circuits=circuits[one.id],
        )
        for one in connections
    ]


def _facts(
    connection: Connection,
    open_runs: Sequence[Run],
    ended: Run | None,
    schedules: Sequence[Schedule],
    alerts: frozenset[AlertKind],
    reached: Reached | None,
    circuits: Sequence[Circuit],
) -> Facts:
    return Facts(
        connection=connection.state,
        lacks=_lacks(connection),
        choices=_choices(connection),
        open_runs=tuple(OpenRun(run.id, run.status, run.wait_reason, run.resumes_at) for run in open_runs),
        closed_until=next((one.retry_at or clock.now() for one in circuits if one.is_open), None),
        ended=EndedRun(ended.id, ended.operation, ended.error_kind, ended.error_params) if ended else None,
        is_paused=bool(schedules) and all(one.paused_at for one in schedules),
        next_at=_next_of(connection, schedules),
        alerts=alerts,
        was_reached=reached is not None and reached.answered_at is not None,
    )


def _lacks(connection: Connection) -> tuple[str, ...]:
    """What was asked for and is not granted, but for what the owner may leave out (titles, message ids)."""
    auth = providers.get(connection.integration_id).auth
    missing = auth.missing(frozenset(connection.scopes), connection.settings) if auth else ()
    return tuple(scope.allows for scope in missing if not (scope.is_optional or scope.asked_with))


def _choices(connection: Connection) -> tuple[str, ...]:
    """Labels (message ids) of what must be chosen before the connection is of use."""
    return tuple(field.label for field in providers.get(connection.integration_id).unchosen(connection.settings))


def _open_runs(user_id: str) -> dict[str, list[Run]]:
    """Those that wait first ("waiting" is the last word of the three): a batch may have asked for many more."""
    mine = select(Run).where(Run.user_id == user_id, Run.status.in_(OPEN)).options(*WITHOUT_CONTENT)
    return _by_connection(db.session.scalars(mine.order_by(Run.status.desc(), Run.id).limit(MOST_OPEN_RUNS)))


def _ended_imports(connections: Sequence[Connection]) -> dict[str, Run]:
    """The newest import of each connection that ended by itself."""
    newest = (
        select(Run.id)
        .where(
            Run.connection_id == Connection.id,
            Run.stream.is_not(None),
            Run.status.in_((RunStatus.SUCCEEDED, RunStatus.FAILED)),
        )
        .order_by(Run.id.desc())
        .limit(1)
        .correlate(Connection)
        .scalar_subquery()
    )
    statement = (
        select(Run)
        .join(Connection, Run.id == newest)
        .where(Connection.id.in_([one.id for one in connections]))
        .options(*WITHOUT_CONTENT)
    )
    return {run.connection_id: run for run in db.session.scalars(statement)}


def _schedules(user_id: str) -> dict[str, list[Schedule]]:
    return _by_connection(db.session.scalars(select(Schedule).where(Schedule.user_id == user_id)))


def _alerts(user_id: str) -> dict[str, list[AlertKind]]:
    statement = select(Alert.connection_id, Alert.kind).where(
        Alert.user_id == user_id, Alert.is_open, Alert.connection_id.is_not(None)
    )
    found: dict[str, list[AlertKind]] = defaultdict(list)
    for connection_id, kind in db.session.execute(statement):
        found[connection_id or ""].append(kind)
    return found


def _circuits(connections: Sequence[Connection]) -> dict[str, list[Circuit]]:
    """The breakers of each connection, in one question to Redis."""
    places = [
        (one.id, breaker)
        for one in connections
        for breaker in limits.breakers.of_connection(one.integration_id, one.id, is_sandbox=one.is_sandbox)
    ]
    found: dict[str, list[Circuit]] = defaultdict(list)
    states = limits.breakers.states([breaker for _, breaker in places])
    for (connection_id, _), state in zip(places, states, strict=True):
        found[connection_id].append(state)
    return found


def _next_of(connection: Connection, schedules: Sequence[Schedule]) -> datetime | None:
    """When the next of them starts; None: nothing will, as while its owner has to reconnect."""
    if not connection.is_connected:
        return None
    return min((one.next_at for one in schedules if one.next_at is not None), default=None)


def _by_connection(rows: Iterable[T]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for row in rows:
        found[row.connection_id].append(row)
    return found


def _title(provider: Provider, name: str) -> str:
    operation = provider.operation(name)
    return operation.title if operation is not None else name
