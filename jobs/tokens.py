"""Keeping tokens alive."""

from jobs.owners import of_owner
from patchbay import tokens
from patchbay.connections import probing
from patchbay.models import Connection


@of_owner(Connection)
def refresh(connection_id: str) -> None:
    """Refresh the connection's token when it is about to end; where that is left alone, see whether it still works."""
    tokens.refresh_if_due(connection_id)
    if tokens.is_in_doubt(connection_id):
        probing.probe(connection_id)
