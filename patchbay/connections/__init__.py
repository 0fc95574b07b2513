"""Connections: begun, come back to, renewed, changed, ended. Every way that a connect can end has its outcome here.

What does not live here: the OAuth calls (`oauth`), refreshing (`tokens`), and the pages that show an outcome.
"""

from patchbay.connections.arrival import come_back
from patchbay.connections.asking import ask
from patchbay.connections.choices import change_settings, choose_what_is_alone
from patchbay.connections.departure import begin, cancel, forget_expired, waiting
from patchbay.connections.keys import connect_with_keys, receive_keys
from patchbay.connections.offers import KnownOffer, Offer, Option, known, offer
from patchbay.connections.outcomes import HTTP_STATUS, PATIENCE, Caller, Outcome, Returned, outcome
from patchbay.connections.permissions import check_allowed, lacking, missing_scopes, new_needs
from patchbay.connections.settling import replace_account
from patchbay.connections.upkeep import (
    check_chosen,
    connected,
    delete_records,
    disconnect,
    find,
    integrations_of,
    missing_choices,
    of_user,
)

__all__ = [
    "HTTP_STATUS",
    "PATIENCE",
    "Caller",
    "KnownOffer",
    "Offer",
    "Option",
    "Outcome",
    "Returned",
    "ask",
    "begin",
    "cancel",
    "change_settings",
    "check_allowed",
    "check_chosen",
    "choose_what_is_alone",
    "come_back",
    "connect_with_keys",
    "connected",
    "delete_records",
    "disconnect",
    "find",
    "forget_expired",
    "integrations_of",
    "known",
    "lacking",
    "missing_choices",
    "missing_scopes",
    "new_needs",
    "of_user",
    "offer",
    "outcome",
    "receive_keys",
    "replace_account",
    "waiting",
]
