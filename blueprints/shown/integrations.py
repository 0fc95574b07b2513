"""What an integration's own page shows of access, streams and connecting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patchbay.models import Connection, ConnectionState
from patchbay.spec import Field, Provider


@dataclass(frozen=True)
class Permission:
    """A scope in words (message ids), and whether the connection has it."""

    title: str
    purpose: str
    is_granted: bool


@dataclass(frozen=True)
class Sync:
    """An import that can be started: its operation, title (a message id), stream, and what is kept of it."""

    operation: str
    title: str
    stream: str
    record_count: int


def access(provider: Provider, connection: Connection | None) -> list[Permission]:
    """Every declared scope; without a connection none is granted."""
    if provider.auth is None:
        return []
    granted, values = (connection.scopes, connection.settings) if connection else ((), {})
    missing = provider.auth.missing(frozenset(granted), values)
    return [Permission(scope.allows, scope.purpose, scope not in missing) for scope in provider.auth.scopes]


def missing_titles(provider: Provider, connection: Connection | None) -> list[str]:
    """What the connection may not do (message ids)."""
    return [permission.title for permission in access(provider, connection) if not permission.is_granted]


def syncs(provider: Provider, counts: Mapping[str, int]) -> list[Sync]:
    """The provider's imports, with how many records are kept of each stream."""
    return [Sync(one.name, one.title, one.stream, counts.get(one.stream, 0)) for one in provider.imports]


def asked(provider: Provider, connection: Connection | None) -> Sequence[Field]:
    """The fields to fill in before leaving; a reconnect asks nothing twice."""
    is_live = connection is not None and connection.state is not ConnectionState.DISCONNECTED
    return () if is_live else provider.fields
