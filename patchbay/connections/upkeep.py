"""Looking after connections: finding them, what they lack, deleting their data, disconnecting.

How one comes to be lives in `departure` and `arrival`.
"""

from collections.abc import Collection

from sqlalchemy import delete, func, select, update

from patchbay import audit, clock, providers, tokens
from patchbay.audit import Deed
from patchbay.connections import revoking
from patchbay.errors import (
    N_,
    Conflict,
    NotFound,
)
from patchbay.models import (
    Checkpoint,
    Connection,
    ConnectionState,
    KnownChoices,
    Record,
    Run,
    RunStatus,
    db,
    transaction,
)
from patchbay.models.run import OPEN
from patchbay.records import deletions
from patchbay.spec import Field


def of_user(user_id: str) -> dict[str, Connection]:
    """The user's connections by integration, disconnected ones included."""
    found = db.session.scalars(select(Connection).where(Connection.user_id == user_id))
    return {connection.integration_id: connection for connection in found}


def integrations_of(connection_ids: Collection[str]) -> dict[str, str]:
    """To which integrations these connections lead, by their ids; what is no connection's id is left out."""
    rows = db.session.execute(select(Connection.id, Connection.integration_id).where(Connection.id.in_(connection_ids)))
    return {row.id: row.integration_id for row in rows}


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


def disconnect(user_id: str, integration_id: str, *, uninstall: bool = False) -> bool:
    """End the connection: revoke at the platform where that is possible, delete the tokens in any case.

    `uninstall` removes our app there for good, where that is the platform's way. Records, runs and settings stay.
    Returns whether the platform confirmed; raises Conflict when there is nothing to disconnect.
    """
    connection = connected(user_id, integration_id)
    revoked = connection.is_connected and revoking.end_grant(connection, uninstall=uninstall)
    with transaction() as session:
        session.refresh(connection)
        connection.state = ConnectionState.DISCONNECTED
        connection.exclusive_account = None
        tokens.forget(connection)
        tokens.login_works(connection)
        connection.updated_at = clock.now()
        end_runs(connection)
        session.execute(delete(KnownChoices).where(KnownChoices.connection_id == connection.id))
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
        count = forget_imported(connection)
        connection.last_synced_at = None
        audit.add(Deed.RECORDS_DELETED, user_id=user_id, subject_id=connection.id, count=count)
    return count


def forget_imported(connection: Connection) -> int:
    """Delete the records in the present transaction, and where their imports stood; returns how many records."""
    db.session.execute(delete(Checkpoint).where(Checkpoint.connection_id == connection.id))
    deleted = db.session.execute(delete(Record).where(Record.connection_id == connection.id))
    count: int = deleted.rowcount  # type: ignore[attr-defined]  # a DELETE's result has it
    return count


def end_runs(connection: Connection) -> None:
    """Cancel the open runs in the present transaction, and with them what they ask their owner.

    A worker that has one loses its lease and writes no more.
    """
    db.session.execute(
        update(Run)
        .where(Run.connection_id == connection.id, Run.status.in_(OPEN))
        .values(
            status=RunStatus.CANCELLED,
            ended_at=clock.now(),
            open_key=None,
            lease_token=None,
            version=Run.version + 1,
        )
    )
    deletions.release_all(connection.id)


def missing_choices(connection: Connection) -> tuple[Field, ...]:
    """What must be chosen before the connection is of use."""
    return providers.get(connection.integration_id).unchosen(connection.settings)


def check_chosen(connection: Connection, operation_name: str) -> None:
    """Raises Conflict when a choice is missing, but for the operations that choices are made from."""
    provider = providers.get(connection.integration_id)
    if not missing_choices(connection) or operation_name in {
        one.pick.operation for one in provider.settings if one.pick
    }:
        return
    sentence = N_("Choose first which part of %(provider)s to work with: open its settings.")
    raise Conflict(sentence=sentence, provider=provider.name)
