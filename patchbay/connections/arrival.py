"""Coming back from the platform: every way that a connect can end, and what is stored of it.

How a grant that waits for its owner's decision is kept lives in `settling`.
"""

import dataclasses
from collections.abc import Mapping

from sqlalchemy import select, update

from patchbay import client, clock, credentials, oauth, providers, signing, tenancy, tokens
from patchbay.connections.choices import choose_what_is_alone
from patchbay.connections.keys import come_back_with_keys
from patchbay.connections.outcomes import Caller, Outcome, Returned, ended
from patchbay.connections.settling import is_taken, settle
from patchbay.connections.upkeep import find
from patchbay.errors import (
    PatchbayError,
    SetupWrong,
)
from patchbay.models import (
    PendingAuthorization,
    db,
    transaction,
    update_one,
)
from patchbay.spec import Keys


def come_back(query: Mapping[str, str], caller: Caller | None) -> Returned:
    """Finish a connect with what the platform sent along. Never raises for what a platform or an attacker may send."""
    with tenancy.everyone():  # whoever brings the state back need not be who began
        pending = db.session.scalar(
            select(PendingAuthorization).where(PendingAuthorization.state_hash == signing.hash_token(_state_in(query)))
        )
        if caller is None:
            return _come_back_unknown(pending)
    if pending is None:
        return ended(Outcome.NOT_VERIFIED, None, caller, reason="unknown state")
    if pending.user_id != caller.user_id or (pending.session_hash and pending.session_hash != caller.session_hash):
        return ended(Outcome.NOT_VERIFIED, None, caller, reason="begun by somebody else")
    if not _claim(pending):
        connection = find(caller.user_id, pending.integration_id)
        done = connection is not None and connection.is_connected
        return ended(Outcome.ALREADY_DONE if done else Outcome.NOT_VERIFIED, pending, caller, reason="used state")
    if pending.expires_at <= clock.now():
        return ended(Outcome.EXPIRED, pending, caller)
    try:
        return _complete(pending, query, caller)
    except SetupWrong as error:
        return ended(Outcome.SETUP_WRONG, pending, caller, reason=error.detail, redirect_uri=pending.redirect_uri)
    except PatchbayError as error:
        return ended(Outcome.FAILED, pending, caller, reason=error.detail, kind=error.kind)


def _come_back_unknown(pending: PendingAuthorization | None) -> Returned:
    """The return of somebody who is not signed in: it uses the state up."""
    if pending is None:
        return ended(Outcome.NOT_VERIFIED, None, None, reason="unknown state")
    _claim(pending)
    return ended(Outcome.NOT_SIGNED_IN, pending, None)


def _complete(pending: PendingAuthorization, query: Mapping[str, str], caller: Caller) -> Returned:
    provider = providers.get(pending.integration_id)
    if isinstance(provider.auth, Keys):
        return come_back_with_keys(provider, pending, query)
    app = credentials.find(provider)
    if app is None or provider.identify is None or provider.auth is None:
        raise SetupWrong("the credentials are gone", provider=provider.name)
    if query.get("error") == "access_denied":
        return ended(Outcome.DENIED, pending, caller)
    if query.get("error"):
        raise SetupWrong(f"the platform answered {query['error'][:80]}", provider=provider.name)
    if not oauth.is_signed_by(provider, app, pending.settings, query):
        return ended(Outcome.NOT_VERIFIED, pending, caller, reason="bad signature")
    if is_taken(provider, pending.settings.get(provider.auth.account_field or ""), caller):
        return ended(Outcome.ACCOUNT_TAKEN, pending, caller)
    verifier = pending.code_verifier
    db.session.commit()  # nothing stays open across a request
    grant = oauth.exchange(provider, app, pending.settings, code=query.get("code", ""), code_verifier=verifier)
    source = tokens.GivenToken(grant.access_token)
    api = client.Client(provider, app, pending.settings, app.is_sandbox, source, f"new:{pending.id}")
    account = provider.identify(api)
    if grant.scopes is None and provider.auth.granted is not None:
        grant = dataclasses.replace(grant, scopes=provider.auth.granted(api))
    returned = settle(provider, pending, grant, account, is_sandbox=app.is_sandbox)
    connection = find(caller.user_id, provider.key)
    if returned.outcome.is_success and connection is not None:
        choose_what_is_alone(connection)
    return returned


def _state_in(query: Mapping[str, str]) -> str:
    """What recognises the return: OAuth's `state`, or the word that a hand-over of keys carries in its place."""
    handovers = (one.auth.handover for one in providers.all() if isinstance(one.auth, Keys) and one.auth.handover)
    names = ("state", *(handover.nonce_key for handover in handovers))
    return next((query[name] for name in names if query.get(name)), "")


def _claim(pending: PendingAuthorization) -> bool:
    """Use the state up; True for the one caller who does."""
    unused = (PendingAuthorization.id == pending.id, PendingAuthorization.used_at.is_(None))
    with transaction():
        return update_one(update(PendingAuthorization).where(*unused).values(used_at=clock.now()))
