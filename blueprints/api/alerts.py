"""Alerts: listing, looking at one, marking as read, putting off. What is sent about them is set on a page."""

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies
from blueprints.shown.alerts import AlertPage, rows_of
from patchbay import clock
from patchbay.alerts import inbox
from patchbay.errors import N_
from patchbay.models import AlertKind
from patchbay.spec import Field, Kind

bp = Blueprint("api_alerts", __name__, url_prefix="/api/alerts")

STATUS = Field("status", N_("Status"), Kind.CHOICE, required=False, choices=("open", "snoozed", "resolved"))
KIND = Field("kind", N_("Kind"), Kind.CHOICE, required=False, choices=tuple(AlertKind))
LENGTH = Field("for", N_("For how long"), Kind.CHOICE, choices=tuple(inbox.SNOOZES))
PAGING = bodies.paging("alt")


@bp.get("")
@guards.scoped("alerts:read")
def list_alerts() -> Response:
    """The user's alerts, the open ones first, each newest first."""
    given = bodies.query(STATUS, KIND, *PAGING)
    kind = AlertKind(given["kind"]) if given["kind"] else None
    wanted = inbox.Query(guards.user().id, given["status"] or "", kind)
    found, next_cursor = inbox.page(wanted, cursor=given["cursor"], limit=given["limit"])
    return bodies.page_of([_shape(row) for row in rows_of(found)], next_cursor)


@bp.get("/<alert_id>")
@guards.scoped("alerts:read")
def show_alert(alert_id: str) -> Response:
    """One alert."""
    return bodies.answered(_shape(AlertPage.of(inbox.get(guards.user().id, alert_id))))


@bp.post("/<alert_id>/read")
@guards.scoped("alerts:write")
def read_alert(alert_id: str) -> Response:
    """Mark it as read."""
    bodies.read()
    return bodies.answered(_shape(AlertPage.of(inbox.mark_read(guards.user().id, alert_id))))


@bp.post("/<alert_id>/snooze")
@guards.scoped("alerts:write")
def snooze_alert(alert_id: str) -> Response:
    """Put it off for an hour, a day or a week."""
    given = bodies.read(LENGTH)
    return bodies.answered(_shape(AlertPage.of(inbox.snooze(guards.user().id, alert_id, given["for"]))))


def _shape(row: AlertPage) -> dict[str, object]:
    """An alert; `repair` leads to the page that mends it."""
    times = {
        "openedAt": row.opened_at,
        "lastRaisedAt": row.last_raised_at,
        "resolvedAt": row.resolved_at,
        "snoozedUntil": row.snoozed_until if row.is_snoozed else None,
    }
    status = "snoozed" if row.is_snoozed else "open" if row.is_open else "resolved"
    return {
        "id": row.id,
        "kind": row.kind,
        "severity": row.severity,
        "status": status,
        "title": row.title,
        "text": row.sentence,
        "isRead": row.is_read,
        "count": row.count,
        **{name: clock.iso(moment) if moment else None for name, moment in times.items()},
        "repair": {"label": row.repair[0], "address": row.repair[1]} if row.repair else None,
    }
