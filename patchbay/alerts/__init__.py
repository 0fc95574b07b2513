"""What needs a person's attention: raised and resolved by whoever notices, once per user, kind and subject.

What does not live here: looking for what is amiss (`alerts.rules`), messages (`alerts.notices`, `alerts.delivery`), the
words (`alerts.stories`), and the inbox (`alerts.inbox`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from patchbay import clock
from patchbay.alerts import notices
from patchbay.alerts.finding import name_of
from patchbay.errors import storable
from patchbay.models import Alert, AlertKind, Connection, db, new_id, transaction
from patchbay.redaction import redact_text

__all__ = ["LONGEST_PARAM", "SETTLES_WITHIN", "Kind", "raise_alert", "resolve"]

Kind = AlertKind

SETTLES_WITHIN = timedelta(minutes=5)
"""What comes back within this time is the same alert again; only after it is anybody told of a recovery."""

LONGEST_PARAM = 500


def raise_alert(kind: Kind, *, user_id: str, subject_id: str, connection_id: str | None = None, **params: str) -> None:
    """Say that something is amiss, in the present transaction or one of its own; once is enough, often does no harm.

    While an alert of that user, kind and subject is open, it is counted and its `params` are renewed; one that was
    resolved just now is opened again; else a new one opens and its messages are planned. `params` fill the sentences of
    `alerts.stories`; `provider` is added by itself where there is a connection. `subject_id`: 200 characters at most.
    """
    with transaction() as session:
        params = _words(session, connection_id, params)
        raised = _Raised(user_id, connection_id, kind, subject_id, params, clock.now())
        if _counted(session, raised) or _reopened(session, raised) or _inserted(session, raised):
            return
        _counted(session, raised)  # of several at once the database let another one through


def resolve(kind: Kind, subject_id: str) -> None:
    """Say that it is over, in the present transaction or one of its own; nothing happens when nothing was open.

    Closes the alerts of everybody who had one of that kind about that subject, as far as the present scope
    (`patchbay.tenancy`) sees them.
    """
    with transaction() as session:
        found = select(Alert).where(Alert.kind == kind, Alert.subject_id == subject_id, Alert.is_open)
        for alert in session.scalars(found.with_for_update()):
            close(alert)


def close(alert: Alert) -> None:
    """Close one open alert inside the caller's transaction, and plan word of it for whoever was told that it opened."""
    alert.is_open, alert.resolved_at = False, clock.now()
    notices.after_close(alert, settled_at=alert.resolved_at + SETTLES_WITHIN)


@dataclass(frozen=True)
class _Raised:
    """What is raised, before it is known whether it is open already."""

    user_id: str
    connection_id: str | None
    kind: Kind
    subject_id: str
    params: dict[str, str]
    at: datetime

    def is_same(self) -> tuple[ColumnElement[bool], ...]:
        """Whether a row is about the same."""
        return Alert.user_id == self.user_id, Alert.kind == self.kind, Alert.subject_id == self.subject_id


def _words(session: Session, connection_id: str | None, params: Mapping[str, str]) -> dict[str, str]:
    words = {name: redact_text(storable(text))[:LONGEST_PARAM] for name, text in params.items()}
    connection = session.get(Connection, connection_id) if connection_id else None
    if connection is not None:
        words.setdefault("provider", name_of(connection.integration_id))
    return words


def _counted(session: Session, raised: _Raised) -> bool:
    """Whether one was open already, and has been counted."""
    changes = {"count": Alert.count + 1, "last_raised_at": raised.at, "params": raised.params}
    counting = update(Alert).where(*raised.is_same(), Alert.is_open).values(changes).returning(Alert.id)
    return session.scalar(counting) is not None


def _reopened(session: Session, raised: _Raised) -> bool:
    """Whether one had been resolved just now, and is open again."""
    recent = select(Alert).where(*raised.is_same(), ~Alert.is_open, Alert.resolved_at > raised.at - SETTLES_WITHIN)
    newest = recent.order_by(Alert.resolved_at.desc()).limit(1).with_for_update()
    found = session.scalar(newest.execution_options(populate_existing=True))
    if found is None or found.is_open:
        return False
    found.is_open, found.resolved_at = True, None
    found.count, found.last_raised_at, found.params = found.count + 1, raised.at, raised.params
    notices.after_reopen(found)
    return True


def _inserted(session: Session, raised: _Raised) -> bool:
    """Whether it is the first."""
    insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    values = {
        "id": new_id("alt"),
        "user_id": raised.user_id,
        "connection_id": raised.connection_id,
        "kind": raised.kind,
        "subject_id": raised.subject_id,
        "params": raised.params,
        "opened_at": raised.at,
        "last_raised_at": raised.at,
    }
    alert_id = session.scalar(insert(Alert).values(values).on_conflict_do_nothing().returning(Alert.id))
    if alert_id is None:
        return False
    notices.after_open(session.get_one(Alert, alert_id))
    return True
