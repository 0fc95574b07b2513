"""What the owner is told of a login that has ended or is about to: alerts, joined to the transaction that knows it."""

from datetime import datetime, timedelta

from patchbay import alerts, clock
from patchbay.models import Connection, transaction

EARLY = timedelta(days=7)
LATE = timedelta(days=1)


def is_near(ends_at: datetime | None) -> bool:
    """Whether a login ends so soon that its owner was told."""
    return ends_at is not None and ends_at <= clock.now() + EARLY


def ends_soon(connection: Connection) -> None:
    """The login ends and cannot be renewed here: told once a week before, and once more on the last day."""
    ends_at = connection.login_ends_at
    if ends_at is None:
        return
    is_last_day = ends_at <= clock.now() + LATE
    alerts.raise_alert(
        alerts.Kind.LOGIN_ENDING,
        user_id=connection.user_id,
        subject_id=_last_day(connection) if is_last_day else connection.id,
        connection_id=connection.id,
        ends_at=ends_at.isoformat(timespec="minutes"),
    )


def told_of(connection_id: str) -> None:
    """The same, by id and in a transaction of its own."""
    with transaction() as session:
        ends_soon(session.get_one(Connection, connection_id, populate_existing=True))


def ended(connection: Connection) -> None:
    """The owner must connect again."""
    _settle_ending(connection)
    alerts.raise_alert(
        alerts.Kind.AUTH_FAILED,
        user_id=connection.user_id,
        subject_id=connection.id,
        connection_id=connection.id,
    )


def over(connection: Connection) -> None:
    """The login works again, or nobody wants it any more."""
    _settle_ending(connection)
    alerts.resolve(alerts.Kind.AUTH_FAILED, connection.id)


def _settle_ending(connection: Connection) -> None:
    alerts.resolve(alerts.Kind.LOGIN_ENDING, connection.id)
    alerts.resolve(alerts.Kind.LOGIN_ENDING, _last_day(connection))


def _last_day(connection: Connection) -> str:
    return f"{connection.id}:last-day"
