"""When a token is to be refreshed, when to try again, and when a login ends: arithmetic on times, nothing else."""

from datetime import datetime, timedelta
from zlib import crc32

from patchbay import clock
from patchbay.models import Connection
from patchbay.spec import OAuth2, Provider

MARGIN = timedelta(minutes=5)
LONGEST_SPREAD = timedelta(days=1)
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(minutes=15)
LAST_RESORT = timedelta(minutes=2)


def due_at(provider: Provider, connection: Connection, now: datetime) -> datetime | None:
    """When a token that was had at `now` is to be refreshed; None when there is nothing to refresh it with, or no need.

    Five minutes before its end or as declared, less for tokens that live shorter, and a little earlier still by a share
    of the connection's own, so that what was connected together is not refreshed together. A refresh token that would
    lapse is used in time.
    """
    if connection.refresh_token_sealed is None:
        return None
    dates = [
        _ahead_of(provider, connection, now),
        _halfway(now, connection.refresh_expires_at),
        _halfway(now, _idle_end(provider, now)),
    ]
    return min((date for date in dates if date is not None), default=None)


def login_ends_at(provider: Provider, connection: Connection) -> datetime | None:
    """When the owner has to connect again if nothing is renewed before; None where no end is known."""
    renews_itself = isinstance(provider.auth, OAuth2) and provider.auth.renewal is not None
    if connection.refresh_token_sealed is None or renews_itself:
        return connection.token_expires_at
    return connection.refresh_expires_at


def retry_at(failed_at: datetime | None) -> datetime:
    """When a refresh that failed just now is tried again ahead of need: after a minute, then twice the time since the
    failure before, which was at `failed_at`.
    """
    now = clock.now()
    waited = now - failed_at if failed_at is not None else timedelta(0)
    return now + min(max(waited * 2, FIRST_RETRY), LAST_RETRY)


def last_resort_at(expires_at: datetime, now: datetime) -> datetime:
    """When to stake all on a refresh that may end what is left: shortly before the present token ends anyway."""
    return expires_at - min(LAST_RESORT, (expires_at - now) / 10)


def share(connection_id: str) -> float:
    """The connection's own place between 0 and 1, the same every time."""
    return crc32(connection_id.encode()) / 2**32


def _ahead_of(provider: Provider, connection: Connection, now: datetime) -> datetime | None:
    ends_at = connection.token_expires_at
    if ends_at is None:
        return None
    ahead_s = provider.auth.refresh_ahead_s if isinstance(provider.auth, OAuth2) else 0
    lifetime = max(ends_at - now, timedelta(0))
    margin = min(timedelta(seconds=ahead_s), lifetime / 2) if ahead_s else min(MARGIN, lifetime / 10)
    spread = min(lifetime / 6, LONGEST_SPREAD)
    return ends_at - margin - spread * share(connection.id)


def _idle_end(provider: Provider, now: datetime) -> datetime | None:
    idle_s = provider.auth.idle_lifetime_s if isinstance(provider.auth, OAuth2) else None
    return now + timedelta(seconds=idle_s) if idle_s else None


def _halfway(now: datetime, end: datetime | None) -> datetime | None:
    return None if end is None else now + (end - now) / 2
