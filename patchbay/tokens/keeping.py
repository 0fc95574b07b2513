"""What is written of a connection's tokens: a new pair, that it has worked, that the platform said no.

When a refresh is tried, and what its failure means, is decided in `refreshing` and `attempt`.
"""

from sqlalchemy import update

from patchbay import audit, clock, counters, oauth, providers
from patchbay.audit import Deed
from patchbay.errors import CredentialsRefused
from patchbay.models import Connection, ConnectionState, transaction
from patchbay.tokens import alarms, timing
from patchbay.tokens.lease import Claim
from patchbay.tokens.present import Token


def keep(connection: Connection, grant: oauth.Grant) -> None:
    """Put a grant's tokens in place of the present ones, in the caller's transaction.

    Its scopes too, where it names them. A refresh token stays when the answer has none.
    """
    provider, now = providers.get(connection.integration_id), clock.now()
    connection.access_token = grant.access_token
    connection.token_expires_at = grant.expires_at
    if grant.refresh_token is not None:
        connection.refresh_token = grant.refresh_token
        connection.refresh_expires_at = grant.refresh_expires_at
    if grant.scopes is not None:
        connection.scopes = list(grant.scopes)
    connection.token_version = (connection.token_version or 0) + 1
    connection.refresh_lease_token = connection.refresh_lease_until = None
    connection.refresh_sent_at = connection.refresh_failed_at = None
    connection.refresh_due_at = timing.due_at(provider, connection, now)
    connection.login_ends_at = timing.login_ends_at(provider, connection)
    connection.updated_at = now


def forget(connection: Connection) -> None:
    """Delete all tokens, in the caller's transaction."""
    connection.access_token = connection.refresh_token = None
    connection.previous_access_token = connection.previous_refresh_token = None
    connection.token_expires_at = connection.refresh_expires_at = None
    connection.refresh_lease_token = connection.refresh_lease_until = None
    connection.refresh_sent_at = connection.refresh_failed_at = None
    connection.refresh_due_at = connection.login_ends_at = None
    connection.token_version += 1


def store(claim: Claim, grant: oauth.Grant) -> Token:
    """Keep the answer to a refresh, unless another came first; the pair before stays beside it until it is proved.

    An answer that came for a lapsed lease is kept too: the platform may already have ended the old pair. One that came
    after the connection was given up shows that it lives. Raises CredentialsRefused when it was disconnected meanwhile.
    """
    with transaction() as session:
        connection = session.get(Connection, claim.connection_id, populate_existing=True, with_for_update=True)
        if connection is None:  # with the account that it belonged to
            raise CredentialsRefused("the connection was deleted during the refresh")
        if connection.state is ConnectionState.DISCONNECTED or connection.access_token_sealed is None:
            name = providers.get(connection.integration_id).name
            raise CredentialsRefused("the connection ended during the refresh", provider=name)
        if connection.token_version == claim.version:
            _set_aside(connection, grant)
            had_ended, had_ended_at = connection.state, connection.login_ends_at
            connection.state = ConnectionState.CONNECTED
            keep(connection, grant)
            if had_ended is not ConnectionState.CONNECTED or alarms.is_near(had_ended_at):
                alarms.over(connection)
            audit.add(Deed.TOKEN_REFRESHED, user_id=connection.user_id, subject_id=connection.id)
            counters.add("refreshes", provider=connection.integration_id, outcome="ok")
        is_proved = connection.previous_refresh_token_sealed is None
        return Token(connection.access_token or "", connection.token_version, is_proved)


def prove(connection_id: str, version: int) -> None:
    """The platform took the token of that version: the pair before it is of no use any more."""
    with transaction() as session:
        session.execute(
            update(Connection)
            .where(Connection.id == connection_id, Connection.token_version == version)
            .values(previous_access_token_sealed=None, previous_refresh_token_sealed=None),
            execution_options={"synchronize_session": False},
        )


def mark_reconnect_needed(
    connection_id: str, reason: str, *, seen_version: int | None = None, unless_ended: bool = False
) -> None:
    """The platform said no: say so once, on the connection and to its owner.

    With `seen_version`, only while that is the present token: of a later login it said nothing. With `unless_ended`,
    not when its time has merely passed: then it is refreshed at its next use.
    """
    with transaction() as session:
        connection = session.get(Connection, connection_id, populate_existing=True, with_for_update=True)
        if connection is None or connection.state is not ConnectionState.CONNECTED:
            return
        if seen_version not in {None, connection.token_version} or (unless_ended and _has_merely_ended(connection)):
            return
        connection.state = ConnectionState.RECONNECT_NEEDED
        connection.updated_at = clock.now()
        alarms.ended(connection)
        audit.add(Deed.RECONNECT_NEEDED, user_id=connection.user_id, subject_id=connection.id, reason=reason[:200])
        counters.add("refreshes", provider=connection.integration_id, outcome="refused")


def let_lapse(claim: Claim) -> Token:
    """The refresh token is spent and what it gave was lost, but the present token goes on working: use it to its end.

    The owner is told when that will be. Raises CredentialsRefused when the connection has ended meanwhile.
    """
    with transaction() as session:
        connection = session.get_one(Connection, claim.connection_id, populate_existing=True, with_for_update=True)
        if connection.token_version == claim.version:
            connection.refresh_token = connection.previous_access_token = connection.previous_refresh_token = None
            connection.refresh_lease_token = connection.refresh_lease_until = None
            connection.refresh_sent_at = connection.refresh_failed_at = connection.refresh_due_at = None
            connection.login_ends_at = connection.token_expires_at
            alarms.ends_soon(connection)
        if connection.access_token is None:
            name = providers.get(connection.integration_id).name
            raise CredentialsRefused("the connection ended during the refresh", provider=name)
        return Token(connection.access_token, connection.token_version)


def _set_aside(connection: Connection, grant: oauth.Grant) -> None:
    """Keep the present pair where the platform replaces it; one that is not replaced is not at risk."""
    if grant.refresh_token is None or grant.refresh_token == connection.refresh_token:
        connection.previous_access_token = connection.previous_refresh_token = None
    else:
        connection.previous_access_token = connection.access_token
        connection.previous_refresh_token = connection.refresh_token


def _has_merely_ended(connection: Connection) -> bool:
    ends_at = connection.token_expires_at
    return connection.refresh_token_sealed is not None and ends_at is not None and ends_at <= clock.now()
