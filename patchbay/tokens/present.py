"""Reading what a connection's token is at this moment: one row by its key, columns alone, asked before every request.

What is done about a token that is about to end lives in `refreshing`.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, select

from patchbay import clock, providers, vault
from patchbay.errors import CredentialsRefused, GrantExpired
from patchbay.models import Connection, ConnectionState, db, fresh_view
from patchbay.models.base import sealed_place

_PRESENT = select(
    Connection.integration_id,
    Connection.state,
    Connection.access_token_sealed,
    Connection.token_version,
    Connection.token_expires_at,
    Connection.refresh_due_at,
    Connection.refresh_sent_at,
    Connection.refresh_failed_at,
    Connection.refresh_lease_token,
    Connection.refresh_lease_until,
    Connection.refresh_token_sealed.is_not(None).label("has_refresh_token"),
    Connection.previous_refresh_token_sealed.is_(None).label("is_proved"),
).where(Connection.id == bindparam("connection_id"))


@dataclass(frozen=True)
class Token:
    """An access token and its version, which grows with each refresh. `is_proved`: nothing is kept beside it."""

    value: str = field(repr=False)
    version: int
    is_proved: bool = True


@dataclass(frozen=True)
class Present:
    """A connection's token as it stands, still sealed, and what is known of its refresh."""

    connection_id: str
    integration_id: str
    sealed: str = field(repr=False)
    version: int
    expires_at: datetime | None
    due_at: datetime | None
    sent_at: datetime | None
    failed_at: datetime | None
    lease_token: str | None
    lease_until: datetime | None
    has_refresh_token: bool
    is_proved: bool

    @property
    def token(self) -> Token:
        """The token, opened."""
        place = sealed_place(Connection.__tablename__, "access_token_sealed", self.connection_id)
        return Token(vault.current().open(self.sealed, context=place), self.version, self.is_proved)

    @property
    def has_ended(self) -> bool:
        """Whether its time has passed, by our clock."""
        return self.expires_at is not None and self.expires_at <= clock.now()

    @property
    def is_due(self) -> bool:
        """Whether it is to be refreshed before it is used."""
        is_time = self.has_ended or (self.due_at is not None and self.due_at <= clock.now())
        return is_time and self.has_refresh_token

    @property
    def provider_name(self) -> str:
        """What the platform is called."""
        return providers.get(self.integration_id).name


def read(connection_id: str) -> Present:
    """What the token is now, whatever the session has seen before.

    Raises CredentialsRefused when the connection has ended, GrantExpired while it waits for its owner.
    """
    fresh_view()
    row = db.session.execute(_PRESENT, {"connection_id": connection_id}).one_or_none()
    if row is None:
        raise CredentialsRefused("there is no such connection")
    name = providers.get(row.integration_id).name
    if row.state is ConnectionState.RECONNECT_NEEDED:
        raise GrantExpired("the connection waits for its owner", provider=name)
    if row.state is ConnectionState.DISCONNECTED or row.access_token_sealed is None:
        raise CredentialsRefused("the connection was disconnected", provider=name)
    return Present(
        connection_id,
        row.integration_id,
        row.access_token_sealed,
        row.token_version,
        row.token_expires_at,
        row.refresh_due_at,
        row.refresh_sent_at,
        row.refresh_failed_at,
        row.refresh_lease_token,
        row.refresh_lease_until,
        row.has_refresh_token,
        row.is_proved,
    )
