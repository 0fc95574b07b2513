"""Planning messages about alerts: which ones, through which channels, when; and taking back what is no longer true.

What does not live here: sending them (`alerts.delivery`). All functions join the caller's transaction.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from patchbay import clock, queue
from patchbay.alerts import preferences
from patchbay.models import Alert, AlertChannel, AlertEvent, AlertNotice, NoticeState, db, new_id


def after_open(alert: Alert) -> None:
    """Plan the first word of a new alert, once it has lasted as long as its owner wants to wait."""
    wanted = preferences.of(alert.user_id)
    due_at = max(clock.now(), alert.opened_at + timedelta(minutes=wanted.patience_minutes))
    for channel in wanted.channels(alert.kind):
        _plan(alert, channel, AlertEvent.OPENED, due_at)


def after_close(alert: Alert, *, settled_at: datetime) -> None:
    """Take back what nobody has heard yet; tell those who have, once it stays closed and no snooze is under way."""
    due_at = max(settled_at, alert.snoozed_until or settled_at)
    for channel in _told(alert):
        _plan(alert, channel, AlertEvent.RECOVERED, due_at)
    _withdraw(alert, AlertEvent.OPENED, AlertEvent.REMINDER)


def after_reopen(alert: Alert) -> None:
    """Take back the word of its end; those who have not heard of it at all are told now."""
    _withdraw(alert, AlertEvent.RECOVERED)
    told, wanted = _told(alert), preferences.of(alert.user_id)
    earliest = max(clock.now(), alert.opened_at + timedelta(minutes=wanted.patience_minutes))
    for channel in wanted.channels(alert.kind):
        if channel not in told:
            _plan(alert, channel, AlertEvent.OPENED, max(earliest, alert.snoozed_until or earliest))


def after_snooze(alert: Alert, until: datetime) -> None:
    """Put off what has not been sent."""
    for notice in _pending(alert, AlertEvent.OPENED, AlertEvent.REMINDER):
        notice.due_at = max(notice.due_at, until)


def after_wake(alert: Alert) -> None:
    """Its owner wants to hear of it again: what was put off goes out now."""
    for notice in _pending(alert, AlertEvent.OPENED, AlertEvent.REMINDER):
        notice.due_at = min(notice.due_at, clock.now())


def after_awakening(alert: Alert) -> None:
    """A snooze has ended and the cause still holds: remind those who had been told."""
    told = _told(alert)
    for channel in preferences.of(alert.user_id).channels(alert.kind):
        if channel in told:
            _plan(alert, channel, AlertEvent.REMINDER, clock.now())


def _plan(alert: Alert, channel: AlertChannel, event: AlertEvent, due_at: datetime) -> None:
    same = (AlertNotice.alert_id == alert.id, AlertNotice.channel == channel, AlertNotice.event == event)
    earlier = db.session.scalar(select(func.max(AlertNotice.number)).where(*same)) or 0
    notice = AlertNotice(
        id=new_id("ntc"),
        alert_id=alert.id,
        user_id=alert.user_id,
        channel=channel,
        event=event,
        number=earlier + 1,
        state=NoticeState.PENDING,
        due_at=due_at,
        created_at=clock.now(),
    )
    db.session.add(notice)
    if due_at <= clock.now():
        queue.enqueue(queue.ALERT, notice.id)


def _told(alert: Alert) -> set[AlertChannel]:
    """Through which channels its owner has heard of it, or may have: of a sender that died nobody knows."""
    opened = select(AlertNotice).where(AlertNotice.alert_id == alert.id, AlertNotice.event == AlertEvent.OPENED)
    return {one.channel for one in db.session.scalars(opened) if _may_have_arrived(one)}


def _may_have_arrived(notice: AlertNotice) -> bool:
    if notice.state is NoticeState.PENDING:
        return notice.lease_token is not None
    return notice.state is NoticeState.SENT


def _withdraw(alert: Alert, *events: AlertEvent) -> None:
    for notice in _pending(alert, *events):
        notice.state = NoticeState.WITHDRAWN


def _pending(alert: Alert, *events: AlertEvent) -> list[AlertNotice]:
    """What is planned and in nobody's hands."""
    statement = select(AlertNotice).where(
        AlertNotice.alert_id == alert.id,
        AlertNotice.event.in_(events),
        AlertNotice.state == NoticeState.PENDING,
        AlertNotice.lease_token.is_(None),
    )
    return list(db.session.scalars(statement))
