"""Sending what is planned: claimed under a lease, checked against the alert as it is now, tried again until it is sent.

A sender that dies between sending and writing so leaves a lease that lapses; the message then goes out once more, under
the id by which receivers know it already. What does not live here: the channels (`alerts.mail`, `alerts.address`).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update

from patchbay import clock
from patchbay.alerts import address, inbox, letters, mail
from patchbay.alerts.letters import Letter
from patchbay.alerts.outcome import Problem
from patchbay.leases import is_free
from patchbay.models import (
    Alert,
    AlertChannel,
    AlertEvent,
    AlertNotice,
    AlertPreference,
    NoticeState,
    User,
    db,
    new_id,
    transaction,
)

log = structlog.get_logger()

LEASE = timedelta(seconds=90)
"""Longer than both channels may take."""

RETRIES = tuple(
    timedelta(seconds=seconds) for seconds in (30, 120, 600, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 24 * 3600)
)
"""How long to wait after each failed try, ±20 %; after the last one a message is given up."""

NOT_YET = timedelta(minutes=1)
ENGLISH = "en"

Speak = Callable[[str, str], str]
"""A message id and a language's code → the text in that language."""


@dataclass(frozen=True)
class _Claimed:
    """A message in our hands, with all that sending it needs; nothing of it is bound to a session."""

    notice_id: str
    token: str
    attempts: int
    channel: AlertChannel
    letter: Letter
    recipient: str
    secret: str = ""


def due(limit: int = 100) -> list[str]:
    """Ids of messages that somebody should send: due, and in nobody's hands (any more)."""
    return list(db.session.scalars(select(AlertNotice.id).where(_is_due()).order_by(AlertNotice.due_at).limit(limit)))


def deliver(notice_id: str, speak: Speak) -> None:
    """Send the message of that id, unless it is not due, no longer true, or in other hands; its row tells which."""
    claimed = _claim(notice_id, speak)
    if claimed is None:
        return
    problem = send(claimed.channel, claimed.letter, claimed.recipient, claimed.secret)
    _write(claimed, problem)


def send(channel: AlertChannel, letter: Letter, recipient: str, secret: str) -> Problem | None:
    """Send a letter now; None when it was taken. Never inside a transaction."""
    if channel is AlertChannel.EMAIL:
        return mail.send(letter, recipient)
    return address.send(letter, recipient, secret)


def _claim(notice_id: str, speak: Speak) -> _Claimed | None:
    """Take the message, and make what is to be sent; in one transaction, so that both speak of the same moment."""
    token = new_id("lse")
    with transaction() as session:
        taken = session.scalar(
            update(AlertNotice)
            .where(AlertNotice.id == notice_id, _is_due())
            .values(lease_token=token, lease_until=clock.now() + LEASE, attempts=AlertNotice.attempts + 1)
            .returning(AlertNotice.id)
        )
        if taken is None:
            return None
        notice = session.get_one(AlertNotice, notice_id, populate_existing=True)
        alert = session.get_one(Alert, notice.alert_id, populate_existing=True)
        if not _is_still_true(notice, alert):
            return None
        return _addressed(notice, alert, token, speak)


def _is_still_true(notice: AlertNotice, alert: Alert) -> bool:
    """Whether to send it now; else it is withdrawn or put off, in the present transaction."""
    if notice.attempts > len(RETRIES) + 1:  # whoever tried it died each time
        _let_go(notice, NoticeState.FAILED)
        return False
    is_about_end = notice.event is AlertEvent.RECOVERED
    if alert.is_open == is_about_end:
        _let_go(notice, NoticeState.WITHDRAWN)
        return False
    if is_about_end:
        return _has_been_told(notice)
    if inbox.is_snoozed(alert) and alert.snoozed_until is not None:
        _put_off(notice, alert.snoozed_until)
        return False
    return True


def _has_been_told(notice: AlertNotice) -> bool:
    """Only who got the first message gets the last one; while a first one is under way, the last one waits."""
    firsts = select(AlertNotice.state).where(
        AlertNotice.alert_id == notice.alert_id,
        AlertNotice.channel == notice.channel,
        AlertNotice.event == AlertEvent.OPENED,
    )
    states = set(db.session.scalars(firsts))
    if NoticeState.SENT in states:
        return True
    if NoticeState.PENDING in states:
        _put_off(notice, clock.now() + NOT_YET)
    else:
        _let_go(notice, NoticeState.WITHDRAWN)
    return False


def _addressed(notice: AlertNotice, alert: Alert, token: str, speak: Speak) -> _Claimed | None:
    """What is to be sent, and where to as its owner wants it now; None when they no longer want it."""
    user = db.session.get_one(User, notice.user_id)
    wanted = db.session.scalar(select(AlertPreference).where(AlertPreference.user_id == user.id))
    language = user.language or ENGLISH
    letter = letters.of_alert(notice.id, alert, notice.event, language, lambda message: speak(message, language))
    if notice.channel is AlertChannel.EMAIL and (wanted is None or wanted.wants_email) and user.is_active:
        return _Claimed(notice.id, token, notice.attempts, notice.channel, letter, user.email)
    if notice.channel is AlertChannel.ADDRESS and wanted is not None and wanted.address and user.is_active:
        secret = wanted.secret or ""
        return _Claimed(notice.id, token, notice.attempts, notice.channel, letter, wanted.address, secret)
    _let_go(notice, NoticeState.WITHDRAWN)
    return None


def _write(claimed: _Claimed, problem: Problem | None) -> None:
    """What became of a try; nothing is written when somebody else has the message meanwhile."""
    with transaction() as session:
        mine = (AlertNotice.id == claimed.notice_id, AlertNotice.lease_token == claimed.token)
        notice = session.scalar(select(AlertNotice).where(*mine).execution_options(populate_existing=True))
        if notice is None:
            return
        if problem is None:
            notice.sent_at, notice.problem = clock.now(), None
            _let_go(notice, NoticeState.SENT)
            return
        notice.problem = problem.sentence
        if problem.is_final or claimed.attempts > len(RETRIES):
            _let_go(notice, NoticeState.FAILED)
            log.warning("A message about an alert was given up.", notice=notice.id, channel=notice.channel.value)
        else:
            spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
            _put_off(notice, clock.now() + RETRIES[claimed.attempts - 1] * spread, spent=True)


def _is_due() -> ColumnElement[bool]:
    """To be sent by now, and in nobody's hands; what a sender that died had was due, wherever the clock stands now."""
    is_time = or_(AlertNotice.due_at <= clock.now(), AlertNotice.lease_token.is_not(None))
    return and_(AlertNotice.state == NoticeState.PENDING, is_time, is_free(AlertNotice.lease_until, LEASE))


def _let_go(notice: AlertNotice, state: NoticeState) -> None:
    notice.state, notice.lease_token, notice.lease_until = state, None, None


def _put_off(notice: AlertNotice, until: datetime, *, spent: bool = False) -> None:
    """Due again at `until`; a try that was not made is not counted."""
    notice.due_at, notice.lease_token, notice.lease_until = until, None, None
    if not spent:
        notice.attempts -= 1
