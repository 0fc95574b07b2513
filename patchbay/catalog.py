"""The catalogue: integrations as a user sees them, with the state of the user's own connection.

What does not live here: what a provider is (`providers`) and what a connection does (`connections`, `runs`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from patchbay import clock, connections, credentials, providers
from patchbay.models import (
    WITHOUT_CONTENT,
    Connection,
    ConnectionState,
    Integration,
    ProviderCredential,
    Run,
    RunStatus,
    WaitReason,
    db,
    transaction,
)
from patchbay.spec import Category, OAuth2, Provider, Status


class CardState(StrEnum):
    """What a card says; one per row of the card table in docs/frontend."""

    AVAILABLE = "available"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    SYNCING = "syncing"
    RATE_LIMITED = "rate_limited"
    NEEDS_ATTENTION = "needs_attention"
    CHOICE_NEEDED = "choice_needed"
    ERROR = "error"
    NOT_CONFIGURED = "not_configured"
    COMING_SOON = "coming_soon"


ATTENTION_FIRST = {
    CardState.NEEDS_ATTENTION: 0,
    CardState.CHOICE_NEEDED: 1,
    CardState.ERROR: 2,
    CardState.RATE_LIMITED: 3,
}


@dataclass(frozen=True)
class Entry:
    """One integration as one user sees it."""

    integration: Integration
    provider: Provider
    connection: Connection | None
    run: Run | None
    state: CardState

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, working or waiting for its owner."""
        return self.connection is not None and self.connection.state is not ConnectionState.DISCONNECTED


def publish() -> None:
    """Write the catalogue's rows from the declarations; called after each migration."""
    now = clock.now()
    with transaction() as session:
        present = {row.id: row for row in session.scalars(select(Integration))}
        for provider in providers.all():
            row = present.get(provider.key) or Integration(id=provider.key, created_at=now)
            row.name, row.description = provider.name, provider.description
            row.category, row.status = provider.category, provider.status
            row.logo_url = f"/static/vendor/logos/{provider.logo}.svg" if provider.logo else None
            row.oauth_config = _oauth_config(provider)
            row.updated_at = now
            session.add(row)


def entries(user_id: str | None) -> list[Entry]:
    """The catalogue, attention first, then by name; in a constant number of queries."""
    known = [provider.key for provider in providers.all()]  # a row may outlive its provider file until the next start
    statement = (
        select(Integration, ProviderCredential.id.is_not(None))
        .outerjoin(ProviderCredential, ProviderCredential.id == Integration.id)
        .where(Integration.id.in_(known))
    )
    rows = db.session.execute(statement).all()
    mine = _connections_with_runs(user_id)
    waiting = connections.waiting(user_id) if user_id else frozenset()
    found = []
    for row, entered in rows:
        connection, run = mine.get(row.id, (None, None))
        found.append(_entry(row, connection, run, row.id in waiting, entered))
    return sorted(found, key=lambda entry: (ATTENTION_FIRST.get(entry.state, 9), entry.integration.name.lower()))


def narrowed(found: Sequence[Entry], *, search: str = "", categories: Collection[Category] = ()) -> list[Entry]:
    """Those of the categories (none: of all) in whose name, description or key every word of `search` occurs."""
    return [
        entry
        for entry in found
        if (not categories or entry.integration.category in categories) and _mentions(entry.integration, search)
    ]


def entry(user_id: str | None, integration_id: str) -> Entry:
    """One integration as the user sees it. Raises NotFound."""
    providers.get(integration_id)
    row = db.session.get_one(Integration, integration_id)
    entered = db.session.get(ProviderCredential, integration_id) is not None
    connection, run = _connections_with_runs(user_id, integration_id).get(integration_id, (None, None))
    is_waiting = bool(user_id) and integration_id in connections.waiting(user_id or "")
    return _entry(row, connection, run, is_waiting, entered)


def _connections_with_runs(
    user_id: str | None, integration_id: str | None = None
) -> dict[str, tuple[Connection, Run | None]]:
    """The user's connections by integration, each with the newest run of an import."""
    if user_id is None:
        return {}
    newest = (
        select(Run.id)
        .where(Run.connection_id == Connection.id, Run.stream.is_not(None))
        .order_by(Run.id.desc())
        .limit(1)
        .correlate(Connection)
        .scalar_subquery()
    )
    statement = (
        select(Connection, Run)
        .outerjoin(Run, Run.id == newest)
        .where(Connection.user_id == user_id)
        .options(*WITHOUT_CONTENT)
    )
    if integration_id is not None:
        statement = statement.where(Connection.integration_id == integration_id)
    return {connection.integration_id: (connection, run) for connection, run in db.session.execute(statement)}


def _entry(row: Integration, connection: Connection | None, run: Run | None, is_waiting: bool, entered: bool) -> Entry:
    provider = providers.get(row.id)
    return Entry(row, provider, connection, run, _state(provider, connection, run, is_waiting, entered))


def _state(
    provider: Provider, connection: Connection | None, run: Run | None, is_waiting: bool, entered: bool
) -> CardState:
    if provider.status is Status.COMING_SOON:
        return CardState.COMING_SOON
    if connection is None or connection.state is ConnectionState.DISCONNECTED:
        if is_waiting:
            return CardState.CONNECTING
        return CardState.AVAILABLE if entered or credentials.is_set_up(provider) else CardState.NOT_CONFIGURED
    if connection.state is ConnectionState.RECONNECT_NEEDED:
        return CardState.CONNECTING if is_waiting else CardState.NEEDS_ATTENTION
    return CardState.CHOICE_NEEDED if connections.missing_choices(connection) else _run_state(run)


def _run_state(run: Run | None) -> CardState:
    if run is None:
        return CardState.CONNECTED
    if run.status is RunStatus.WAITING:
        is_asking = run.wait_reason is WaitReason.CONFIRM_DELETIONS  # it has read everything, and can be asked again
        return CardState.CONNECTED if is_asking else CardState.RATE_LIMITED
    if run.is_open:
        return CardState.SYNCING
    return CardState.ERROR if run.status is RunStatus.FAILED else CardState.CONNECTED


def _mentions(row: Integration, search: str) -> bool:
    words: Sequence[str] = search.lower().split()
    text = f"{row.name} {row.description} {row.id}".lower()
    return all(word in text for word in words)


def _oauth_config(provider: Provider) -> dict[str, object]:
    """Addresses and scopes, no secrets."""
    if not isinstance(provider.auth, OAuth2):
        return {}
    return {
        "authorizeUrl": provider.auth.authorize_url,
        "tokenUrl": provider.auth.token_url,
        "revokeUrl": provider.auth.revoke_url,
        "scopes": [scope.name for scope in provider.auth.scopes],
        "pkce": provider.auth.uses_pkce,
    }
