"""Asking a platform something at once, without a run: for forms that offer what is there right now.

What changes something at a platform is always a run (`runs.start`).
"""

from collections.abc import Mapping
from time import monotonic
from typing import Any

from patchbay import client, providers
from patchbay.connections.permissions import check_allowed
from patchbay.connections.upkeep import check_chosen, connected
from patchbay.errors import N_, Conflict, Invalid, NetworkError, ProviderUnavailable
from patchbay.models import Connection, ConnectionState, db
from patchbay.spec import Action, Provider, check

PATIENCE_S = 10.0
"""So long a page waits for a platform, tries included; the browser gives up after fifteen seconds."""
SHORTEST_S = 1.0


def ask(user_id: str, integration_id: str, operation_name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer of a read-only operation. Raises as `runs.start` does, and what the platform's answer means."""
    connection = connected(user_id, integration_id)
    if connection.state is ConnectionState.RECONNECT_NEEDED:
        name = providers.get(integration_id).name
        raise Conflict(sentence=N_("%(provider)s needs you to reconnect first."), provider=name)
    operation = providers.get(integration_id).operation(operation_name)
    if operation is not None:
        check_allowed(connection, operation)
    return ask_as(connection, operation_name, values)


def ask_as(connection: Connection, operation_name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for a connection at hand."""
    provider = providers.get(connection.integration_id)
    operation = provider.operation(operation_name)
    if not isinstance(operation, Action) or not operation.is_read_only:
        raise Invalid({"operation": N_("%(provider)s has no such operation.")}, provider=provider.name)
    check_chosen(connection, operation.name)
    clean = check(operation.input, values)
    api = client.of_connection(connection, doing=operation.doing, watch=_Reader(provider, operation))
    db.session.commit()  # nothing stays open across a request
    return operation.run(api, clean)


class _Reader(client.Unwatched):
    """Somebody who waits for a page: when that has taken too long, the platform is not asked once more."""

    def __init__(self, provider: Provider, operation: Action) -> None:
        self._provider = provider
        self._operation = operation
        self._until = monotonic() + PATIENCE_S
        self._was_answered = False

    def check(self) -> None:
        """Raises NetworkError when the time is over; ProviderUnavailable after an answer that was not good."""
        if monotonic() < self._until:
            return
        if self._was_answered:
            raise ProviderUnavailable(provider=self._provider.name, action=self._operation.doing)
        raise NetworkError("no answer in the time that a page has", provider=self._provider.name)

    def patience_s(self) -> float:
        """What is left of the time."""
        return max(self._until - monotonic(), SHORTEST_S)

    def exchanged(self, exchange: client.Exchange) -> None:
        """Whether the platform is there at all."""
        self._was_answered = exchange.status is not None
