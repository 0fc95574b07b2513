"""What the clock asks of tokens: which are to be refreshed ahead of need, and which logins are about to end.

The refresh itself is a job for each connection (`refreshing.refresh_if_due`).
"""

from datetime import timedelta

from sqlalchemy import select

from patchbay import clock
from patchbay.leases import is_free
from patchbay.models import Connection, ConnectionState, db, transaction
from patchbay.tokens import alarms, keeping
from patchbay.tokens.lease import LEASE

BATCH = 500
CERTAINLY_OVER = timedelta(days=1)


def due(limit: int = 100) -> list[str]:
    """Ids of connections whose token is to be refreshed ahead of need, the most urgent first: one indexed question."""
    now = clock.now()
    query = (
        select(Connection.id)
        .where(
            Connection.state == ConnectionState.CONNECTED,
            Connection.refresh_due_at <= now,
            is_free(Connection.refresh_lease_until, LEASE),
        )
        .order_by(Connection.refresh_due_at)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def watch_logins() -> None:
    """Tell owners of logins that end and are not renewed here; mark those that ended long enough ago to be sure.

    A clock that is ahead by hours ends nothing: what has only just ended is left to the platform's own answer.
    """
    after = ""
    while batch := _ending(after):
        for connection_id in batch:
            _look_at(connection_id)
        after = batch[-1]


def _ending(after: str) -> list[str]:
    query = (
        select(Connection.id)
        .where(
            Connection.state == ConnectionState.CONNECTED,
            Connection.login_ends_at <= clock.now() + alarms.EARLY,
            Connection.id > after,
        )
        .order_by(Connection.id)
        .limit(BATCH)
    )
    return list(db.session.scalars(query))


def _look_at(connection_id: str) -> None:
    with transaction() as session:
        connection = session.get_one(Connection, connection_id, populate_existing=True)
        ends_at = connection.login_ends_at
        if not connection.is_connected or not alarms.is_near(ends_at) or ends_at is None:
            return
        if ends_at < clock.now() - CERTAINLY_OVER:
            keeping.mark_reconnect_needed(connection_id, "the login has ended and could not be renewed")
        else:
            alarms.ends_soon(connection)
