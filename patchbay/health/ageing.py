"""Statistics grow old: hours are added up to days after three months, days are forgotten after two years."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from patchbay import clock
from patchbay.health.calls import add_up
from patchbay.models import Span, Statistic, transaction

HOURS_KEPT = timedelta(days=90)
DAYS_KEPT = timedelta(days=730)


def age() -> None:
    """Add up old hours, a day in each transaction, and drop days that are too old."""
    while (oldest := _oldest_hour()) is not None:
        _add_up(oldest.replace(hour=0))
    with transaction() as session:
        before = clock.now() - DAYS_KEPT
        session.execute(delete(Statistic).where(Statistic.span == Span.DAY, Statistic.starts_at < before))


def _oldest_hour() -> datetime | None:
    """The oldest hour that is old enough; of its day, all are."""
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    with transaction() as session:
        oldest = select(func.min(Statistic.starts_at)).where(
            Statistic.span == Span.HOUR, Statistic.starts_at < today - HOURS_KEPT
        )
        return session.scalar(oldest)


def _add_up(day: datetime) -> None:
    is_of_day = (Statistic.span == Span.HOUR, Statistic.starts_at >= day, Statistic.starts_at < day + timedelta(days=1))
    key = (
        Statistic.connection_id,
        Statistic.operation,
        Statistic.outcome,
        Statistic.bucket,
        Statistic.user_id,
    )
    with transaction() as session:
        summed = session.execute(
            select(*key, func.sum(Statistic.count).label("count")).where(*is_of_day).group_by(*key)
        )
        add_up([dict(row._mapping) | {"span": Span.DAY, "starts_at": day} for row in summed])
        session.execute(delete(Statistic).where(*is_of_day))
