"""Alerts as pages and the API show them: in words, with the one button that mends them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from blueprints.rendering import formats, said
from patchbay import connections
from patchbay.alerts import inbox, stories
from patchbay.alerts.stories import Repair
from patchbay.errors import N_
from patchbay.models import Alert, AlertKind

KINDS: Mapping[AlertKind, str] = {
    AlertKind.INTEGRATION_DOWN: N_("A platform does not answer"),
    AlertKind.NO_SUCCESS: N_("A scheduled import has had no success for long"),
    AlertKind.ERROR_RATE: N_("Many runs of a connection fail"),
    AlertKind.QUOTA_NEAR: N_("A platform's quota is nearly used up"),
    AlertKind.AUTH_FAILED: N_("A connection needs to be connected again"),
    AlertKind.RUN_STUCK: N_("A run comes no further"),
    AlertKind.BACKLOG_OLD: N_("Runs wait for a worker (administrators)"),
    AlertKind.DISK_LOW: N_("The disk is nearly full (administrators)"),
    AlertKind.API_ENDING: N_("A platform ends an interface"),
    AlertKind.UNEXPECTED_SHAPE: N_("A platform answers in an unknown form"),
    AlertKind.DELETIONS_HELD: N_("Deletions wait for a decision"),
    AlertKind.LOGIN_ENDING: N_("A login at a platform ends soon"),
}
LABELS: Mapping[Repair, str] = {
    Repair.RECONNECT: N_("Reconnect"),
    Repair.OPEN_RUN: N_("Open the run"),
    Repair.OPEN_FAILED_RUNS: N_("See the failed runs"),
    Repair.OPEN_INTEGRATION: N_("Open the integration"),
    Repair.REVIEW_DELETIONS: N_("Review the deletions"),
    Repair.LOOK_AT_HEALTH: N_("Open the health page"),
}


@dataclass(frozen=True)
class AlertPage:
    """An alert with all that pages say of it. `repair`: label and address of the button, None when nothing helps."""

    id: str
    kind: str
    severity: str
    title: str
    sentence: str
    is_open: bool
    is_snoozed: bool
    is_read: bool
    count: int
    opened_at: datetime
    last_raised_at: datetime
    resolved_at: datetime | None
    snoozed_until: datetime | None
    repair: tuple[str, str] | None

    @classmethod
    def of(cls, alert: Alert) -> "AlertPage":
        """One alert; of several, `rows_of` asks for their integrations at once."""
        return rows_of([alert])[0]


def rows_of(found: Sequence[Alert]) -> list[AlertPage]:
    """Alerts in their order."""
    keys = connections.integrations_of({alert.connection_id for alert in found if alert.connection_id})
    return [_row(alert, keys.get(alert.connection_id or "", "")) for alert in found]


def kinds_for_people() -> list[tuple[str, str]]:
    """Every kind with what it is called (a message id), in their order."""
    return [(kind.value, KINDS[kind]) for kind in AlertKind]


def _row(alert: Alert, key: str) -> AlertPage:
    title, sentence = stories.told(alert, said, formats.moment)
    story = stories.of(alert.kind)
    address = _address(alert, story.repair, key)
    return AlertPage(
        id=alert.id,
        kind=alert.kind.value,
        severity=story.severity.value,
        title=title,
        sentence=sentence,
        is_open=alert.is_open,
        is_snoozed=inbox.is_snoozed(alert),
        is_read=alert.read_at is not None,
        count=alert.count,
        opened_at=alert.opened_at,
        last_raised_at=alert.last_raised_at,
        resolved_at=alert.resolved_at,
        snoozed_until=alert.snoozed_until,
        repair=(said(LABELS[story.repair]), address) if address and alert.is_open else None,
    )


def _address(alert: Alert, repair: Repair, key: str) -> str:
    """Where the button leads; to the integration when there is no run, "" when there is not even that."""
    run_id = alert.params.get("run", "") or (alert.subject_id if alert.subject_id.startswith("run_") else "")
    if repair is Repair.LOOK_AT_HEALTH:
        return url_for("health.dashboard")
    if repair in {Repair.OPEN_RUN, Repair.REVIEW_DELETIONS} and run_id:
        return url_for("runs.show", run_id=run_id)
    if not key:
        return ""
    if repair is Repair.RECONNECT:
        return url_for("connections.connect", key=key)
    if repair is Repair.OPEN_FAILED_RUNS:
        return url_for("runs.index", status="failed", integration=key)
    return url_for("catalog.integration", key=key)
