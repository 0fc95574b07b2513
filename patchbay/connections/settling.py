"""Storing a grant: on a new connection, on a known one, or aside while its owner decides about another account."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from patchbay import audit, clock, oauth, providers, tenancy, tokens
from patchbay.audit import Deed
from patchbay.connections.choices import choose_what_is_alone
from patchbay.connections.outcomes import Caller, Outcome, Returned, ended
from patchbay.connections.permissions import missing_scopes
from patchbay.connections.revoking import give_back
from patchbay.connections.upkeep import end_runs, find, forget_imported
from patchbay.errors import (
    N_,
    Conflict,
    UnexpectedShape,
    storable,
)
from patchbay.models import (
    Connection,
    ConnectionState,
    PendingAuthorization,
    Record,
    db,
    new_id,
    transaction,
)
from patchbay.spec import Account, Provider

LONGEST_NAME = 255


def replace_account(user_id: str, integration_id: str, *, keep: bool) -> Connection:
    """Decide what to do with the other account that came back: keep the present one, or replace it.

    Replacing ends the runs and deletes the records of the old account. Raises Conflict when there is nothing to decide
    any more, or when somebody else has connected the account meanwhile.
    """
    provider = providers.get(integration_id)
    try:
        connection, kept, settings = _decide(provider, user_id, keep=keep)
    except IntegrityError:
        raise Conflict(
            sentence=N_("This %(provider)s account is already connected by someone else here."), provider=provider.name
        ) from None
    if keep:
        give_back(provider, kept.access_token, settings)
    else:
        choose_what_is_alone(connection)
    return connection


def _decide(provider: Provider, user_id: str, *, keep: bool) -> "tuple[Connection, _KeptGrant, dict[str, Any]]":
    """The connection as decided, and the grant that was asked about with its settings."""
    with transaction() as session:
        pending = session.scalar(
            select(PendingAuthorization)
            .where(
                PendingAuthorization.user_id == user_id,
                PendingAuthorization.integration_id == provider.key,
                PendingAuthorization.grant_sealed.is_not(None),
                PendingAuthorization.expires_at > clock.now(),
            )
            .order_by(PendingAuthorization.id.desc())
        )
        connection = find(user_id, provider.key)
        if pending is None or pending.grant is None or connection is None:
            raise Conflict(sentence=N_("There is nothing to decide any more. Connect again."))
        kept = msgspec.json.decode(pending.grant, type=_KeptGrant)
        pending.grant = None
        if not keep:
            end_runs(connection)
            _store(provider, connection, kept.grant(), kept.account(), pending, is_sandbox=kept.is_sandbox)
            audit.add(Deed.RECONNECTED, user_id=user_id, subject_id=connection.id, account=kept.account_label)
    return connection, kept, pending.settings


class _KeptGrant(msgspec.Struct):
    """A grant that waits, sealed, for its owner's decision."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime | None
    refresh_expires_at: datetime | None
    scopes: list[str] | None
    account_id: str
    account_label: str
    is_sandbox: bool

    def grant(self) -> oauth.Grant:
        scopes = None if self.scopes is None else tuple(self.scopes)
        return oauth.Grant(self.access_token, self.refresh_token, self.expires_at, self.refresh_expires_at, scopes)

    def account(self) -> Account:
        return Account(self.account_id, self.account_label)


@tenancy.everyone()
def is_taken(provider: Provider, account_id: str | None, caller: Caller) -> bool:
    """Whether another user holds this account, where two cannot: asked before the exchange, which would end theirs."""
    if provider.auth is None or not provider.auth.grant_is_exclusive or not account_id:
        return False
    holder = db.session.scalar(
        select(Connection.user_id).where(
            Connection.integration_id == provider.key, Connection.exclusive_account == account_id
        )
    )
    return holder is not None and holder != caller.user_id


def settle(
    provider: Provider, pending: PendingAuthorization, grant: oauth.Grant, account: Account, *, is_sandbox: bool
) -> Returned:
    """Store the grant, or keep it aside when it is for another account than before. Raises UnexpectedShape."""
    caller, account = Caller(pending.user_id), _storable(provider, account)
    if is_taken(provider, account.id, caller):
        give_back(provider, grant.access_token, pending.settings)
        return ended(Outcome.ACCOUNT_TAKEN, pending, caller)
    try:
        with transaction() as session:
            connection = find(pending.user_id, pending.integration_id)
            if connection is not None and connection.account_id != account.id and _has_content(connection):
                row = session.get_one(PendingAuthorization, pending.id)
                row.grant = msgspec.json.encode(_kept(grant, account, is_sandbox)).decode()
                params = {"before": connection.account_label, "account": account.label}
                return ended(Outcome.OTHER_ACCOUNT, pending, caller, **params)
            was_known = connection is not None
            if connection is None:
                connection = _new_connection(pending)
                session.add(connection)
            _store(provider, connection, grant, account, pending, is_sandbox=is_sandbox)
            deed = Deed.RECONNECTED if was_known else Deed.CONNECTED
            audit.add(deed, user_id=pending.user_id, subject_id=connection.id, account=account.label)
            return ended(_success(connection, was_known=was_known), pending, caller, account=account.label)
    except IntegrityError:
        return ended(Outcome.ACCOUNT_TAKEN, pending, caller)  # somebody else's connect finished in between


def _success(connection: Connection, *, was_known: bool) -> Outcome:
    if missing_scopes(connection):
        return Outcome.CONNECTED_IN_PART
    return Outcome.RECONNECTED if was_known else Outcome.CONNECTED


def _store(
    provider: Provider,
    connection: Connection,
    grant: oauth.Grant,
    account: Account,
    pending: PendingAuthorization,
    *,
    is_sandbox: bool,
) -> None:
    settings, asked = pending.settings, pending.scopes_asked or []
    if connection.account_id not in {None, account.id}:  # what was chosen and imported belongs to the other account
        connection.settings, connection.setting_labels, connection.last_synced_at = {}, {}, None
        connection.scopes_asked = None
        forget_imported(connection)
    connection.settings = {**(connection.settings or {}), **settings}
    connection.account_id, connection.account_label = account.id, account.label
    exclusive = provider.auth is not None and provider.auth.grant_is_exclusive
    connection.exclusive_account = account.id if exclusive else None
    connection.is_sandbox = is_sandbox
    connection.state = ConnectionState.CONNECTED
    connection.connected_at = clock.now()
    connection.scopes_asked = sorted({*asked, *(connection.scopes_asked or [])})
    connection.scopes = list(asked)  # what an answer means that names none
    connection.refresh_token = connection.refresh_expires_at = None
    connection.previous_access_token = connection.previous_refresh_token = None
    tokens.keep(connection, grant)
    tokens.login_works(connection)


def _storable(provider: Provider, account: Account) -> Account:
    """The account as columns take it. Raises UnexpectedShape for an id that is none."""
    if not 0 < len(account.id) <= LONGEST_NAME or storable(account.id) != account.id:
        raise UnexpectedShape(f"{provider.key}: the account has no id that could be kept", provider=provider.name)
    return Account(account.id, storable(account.label)[:LONGEST_NAME] or account.id)


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
        None if grant.scopes is None else list(grant.scopes),
        account.id,
        account.label,
        is_sandbox,
    )


def _has_content(connection: Connection) -> bool:
    """Whether replacing the account would take something away."""
    if connection.state is not ConnectionState.DISCONNECTED:
        return True
    return db.session.scalar(select(Record.id).where(Record.connection_id == connection.id).limit(1)) is not None
