"""Keeping tokens alive."""

from jobs.owners import of_owner
from patchbay import tokens
from patchbay.models import Connection


@of_owner(Connection)
def refresh(connection_id: str) -> None:
    """Refresh the connection's token when it is about to end."""
    tokens.refresh_if_due(connection_id)
