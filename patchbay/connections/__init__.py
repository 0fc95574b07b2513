"""Connections: begun, come back to, renewed, changed, ended. Every way that a connect can end has its outcome here.

What does not live here: the OAuth calls (`oauth`), refreshing (`tokens`), and the pages that show an outcome.
"""

from patchbay.connections.arrival import come_back
from patchbay.connections.departure import begin, cancel, forget_expired, waiting
from patchbay.connections.outcomes import HTTP_STATUS, PATIENCE, Caller, Outcome, Returned, outcome
from patchbay.connections.settling import replace_account
from patchbay.connections.upkeep import (
    change_settings,
    connected,
    delete_records,
    disconnect,
    find,
    missing_scopes,
    of_user,
)

__all__ = [
    "HTTP_STATUS",
    "PATIENCE",
    "Caller",
    "Outcome",
    "Returned",
    "begin",
    "cancel",
    "change_settings",
    "come_back",
    "connected",
    "delete_records",
    "disconnect",
    "find",
    "forget_expired",
    "missing_scopes",
    "of_user",
    "outcome",
    "replace_account",
    "waiting",
]
