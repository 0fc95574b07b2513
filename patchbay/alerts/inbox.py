"""A user's alerts: listing, counting, reading, putting off.

What does not live here: raising and resolving (`alerts`), and what awakens when a snooze ends (`alerts.rules`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select

from patchbay import clock
from patchbay.alerts import notices
from patchbay.errors import N_, Conflict, Invalid, NotFound
from patchbay.models import Alert, AlertKind, AlertNotice, db, transaction

SNOOZES: Mapping[str, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
"""For how long an alert may be put off, by the words that the edges use."""

MOST_COUNTED = 100
KEPT = timedelta(days=90)


@dataclass(frozen=True)
class Query:
    """Which alerts to list: of the user's, those that are open, resolved, put off, or all."""

    user_id: str
    status: Literal["", "open", "snoozed", "resolved"] = ""
    kind: AlertKind | None = None


def page(query: Query, *, cursor: str | None, limit: int) -> tuple[list[Alert], str | None]:
    """Alerts behind `cursor` (an alert's id), the open ones first, each newest first; and the next page's cursor.

    Raises NotFound for a cursor that is no alert of the user's.
    """
    statement = select(Alert).where(Alert.user_id == query.user_id, *_matching(query))
    if cursor:
        last = get(query.user_id, cursor)
        older = and_(Alert.is_open.is_(last.is_open), Alert.id < last.id)
        statement = statement.where(or_(older, ~Alert.is_open) if last.is_open else older)
    ordered = statement.order_by(Alert.is_open.desc(), Alert.id.desc()).limit(limit + 1)
    found = list(db.session.scalars(ordered))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def count_open(user_id: str) -> int:
    """How many alerts want the user's attention now, counted up to 100: open, and not put off."""
    return db.session.scalar(counting_open(user_id)) or 0


def counting_open(user_id: str) -> Select[int]:
    """The same as a statement, for whoever asks the database something else in the same breath."""
    wanted = select(Alert.id).where(Alert.user_id == user_id, Alert.is_open, ~_is_snoozed()).limit(MOST_COUNTED)
    return select(func.count()).select_from(wanted.subquery())


def get(user_id: str, alert_id: str) -> Alert:
    """One alert of the user's. Raises NotFound."""
    alert = db.session.get(Alert, alert_id, populate_existing=True)
    if alert is None or alert.user_id != user_id:
        raise NotFound(alert_id)
    return alert


def messages(alert: Alert) -> list[AlertNotice]:
    """What was planned and sent about an alert, in order; a few each time it opens, so never many."""
    statement = select(AlertNotice).where(AlertNotice.alert_id == alert.id).order_by(AlertNotice.id).limit(200)
    return list(db.session.scalars(statement))


def mark_read(user_id: str, alert_id: str) -> Alert:
    """Remember that its owner has seen it. Raises NotFound."""
    with transaction():
        alert = get(user_id, alert_id)
        alert.read_at = alert.read_at or clock.now()
    return alert


def mark_all_read(user_id: str) -> None:
    """Remember that the user has seen all that is open."""
    with transaction() as session:
        unread = select(Alert).where(Alert.user_id == user_id, Alert.is_open, Alert.read_at.is_(None))
        for alert in session.scalars(unread):
            alert.read_at = clock.now()


def snooze(user_id: str, alert_id: str, length: str) -> Alert:
    """Put an open alert off for a length of `SNOOZES`: it sends nothing, and is not counted, until that has passed.

    Raises NotFound, Invalid, and Conflict for one that is over.
    """
    if length not in SNOOZES:
        raise Invalid({"for": N_("Choose one of: hour, day, week.")})
    with transaction():
        alert = get(user_id, alert_id)
        if not alert.is_open:
            raise Conflict(sentence=N_("This alert is over. There is nothing to put off."))
        alert.snoozed_until = clock.now() + SNOOZES[length]
        alert.read_at = alert.read_at or clock.now()
        notices.after_snooze(alert, alert.snoozed_until)
    return alert


def wake(user_id: str, alert_id: str) -> Alert:
    """End a snooze before its time, without a reminder: its owner is here. Raises NotFound."""
    with transaction():
        alert = get(user_id, alert_id)
        alert.snoozed_until = None
        notices.after_wake(alert)
    return alert


def forget_old(limit: int = 500) -> None:
    """Delete alerts that have been over for `KEPT`, with their messages; in small steps."""
    old = select(Alert.id).where(Alert.resolved_at < clock.now() - KEPT).limit(limit)
    while True:
        with transaction() as session:
            found = list(session.scalars(old))
            session.execute(delete(Alert).where(Alert.id.in_(found)))
        if len(found) < limit:
            return


def is_snoozed(alert: Alert) -> bool:
    """Whether it is put off now."""
    return alert.is_open and alert.snoozed_until is not None and alert.snoozed_until > clock.now()


def _matching(query: Query) -> list[ColumnElement[bool]]:
    conditions: dict[str, list[ColumnElement[bool]]] = {
        "open": [Alert.is_open.is_(True), ~_is_snoozed()],
        "snoozed": [Alert.is_open.is_(True), _is_snoozed()],
        "resolved": [Alert.is_open.is_(False)],
    }
    wanted = conditions.get(query.status, [])
    return [*wanted, Alert.kind == query.kind] if query.kind else wanted


def _is_snoozed() -> ColumnElement[bool]:
    return and_(Alert.snoozed_until.is_not(None), Alert.snoozed_until > clock.now())
