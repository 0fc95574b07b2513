"""What needs a person's attention: raised and resolved by whoever notices, once per user, kind and subject.

What does not live here: looking for what is amiss (`alerts.rules`), messages (`alerts.notices`, `alerts.delivery`), the
words (`alerts.stories`), and the inbox (`alerts.inbox`).
"""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from patchbay import clock, providers
from patchbay.alerts import notices
from patchbay.errors import storable
from patchbay.models import Alert, AlertKind, Connection, new_id, transaction
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
        alert = Alert(id=new_id("alt"), user_id=user_id, connection_id=connection_id, kind=kind, subject_id=subject_id)
        alert.params = _words(session, connection_id, params)
        if _counted(session, alert) or _reopened(session, alert) or _inserted(session, alert):
            return
        _counted(session, alert)  # of several at once the database let another one through


def resolve(kind: Kind, subject_id: str) -> None:
    """Say that it is over, in the present transaction or one of its own; nothing happens when nothing was open.

    Closes the alerts of everybody who had one of that kind about that subject.
    """
    with transaction() as session:
        found = select(Alert).where(Alert.kind == kind, Alert.subject_id == subject_id, Alert.is_open)
        for alert in session.scalars(found.with_for_update()):
            close(alert)


def close(alert: Alert) -> None:
    """Close one open alert inside the caller's transaction, and plan word of it for whoever was told that it opened."""
    alert.is_open, alert.resolved_at = False, clock.now()
    notices.after_close(alert, settled_at=alert.resolved_at + SETTLES_WITHIN)


def _words(session: Session, connection_id: str | None, params: Mapping[str, str]) -> dict[str, str]:
    words = {name: redact_text(storable(text))[:LONGEST_PARAM] for name, text in params.items()}
    connection = session.get(Connection, connection_id) if connection_id else None
    if connection is not None:
        words.setdefault("provider", providers.get(connection.integration_id).name)
    return words


def _counted(session: Session, alert: Alert) -> bool:
    """Whether one was open already, and has been counted."""
    same = (Alert.user_id == alert.user_id, Alert.kind == alert.kind, Alert.subject_id == alert.subject_id)
    changes = {"count": Alert.count + 1, "last_raised_at": clock.now(), "params": alert.params}
    counting = update(Alert).where(*same, Alert.is_open).values(changes).returning(Alert.id)
    return session.scalar(counting) is not None


def _reopened(session: Session, alert: Alert) -> bool:
    """Whether one had been resolved just now, and is open again."""
    now = clock.now()
    same = (Alert.user_id == alert.user_id, Alert.kind == alert.kind, Alert.subject_id == alert.subject_id)
    recent = select(Alert).where(*same, ~Alert.is_open, Alert.resolved_at > now - SETTLES_WITHIN)
    found = session.scalar(recent.order_by(Alert.resolved_at.desc()).limit(1).with_for_update())
    if found is None or found.is_open:
        return False
    found.is_open, found.resolved_at = True, None
    found.count, found.last_raised_at, found.params = found.count + 1, now, alert.params
    notices.after_reopen(found)
    return True


def _inserted(session: Session, alert: Alert) -> bool:
    """Whether it is the first."""
    alert.opened_at = alert.last_raised_at = clock.now()
    try:
        with session.begin_nested():
            session.add(alert)
    except IntegrityError:
        return False
    notices.after_open(alert)
    return True
