"""Refreshing a connection's token: once for everybody who needs it, whoever comes first; the others wait and read.

What the one who may refresh does is `attempt`; what is written lives in `keeping`, when it is time in `timing`. A token
of one version goes through these states, told by columns of its row:

    good ──(refresh_due_at, or the platform refuses it)──> due
    due ──(lease.claim: lease and refresh_sent_at in one transaction)──> on its way
    on its way ──(keeping.store)──────────────────> good, of the next version, with the pair before kept beside it
    on its way ──(could not ask)──────────────────> due again later, without refresh_sent_at
    on its way ──(no answer, or the holder died)──> in doubt: refresh_sent_at stays and the lease lapses
    on its way ──(the platform said no)───────────> the owner is asked
    in doubt ──(declared grace, or the token has ended or is about to)──> on its way
    in doubt ──(else)─────────────────────────────> used as it is, probed by the clock, due shortly before its end
"""

import random
import time
from datetime import datetime

import structlog

from patchbay import clock, providers
from patchbay.errors import CredentialsRefused, GrantExpired, NetworkError, PatchbayError
from patchbay.spec import OAuth2
from patchbay.tokens import keeping, lease
from patchbay.tokens.attempt import Attempt, Tell
from patchbay.tokens.lease import Lookout
from patchbay.tokens.present import Present, Token, read

log = structlog.get_logger()

PATIENCE_S = lease.LEASE.total_seconds() + lease.LONGEST_EXCHANGE_S
PATIENCE_WHILE_GOOD_S = 2.0


def tell_nobody(_told: object) -> None:
    """Nobody keeps a log of it."""


def fresh(connection_id: str, tell: Tell = tell_nobody) -> Token:
    """A token that is good for some minutes, refreshed first when it is about to expire.

    A refresh that fails is of no matter while the present token is good. `tell` hears of a call to the token endpoint.
    Raises GrantExpired when the owner must reconnect, and what `refresh` raises when the present token has ended.
    """
    present = read(connection_id)
    if not present.is_due:
        return present.token
    try:
        return _refreshed(present, is_refused=present.has_ended, tell=tell)
    except GrantExpired:
        raise
    except PatchbayError:
        if present.has_ended:
            raise
        return read(connection_id).token


def refresh(connection_id: str, *, seen_version: int, tell: Tell = tell_nobody) -> Token:
    """A token in place of the one of `seen_version`, which is of no use any more; `tell` as in `fresh`.

    Whoever comes second takes the result of the first, be it a failure. Raises GrantExpired when the owner must
    reconnect, CredentialsRefused when there is nothing to refresh with, and NetworkError, ProviderUnavailable,
    RateLimited, OAuthRefused, ConnectionFailed when the platform gave no answer that helps.
    """
    present = read(connection_id)
    if present.version != seen_version:
        return present.token
    return _refreshed(present, is_refused=True, tell=tell)


def refresh_if_due(connection_id: str) -> None:
    """Refresh ahead of need; what goes wrong is on the row and tried again by the clock."""
    try:
        fresh(connection_id)
    except PatchbayError as error:
        log.warning("A token could not be refreshed.", connection_id=connection_id, error=error.kind)


def is_in_doubt(connection_id: str) -> bool:
    """Whether a refresh was sent whose answer is lost, at a platform that does not take the same token again.

    Nothing is to be done about that while the present token works.
    """
    try:
        present = read(connection_id)
    except PatchbayError:
        return False  # it has ended: that is no doubt
    auth = providers.get(present.integration_id).auth
    if present.sent_at is None or present.lease_token is not None or not isinstance(auth, OAuth2):
        return False
    return not auth.may_resend((clock.now() - present.sent_at).total_seconds())


def _refreshed(seen: Present, *, is_refused: bool, tell: Tell) -> Token:
    """A token of a later version than the one that was seen; only this one's holder of the lease asks the platform."""
    began, until = clock.now(), time.monotonic() + (PATIENCE_S if is_refused else PATIENCE_WHILE_GOOD_S)
    lookout, present = Lookout(is_patient=not _may_repeat(seen)), seen
    while present.version == seen.version:
        _check_renewable(present)
        if present is not seen and _has_just_failed(present, began):
            raise NetworkError("another's refresh has just failed", was_sent=False, provider=seen.provider_name)
        claim = lease.claim(present, lookout)
        if claim is not None:
            return Attempt(claim, present, is_refused, tell).carry_out()
        if time.monotonic() >= until:
            raise NetworkError("another's refresh did not end in time", was_sent=False, provider=seen.provider_name)
        time.sleep(random.uniform(0.05, 0.15))  # noqa: S311 - spreads the waiters, guards nothing
        present = read(seen.connection_id)
    return present.token


def _may_repeat(present: Present) -> bool:
    """Whether a second refresh beside one that is still under way does no harm."""
    auth = providers.get(present.integration_id).auth
    return not isinstance(auth, OAuth2) or auth.may_resend(0)


def _check_renewable(present: Present) -> None:
    if not present.has_refresh_token:
        why = "refused, and there is no refresh token"
        keeping.mark_reconnect_needed(present.connection_id, why, seen_version=present.version)
        raise CredentialsRefused("there is no refresh token", provider=present.provider_name)


def _has_just_failed(present: Present, began: datetime) -> bool:
    """Whether whoever held the lease meanwhile has given it back without a new token."""
    return present.lease_token is None and present.failed_at is not None and present.failed_at >= began
