"""A user's inbox of alerts: what is in it, in which order, and nobody else's."""

import pytest
from sqlalchemy import func, select

from patchbay import alerts, clock
from patchbay.alerts import inbox
from patchbay.alerts.inbox import Query
from patchbay.errors import Conflict, Invalid, NotFound
from patchbay.models import Alert, AlertKind, AlertNotice, User, db
from tests.stage import FrozenClock

pytestmark = pytest.mark.usefixtures("context")


def add(user: User, *subjects: str, kind: AlertKind = AlertKind.RUN_STUCK) -> None:
    for subject in subjects:
        alerts.raise_alert(kind, user_id=user.id, subject_id=subject)


def subjects(user: User, cursor: str | None = None, limit: int = 50, **query: object) -> list[str]:
    found, _ = inbox.page(Query(user.id, **query), cursor=cursor, limit=limit)  # type: ignore[arg-type]  # words of Query
    return [alert.subject_id for alert in found]


def id_of(user: User, subject: str) -> str:
    found, _ = inbox.page(Query(user.id), cursor=None, limit=50)
    return next(alert.id for alert in found if alert.subject_id == subject)


def test_what_is_open_comes_first_and_the_newest_before_the_older(ada: User, frozen_clock: FrozenClock) -> None:
    add(ada, "a", "b", "c", "d")
    alerts.resolve(AlertKind.RUN_STUCK, "c")
    alerts.resolve(AlertKind.RUN_STUCK, "a")

    assert subjects(ada) == ["d", "b", "c", "a"]
    assert subjects(ada, status="open") == ["d", "b"]
    assert subjects(ada, status="resolved") == ["c", "a"]
    assert subjects(ada, kind=AlertKind.DISK_LOW) == []


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_leave_nothing_out_and_repeat_nothing(ada: User, limit: int) -> None:
    add(ada, "a", "b", "c", "d", "e")
    alerts.resolve(AlertKind.RUN_STUCK, "b")
    alerts.resolve(AlertKind.RUN_STUCK, "d")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        found, cursor = inbox.page(Query(ada.id), cursor=cursor, limit=limit)
        seen += [alert.subject_id for alert in found]
        if cursor is None:
            break

    assert seen == ["e", "c", "a", "d", "b"]


def test_nobody_sees_or_changes_anothers_alerts(ada: User, cleo: User) -> None:
    add(ada, "a")
    alert_id = id_of(ada, "a")

    for attack in (
        lambda: inbox.get(cleo.id, alert_id),
        lambda: inbox.mark_read(cleo.id, alert_id),
        lambda: inbox.snooze(cleo.id, alert_id, "week"),
        lambda: inbox.wake(cleo.id, alert_id),
        lambda: inbox.page(Query(cleo.id), cursor=alert_id, limit=5),
    ):
        with pytest.raises(NotFound):
            attack()
    inbox.mark_all_read(cleo.id)

    alert = inbox.get(ada.id, alert_id)
    assert (alert.read_at, alert.snoozed_until) == (None, None)
    assert subjects(cleo) == []
    assert (inbox.count_open(cleo.id), inbox.count_open(ada.id)) == (0, 1)


def test_what_is_put_off_is_neither_counted_nor_among_the_open(ada: User, frozen_clock: FrozenClock) -> None:
    add(ada, "a", "b")
    inbox.snooze(ada.id, id_of(ada, "a"), "hour")
    assert (inbox.count_open(ada.id), subjects(ada, status="open"), subjects(ada, status="snoozed")) == (
        1,
        ["b"],
        ["a"],
    )

    frozen_clock.advance(hours=1)

    assert (inbox.count_open(ada.id), subjects(ada, status="snoozed")) == (2, [])


def test_only_what_is_open_can_be_put_off_and_only_so_long(ada: User) -> None:
    add(ada, "a")
    alert_id = id_of(ada, "a")
    with pytest.raises(Invalid):
        inbox.snooze(ada.id, alert_id, "year")
    alerts.resolve(AlertKind.RUN_STUCK, "a")

    with pytest.raises(Conflict):
        inbox.snooze(ada.id, alert_id, "hour")


def test_reading_is_remembered_once(ada: User, frozen_clock: FrozenClock) -> None:
    add(ada, "a", "b")
    first = inbox.mark_read(ada.id, id_of(ada, "a")).read_at
    frozen_clock.advance(minutes=1)
    inbox.mark_all_read(ada.id)

    assert inbox.get(ada.id, id_of(ada, "a")).read_at == first
    assert inbox.get(ada.id, id_of(ada, "b")).read_at == clock.now()


def test_old_alerts_are_forgotten_with_their_messages(ada: User, frozen_clock: FrozenClock) -> None:
    add(ada, "old", "open")
    alerts.resolve(AlertKind.RUN_STUCK, "old")
    frozen_clock.advance(days=91)
    add(ada, "new")
    alerts.resolve(AlertKind.RUN_STUCK, "new")

    inbox.forget_old(limit=1)

    assert subjects(ada) == ["open", "new"]
    kept = db.session.scalar(
        select(func.count()).select_from(AlertNotice).where(AlertNotice.alert_id.not_in(select(Alert.id)))
    )
    assert kept == 0
