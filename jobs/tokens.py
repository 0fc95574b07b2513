"""Keeping tokens alive."""

from patchbay import tokens


def refresh(connection_id: str) -> None:
    """Refresh the connection's token when it is about to end."""
    tokens.refresh_if_due(connection_id)
