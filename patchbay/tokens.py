"""Keeping a connection's token alive: one refresh at a time across threads, workers and machines.

The token is read at each request, never when a job is made. The refresh itself is `oauth.refresh`.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update

from patchbay import audit, clock, credentials, oauth, providers
from patchbay.errors import CredentialsRefused, GrantExpired, NetworkError, PatchbayError
from patchbay.models import Connection, ConnectionState, db, fresh_view, new_id, transaction
from patchbay.spec import OAuth2, Provider

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
MARGIN = timedelta(minutes=5)
RETRY_AFTER_FAILURE = timedelta(minutes=1)


@dataclass(frozen=True)
class Token:
    """An access token and its version, which grows with each refresh."""

    value: str = field(repr=False)
    version: int


class TokenSource(Protocol):
    """Where a client gets its token, anew for each request."""

    def fresh(self) -> Token:
        """A token that is good for some minutes."""

    def replaced(self, refused: Token) -> Token:
        """A token in place of one that the platform has refused. Raises when there is none."""

    def gave_up(self, reason: str) -> None:
        """Even the replacement was refused."""


@dataclass(frozen=True)
class StoredToken:
    """The token of a connection."""

    connection_id: str

    def fresh(self) -> Token:
        """Refreshed ahead of its end."""
        return fresh(self.connection_id)

    def replaced(self, refused: Token) -> Token:
        """Refreshed once for all workers that saw it refused."""
        return refresh(self.connection_id, seen_version=refused.version)

    def gave_up(self, reason: str) -> None:
        """The owner has to reconnect."""
        mark_reconnect_needed(self.connection_id, reason)


@dataclass(frozen=True)
class GivenToken:
    """A token that is not stored yet."""

    value: str = field(repr=False)

    def fresh(self) -> Token:
        """As it was given."""
        return Token(self.value, 0)

    def replaced(self, refused: Token) -> Token:  # noqa: ARG002 - the protocol's names
        """There is no other."""
        raise CredentialsRefused("the platform refused a token it had just given")

    def gave_up(self, reason: str) -> None:
        """Nothing is stored that could be marked."""


def fresh(connection_id: str) -> Token:
    """A token that is good for some minutes, refreshed first when it is about to expire.

    A refresh that fails is of no matter while the present token is good. Raises GrantExpired when the owner must
    reconnect, and what `refresh` raises when the present token has ended.
    """
    connection = _read(connection_id)
    if connection.refresh_token_sealed is None or not _ends_within_margin(connection):
        return _token(connection)
    is_good = connection.token_expires_at is not None and connection.token_expires_at > clock.now()
    if is_good and not _may_try_again(connection):
        return _token(connection)
    try:
        return refresh(connection_id, seen_version=connection.token_version)
    except GrantExpired:
        raise
    except PatchbayError:
        if not is_good:
            raise
        return _token(_read(connection_id))


def refresh(connection_id: str, *, seen_version: int) -> Token:
    """Replace the token of `seen_version`; whoever comes second takes the result of the first.

    Raises GrantExpired when the owner must reconnect, CredentialsRefused when there is nothing to refresh with, and
    NetworkError, ProviderUnavailable, OAuthRefused, ConnectionFailed when the platform gave no answer that helps.
    """
    deadline = time.monotonic() + LEASE.total_seconds()
    while time.monotonic() < deadline:
        connection = _read(connection_id)
        if connection.token_version != seen_version:
            return _token(connection)
        if connection.refresh_token_sealed is None:
            mark_reconnect_needed(connection_id, "refused, and there is no refresh token")
            raise CredentialsRefused("there is no refresh token", provider=_name(connection))
        lease = _claim(connection)
        if lease is not None:
            return _refresh_as_owner(connection_id, lease)
        time.sleep(0.1)
    raise NetworkError("another worker's refresh did not end in time", provider=_name(_read(connection_id)))


def mark_reconnect_needed(connection_id: str, reason: str) -> None:
    """The platform said no: say so once on the connection, and drop the dead tokens."""
    with transaction() as session:
        connection = session.get(Connection, connection_id, populate_existing=True)
        if connection is None or connection.state is not ConnectionState.CONNECTED:
            return
        connection.state = ConnectionState.RECONNECT_NEEDED
        connection.updated_at = clock.now()
        audit.add(
            audit.Deed.RECONNECT_NEEDED, user_id=connection.user_id, subject_id=connection.id, reason=reason[:200]
        )


def due(limit: int = 100) -> list[str]:
    """Ids of connections whose token ends soon and should be refreshed ahead of need, the most urgent first."""
    now = clock.now()
    query = (
        select(Connection)
        .where(
            Connection.state == ConnectionState.CONNECTED,
            or_(Connection.token_expires_at < now + MARGIN, *_ends_soon(now)),
            Connection.refresh_token_sealed.is_not(None),
            or_(Connection.refresh_failed_at.is_(None), Connection.refresh_failed_at < now - RETRY_AFTER_FAILURE),
            or_(Connection.refresh_lease_until.is_(None), Connection.refresh_lease_until < now),
        )
        .order_by(Connection.token_expires_at)
        .limit(limit)
    )
    found = db.session.scalars(query, execution_options={"populate_existing": True})
    return [connection.id for connection in found if _ends_within_margin(connection)]


def refresh_if_due(connection_id: str) -> None:
    """Refresh ahead of need; what goes wrong is on the row and tried again by the clock."""
    try:
        fresh(connection_id)
    except PatchbayError as error:
        log.warning("A token could not be refreshed.", connection_id=connection_id, error=error.kind)


def _refresh_as_owner(connection_id: str, lease: str) -> Token:
    connection = _read(connection_id)
    provider = providers.get(connection.integration_id)
    app = credentials.find(provider)
    refresh_token, version = connection.refresh_token, connection.token_version
    db.session.commit()  # nothing stays open across a request
    try:
        if app is None or refresh_token is None:
            raise CredentialsRefused("the provider is no longer set up here", provider=provider.name)
        if app.is_sandbox != connection.is_sandbox:
            raise GrantExpired("it was granted to another app than the present one", provider=provider.name)
        grant = oauth.refresh(provider, app, connection.settings, refresh_token)
    except GrantExpired as error:
        mark_reconnect_needed(connection_id, error.detail)
        _release(connection_id, lease)
        raise
    except Exception:
        _release(connection_id, lease, failed_at=clock.now())
        raise
    return _store(connection_id, version, grant)


def _store(connection_id: str, version: int, grant: oauth.Grant) -> Token:
    """Keep the new pair in place of the one of `version`, unless another came first.

    A grant that came for a lapsed lease is kept too: the platform may already have ended the old one. Raises
    CredentialsRefused when the connection has ended meanwhile.
    """
    with transaction() as session:
        connection = session.get_one(Connection, connection_id, populate_existing=True)
        if connection.state is not ConnectionState.CONNECTED:
            raise CredentialsRefused("the connection ended during the refresh", provider=_name(connection))
        if connection.token_version == version:
            connection.access_token = grant.access_token
            if grant.refresh_token is not None:
                connection.refresh_token = grant.refresh_token
                connection.refresh_expires_at = grant.refresh_expires_at
            connection.token_expires_at = grant.expires_at
            connection.token_version += 1
            connection.refresh_lease_token = connection.refresh_lease_until = connection.refresh_failed_at = None
            connection.updated_at = clock.now()
            audit.add(audit.Deed.TOKEN_REFRESHED, user_id=connection.user_id, subject_id=connection.id)
        return _token(connection)


def _claim(connection: Connection) -> str | None:
    """Take the right to refresh this version of the token; None when somebody else has it."""
    lease, now = new_id("lse"), clock.now()
    with transaction() as session:
        claimed = session.execute(
            update(Connection)
            .where(
                Connection.id == connection.id,
                Connection.token_version == connection.token_version,
                or_(Connection.refresh_lease_until.is_(None), Connection.refresh_lease_until < now),
            )
            .values(refresh_lease_token=lease, refresh_lease_until=now + LEASE),
            execution_options={"synchronize_session": False},
        )
    return lease if claimed.rowcount == 1 else None  # type: ignore[attr-defined]  # an UPDATE's result has it


def _release(connection_id: str, lease: str, *, failed_at: datetime | None = None) -> None:
    with transaction() as session:
        session.execute(
            update(Connection)
            .where(Connection.id == connection_id, Connection.refresh_lease_token == lease)
            .values(refresh_lease_token=None, refresh_lease_until=None, refresh_failed_at=failed_at),
            execution_options={"synchronize_session": False},
        )


def _read(connection_id: str) -> Connection:
    fresh_view()
    connection = db.session.get_one(Connection, connection_id, populate_existing=True)
    if connection.state is ConnectionState.DISCONNECTED or connection.access_token_sealed is None:
        raise CredentialsRefused("the connection was disconnected", provider=_name(connection))
    if connection.state is ConnectionState.RECONNECT_NEEDED:
        raise GrantExpired("the connection waits for its owner", provider=_name(connection))
    return connection


def _token(connection: Connection) -> Token:
    return Token(connection.access_token or "", connection.token_version)


def _ahead(provider: Provider) -> timedelta:
    return timedelta(seconds=provider.auth.refresh_ahead_s if isinstance(provider.auth, OAuth2) else 0)


def _ends_soon(now: datetime) -> list[ColumnElement[bool]]:
    """Conditions for the platforms whose tokens must be renewed long before they end."""
    return [
        and_(Connection.integration_id == provider.key, Connection.token_expires_at < now + _ahead(provider))
        for provider in providers.all()
        if _ahead(provider)
    ]


def _may_try_again(connection: Connection) -> bool:
    """Whether the last refresh went well, or failed a while ago."""
    failed_at = connection.refresh_failed_at
    return failed_at is None or failed_at < clock.now() - RETRY_AFTER_FAILURE


def _ends_within_margin(connection: Connection) -> bool:
    ends_at = connection.token_expires_at
    return ends_at is not None and ends_at - clock.now() <= _margin(connection, ends_at)


def _margin(connection: Connection, ends_at: datetime) -> timedelta:
    """How long before its end a token is renewed: five minutes or as declared, less for tokens that live shorter."""
    ahead = _ahead(providers.get(connection.integration_id))
    lifetime = ends_at - max(connection.connected_at, connection.updated_at)
    if lifetime <= timedelta(0):
        return ahead or MARGIN
    return min(ahead, lifetime / 2) if ahead else min(MARGIN, lifetime / 10)


def _name(connection: Connection) -> str:
    return providers.get(connection.integration_id).name
