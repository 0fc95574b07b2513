"""What is amiss as rows and disk tell it: looked at by the clock, in as many queries for 10,000 connections as for one.

What does not live here: what those notice who do the work (tokens, limits, records), which raise alerts themselves, and
what a run notices at its end (`alerts.run_notes`).
"""

import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import and_, exists, func, or_, select

from patchbay import alerts, clock, providers, settings
from patchbay.alerts import notices, overdue
from patchbay.alerts.finding import Finding, title_of
from patchbay.models import (
    Alert,
    AlertKind,
    Connection,
    ConnectionState,
    Contact,
    Outcome,
    Role,
    Run,
    RunLog,
    RunStatus,
    Span,
    Statistic,
    User,
    db,
    transaction,
)

STUCK_AFTER = timedelta(hours=1)
LATE_AFTER = timedelta(minutes=15)
BACKLOG_AFTER = timedelta(minutes=5)
RATE_WINDOW = timedelta(hours=24)
RATE_RUNS, RATE_SHARE = 5, 0.2
ENDING_WITHIN = timedelta(days=60)
SEEN_FOR = timedelta(days=7)
"""How long a platform's word that something ends counts, when no answer repeats it."""

FULL_BYTES, FULL_SHARE, ROOMY_BYTES = 1_000_000_000, 0.05, 10_000_000_000
"""A disk is nearly full with less left than the first; or less than that share of it, and less than the last."""

INSTALLATION = "installation"


def look() -> None:
    """Raise what is amiss now, and close what no longer is; awaken what was put off. Each kind in a step of its own."""
    close_of_departed()
    for kind, find in _RULES.items():
        settle(kind, find())
    awaken()


def settle(kind: AlertKind, found: list[Finding]) -> None:
    """Let the open alerts of a kind be those that were found: new ones are raised, those not found closed."""
    amiss = {(one.user_id, one.subject_id): one for one in found}
    with transaction() as session:
        present = {
            (alert.user_id, alert.subject_id): alert
            for alert in session.scalars(select(Alert).where(Alert.kind == kind, Alert.is_open))
        }
        for key in sorted(amiss.keys() - present.keys()):
            one = amiss[key]
            if one.opens:
                alerts.raise_alert(
                    kind, user_id=one.user_id, subject_id=one.subject_id, connection_id=one.connection_id, **one.params
                )
        for key in sorted(present.keys() - amiss.keys()):
            alerts.close(present[key])


def close_of_departed() -> None:
    """Close what is open about connections that were disconnected: there is nothing left to mend."""
    gone = select(Connection.id).where(Connection.state == ConnectionState.DISCONNECTED)
    with transaction() as session:
        for alert in session.scalars(select(Alert).where(Alert.is_open, Alert.connection_id.in_(gone))):
            alerts.close(alert)


def awaken() -> None:
    """Remind of what was put off until now and still holds."""
    with transaction() as session:
        for alert in session.scalars(select(Alert).where(Alert.is_open, Alert.snoozed_until <= clock.now())):
            alert.snoozed_until = alert.read_at = None
            notices.after_awakening(alert)


def stuck_runs() -> list[Finding]:
    """Runs that work and come no further, and runs that were to go on and have not."""
    now = clock.now()
    line = select(func.max(RunLog.id)).where(RunLog.run_id == Run.id).correlate(Run).scalar_subquery()
    wrote = exists().where(RunLog.id == line, RunLog.at > now - STUCK_AFTER)
    answered = exists().where(
        Contact.connection_id == Run.connection_id,
        Contact.operation == Run.operation,
        Contact.answered_at > now - STUCK_AFTER,
    )
    still = and_(Run.status == RunStatus.RUNNING, Run.started_at < now - STUCK_AFTER, ~wrote, ~answered)
    late = and_(Run.status == RunStatus.WAITING, Run.resumes_at < now - LATE_AFTER)
    columns = (Run.id, Run.user_id, Run.connection_id, Run.integration_id, Run.operation, Run.status)
    statement = select(*columns, Run.started_at, Run.resumes_at).where(or_(still, late)).order_by(Run.id)
    found: dict[str, Finding] = {}  # one for a connection: when workers are down, many runs are late at once
    for row in db.session.execute(statement):
        is_late = row.status is RunStatus.WAITING
        since = row.resumes_at if is_late else row.started_at
        params = {"run": row.id, "operation": title_of(row.integration_id, row.operation), "since": clock.iso(since)}
        params["case"] = "waiting" if is_late else ""
        found.setdefault(row.connection_id, Finding(row.user_id, row.connection_id, row.connection_id, params))
    return list(found.values())


def failing_connections() -> list[Finding]:
    """Connections of whose runs within a day more than a fifth have failed, of five at least."""
    since = (clock.now() - RATE_WINDOW).replace(minute=0, second=0, microsecond=0)
    ends = (Outcome.RUN_SUCCEEDED, Outcome.RUN_FAILED)
    counted = (
        select(Statistic.user_id, Statistic.connection_id, Statistic.outcome, func.sum(Statistic.count))
        .where(Statistic.span == Span.HOUR, Statistic.starts_at > since, Statistic.outcome.in_(ends))
        .group_by(Statistic.user_id, Statistic.connection_id, Statistic.outcome)
    )
    sums: dict[tuple[str, str], dict[Outcome, int]] = {}
    for user_id, connection_id, outcome, count in db.session.execute(counted):
        sums.setdefault((user_id, connection_id), {})[outcome] = int(count)
    found = []
    for (user_id, connection_id), by_outcome in sums.items():
        failed, total = by_outcome.get(Outcome.RUN_FAILED, 0), sum(by_outcome.values())
        if total >= RATE_RUNS and failed > total * RATE_SHARE:
            params = {"failed": str(failed), "total": str(total)}
            found.append(Finding(user_id, connection_id, connection_id, params))
    return found


def old_backlog() -> list[Finding]:
    """For administrators: a run that nobody has taken up."""
    oldest = db.session.scalar(select(func.min(Run.created_at)).where(Run.status == RunStatus.QUEUED))
    if oldest is None or oldest > clock.now() - BACKLOG_AFTER:
        return []
    return _for_administrators(since=clock.iso(oldest))


def full_disk() -> list[Finding]:
    """For administrators: little room left in the home."""
    usage = shutil.disk_usage(settings.current().home)
    if usage.free >= FULL_BYTES and (usage.free >= usage.total * FULL_SHARE or usage.free >= ROOMY_BYTES):
        return []
    return _for_administrators(free=f"{usage.free // 1_000_000} MB")


def ending_interfaces() -> list[Finding]:
    """Connections whose provider declares a near end of what we use, or whose platform has announced one lately."""
    today = clock.now().date()
    ending = {
        provider.key: provider.api_ends
        for provider in providers.all()
        if provider.api_ends is not None and provider.api_ends <= today + ENDING_WITHIN
    }
    using = select(Connection.id, Connection.user_id, Connection.integration_id).where(
        Connection.integration_id.in_(ending), Connection.state != ConnectionState.DISCONNECTED
    )
    found = [
        Finding(row.user_id, f"{row.id}:declared", row.id, {"until": _midnight(ending[row.integration_id].isoformat())})
        for row in (db.session.execute(using) if ending else ())
    ]
    heard = select(Alert.user_id, Alert.subject_id).where(
        Alert.kind == AlertKind.API_ENDING,
        Alert.is_open,
        Alert.subject_id.endswith(":heard"),
        Alert.last_raised_at > clock.now() - SEEN_FOR,
    )
    return found + [Finding(row.user_id, row.subject_id) for row in db.session.execute(heard)]


def _for_administrators(**params: str) -> list[Finding]:
    admins = db.session.scalars(select(User.id).where(User.role == Role.ADMIN, User.is_active))
    return [Finding(user_id, INSTALLATION, None, params) for user_id in admins]


def _midnight(day: str) -> str:
    return f"{day}T00:00:00+00:00"


_RULES: Mapping[AlertKind, Callable[[], list[Finding]]] = {
    AlertKind.NO_SUCCESS: overdue.find,
    AlertKind.ERROR_RATE: failing_connections,
    AlertKind.RUN_STUCK: stuck_runs,
    AlertKind.BACKLOG_OLD: old_backlog,
    AlertKind.DISK_LOW: full_disk,
    AlertKind.API_ENDING: ending_interfaces,
}
