"""Word of alerts: who hears of what, once, in order, and until it has arrived."""

import base64
import hashlib
import hmac
import json
import os
import signal
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from patchbay import alerts, clock
from patchbay.alerts import delivery, inbox, letters, mail, preferences, rules
from patchbay.alerts.preferences import Preference
from patchbay.errors import Invalid
from patchbay.models import (
    AlertChannel,
    AlertKind,
    AlertNotice,
    AlertPreference,
    NoticeState,
    User,
    db,
    fresh_view,
    transaction,
)
from patchbay.settings import Settings
from tests.patchbay.alerts.conftest import PostOffice, Receiver
from tests.stage import FrozenClock, Queue, at_once

pytestmark = pytest.mark.usefixtures("context")

DOWN = AlertKind.INTEGRATION_DOWN
SUBJECT = "con_1"


def begin(user: User, subject_id: str = SUBJECT, provider: str = "Shopify") -> None:
    alerts.raise_alert(DOWN, user_id=user.id, subject_id=subject_id, provider=provider)


def end(subject_id: str = SUBJECT) -> None:
    alerts.resolve(DOWN, subject_id)


def english(message: str, _language: str) -> str:
    return message


def send_due() -> None:
    """What the clock and the workers do together."""
    fresh_view()
    for notice_id in delivery.due():
        delivery.deliver(notice_id, english)


def notices() -> list[AlertNotice]:
    fresh_view()
    return list(
        db.session.scalars(select(AlertNotice).order_by(AlertNotice.id).execution_options(populate_existing=True))
    )


def states() -> list[tuple[str, str]]:
    return [(notice.event.value, notice.state.value) for notice in notices()]


def to_address(user: User, receiver: Receiver) -> str:
    secret = preferences.save(user.id, Preference(wants_email=False, address=receiver.url))
    assert secret is not None
    return secret


def test_a_new_alert_is_sent_at_once_by_a_job(ada: User, queue: Queue, post_office: PostOffice) -> None:
    begin(ada)

    queue.run_all()

    (message,) = post_office.arrived
    assert message["Subject"] == "Shopify does not answer"
    assert message["To"] == "ada@example.org"
    assert message["From"] == "Patchbay <patchbay@hub.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert states() == [("opened", "sent")]


def test_a_lost_hint_costs_nothing_but_time(ada: User, queue: Queue, post_office: PostOffice) -> None:
    begin(ada)
    queue.drop_all()

    send_due()

    assert len(post_office.arrived) == 1


def test_a_mail_says_what_is_amiss_and_leads_to_the_page_that_mends_it(ada: User, post_office: PostOffice) -> None:
    begin(ada)
    send_due()

    text = post_office.arrived[0].get_payload()

    (alert,), _ = inbox.page(inbox.Query(ada.id), cursor=None, limit=5)
    assert f"http://localhost/alerts/{alert.id}" in text
    assert "Most requests to Shopify fail" in text
    assert "http://localhost/alerts/preferences" in text


def test_a_storm_is_one_alert_and_one_mail(ada: User, post_office: PostOffice) -> None:
    for _ in range(1000):
        begin(ada)

    send_due()

    (alert,), _ = inbox.page(inbox.Query(ada.id), cursor=None, limit=5)
    assert alert.count == 1000
    assert len(post_office.arrived) == 1


def test_a_recovery_is_told_once_it_has_lasted(ada: User, post_office: PostOffice, frozen_clock: FrozenClock) -> None:
    begin(ada)
    send_due()
    end()
    send_due()
    assert len(post_office.arrived) == 1

    frozen_clock.advance(minutes=5)
    send_due()

    assert post_office.subjects == ["Shopify does not answer", "Over: Shopify does not answer"]
    first, last = post_office.arrived
    assert first["References"] == last["References"]
    assert first["Message-ID"] != last["Message-ID"]


def test_what_flaps_is_told_once(ada: User, post_office: PostOffice, frozen_clock: FrozenClock) -> None:
    for _ in range(10):
        begin(ada)
        send_due()
        frozen_clock.advance(minutes=1)
        end()
        frozen_clock.advance(minutes=2)
        send_due()
    frozen_clock.advance(minutes=5)
    send_due()

    assert post_office.subjects == ["Shopify does not answer", "Over: Shopify does not answer"]


def test_what_is_over_before_word_went_out_is_not_spoken_of(ada: User, post_office: PostOffice, queue: Queue) -> None:
    begin(ada)
    end()

    queue.run_all()
    send_due()

    assert post_office.arrived == []
    assert states() == [("opened", "withdrawn")]


def test_patience_keeps_short_troubles_quiet(ada: User, post_office: PostOffice, frozen_clock: FrozenClock) -> None:
    preferences.save(ada.id, Preference(patience_minutes=15))
    begin(ada)
    begin(ada, "con_2", "Etsy")
    frozen_clock.advance(minutes=14)
    end()
    send_due()
    assert post_office.arrived == []

    frozen_clock.advance(minutes=1)
    send_due()

    assert post_office.subjects == ["Etsy does not answer"]


def test_muted_kinds_are_not_sent(ada: User, post_office: PostOffice) -> None:
    preferences.save(ada.id, Preference(muted={"email": [DOWN.value]}))
    begin(ada)
    alerts.raise_alert(AlertKind.AUTH_FAILED, user_id=ada.id, subject_id=SUBJECT, provider="Shopify")

    send_due()

    assert post_office.subjects == ["Shopify needs you to reconnect"]


def test_nothing_is_sent_while_put_off_and_a_reminder_afterwards(
    ada: User, post_office: PostOffice, frozen_clock: FrozenClock
) -> None:
    begin(ada)
    send_due()
    (alert,), _ = inbox.page(inbox.Query(ada.id), cursor=None, limit=5)
    inbox.snooze(ada.id, alert.id, "hour")
    frozen_clock.advance(minutes=59)
    begin(ada)
    rules.awaken()
    send_due()
    assert len(post_office.arrived) == 1

    frozen_clock.advance(minutes=1)
    rules.awaken()
    send_due()

    assert post_office.subjects[1:] == ["Still open: Shopify does not answer"]


def test_what_was_put_off_before_it_was_sent_waits(
    ada: User, post_office: PostOffice, frozen_clock: FrozenClock
) -> None:
    begin(ada)
    (alert,), _ = inbox.page(inbox.Query(ada.id), cursor=None, limit=5)
    inbox.snooze(ada.id, alert.id, "day")
    send_due()
    assert post_office.arrived == []

    frozen_clock.advance(days=1)
    rules.awaken()
    send_due()

    assert post_office.subjects == ["Shopify does not answer"]


def test_what_ends_while_put_off_sends_no_reminder(
    ada: User, post_office: PostOffice, frozen_clock: FrozenClock
) -> None:
    begin(ada)
    send_due()
    (alert,), _ = inbox.page(inbox.Query(ada.id), cursor=None, limit=5)
    inbox.snooze(ada.id, alert.id, "day")
    end()
    frozen_clock.advance(hours=23)
    send_due()
    assert len(post_office.arrived) == 1

    frozen_clock.advance(hours=1)
    rules.awaken()
    send_due()

    assert post_office.subjects[1:] == ["Over: Shopify does not answer"]


def test_a_mail_server_that_fails_for_hours_gets_the_same_message_in_the_end(
    ada: User, post_office: PostOffice, frozen_clock: FrozenClock
) -> None:
    post_office.answers = ["451 not now", "451 not now", "250 OK"]
    begin(ada)
    send_due()
    (waiting,) = notices()
    assert (waiting.state, waiting.attempts) == (NoticeState.PENDING, 1)
    assert waiting.problem == "The mail server did not take the message."
    assert waiting.due_at > clock.now()
    send_due()  # not yet due: no second try

    for _ in range(2):
        frozen_clock.advance(hours=1)
        send_due()

    (message,) = post_office.arrived
    assert message["Message-ID"] == f"<{waiting.id}@hub.example>"
    assert states() == [("opened", "sent")]


def test_a_message_is_given_up_in_the_end_and_no_recovery_told(
    ada: User, post_office: PostOffice, frozen_clock: FrozenClock
) -> None:
    post_office.answers = ["451 not now"] * 20
    begin(ada)
    for _ in range(20):
        frozen_clock.advance(days=2)
        send_due()
    (given_up,) = notices()
    assert (given_up.state, given_up.attempts) == (NoticeState.FAILED, len(delivery.RETRIES) + 1)

    end()

    assert states() == [("opened", "failed")]


def test_a_mailbox_that_does_not_exist_is_not_tried_again(ada: User, post_office: PostOffice) -> None:
    post_office.refused = {"ada@example.org"}
    begin(ada)

    send_due()

    assert states() == [("opened", "failed")]


def test_of_many_workers_one_sends(app: Flask, ada: User, post_office: PostOffice) -> None:
    begin(ada)
    (notice_id,) = delivery.due()
    db.session.rollback()

    at_once(app, [lambda: delivery.deliver(notice_id, english)] * 8)

    assert len(post_office.arrived) == 1


def test_a_sender_killed_before_it_could_write_repeats_under_the_same_id(
    app: Flask, ada: User, post_office: PostOffice, frozen_clock: FrozenClock
) -> None:
    begin(ada)
    (notice_id,) = delivery.due()
    db.session.rollback()
    pid = os.fork()
    if pid == 0:
        db.session.remove()
        db.engine.dispose(close=False)
        delivery.deliver(notice_id, english)
        os._exit(0)
    post_office.on_arrival = lambda: os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    post_office.on_arrival = None
    send_due()
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert len(post_office.arrived) == 1  # the lease still holds

    frozen_clock.advance(minutes=2)
    send_due()
    frozen_clock.advance(minutes=2)
    send_due()

    first, second = post_office.arrived
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_payload() == second.get_payload()


def test_a_message_whose_sender_died_is_sent_though_the_clock_was_set_back(
    ada: User, post_office: PostOffice, frozen_clock: FrozenClock
) -> None:
    begin(ada)
    with transaction() as session:
        notice = session.scalars(select(AlertNotice)).one()
        notice.lease_token, notice.lease_until, notice.attempts = "lse_gone", clock.now() + delivery.LEASE, 1

    frozen_clock.advance(hours=-1)
    send_due()

    assert len(post_office.arrived) == 1
    assert states() == [("opened", "sent")]


def test_who_may_have_heard_of_it_hears_of_its_end(
    ada: User, post_office: PostOffice, frozen_clock: FrozenClock
) -> None:
    begin(ada)
    with transaction() as session:  # a sender that died with the message in its hands
        notice = session.scalars(select(AlertNotice)).one()
        notice.lease_token, notice.lease_until, notice.attempts = "lse_gone", clock.now(), 1
    end()

    for _ in range(4):
        frozen_clock.advance(minutes=5)
        send_due()

    assert states() == [("opened", "withdrawn"), ("recovered", "withdrawn")]


@pytest.mark.parametrize("evil", ["A\r\nBcc: eve@example.org", "A\nX-Spam: no", "A\x00B\u2028C"])
def test_words_of_a_platform_make_no_header_of_their_own(ada: User, post_office: PostOffice, evil: str) -> None:
    begin(ada, provider=evil)

    send_due()

    (message,) = post_office.arrived
    assert "Bcc" not in message
    assert "X-Spam" not in message
    assert "\n" not in str(message["Subject"])
    assert message.get("To") == "ada@example.org"


def test_a_recipient_that_is_no_address_is_refused(post_office: PostOffice) -> None:
    letter = letters.test_letter("ntc_1", "en", str)

    for recipient in ("a@example.org\r\nBcc: eve@example.org", "no address", "", "a@b, c@d"):
        problem = mail.send(letter, recipient)
        assert problem is not None
        assert problem.is_final

    assert post_office.arrived == []


def test_mail_is_written_in_its_readers_language(ada: User, post_office: PostOffice) -> None:
    with transaction() as session:
        session.get_one(User, ada.id).language = "de"
    begin(ada)

    for notice_id in delivery.due():
        delivery.deliver(notice_id, lambda message, language: f"{language}: {message}")

    (message,) = post_office.arrived
    assert message["Subject"] == "de: Shopify does not answer"
    assert message["Content-Language"] == "de"


def test_without_a_mail_server_nothing_is_planned(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> None:
    app = app_for(settings_for())
    with app.app_context():
        user = db.session.scalars(select(User)).first()
        assert user is not None

        begin(user)

        assert notices() == []


def test_a_message_to_an_address_is_signed_with_its_secret(ada: User, receiver: Receiver) -> None:
    secret = to_address(ada, receiver)
    begin(ada)

    send_due()

    (posted,) = receiver.posted
    (notice,) = notices()
    signed = f"{notice.id}.{posted.headers['webhook-timestamp']}.".encode() + posted.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert posted.headers["webhook-id"] == notice.id
    assert posted.headers["webhook-signature"] == f"v1,{expected}"
    body = json.loads(posted.body)
    assert (body["type"], body["data"]["kind"]) == ("alert.opened", "integration_down")
    assert body["data"]["title"] == "Shopify does not answer"
    assert body["data"]["text"].startswith("Most requests to Shopify fail")


@pytest.mark.parametrize(
    ("statuses", "after"),
    [([500, 204], "sent"), ([302, 302], "pending"), ([410], "failed")],
    ids=["failure", "redirect", "gone"],
)
def test_an_address_is_tried_again_under_the_same_id(
    ada: User, receiver: Receiver, frozen_clock: FrozenClock, statuses: list[int], after: str
) -> None:
    to_address(ada, receiver)
    receiver.statuses = list(statuses)
    begin(ada)

    send_due()
    frozen_clock.advance(minutes=1)
    send_due()

    assert len(receiver.posted) == len(statuses)
    assert len({posted.headers["webhook-id"] for posted in receiver.posted}) == 1
    assert states() == [("opened", after)]


def test_an_address_that_is_not_public_is_refused_when_it_is_entered(ada: User) -> None:
    for url in (
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/hook",
        "http://example.com/hook",
        "https://user:word@example.com/",
        "https://example.com:6379/",
        "file:///etc/passwd",
        "https://" + "a" * 3000 + ".example/",
    ):
        with pytest.raises(Invalid) as refused:
            preferences.save(ada.id, Preference(address=url))
        assert set(refused.value.fields) == {"address"}

    assert preferences.of(ada.id).address is None


def test_an_address_that_became_private_is_not_reached(ada: User, receiver: Receiver) -> None:
    to_address(ada, receiver)
    with transaction() as session:
        session.scalars(select(AlertPreference)).one().address = receiver.url.replace("hooks.", "other.")
    begin(ada)

    send_due()

    assert receiver.posted == []
    assert states() == [("opened", "failed")]
    assert notices()[0].problem == "This address is not allowed. Use a public https address."


def test_a_secret_is_sealed_and_changes_with_the_address(ada: User, receiver: Receiver) -> None:
    first = to_address(ada, receiver)
    same = preferences.save(ada.id, Preference(address=receiver.url, patience_minutes=5))
    renewed = preferences.renew_secret(ada.id)
    other = preferences.save(ada.id, Preference(address=receiver.url + "/elsewhere"))

    assert same is None
    assert len({first, renewed, other}) == 3
    row = db.session.scalars(select(AlertPreference)).one()
    assert other is not None
    assert other not in (row.secret_sealed or "")
    assert preferences.secret_of(ada.id) == other


def test_who_turns_a_channel_off_gets_nothing_more_through_it(ada: User, post_office: PostOffice) -> None:
    begin(ada)
    preferences.save(ada.id, Preference(wants_email=False))

    send_due()

    assert post_office.arrived == []
    assert states() == [("opened", "withdrawn")]


def test_both_channels_get_a_message_of_their_own(ada: User, receiver: Receiver, post_office: PostOffice) -> None:
    preferences.save(ada.id, Preference(address=receiver.url))
    begin(ada)

    send_due()

    assert (len(receiver.posted), len(post_office.arrived)) == (1, 1)
    assert {notice.channel for notice in notices()} == set(AlertChannel)
