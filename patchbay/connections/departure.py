"""Leaving for the platform: a connect that is begun, waits for approval, or is called off.

What happens on the way back lives in `arrival`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from patchbay import audit, clock, credentials, oauth, providers
from patchbay.audit import Deed
from patchbay.connections import keys
from patchbay.connections.keys import new_pending
from patchbay.connections.outcomes import Caller
from patchbay.connections.permissions import with_those_for
from patchbay.connections.upkeep import find
from patchbay.errors import (
    N_,
    Conflict,
)
from patchbay.models import (
    CallbackOutcome,
    ConnectionState,
    PendingAuthorization,
    db,
    transaction,
)
from patchbay.spec import Keys, Provider, Status, check


def begin(caller: Caller, integration_id: str, values: Mapping[str, Any], *, to_allow: str = "") -> oauth.Departure:
    """Start a connect: check the fields, keep what recognises the return, give the way to the platform.

    All that is declared is asked for; with `to_allow`, the name of an operation, only what the connection has already
    and what that operation lacks. Raises NotFound, Conflict (coming soon, not set up), Invalid.
    """
    provider = providers.get(integration_id)
    auth = provider.auth
    if provider.status is Status.COMING_SOON or auth is None:
        raise Conflict(sentence=N_("%(provider)s is coming soon. It cannot be connected yet."), provider=provider.name)
    clean = check(provider.fields, values)
    app = credentials.find(provider, clean)
    if app is None:
        raise Conflict(sentence=N_("%(provider)s is not set up here. Ask your administrator."), provider=provider.name)
    scopes = _scopes(caller.user_id, provider, to_allow) or tuple(scope.name for scope in auth.asked(clean))
    departure = _departure(provider, app, clean, scopes)
    with transaction() as session:
        session.execute(
            delete(PendingAuthorization).where(
                PendingAuthorization.user_id == caller.user_id,
                PendingAuthorization.integration_id == integration_id,
                PendingAuthorization.used_at.is_(None),
            )
        )
        pending = new_pending(caller, provider, clean, departure.state)
        pending.code_verifier = departure.code_verifier
        pending.scopes_asked = list(scopes)
        session.add(pending)
        audit.add(Deed.CONNECT_STARTED, user_id=caller.user_id, subject_id=integration_id)
    return departure


def waiting(user_id: str) -> frozenset[str]:
    """Integrations for which the user has left for the platform and not come back yet."""
    query = select(PendingAuthorization.integration_id).where(
        PendingAuthorization.user_id == user_id,
        PendingAuthorization.used_at.is_(None),
        PendingAuthorization.expires_at > clock.now(),
    )
    return frozenset(db.session.scalars(query))


def cancel(user_id: str, integration_id: str) -> None:
    """Forget a connect that is under way; a return after that is not verified."""
    with transaction() as session:
        session.execute(
            delete(PendingAuthorization).where(
                PendingAuthorization.user_id == user_id,
                PendingAuthorization.integration_id == integration_id,
                PendingAuthorization.used_at.is_(None),
            )
        )


def forget_expired() -> None:
    """Delete authorisations and outcomes that nobody can come back to; used states are kept for a day."""
    now = clock.now()
    with transaction() as session:
        session.execute(delete(CallbackOutcome).where(CallbackOutcome.expires_at < now))
        session.execute(delete(PendingAuthorization).where(PendingAuthorization.expires_at < now - timedelta(days=1)))


def _scopes(user_id: str, provider: Provider, to_allow: str) -> tuple[str, ...]:
    """What to ask for on an operation's behalf; nothing when there is no such operation, or no connection to add to."""
    connection, operation = find(user_id, provider.key), provider.operation(to_allow)
    if connection is None or operation is None or connection.state is ConnectionState.DISCONNECTED:
        return ()
    return with_those_for(connection, operation)


def _departure(
    provider: Provider, app: credentials.AppCredentials, values: Mapping[str, Any], scopes: tuple[str, ...]
) -> oauth.Departure:
    if not isinstance(provider.auth, Keys):
        return oauth.depart(provider, app, values, scopes)
    if provider.auth.handover is None:
        raise Conflict(sentence=N_("%(provider)s is connected with keys. Send them."), provider=provider.name)
    return keys.depart(provider, provider.auth.handover, values)
