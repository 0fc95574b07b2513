"""What the holder of the lease does: ask for a new pair, or find that asking is too dangerous now; and what it leaves.

Who gets the lease, and what the others do meanwhile, lives in `refreshing`; when it is time, in `timing`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError

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
from patchbay.tokens.lease import Claim
from patchbay.tokens.present import Present, Token, read
from patchbay.tokens.stopping import stop_put_off

log = structlog.get_logger()

Tell = Callable[[oauth.Told], None]
"""Hears of a call to the token endpoint, without its secrets, when all is over."""

KEEP_TRYING_S = 30.0
STORE_AGAIN_S = 0.5


@dataclass(frozen=True)
class Held:
    """What a token is refreshed with; read before the network is waited for."""

    provider: Provider
    app: AppCredentials
    settings: dict[str, Any]
    is_sandbox: bool
    expires_at: datetime | None
    refresh_token: str = field(repr=False)
    previous_refresh_token: str | None = field(repr=False)


@dataclass(frozen=True)
class Attempt:
    """One refresh under one claim. `is_refused`: the present token is of no use any more."""

    claim: Claim
    present: Present
    is_refused: bool
    tell: Tell

    def carry_out(self) -> Token:
        """The new token, or the present one where a refresh could end what works.

        A stop of this process waits for it: an answer that nobody stores is as good as lost.
        """
        calls: list[oauth.Told] = []
        try:
            with stop_put_off():
                return self._outcome(oauth.Asking(lease.LONGEST_ANSWER_S, calls.append))
        finally:
            for call in calls:
                self.tell(call)

    def _outcome(self, asking: oauth.Asking) -> Token:
        try:
            held = self._held()
            if not (self.is_refused or self._may_send(held)):
                return self._left_alone()
            return self._stored(self._asked(held, asking))
        except GrantExpired as error:
            return self._refused(error)
        except BaseException as error:
            self._note_failure(error)
            raise

    def _held(self) -> Held:
        """Raises CredentialsRefused and GrantExpired when there is no app any more that could ask."""
        connection = db.session.get_one(Connection, self.claim.connection_id, populate_existing=True)
        provider = providers.get(connection.integration_id)
        app, refresh_token = credentials.find(provider, connection.settings), connection.refresh_token
        if app is None or refresh_token is None:
            raise CredentialsRefused("the provider is no longer set up here", provider=provider.name)
        if app.is_sandbox != connection.is_sandbox:
            raise GrantExpired("it was granted to another app than the present one", provider=provider.name)
        held = Held(
            provider,
            app,
            dict(connection.settings),
            connection.is_sandbox,
            connection.token_expires_at,
            refresh_token,
            connection.previous_refresh_token,
        )
        db.session.commit()  # nothing stays open across a request
        return held

    def _may_send(self, held: Held) -> bool:
        """Whether to send the refresh token now, knowing that an answer to it may have been lost.

        Where a platform punishes a token that comes back, the present access token is worth more as long as it works:
        only when it is about to end is there nothing left to lose.
        """
        lost_at, auth = self.claim.lost_at, held.provider.auth
        if lost_at is None or held.expires_at is None or not isinstance(auth, OAuth2):
            return True
        now = clock.now()
        return auth.may_resend((now - lost_at).total_seconds()) or now >= timing.last_resort_at(
            held.expires_at, lost_at
        )

    def _asked(self, held: Held, asking: oauth.Asking) -> oauth.Grant:
        """A new pair for the refresh token; for the one before it when this one, not proved yet, is refused."""
        try:
            return self._exchanged(held, held.refresh_token, asking)
        except GrantExpired:
            if held.previous_refresh_token is None:
                raise
            return self._exchanged(held, held.previous_refresh_token, asking)

    def _exchanged(self, held: Held, refresh_token: str, asking: oauth.Asking) -> oauth.Grant:
        """Ask the token endpoint, unless it has failed so often of late that it is left alone (raises CircuitOpen)."""
        key, what = held.provider.key, ""
        breakers.check_login(key, is_sandbox=held.is_sandbox)
        lease.check_in_time(self.claim)
        try:
            return oauth.refresh(held.provider, held.app, held.settings, refresh_token, asking)
        except (NetworkError, ProviderUnavailable) as error:
            what = error.kind
            raise
        finally:
            breakers.note_login(key, failed=bool(what), is_sandbox=held.is_sandbox, what=what)

    def _stored(self, grant: oauth.Grant) -> Token:
        """Kept, though the database be locked or away for a while: nobody else has this pair."""
        until = time.monotonic() + KEEP_TRYING_S
        while True:
            try:
                return keeping.store(self.claim, grant)
            except OperationalError as error:
                if time.monotonic() >= until:
                    raise
                log.warning("A new token could not be stored yet; trying again.", error=type(error).__name__)
                time.sleep(STORE_AGAIN_S)

    def _left_alone(self) -> Token:
        """Keep the refresh token back until the present token is about to end, and tell the owner that it may."""
        ends_at, lost_at = self.present.expires_at, self.claim.lost_at or clock.now()
        due_at = timing.last_resort_at(ends_at, lost_at) if ends_at else None
        lease.release(self.claim, refresh_sent_at=lost_at, refresh_due_at=due_at, login_ends_at=ends_at)
        alarms.told_of(self.claim.connection_id)
        return self.present.token

    def _refused(self, error: GrantExpired) -> Token:
        """The platform said no. After a lost answer this only means that the refresh token is spent, and after a
        reconnect nothing: there is a newer token. Raises `error`.
        """
        claim = self.claim
        if claim.lost_at is not None and not self.is_refused:
            return keeping.let_lapse(claim)
        keeping.mark_reconnect_needed(claim.connection_id, error.detail, seen_version=claim.version)
        lease.release(claim, refresh_sent_at=None)
        try:
            return read(claim.connection_id).token
        except GrantExpired:
            raise error from None

    def _note_failure(self, error: BaseException) -> None:
        """Leave on the row what is known: that it failed, when to try again, whether an answer may have been lost."""
        now, lost_at = clock.now(), self.claim.lost_at
        again_at = error.retry_at if isinstance(error, Postponed) else timing.retry_at(self.present.failed_at)
        sent_at = lost_at or now if _may_have_worked(error) else lost_at
        lease.release(self.claim, refresh_failed_at=now, refresh_due_at=again_at, refresh_sent_at=sent_at)
        counters.add("refreshes", provider=self.present.integration_id, outcome="failed")


def _may_have_worked(error: BaseException) -> bool:
    """Whether the platform may have exchanged the token all the same: no answer came, or none that can be read."""
    if isinstance(error, NetworkError):
        return error.was_sent
    return isinstance(error, ConnectionFailed) or not isinstance(error, PatchbayError)
