"""Connections: begin, come back, reconnect, change, disconnect. Every way a connect can go wrong has its outcome here.

What does not live here: the OAuth calls (`oauth`), refreshing (`tokens`), and the pages that show an outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from patchbay import audit, client, clock, oauth, providers, signing
from patchbay.audit import Deed
from patchbay.errors import (
    N_,
    Conflict,
    CredentialsRefused,
    NotFound,
    PatchbayError,
    SetupWrong,
)
from patchbay.models import (
    CallbackOutcome,
    Connection,
    ConnectionState,
    PendingAuthorization,
    Record,
    Run,
    RunStatus,
    db,
    new_id,
    transaction,
)
from patchbay.models.run import OPEN
from patchbay.spec import Account, Provider, Status, check

log = structlog.get_logger()

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


def of_user(user_id: str) -> dict[str, Connection]:
    """The user's connections by integration, disconnected ones included."""
    found = db.session.scalars(select(Connection).where(Connection.user_id == user_id))
    return {connection.integration_id: connection for connection in found}


def find(user_id: str, integration_id: str) -> Connection | None:
    """The user's connection to the integration, in whatever state."""
    return db.session.scalar(
        select(Connection).where(Connection.user_id == user_id, Connection.integration_id == integration_id)
    )


def connected(user_id: str, integration_id: str) -> Connection:
    """The user's connection, ready for use. Raises NotFound for an unknown integration, Conflict when not connected."""
    provider = providers.get(integration_id)
    connection = find(user_id, integration_id)
    if connection is None or connection.state is ConnectionState.DISCONNECTED:
        raise Conflict(sentence=N_("%(provider)s is not connected. Connect it first."), provider=provider.name)
    return connection


def begin(caller: Caller, integration_id: str, values: Mapping[str, Any]) -> oauth.Departure:
    """Start a connect: check the fields, keep what recognises the return, give the way to the platform.

    Raises NotFound, Conflict (coming soon, not set up), Invalid.
    """
    provider = providers.get(integration_id)
    if provider.status is Status.COMING_SOON or provider.auth is None:
        raise Conflict(sentence=N_("%(provider)s is coming soon. It cannot be connected yet."), provider=provider.name)
    app = oauth.credentials_for(provider)
    if app is None:
        raise Conflict(sentence=N_("%(provider)s is not set up here. Ask your administrator."), provider=provider.name)
    clean = check(provider.fields, values)
    departure = oauth.depart(provider, app, clean)
    now = clock.now()
    with transaction() as session:
        session.execute(
            delete(PendingAuthorization).where(
                PendingAuthorization.user_id == caller.user_id,
                PendingAuthorization.integration_id == integration_id,
                PendingAuthorization.used_at.is_(None),
            )
        )
        pending = PendingAuthorization(
            id=new_id("aut"),
            state_hash=signing.hash_token(departure.state),
            user_id=caller.user_id,
            session_hash=caller.session_hash,
            integration_id=integration_id,
            settings=clean,
            redirect_uri=app.redirect_uri,
            created_at=now,
            expires_at=now + PATIENCE,
        )
        pending.code_verifier = departure.code_verifier
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


def come_back(query: Mapping[str, str], caller: Caller | None) -> Returned:
    """Finish a connect with what the platform sent along. Never raises for what a platform or an attacker may send."""
    pending = db.session.scalar(
        select(PendingAuthorization).where(
            PendingAuthorization.state_hash == signing.hash_token(query.get("state", ""))
        )
    )
    if pending is None:
        return _ended(Outcome.NOT_VERIFIED, None, caller, reason="unknown state")
    if caller is None:
        _claim(pending)
        return _ended(Outcome.NOT_SIGNED_IN, pending, None)
    if pending.user_id != caller.user_id or (pending.session_hash and pending.session_hash != caller.session_hash):
        return _ended(Outcome.NOT_VERIFIED, None, caller, reason="begun by somebody else")
    if not _claim(pending):
        connection = find(caller.user_id, pending.integration_id)
        done = connection is not None and connection.is_connected
        return _ended(Outcome.ALREADY_DONE if done else Outcome.NOT_VERIFIED, pending, caller, reason="used state")
    if pending.expires_at <= clock.now():
        return _ended(Outcome.EXPIRED, pending, caller)
    try:
        return _complete(pending, query, caller)
    except SetupWrong as error:
        return _ended(Outcome.SETUP_WRONG, pending, caller, reason=error.detail, redirect_uri=pending.redirect_uri)
    except PatchbayError as error:
        return _ended(Outcome.FAILED, pending, caller, reason=error.detail, kind=error.kind)


def outcome(token: str, user_id: str | None) -> CallbackOutcome | None:
    """The outcome behind the token, shown once; None when it was shown, has gone, or is another user's."""
    with transaction() as session:
        found = session.scalar(select(CallbackOutcome).where(CallbackOutcome.token_hash == signing.hash_token(token)))
        if found is None or found.shown_at is not None or found.user_id not in {None, user_id}:
            return None
        found.shown_at = clock.now()
        return found


def replace_account(user_id: str, integration_id: str, *, keep: bool) -> Connection:
    """Decide what to do with the other account that came back: keep the present one, or replace it.

    Replacing deletes the records of the old account. Raises Conflict when there is nothing to decide any more.
    """
    provider = providers.get(integration_id)
    with transaction() as session:
        pending = session.scalar(
            select(PendingAuthorization)
            .where(
                PendingAuthorization.user_id == user_id,
                PendingAuthorization.integration_id == integration_id,
                PendingAuthorization.grant_sealed.is_not(None),
                PendingAuthorization.expires_at > clock.now(),
            )
            .order_by(PendingAuthorization.id.desc())
        )
        connection = find(user_id, integration_id)
        if pending is None or pending.grant is None or connection is None:
            raise Conflict(sentence=N_("There is nothing to decide any more. Connect again."))
        kept = msgspec.json.decode(pending.grant, type=_KeptGrant)
        pending.grant = None
        if not keep:
            session.execute(delete(Record).where(Record.connection_id == connection.id))
            _store(provider, connection, kept.grant(), kept.account(), pending.settings, is_sandbox=kept.is_sandbox)
            audit.add(Deed.RECONNECTED, user_id=user_id, subject_id=connection.id, account=kept.account_label)
    if keep:
        _revoke_quietly(provider, kept.access_token)
    return connection


def change_settings(user_id: str, integration_id: str, values: Mapping[str, Any]) -> Connection:
    """Store the settings form. Raises Invalid with field errors, Conflict when not connected."""
    provider = providers.get(integration_id)
    clean = check(provider.settings, values)
    with transaction():
        connection = connected(user_id, integration_id)
        connection.settings = {**connection.settings, **clean}
        connection.updated_at = clock.now()
        audit.add(Deed.SETTINGS_CHANGED, user_id=user_id, subject_id=connection.id)
    return connection


def disconnect(user_id: str, integration_id: str, *, uninstall: bool = False) -> bool:
    """End the connection: revoke at the platform where that is possible, delete the tokens in any case.

    `uninstall` removes our app there for good, where that is the platform's way. Records, runs and settings stay.
    Returns whether the platform confirmed; raises Conflict when there is nothing to disconnect.
    """
    provider = providers.get(integration_id)
    connection = connected(user_id, integration_id)
    revoked = _revoke(provider, connection, uninstall=uninstall)
    with transaction() as session:
        session.refresh(connection)
        connection.state = ConnectionState.DISCONNECTED
        connection.access_token = connection.refresh_token = None
        connection.exclusive_account = None
        connection.token_expires_at = connection.refresh_expires_at = None
        connection.token_version += 1
        connection.updated_at = clock.now()
        _cancel_open_runs(connection)
        audit.add(Deed.DISCONNECTED, user_id=user_id, subject_id=connection.id, revoked=str(revoked).lower())
    return revoked


def delete_records(user_id: str, integration_id: str) -> int:
    """Delete what was imported through the connection; returns how many records. Raises NotFound, Conflict."""
    providers.get(integration_id)
    with transaction() as session:
        connection = find(user_id, integration_id)
        if connection is None:
            raise NotFound(integration_id)
        if session.scalar(
            select(func.count()).select_from(Run).where(Run.connection_id == connection.id, Run.status.in_(OPEN))
        ):
            raise Conflict(sentence=N_("An import is under way. Cancel it first, then delete its data."))
        deleted = session.execute(delete(Record).where(Record.connection_id == connection.id))
        count: int = deleted.rowcount  # type: ignore[attr-defined]  # a DELETE's result has it
        connection.last_synced_at = None
        audit.add(Deed.RECORDS_DELETED, user_id=user_id, subject_id=connection.id, count=count)
    return count


def missing_scopes(connection: Connection) -> tuple[str, ...]:
    """Names of declared scopes that were not granted."""
    provider = providers.get(connection.integration_id)
    if provider.auth is None:
        return ()
    return tuple(scope.name for scope in provider.auth.missing(frozenset(connection.scopes)))


def forget_expired() -> None:
    """Delete authorisations and outcomes that nobody can come back to; used states are kept for a day."""
    now = clock.now()
    with transaction() as session:
        session.execute(delete(CallbackOutcome).where(CallbackOutcome.expires_at < now))
        session.execute(delete(PendingAuthorization).where(PendingAuthorization.expires_at < now - timedelta(days=1)))


class _KeptGrant(msgspec.Struct):
    """A grant that waits, sealed, for its owner's decision."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime | None
    refresh_expires_at: datetime | None
    scopes: list[str]
    account_id: str
    account_label: str
    is_sandbox: bool

    def grant(self) -> oauth.Grant:
        return oauth.Grant(
            self.access_token, self.refresh_token, self.expires_at, self.refresh_expires_at, tuple(self.scopes)
        )

    def account(self) -> Account:
        return Account(self.account_id, self.account_label)


def _complete(pending: PendingAuthorization, query: Mapping[str, str], caller: Caller) -> Returned:
    provider = providers.get(pending.integration_id)
    app = oauth.credentials_for(provider)
    if app is None or provider.identify is None:
        raise SetupWrong("the credentials are gone", provider=provider.name)
    if query.get("error") == "access_denied":
        return _ended(Outcome.DENIED, pending, caller)
    if query.get("error"):
        raise SetupWrong(f"the platform answered {query['error'][:80]}", provider=provider.name)
    if not oauth.is_signed_by(provider, app, pending.settings, query):
        return _ended(Outcome.NOT_VERIFIED, pending, caller, reason="bad signature")
    if _is_taken(provider, pending.settings.get(provider.auth.account_field or "") if provider.auth else None, caller):
        return _ended(Outcome.ACCOUNT_TAKEN, pending, caller)
    verifier = pending.code_verifier
    db.session.commit()  # nothing stays open across a request
    grant = oauth.exchange(provider, app, pending.settings, code=query.get("code", ""), code_verifier=verifier)
    account = provider.identify(
        client.Client(
            provider, pending.settings, app.is_sandbox, client.GivenToken(grant.access_token), f"new:{pending.id}"
        )
    )
    return _settle(provider, pending, grant, account, is_sandbox=app.is_sandbox)


def _settle(
    provider: Provider, pending: PendingAuthorization, grant: oauth.Grant, account: Account, *, is_sandbox: bool
) -> Returned:
    """Store the grant, or keep it aside when it is for another account than before."""
    caller = Caller(pending.user_id)
    if _is_taken(provider, account.id, caller):
        _revoke_quietly(provider, grant.access_token)
        return _ended(Outcome.ACCOUNT_TAKEN, pending, caller)
    try:
        with transaction() as session:
            connection = find(pending.user_id, pending.integration_id)
            if connection is not None and connection.account_id != account.id and _has_content(connection):
                row = session.get_one(PendingAuthorization, pending.id)
                row.grant = msgspec.json.encode(_kept(grant, account, is_sandbox)).decode()
                params = {"before": connection.account_label, "account": account.label}
                return _ended(Outcome.OTHER_ACCOUNT, pending, caller, **params)
            was_known = connection is not None
            if connection is None:
                connection = _new_connection(pending)
                session.add(connection)
            _store(provider, connection, grant, account, pending.settings, is_sandbox=is_sandbox)
            deed = Deed.RECONNECTED if was_known else Deed.CONNECTED
            audit.add(deed, user_id=pending.user_id, subject_id=connection.id, account=account.label)
            return _ended(_success(connection, was_known=was_known), pending, caller, account=account.label)
    except IntegrityError:
        return _ended(Outcome.ACCOUNT_TAKEN, pending, caller)  # somebody else's connect finished in between


def _success(connection: Connection, *, was_known: bool) -> Outcome:
    if missing_scopes(connection):
        return Outcome.CONNECTED_IN_PART
    return Outcome.RECONNECTED if was_known else Outcome.CONNECTED


def _store(
    provider: Provider,
    connection: Connection,
    grant: oauth.Grant,
    account: Account,
    settings: Mapping[str, Any],
    *,
    is_sandbox: bool,
) -> None:
    now = clock.now()
    asked = tuple(scope.name for scope in provider.auth.scopes) if provider.auth else ()
    connection.state = ConnectionState.CONNECTED
    connection.access_token = grant.access_token
    connection.refresh_token = grant.refresh_token
    connection.token_expires_at = grant.expires_at
    connection.refresh_expires_at = grant.refresh_expires_at
    connection.token_version = (connection.token_version or 0) + 1
    connection.refresh_lease_token = connection.refresh_lease_until = connection.refresh_failed_at = None
    connection.settings = {**(connection.settings or {}), **settings}
    connection.account_id, connection.account_label = account.id, account.label
    exclusive = provider.auth is not None and provider.auth.grant_is_exclusive
    connection.exclusive_account = account.id if exclusive else None
    connection.scopes = list(grant.scopes if grant.scopes is not None else asked)
    connection.is_sandbox = is_sandbox
    connection.connected_at = connection.updated_at = now


def _new_connection(pending: PendingAuthorization) -> Connection:
    return Connection(
        id=new_id("con"),
        user_id=pending.user_id,
        integration_id=pending.integration_id,
        created_at=clock.now(),
    )


def _kept(grant: oauth.Grant, account: Account, is_sandbox: bool) -> _KeptGrant:
    return _KeptGrant(
        grant.access_token,
        grant.refresh_token,
        grant.expires_at,
        grant.refresh_expires_at,
        list(grant.scopes or ()),
        account.id,
        account.label,
        is_sandbox,
    )


def _claim(pending: PendingAuthorization) -> bool:
    """Use the state up; True for the one caller who does."""
    with transaction() as session:
        claimed = session.execute(
            update(PendingAuthorization)
            .where(PendingAuthorization.id == pending.id, PendingAuthorization.used_at.is_(None))
            .values(used_at=clock.now())
        )
    return bool(claimed.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result has it


def _is_taken(provider: Provider, account_id: str | None, caller: Caller) -> bool:
    """Whether another user holds this account, where two cannot: asked before the exchange, which would end theirs."""
    if provider.auth is None or not provider.auth.grant_is_exclusive or not account_id:
        return False
    holder = db.session.scalar(
        select(Connection.user_id).where(
            Connection.integration_id == provider.key, Connection.exclusive_account == account_id
        )
    )
    return holder is not None and holder != caller.user_id


def _has_content(connection: Connection) -> bool:
    """Whether replacing the account would take something away."""
    if connection.state is not ConnectionState.DISCONNECTED:
        return True
    return db.session.scalar(select(Record.id).where(Record.connection_id == connection.id).limit(1)) is not None


def _ended(how: Outcome, pending: PendingAuthorization | None, caller: Caller | None, **params: str) -> Returned:
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


def _revoke(provider: Provider, connection: Connection, *, uninstall: bool) -> bool:
    app = oauth.credentials_for(provider)
    if app is None or not connection.is_connected:
        return False
    source = client.StoredToken(connection.id)
    try:
        if uninstall and provider.uninstall is not None:
            api = client.Client(provider, connection.settings, connection.is_sandbox, source, connection.id)
            provider.uninstall(api)
            return True
        token = connection.refresh_token or connection.access_token or ""
        db.session.commit()  # nothing stays open across a request
        return oauth.revoke(provider, app, token)
    except CredentialsRefused:
        return True  # the platform knows the token no more
    except PatchbayError as error:
        log.warning("A token could not be revoked at the platform.", integration=provider.key, error=error.kind)
        return False


def _revoke_quietly(provider: Provider, token: str) -> None:
    """Give back a grant that is not kept; an exclusive one cannot be returned without ending its other holder's."""
    app = oauth.credentials_for(provider)
    if app is None:
        return
    try:
        oauth.revoke(provider, app, token)
    except PatchbayError as error:
        log.warning("A grant could not be given back.", integration=provider.key, error=error.kind)


def _cancel_open_runs(connection: Connection) -> None:
    now = clock.now()
    db.session.execute(
        update(Run)
        .where(Run.connection_id == connection.id, Run.status.in_((RunStatus.QUEUED, RunStatus.WAITING)))
        .values(status=RunStatus.CANCELLED, ended_at=now, open_key=None, version=Run.version + 1),
    )
    db.session.execute(
        update(Run)
        .where(Run.connection_id == connection.id, Run.status == RunStatus.RUNNING)
        .values(cancel_requested_at=now)
    )
