"""Connecting with keys: pasted by their owner, or made and handed over by the platform itself.

A hand-over arrives twice and in either order: the platform posts the keys to us, and sends the browser back. Neither is
signed: the nonce that both repeat is all that ties them to whoever began.
"""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import select

from patchbay import client, clock, credentials, oauth, providers, signing, tenancy, tokens
from patchbay.connections.choices import choose_what_is_alone
from patchbay.connections.outcomes import PATIENCE, Caller, Outcome, Returned, ended
from patchbay.connections.seats import Seats
from patchbay.connections.settling import settle
from patchbay.connections.upkeep import find
from patchbay.errors import (
    N_,
    Conflict,
    ConnectionFailed,
    CredentialsRefused,
    GrantExpired,
    Invalid,
    NotFound,
)
from patchbay.models import PendingAuthorization, db, fresh_view, new_id, transaction
from patchbay.settings import current
from patchbay.spec import ClientCredentials, Handover, Keys, Provider, Status, check

KEYS_ARRIVE_WITHIN = timedelta(seconds=8)
HANDOVER_PATH = "/api/integrations/keys"
_TAKEN = ""  # in the place of keys: no others are taken any more

seats = Seats()


def connect_with_keys(
    caller: Caller, integration_id: str, values: Mapping[str, Any], pasted: Mapping[str, Any]
) -> Returned:
    """Connect with keys that their owner has pasted; they are tried at the platform before anything is stored.

    Raises NotFound, Conflict (coming soon), Invalid with field errors, and what the platform's answer means.
    """
    provider, auth = _with_keys(integration_id)
    clean = _checked_together(provider, auth, values, pasted)
    kept = {name: text for name, text in clean.items() if name in {field.name for field in provider.fields}}
    pending = new_pending(caller, provider, kept, signing.new_token())
    with transaction() as session:
        pending.used_at = pending.created_at
        session.add(pending)
    return complete(provider, pending, auth.secret(clean))


@tenancy.everyone()
def receive_keys(integration_id: str, posted: Mapping[str, Any]) -> None:
    """Keep the keys that a platform hands over until the browser is back.

    Raises NotFound for a nonce that nobody waits for (any more), Invalid for keys that are none: a platform that is
    refused deletes them again.
    """
    _provider, auth = _with_keys(integration_id)
    if auth.handover is None:
        raise NotFound(integration_id)
    nonce = str(posted.get(auth.handover.nonce_key, ""))
    given = check(
        auth.fields, {field.name: posted.get(auth.posted.get(field.name, field.name)) for field in auth.fields}
    )
    with transaction() as session:
        pending = session.scalar(
            select(PendingAuthorization)
            .where(
                PendingAuthorization.state_hash == signing.hash_token(nonce),
                PendingAuthorization.integration_id == integration_id,
                PendingAuthorization.expires_at > clock.now(),
                PendingAuthorization.keys_sealed.is_(None),
            )
            .with_for_update()
        )
        if pending is None:
            raise NotFound("hand-over")
        pending.keys = msgspec.json.encode(given).decode()


def depart(provider: Provider, handover: Handover, values: Mapping[str, Any]) -> oauth.Departure:
    """The way to the platform that makes the keys."""
    app = credentials.find(provider, values)
    if app is None:
        raise Conflict(sentence=N_("%(provider)s is not set up here. Ask your administrator."), provider=provider.name)
    nonce = signing.new_token()
    places = {
        "nonce": nonce,
        "return_url": app.redirect_uri,
        "callback_url": f"{current().public_url}{HANDOVER_PATH}/{provider.key}",
    }
    return oauth.departure(provider, app, handover.authorize_url.format_map(values), handover.params, places)


def come_back_with_keys(provider: Provider, pending: PendingAuthorization, query: Mapping[str, str]) -> Returned:
    """The browser's return: the keys are here already, or come within moments. Raises ConnectionFailed when not."""
    auth = provider.auth
    if not isinstance(auth, Keys) or auth.handover is None:
        raise ConnectionFailed(f"{provider.key} hands no keys over", provider=provider.name)
    if query.get(auth.handover.approved_key) != auth.handover.approved_value:
        _take_keys(pending.id)
        return ended(Outcome.DENIED, pending, Caller(pending.user_id))
    given = msgspec.json.decode(_awaited_keys(provider, pending.id), type=dict[str, str])
    return complete(provider, pending, auth.secret(given))


def complete(provider: Provider, pending: PendingAuthorization, secret: str) -> Returned:
    """Ask whose account the keys open, then store them. Raises what the platform's answer means."""
    app = credentials.find(provider, pending.settings)
    if provider.identify is None or app is None:
        raise ConnectionFailed(f"{provider.key} cannot say whose account it is", provider=provider.name)
    db.session.commit()  # nothing stays open across a request
    grant = oauth.Grant(secret)
    if isinstance(provider.auth, Keys) and provider.auth.tokens is not None:
        grant = _token_for(provider, app, provider.auth.tokens, secret)
    source = tokens.GivenToken(grant.access_token)
    api = client.Client(provider, app, pending.settings, app.is_sandbox, source, f"new:{pending.id}")
    account = provider.identify(api)
    returned = settle(provider, pending, grant, account, is_sandbox=app.is_sandbox)
    connection = find(pending.user_id, provider.key)
    if returned.outcome.is_success and connection is not None:
        choose_what_is_alone(connection)
    return returned


def _token_for(provider: Provider, app: credentials.AppCredentials, asked: ClientCredentials, pair: str) -> oauth.Grant:
    """Raises CredentialsRefused for a client id and secret that the platform does not know."""
    try:
        return oauth.token_for_keys(provider, app, asked, pair)
    except GrantExpired as error:
        raise CredentialsRefused(error.detail, provider=provider.name) from None


def new_pending(caller: Caller, provider: Provider, values: Mapping[str, Any], state: str) -> PendingAuthorization:
    """A row for a connect that begins now, found again by the hash of `state`."""
    now = clock.now()
    app = credentials.find(provider, values)
    return PendingAuthorization(
        id=new_id("aut"),
        state_hash=signing.hash_token(state),
        user_id=caller.user_id,
        session_hash=caller.session_hash,
        integration_id=provider.key,
        settings=dict(values),
        scopes_asked=[scope.name for scope in provider.auth.asked(values)] if provider.auth else [],
        redirect_uri=app.redirect_uri if app else "",
        created_at=now,
        expires_at=now + PATIENCE,
    )


def _awaited_keys(provider: Provider, pending_id: str) -> str:
    """The keys, waited for by at most a quarter of the web threads; who finds no seat looks once."""
    with seats.take(current().web_threads // 4) as is_seated:
        until = time.monotonic() + (KEYS_ARRIVE_WITHIN.total_seconds() if is_seated else 0)
        while not _have_arrived(pending_id) and time.monotonic() < until:
            time.sleep(0.2)
    keys = _take_keys(pending_id)
    if not keys:
        raise ConnectionFailed("the platform handed no keys over", provider=provider.name)
    return keys


def _have_arrived(pending_id: str) -> bool:
    """Whether the keys are here; leaves no transaction open."""
    fresh_view()
    sealed = db.session.scalar(select(PendingAuthorization.keys_sealed).where(PendingAuthorization.id == pending_id))
    db.session.commit()
    return sealed is not None


def _take_keys(pending_id: str) -> str | None:
    """The keys that have arrived, once; none are taken after that."""
    with transaction() as session:
        pending = session.get_one(PendingAuthorization, pending_id, populate_existing=True, with_for_update=True)
        keys, pending.keys = pending.keys, _TAKEN
    return keys


def _with_keys(integration_id: str) -> tuple[Provider, Keys]:
    provider = providers.get(integration_id)
    if provider.status is Status.COMING_SOON:
        raise Conflict(sentence=N_("%(provider)s is coming soon. It cannot be connected yet."), provider=provider.name)
    if not isinstance(provider.auth, Keys):
        raise Invalid({"credentials": N_("%(provider)s is connected on its own site.")}, provider=provider.name)
    return provider, provider.auth


def _checked_together(
    provider: Provider, auth: Keys, values: Mapping[str, Any], pasted: Mapping[str, Any]
) -> dict[str, Any]:
    """Address and keys, checked as the one form that they are."""
    return check((*provider.fields, *auth.fields), {**values, **pasted})
