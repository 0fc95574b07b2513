"""What a monitoring system reads: the state of runs, queue, processes, circuits and disk, and counts of what happened.

The present state is asked of the database at each reading, which is right however many processes there are and whatever
was restarted; what only grows is kept in Redis (`patchbay.counters`). Files per process, the client library's own way,
would grow with every job, for each runs in a process of its own. No label holds anything of a user's.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from patchbay import __version__, clock, counters, providers, queue, settings
from patchbay.counters import Name
from patchbay.health.durations import LAST, bound_ms
from patchbay.limits import breakers
from patchbay.limits.breakers import Breaker
from patchbay.models import OPEN, Alert, Connection, Heartbeat, Run, RunStatus, db
from patchbay.models.heartbeat import AWAKE

CONTENT_TYPE = CONTENT_TYPE_LATEST
BOUNDS = range(4, 36, 2)
"""The buckets that are told: from 4 ms to 131 s, each bound twice the one before."""


def text_of_all() -> bytes:
    """All metrics in Prometheus' text format; without a database or Redis, what the other knows."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Installation())
    return generate_latest(registry)


class _Installation(Collector):
    """Asked anew at each reading."""

    def collect(self) -> Iterator[Metric]:
        began = time.monotonic()
        yield _gauge("patchbay_build", "Which version runs; always 1.", ("version",), [((__version__,), 1)])
        yield _gauge("patchbay_home_free_bytes", "Room on the disk of the home.", (), [((), _free_bytes())])
        yield from _from_database()
        yield from _from_redis()
        took = time.monotonic() - began
        yield _gauge("patchbay_metrics_seconds", "How long it took to find these figures.", (), [((), took)])


def _from_database() -> Iterator[Metric]:
    found: list[Metric] = []
    with suppress(SQLAlchemyError):
        found = [make() for make in _READINGS]
    is_up = len(found) == len(_READINGS)
    yield _gauge("patchbay_database_up", "Whether the database answers.", (), [((), int(is_up))])
    yield from found


def _open_runs() -> Metric:
    counted = select(Run.status, func.count()).where(Run.status.in_(OPEN)).group_by(Run.status)
    values = {(status.value,): 0 for status in OPEN} | {(row[0].value,): row[1] for row in db.session.execute(counted)}
    return _gauge("patchbay_open_runs", "Runs that have not ended, by status.", ("status",), values.items())


def _oldest_queued() -> Metric:
    oldest = db.session.scalar(select(func.min(Run.created_at)).where(Run.status == RunStatus.QUEUED))
    age_s = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0
    return _gauge(
        "patchbay_oldest_queued_seconds", "How long the oldest queued run has been waiting.", (), [((), age_s)]
    )


def _connections() -> Metric:
    counted = select(Connection.integration_id, Connection.state, func.count()).group_by(
        Connection.integration_id, Connection.state
    )
    values = {(key, state.value): count for key, state, count in db.session.execute(counted)}
    return _gauge("patchbay_connections", "Connections, by provider and state.", ("provider", "state"), values.items())


def _open_alerts() -> Metric:
    counted = select(Alert.kind, func.count()).where(Alert.is_open).group_by(Alert.kind)
    values = {(kind.value,): count for kind, count in db.session.execute(counted)}
    return _gauge("patchbay_open_alerts", "Alerts that are open, by kind.", ("kind",), values.items())


def _heartbeats() -> Metric:
    now = clock.now()
    beats = db.session.execute(select(Heartbeat.name, Heartbeat.at).where(Heartbeat.name != AWAKE))
    ages = {(name,): max(0.0, (now - at).total_seconds()) for name, at in beats}
    return _gauge(
        "patchbay_heartbeat_age_seconds", "Time since a process gave a sign of life.", ("process",), ages.items()
    )


def _database_size() -> Metric:
    is_sqlite = db.engine.dialect.name == "sqlite"
    size = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    value = db.session.scalar(text(size)) or 0
    return _gauge("patchbay_database_size_bytes", "How large the database is.", (), [((), value)])


_READINGS: tuple[Callable[[], Metric], ...] = (
    _open_runs,
    _oldest_queued,
    _connections,
    _open_alerts,
    _heartbeats,
    _database_size,
)


def _from_redis() -> Iterator[Metric]:
    counted, depths = counters.read(), queue.depths()
    is_up = counted is not None and depths is not None
    yield _gauge("patchbay_redis_up", "Whether Redis answers.", (), [((), int(is_up))])
    values = {(name,): depth for name, depth in (depths or {}).items()}
    yield _gauge("patchbay_queue_depth", "Hints that wait for a worker, by queue.", ("queue",), values.items())
    yield _circuits()
    yield from _totals(counted or {})
    yield _durations(counted or {})


def _circuits() -> Metric:
    """Breakers of whole platforms and of their logins; those of single connections are their owners' business."""
    asked = [
        Breaker(scope, one.key, is_sandbox)
        for one in providers.all()
        for scope in ("platform", "login")
        for is_sandbox in (False, True)
        if one.auth
    ]
    values: dict[tuple[str, str], float] = {}
    for state in breakers.states(asked):
        key = (state.breaker.provider_key, state.breaker.scope)
        values[key] = max(values.get(key, 0), int(state.is_open))
    told = "Whether a platform, or its login, is left alone because it kept failing."
    return _gauge("patchbay_circuit_open", told, ("provider", "scope"), values.items())


def _totals(counted: dict[Name, int]) -> Iterator[Metric]:
    for name, told in (
        ("calls", "Requests to platforms, by how they ended."),
        ("runs", "Runs that ended by themselves."),
        ("refreshes", "Renewals of logins."),
    ):
        family = CounterMetricFamily(f"patchbay_{name}", told, labels=("provider", "outcome"))
        for labels, amount in _summed(counted, name, ("provider", "outcome")).items():
            family.add_metric(labels, amount)
        yield family


def _durations(counted: dict[Name, int]) -> Metric:
    """Calls by length, cumulated as Prometheus wants it."""
    family = HistogramMetricFamily("patchbay_call_duration_seconds", "Lengths of requests.", labels=("provider",))
    lengths = _summed(counted, "call_milliseconds", ("provider",))
    by_bucket = _summed(counted, "calls", ("provider", "bucket"))
    for provider in sorted({labels[0] for labels in by_bucket}):
        counts = {int(bucket): count for (of, bucket), count in by_bucket.items() if of == provider}
        buckets = [(f"{bound_ms(bound) / 1000:g}", _up_to(counts, bound)) for bound in BOUNDS]
        buckets.append(("+Inf", _up_to(counts, LAST)))
        family.add_metric((provider,), buckets, sum_value=lengths.get((provider,), 0) / 1000)
    return family


def _up_to(counts: dict[int, int], bound: int) -> int:
    return sum(count for bucket, count in counts.items() if bucket <= bound)


def _summed(counted: dict[Name, int], name: str, by: tuple[str, ...]) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    for (its_name, pairs), amount in counted.items():
        if its_name == name:
            labels = dict(pairs)
            key = tuple(labels.get(label, "") for label in by)
            found[key] = found.get(key, 0) + amount
    return found


def _free_bytes() -> int:
    return shutil.disk_usage(Path(settings.current().home)).free


def _gauge(name: str, told: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]) -> Metric:
    family = GaugeMetricFamily(name, told, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family
