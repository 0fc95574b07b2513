"""Keeping a connection's token alive: one refresh at a time across threads, workers and machines.

The token is read at each request, never when a job is made. The refresh call itself is `oauth.refresh`.
"""

from patchbay.tokens.alarms import over as login_works
from patchbay.tokens.keeping import forget, keep, mark_reconnect_needed
from patchbay.tokens.present import Token
from patchbay.tokens.refreshing import fresh, is_in_doubt, refresh, refresh_if_due
from patchbay.tokens.sources import GivenToken, StoredToken, TokenSource
from patchbay.tokens.sweep import due, watch_logins

__all__ = [
    "GivenToken",
    "StoredToken",
    "Token",
    "TokenSource",
    "due",
    "forget",
    "fresh",
    "is_in_doubt",
    "keep",
    "login_works",
    "mark_reconnect_needed",
    "refresh",
    "refresh_if_due",
    "watch_logins",
]
