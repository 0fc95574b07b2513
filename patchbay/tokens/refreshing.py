"""Refreshing a connection's token: once for everybody who needs it, and what to make of an answer that was lost.

The call itself is `oauth.refresh`; what is written lives in `keeping`, when it is time in `timing`.
"""

import random
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from patchbay import clock, counters, credentials, oauth, providers
from patchbay.credentials import AppCredentials
from patchbay.errors import (
    ConnectionFailed,
    CredentialsRefused,
    GrantExpired,
    NetworkError,
    PatchbayError,
    Postponed,
    ProviderUnavailable,
)
from patchbay.limits import breakers
from patchbay.models import Connection, db
from patchbay.spec import OAuth2, Provider
from patchbay.tokens import alarms, keeping, lease, timing
from patchbay.tokens.lease import Claim, Lookout
from patchbay.tokens.present import Present, Token, read

log = structlog.get_logger()

PATIENCE_S = lease.LEASE.total_seconds() + lease.LONGEST_EXCHANGE_S
PATIENCE_WHILE_GOOD_S = 2.0


@dataclass(frozen=True)
class _Held:
    """What the holder of a lease refreshes with; read before the network is waited for."""

    provider: Provider
    app: AppCredentials | None
    settings: dict[str, Any]
    is_sandbox: bool
    expires_at: datetime | None
    refresh_token: str | None = field(repr=False)
    previous_refresh_token: str | None = field(repr=False)


def fresh(connection_id: str) -> Token:
    """A token that is good for some minutes, refreshed first when it is about to expire.

    A refresh that fails is of no matter while the present token is good. Raises GrantExpired when the owner must
    reconnect, and what `refresh` raises when the present token has ended.
    """
    present = read(connection_id)
    if not present.is_due:
        return present.token
    try:
        return refresh(connection_id, seen_version=present.version, is_refused=present.has_ended)
    except GrantExpired:
        raise
    except PatchbayError:
        if present.has_ended:
            raise
        return read(connection_id).token


def refresh(connection_id: str, *, seen_version: int, is_refused: bool = True) -> Token:
    """Replace the token of `seen_version`; whoever comes second takes the result of the first, be it a failure.

    `is_refused`: that token is of no use any more. Raises GrantExpired when the owner must reconnect,
    CredentialsRefused when there is nothing to refresh with, and NetworkError, ProviderUnavailable, RateLimited,
    OAuthRefused, ConnectionFailed when the platform gave no answer that helps.
    """
    began, until = clock.now(), time.monotonic() + (PATIENCE_S if is_refused else PATIENCE_WHILE_GOOD_S)
    lookout: Lookout | None = None
    while True:
        present = read(connection_id)
        if present.version != seen_version:
            return present.token
        _check_renewable(present)
        if lookout is not None and _has_just_failed(present, began):
            raise NetworkError("another worker's refresh has just failed", provider=present.provider_name)
        lookout = lookout or Lookout(is_patient=not _may_repeat(present))
        claim = lease.claim(present, lookout)
        if claim is not None:
            return _refresh_with(claim, present, is_refused=is_refused)
        if time.monotonic() >= until:
            raise NetworkError("another worker's refresh did not end in time", provider=present.provider_name)
        time.sleep(random.uniform(0.05, 0.15))  # noqa: S311 - spreads the waiters, guards nothing


def refresh_if_due(connection_id: str) -> None:
    """Refresh ahead of need; what goes wrong is on the row and tried again by the clock."""
    try:
        fresh(connection_id)
    except PatchbayError as error:
        log.warning("A token could not be refreshed.", connection_id=connection_id, error=error.kind)


def _refresh_with(claim: Claim, present: Present, *, is_refused: bool) -> Token:
    """Ask the platform for a new pair, or decide that asking is too dangerous now."""
    try:
        held = _held(claim)
        if not (is_refused or _may_send(claim, held)):
            return _hold(claim, present)
        return keeping.store(claim, _asked(held))
    except GrantExpired as error:
        return _refused(claim, error, is_refused=is_refused)
    except BaseException as error:
        _note_failure(claim, present, error)
        raise


def _held(claim: Claim) -> _Held:
    """Raises CredentialsRefused and GrantExpired when there is no app any more that could ask."""
    connection = db.session.get_one(Connection, claim.connection_id, populate_existing=True)
    provider = providers.get(connection.integration_id)
    held = _Held(
        provider,
        credentials.find(provider, connection.settings),
        dict(connection.settings),
        connection.is_sandbox,
        connection.token_expires_at,
        connection.refresh_token,
        connection.previous_refresh_token,
    )
    db.session.commit()  # nothing stays open across a request
    if held.app is None or held.refresh_token is None:
        raise CredentialsRefused("the provider is no longer set up here", provider=provider.name)
    if held.app.is_sandbox != held.is_sandbox:
        raise GrantExpired("it was granted to another app than the present one", provider=provider.name)
    return held


def _may_send(claim: Claim, held: _Held) -> bool:
    """Whether to send the refresh token now, knowing that an answer to it may have been lost.

    Where a platform punishes a token that comes back, the present access token is worth more as long as it works: only
    when it is about to end is there nothing left to lose.
    """
    if claim.lost_at is None or held.expires_at is None:
        return True
    auth, now = held.provider.auth, clock.now()
    if not isinstance(auth, OAuth2) or auth.may_resend((now - claim.lost_at).total_seconds()):
        return True
    return now >= timing.last_resort_at(held.expires_at, claim.lost_at)


def _asked(held: _Held) -> oauth.Grant:
    """A new pair for the refresh token; for the one before it when this one, not proved yet, is refused."""
    app, refresh_token = held.app, held.refresh_token
    if app is None or refresh_token is None:
        raise CredentialsRefused("there is nothing to refresh with", provider=held.provider.name)
    try:
        return _exchanged(held, app, refresh_token)
    except GrantExpired:
        if held.previous_refresh_token is None:
            raise
        return _exchanged(held, app, held.previous_refresh_token)


def _exchanged(held: _Held, app: AppCredentials, refresh_token: str) -> oauth.Grant:
    """Ask the token endpoint, unless it has failed so often of late that it is left alone (raises CircuitOpen)."""
    key, what = held.provider.key, ""
    breakers.check_login(key, is_sandbox=held.is_sandbox)
    try:
        return oauth.refresh(held.provider, app, held.settings, refresh_token)
    except (NetworkError, ProviderUnavailable) as error:
        what = error.kind
        raise
    finally:
        breakers.note_login(key, failed=bool(what), is_sandbox=held.is_sandbox, what=what)


def _hold(claim: Claim, present: Present) -> Token:
    """Leave the refresh token alone until the present token is about to end, and tell the owner that it may."""
    ends_at, lost_at = present.expires_at, claim.lost_at or clock.now()
    due_at = timing.last_resort_at(ends_at, lost_at) if ends_at else None
    lease.release(claim, refresh_sent_at=lost_at, refresh_due_at=due_at, login_ends_at=ends_at)
    alarms.told_of(claim.connection_id)
    return present.token


def _refused(claim: Claim, error: GrantExpired, *, is_refused: bool) -> Token:
    """The platform said no. After a lost answer this only means that the refresh token is spent. Raises `error`."""
    if claim.lost_at is not None and not is_refused:
        return keeping.let_lapse(claim)
    keeping.mark_reconnect_needed(claim.connection_id, error.detail)
    lease.release(claim, refresh_sent_at=None)
    raise error


def _note_failure(claim: Claim, present: Present, error: BaseException) -> None:
    """Leave on the row what is known: that it failed, when to try again, and whether an answer may have been lost."""
    now = clock.now()
    again_at = error.retry_at if isinstance(error, Postponed) else timing.retry_at(present.failed_at)
    sent_at = (claim.lost_at or now) if _may_have_worked(error) else claim.lost_at
    lease.release(claim, refresh_failed_at=now, refresh_due_at=again_at, refresh_sent_at=sent_at)
    counters.add("refreshes", provider=present.integration_id, outcome="failed")


def _may_have_worked(error: BaseException) -> bool:
    """Whether the platform may have exchanged the token all the same: no answer came, or none that can be read."""
    if isinstance(error, NetworkError):
        return error.was_sent
    return isinstance(error, ConnectionFailed) or not isinstance(error, PatchbayError)


def _may_repeat(present: Present) -> bool:
    """Whether a second refresh beside one that is still under way does no harm."""
    auth = providers.get(present.integration_id).auth
    return not isinstance(auth, OAuth2) or auth.may_resend(0)


def _check_renewable(present: Present) -> None:
    if not present.has_refresh_token:
        keeping.mark_reconnect_needed(present.connection_id, "refused, and there is no refresh token")
        raise CredentialsRefused("there is no refresh token", provider=present.provider_name)


def _has_just_failed(present: Present, began: datetime) -> bool:
    """Whether whoever held the lease meanwhile has given it back without a new token."""
    return present.lease_token is None and present.failed_at is not None and present.failed_at >= began
