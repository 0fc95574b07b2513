"""How a connect ended: the outcomes, kept until they have been shown once at an address that holds no secret.

What leads to them lives in `arrival` and `settling`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from patchbay import audit, clock, signing, tenancy
from patchbay.audit import Deed
from patchbay.models import (
    CallbackOutcome,
    PendingAuthorization,
    new_id,
    transaction,
)

PATIENCE = timedelta(minutes=10)


class Outcome(StrEnum):
    """How a return from the platform ended; one per row of the table in docs/frontend, "OAuth callback"."""

    CONNECTED = "connected"
    CONNECTED_IN_PART = "connected_in_part"
    RECONNECTED = "reconnected"
    DENIED = "denied"
    NOT_VERIFIED = "not_verified"
    EXPIRED = "expired"
    ALREADY_DONE = "already_done"
    NOT_SIGNED_IN = "not_signed_in"
    SETUP_WRONG = "setup_wrong"
    FAILED = "failed"
    ACCOUNT_TAKEN = "account_taken"
    OTHER_ACCOUNT = "other_account"

    @property
    def is_success(self) -> bool:
        """Whether there is a working connection now."""
        return self in {self.CONNECTED, self.CONNECTED_IN_PART, self.RECONNECTED, self.ALREADY_DONE}


HTTP_STATUS = {
    Outcome.DENIED: 200,
    Outcome.NOT_VERIFIED: 400,
    Outcome.EXPIRED: 400,
    Outcome.NOT_SIGNED_IN: 401,
    Outcome.SETUP_WRONG: 502,
    Outcome.FAILED: 502,
    Outcome.ACCOUNT_TAKEN: 409,
}


@dataclass(frozen=True)
class Returned:
    """What the callback came to: `token` finds the outcome again, once, on the page that shows it."""

    outcome: Outcome
    integration_id: str | None
    token: str = field(repr=False)
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Caller:
    """Who asks: the signed-in user and, for a browser, the hash that stands for the session."""

    user_id: str
    session_hash: str | None = None


def ended(how: Outcome, pending: PendingAuthorization | None, caller: Caller | None, **params: str) -> Returned:
    """Keep how a connect ended, to be shown once; what is no success goes to the audit log with `params["reason"]`."""
    token = signing.new_token()
    integration_id = pending.integration_id if pending else None
    now = clock.now()
    with transaction() as session:
        session.add(
            CallbackOutcome(
                id=new_id("out"),
                token_hash=signing.hash_token(token),
                user_id=caller.user_id if caller else None,
                integration_id=integration_id,
                outcome=how.value,
                params=params,
                expires_at=now + PATIENCE,
            )
        )
        if not how.is_success and how is not Outcome.OTHER_ACCOUNT:
            audit.add(
                Deed.CONNECT_REFUSED,
                user_id=caller.user_id if caller else None,
                subject_id=integration_id,
                outcome=how.value,
                reason=params.get("reason", "")[:200],
            )
    return Returned(how, integration_id, token, params)


@tenancy.everyone()
def outcome(token: str, user_id: str | None) -> CallbackOutcome | None:
    """The outcome behind the token, shown once; None when it was shown, has gone, or is another user's."""
    with transaction() as session:
        found = session.scalar(select(CallbackOutcome).where(CallbackOutcome.token_hash == signing.hash_token(token)))
        if found is None or found.shown_at is not None or found.user_id not in {None, user_id}:
            return None
        found.shown_at = clock.now()
        return found
