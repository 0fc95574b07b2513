"""The audit log: who did what, to whose affairs, from where. Entries join the transaction of the deed itself."""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from patchbay import clock
from patchbay.models import AuditEntry, db, new_id, transaction


class Deed(StrEnum):
    """What is worth remembering."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a deed, not a password
    USER_INVITED = "user_invited"
    USER_CREATED = "user_created"
    USER_CHANGED = "user_changed"
    PASSWORD_RESET_OFFERED = "password_reset_offered"  # noqa: S105 - a deed, not a password
    KEY_CREATED = "key_created"
    KEY_USED_FROM_NEW_ADDRESS = "key_used_from_new_address"
    KEY_REFUSED = "key_refused"
    KEY_REVOKED = "key_revoked"
    CONNECT_STARTED = "connect_started"
    CONNECT_REFUSED = "connect_refused"
    CONNECTED = "connected"
    RECONNECTED = "reconnected"
    TOKEN_REFRESHED = "token_refreshed"  # noqa: S105 - a deed, not a token
    RECONNECT_NEEDED = "reconnect_needed"
    DISCONNECTED = "disconnected"
    SETTINGS_CHANGED = "settings_changed"
    RECORDS_DELETED = "records_deleted"
    RECORD_EDITED = "record_edited"
    DELETIONS_CONFIRMED = "deletions_confirmed"
    DELETIONS_KEPT = "deletions_kept"
    DELETIONS_UNDONE = "deletions_undone"
    RUN_STARTED = "run_started"
    RUN_ENDED = "run_ended"
    RUN_CANCELLED = "run_cancelled"
    SCHEDULE_SET = "schedule_set"
    SCHEDULE_PAUSED = "schedule_paused"
    SCHEDULE_RESUMED = "schedule_resumed"
    SCHEDULE_REMOVED = "schedule_removed"
    BATCH_STARTED = "batch_started"
    BATCH_ENDED = "batch_ended"
    ALERT_SETTINGS_CHANGED = "alert_settings_changed"
    CREDENTIALS_CHANGED = "credentials_changed"
    EXPORT_ASKED = "export_asked"
    ACCOUNT_ENDING = "account_ending"
    ACCOUNT_DELETED = "account_deleted"
    VAULT_ROTATED = "vault_rotated"


@dataclass(frozen=True)
class Actor:
    """Who acts now: a user id, a key id or `system`; from which address; in which request."""

    id: str = "system"
    address: str | None = None
    request_id: str | None = None


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def act_as(actor: Actor | None) -> None:
    """Say who is behind what happens next in this thread; None: the system."""
    _actor.set(actor)


def actor() -> Actor:
    """Who is behind what happens now."""
    return _actor.get() or Actor()


def add(
    deed: Deed,
    *,
    user_id: str | None = None,
    subject_id: str | None = None,
    by: str | None = None,
    **detail: str | int | None,
) -> None:
    """Remember a deed in the present transaction, or in one of its own. `detail` must hold no secret.

    `by`: who did it, where that is not yet who acts now.
    """
    who = actor()
    with transaction() as session:
        session.flush()  # a user made in this transaction must be there before the entry that names them
        session.add(
            AuditEntry(
                id=new_id("aud"),
                at=clock.now(),
                user_id=user_id,
                actor=by or who.id,
                action=deed.value,
                subject_id=subject_id,
                detail=detail,
                address=who.address,
                request_id=who.request_id,
            )
        )


@dataclass(frozen=True)
class Query:
    """Which entries to list: of one user's affairs (None: of everybody's), one deed, one actor, about one subject, and
    made in `[since, until)` (aware)."""

    user_id: str | None
    deed: Deed | None = None
    actor: str | None = None
    subject_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def page(query: Query, *, cursor: str | None, limit: int) -> tuple[list[AuditEntry], str | None]:
    """Entries, newest first, behind `cursor`; and the cursor of the next page."""
    statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
    wanted = {
        AuditEntry.user_id: query.user_id,
        AuditEntry.action: query.deed,
        AuditEntry.actor: query.actor,
        AuditEntry.subject_id: query.subject_id,
    }
    for column, value in wanted.items():
        statement = statement if value is None else statement.where(column == value)
    if query.since is not None:
        statement = statement.where(AuditEntry.at >= query.since)
    if query.until is not None:
        statement = statement.where(AuditEntry.at < query.until)
    if cursor:
        statement = statement.where(AuditEntry.id < cursor)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def latest(subject_id: str, *, limit: int = 10) -> list[AuditEntry]:
    """The newest entries about a subject, newest first."""
    query = select(AuditEntry).where(AuditEntry.subject_id == subject_id).order_by(AuditEntry.id.desc()).limit(limit)
    return list(db.session.scalars(query))
