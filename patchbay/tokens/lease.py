"""The right to refresh a connection's token: had by one at a time, over no open transaction, lost with its holder.

The claim writes down, before anything is sent, that a refresh is under way; what that tells whoever comes after a crash
is decided in `attempt`.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from patchbay import clock
from patchbay.errors import NetworkError
from patchbay.models import Connection, ConnectionState, new_id, transaction, update_one
from patchbay.tokens.present import Present

LEASE = timedelta(seconds=45)
LONGEST_ANSWER_S = 35.0
"""What a platform has to answer in: an answer that is not waited for is lost, and with it the login in some places."""
LONGEST_EXCHANGE_S = LONGEST_ANSWER_S + 2
"""The same, and a little for what is sent and stored."""


@dataclass(frozen=True)
class Claim:
    """A lease of one version of a token. `lost_at` is when a refresh of it was sent whose answer nobody has stored.

    `taken_at` is by a clock that nobody steps.
    """

    connection_id: str
    token: str
    version: int
    lost_at: datetime | None
    taken_at: float = field(default_factory=time.monotonic)


@dataclass
class Lookout:
    """What one waiter has seen of a lease.

    A clock that is stepped makes a lease seem lapsed while its holder still waits for the platform; where a second
    refresh would do harm, the lapsed lease must have been looked at for as long as an exchange can take.
    """

    is_patient: bool
    _seen: str | None = field(default=None, init=False)
    _since: float = field(default=0.0, init=False)

    def sees_held(self, present: Present) -> bool:
        """Whether somebody else may still be at it."""
        if present.lease_token is None or present.lease_until is None:
            return False
        if present.lease_token != self._seen:
            self._seen, self._since = present.lease_token, time.monotonic()
        if is_held(present.lease_until):
            return True
        return self.is_patient and time.monotonic() - self._since < LONGEST_EXCHANGE_S


def is_held(until: datetime) -> bool:
    """Whether a lease that ends then is in force; one that ends later than any can was made before the clock was set
    back.
    """
    now = clock.now()
    return now <= until <= now + LEASE


def claim(present: Present, lookout: Lookout) -> Claim | None:
    """Take the right to refresh this version of the token; None when somebody else has it.

    The mark `refresh_sent_at` is written in the same transaction, and kept where it stands already.
    """
    if lookout.sees_held(present):
        return None
    token, now = new_id("lse"), clock.now()
    unclaimed = (  # by anybody since it was read, not even in vain
        Connection.refresh_lease_token.is_not_distinct_from(present.lease_token),
        Connection.refresh_sent_at.is_not_distinct_from(present.sent_at),
        Connection.refresh_failed_at.is_not_distinct_from(present.failed_at),
    )
    statement = (
        update(Connection)
        .where(
            Connection.id == present.connection_id,
            Connection.state == ConnectionState.CONNECTED,
            Connection.token_version == present.version,
            *unclaimed,
        )
        .values(refresh_lease_token=token, refresh_lease_until=now + LEASE, refresh_sent_at=present.sent_at or now)
    )
    with transaction():
        is_ours = update_one(statement)
    if not is_ours:
        return None
    return Claim(present.connection_id, token, present.version, present.sent_at)


def check_in_time(claim: Claim) -> None:
    """Raise NetworkError when an exchange that began now could outlast the lease: this process was held up, and what
    it would send may be on its way from another one soon.
    """
    if time.monotonic() - claim.taken_at > LEASE.total_seconds() - LONGEST_EXCHANGE_S:
        raise NetworkError("the lease was nearly over before the refresh was sent", was_sent=False)


def release(claim: Claim, **values: Any) -> None:
    """Give the lease back and write `values` beside it; nothing happens when it was lost meanwhile."""
    mine = (Connection.id == claim.connection_id, Connection.refresh_lease_token == claim.token)
    with transaction():
        update_one(update(Connection).where(*mine).values(refresh_lease_token=None, refresh_lease_until=None, **values))
