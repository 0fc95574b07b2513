"""Connecting with keys: pasted by their owner, or handed over by the platform, in whatever order and by whomever."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from patchbay import connections
from patchbay.connections import Caller, Outcome, Returned, keys
from patchbay.errors import Conflict, CredentialsRefused, Invalid, NotFound, PatchbayError
from patchbay.models import (
    AuditEntry,
    CallbackOutcome,
    Connection,
    PendingAuthorization,
    User,
    db,
    fresh_view,
)
from patchbay.settings import Settings
from tests.stage import FrozenClock, Sandbox, Walker, at_once, wait_until

pytestmark = pytest.mark.usefixtures("context", "_short_waits")

STORE = "demo-store.example"
ADDRESS = {"store": STORE}
WRONG = {"consumer_key": "ck_" + "0" * 40, "consumer_secret": "cs_" + "0" * 40}


@pytest.fixture
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr(keys, "KEYS_ARRIVE_WITHIN", timedelta(seconds=0.3))


@pytest.fixture
def pasted(sandbox: Sandbox) -> dict[str, str]:
    """Keys as the owner of the store copies them."""
    return sandbox.keys("woocommerce", ADDRESS)


@pytest.fixture
def nonce(ada: User, sandbox: Sandbox) -> str:
    """What Ada's hand-over that has begun is known by."""
    return connections.begin(Caller(ada.id), "woocommerce", ADDRESS).state


def hand_over(nonce: str, pasted: dict[str, str], **more: Any) -> None:
    """What the store posts."""
    posted = {"key_id": 1, "user_id": nonce, "key_permissions": "read_write", **pasted, **more}
    connections.receive_keys("woocommerce", posted)


def come_back(nonce: str, user: User, *, success: str = "1") -> Returned:
    """The browser's return."""
    return connections.come_back({"success": success, "user_id": nonce}, Caller(user.id))


def all_rows() -> str:
    """Whatever a connect leaves behind, as it stands in the database."""
    fresh_view()
    kinds = (PendingAuthorization, CallbackOutcome, AuditEntry, Connection)
    return " ".join(str(vars(row)) for kind in kinds for row in db.session.scalars(select(kind)))


# -- pasted


def test_pasted_keys_connect_at_once_and_are_kept_sealed(ada: User, pasted: dict[str, str]) -> None:
    returned = connections.connect_with_keys(Caller(ada.id), "woocommerce", ADDRESS, pasted)

    connection = connections.connected(ada.id, "woocommerce")
    assert returned.outcome is Outcome.CONNECTED
    assert connection.account_label == STORE
    assert connection.access_token == ":".join(pasted.values())
    assert connections.missing_scopes(connection) == ()
    for secret in pasted.values():
        assert secret not in all_rows()
        assert secret not in repr(returned)


def test_wrong_keys_store_nothing(ada: User, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(CredentialsRefused) as refused:
        connections.connect_with_keys(Caller(ada.id), "woocommerce", ADDRESS, WRONG)

    assert connections.find(ada.id, "woocommerce") is None
    assert refused.value.params["provider"] == "WooCommerce"
    for secret in WRONG.values():
        assert secret not in all_rows() + caplog.text + str(refused.value)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"consumer_key": ""}, "consumer_key"),
        ({"consumer_key": None}, "consumer_key"),
        ({"consumer_secret": "cs_short"}, "consumer_secret"),
        ({"consumer_key": "cs_" + "1" * 40}, "consumer_key"),
        ({"consumer_key": "ck_" + "1" * 200}, "consumer_key"),
        ({"consumer_secret": ["cs_" + "1" * 40]}, "consumer_secret"),
        ({"consumer_key": "ck_" + "1" * 40 + "\nX-Header: 1"}, "consumer_key"),
        ({"password": "hunter2"}, "password"),
    ],
)
def test_keys_that_cannot_be_some_are_refused_by_name_and_not_tried(
    ada: User, sandbox: Sandbox, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        connections.connect_with_keys(Caller(ada.id), "woocommerce", ADDRESS, WRONG | changes)

    assert list(refused.value.fields) == [field]
    assert str(changes[field] or "no value") not in str(refused.value.fields)
    assert sandbox.received("woocommerce") == []


def test_the_address_is_checked_with_the_keys(ada: User, sandbox: Sandbox) -> None:
    with pytest.raises(Invalid) as refused:
        connections.connect_with_keys(Caller(ada.id), "woocommerce", {"store": "localhost"}, {"consumer_key": "ck_1"})

    assert set(refused.value.fields) == {"store", "consumer_key", "consumer_secret"}


def test_keys_of_another_store_are_the_owners_decision(ada: User, sandbox: Sandbox, connect: Walker) -> None:
    connect(ada, "woocommerce", store=STORE)
    other = sandbox.keys("woocommerce", {"store": "second-store.example"})

    returned = connections.connect_with_keys(Caller(ada.id), "woocommerce", {"store": "second-store.example"}, other)
    before = connections.connected(ada.id, "woocommerce").account_label
    connections.replace_account(ada.id, "woocommerce", keep=False)

    connection = connections.connected(ada.id, "woocommerce")
    assert (returned.outcome, before) == (Outcome.OTHER_ACCOUNT, STORE)
    assert connection.account_label == "second-store.example"
    assert connection.access_token == ":".join(other.values())
    assert connections.missing_scopes(connection) == ()


@pytest.mark.parametrize(
    ("integration", "refusal"), [("shopify", Invalid), ("onedrive", Conflict), ("nowhere", NotFound)]
)
def test_keys_are_for_platforms_that_take_some(ada: User, integration: str, refusal: type[PatchbayError]) -> None:
    with pytest.raises(refusal):
        connections.connect_with_keys(Caller(ada.id), integration, {}, WRONG)


# -- handed over


def test_the_browser_is_sent_to_make_keys_and_carries_no_secret(ada: User, sandbox: Sandbox) -> None:
    departure = connections.begin(Caller(ada.id), "woocommerce", ADDRESS)

    assert departure.url.startswith(f"{sandbox.url}/{STORE}/wc-auth/v1/authorize?")
    assert "callback_url=http%3A%2F%2Flocalhost%2Fapi%2Fintegrations%2Fkeys%2Fwoocommerce" in departure.url
    assert departure.state not in repr(departure)
    assert departure.state not in all_rows()


def test_keys_that_are_here_first_connect_when_the_browser_is_back(
    ada: User, nonce: str, pasted: dict[str, str]
) -> None:
    hand_over(nonce, pasted)

    assert connections.find(ada.id, "woocommerce") is None
    assert come_back(nonce, ada).outcome is Outcome.CONNECTED
    assert connections.connected(ada.id, "woocommerce").access_token == ":".join(pasted.values())


def test_a_browser_that_is_back_first_waits_for_the_keys(
    app: Flask, ada: User, nonce: str, pasted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "KEYS_ARRIVE_WITHIN", timedelta(seconds=60))

    def hand_over_late() -> None:
        wait_until(lambda: keys.seats.taken == 1)
        hand_over(nonce, pasted)

    returned, _ = at_once(app, [lambda: come_back(nonce, ada), hand_over_late])

    assert returned is not None
    assert returned.outcome is Outcome.CONNECTED


def test_handed_over_keys_are_kept_sealed_and_no_longer_than_needed(
    ada: User, nonce: str, pasted: dict[str, str]
) -> None:
    hand_over(nonce, pasted)
    waiting = all_rows()
    come_back(nonce, ada)

    pending = db.session.scalars(select(PendingAuthorization)).one()
    for secret in pasted.values():
        assert secret not in waiting
        assert secret not in all_rows()
    assert pending.keys == ""


def test_without_keys_the_return_fails_and_those_that_come_late_are_refused(
    ada: User, nonce: str, pasted: dict[str, str]
) -> None:
    returned = come_back(nonce, ada)

    with pytest.raises(NotFound):  # so that the store deletes them
        hand_over(nonce, pasted)
    assert returned.outcome is Outcome.FAILED
    assert connections.find(ada.id, "woocommerce") is None


@pytest.mark.parametrize("success", ["0", "", "true", "11"])
def test_a_denial_connects_nothing_and_takes_no_keys(
    ada: User, nonce: str, pasted: dict[str, str], success: str
) -> None:
    returned = come_back(nonce, ada, success=success)

    with pytest.raises(NotFound):
        hand_over(nonce, pasted)
    assert returned.outcome is Outcome.DENIED
    assert connections.find(ada.id, "woocommerce") is None


def test_keys_that_came_before_a_denial_are_not_used(ada: User, nonce: str, pasted: dict[str, str]) -> None:
    hand_over(nonce, pasted)

    assert come_back(nonce, ada, success="0").outcome is Outcome.DENIED
    assert db.session.scalars(select(PendingAuthorization)).one().keys == ""


def test_keys_that_open_nothing_connect_nothing(ada: User, nonce: str) -> None:
    hand_over(nonce, WRONG)

    assert come_back(nonce, ada).outcome is Outcome.FAILED
    assert connections.find(ada.id, "woocommerce") is None


# -- by whomever


def test_a_second_return_finds_the_connection_made(ada: User, nonce: str, pasted: dict[str, str]) -> None:
    hand_over(nonce, pasted)
    come_back(nonce, ada)

    assert come_back(nonce, ada).outcome is Outcome.ALREADY_DONE


def test_the_return_of_another_is_not_verified_and_leaves_the_hand_over_to_its_owner(
    ada: User, cleo: User, nonce: str, pasted: dict[str, str]
) -> None:
    hand_over(nonce, pasted)

    stolen = come_back(nonce, cleo)

    assert stolen.outcome is Outcome.NOT_VERIFIED
    assert connections.find(cleo.id, "woocommerce") is None
    assert come_back(nonce, ada).outcome is Outcome.CONNECTED


def test_a_return_to_another_session_is_not_verified(ada: User, pasted: dict[str, str]) -> None:
    departure = connections.begin(Caller(ada.id, "this-session"), "woocommerce", ADDRESS)
    hand_over(departure.state, pasted)
    query = {"success": "1", "user_id": departure.state}

    assert connections.come_back(query, Caller(ada.id, "another")).outcome is Outcome.NOT_VERIFIED


@pytest.mark.parametrize("forged", ["", "0", "1", "None", "a" * 5000, "\x00", "ü", "%00"])
def test_keys_with_a_nonce_that_nobody_waits_for_are_refused(nonce: str, pasted: dict[str, str], forged: str) -> None:
    with pytest.raises(NotFound):
        hand_over(forged, pasted)


@pytest.mark.parametrize("forged", [None, 7, True, [], ["nonce"], {"nonce": 1}])
def test_a_nonce_that_is_no_text_is_refused(pasted: dict[str, str], nonce: str, forged: Any) -> None:
    with pytest.raises(NotFound):
        connections.receive_keys("woocommerce", {**pasted, "user_id": forged})


def test_keys_without_a_nonce_are_refused(pasted: dict[str, str], nonce: str) -> None:
    with pytest.raises(NotFound):
        connections.receive_keys("woocommerce", pasted)


def test_the_state_of_another_kind_of_connect_takes_no_keys(ada: User, pasted: dict[str, str]) -> None:
    state = connections.begin(Caller(ada.id), "google-drive", {}).state

    with pytest.raises(NotFound):
        hand_over(state, pasted)


@pytest.mark.parametrize(
    ("integration", "refusal"), [("google-drive", Invalid), ("onedrive", Conflict), ("nowhere", NotFound)]
)
def test_a_platform_that_hands_nothing_over_is_not_listened_to(
    nonce: str, pasted: dict[str, str], integration: str, refusal: type[PatchbayError]
) -> None:
    with pytest.raises(refusal):
        connections.receive_keys(integration, {**pasted, "user_id": nonce})


def test_keys_are_taken_once(ada: User, nonce: str, pasted: dict[str, str]) -> None:
    hand_over(nonce, pasted)

    with pytest.raises(NotFound):
        hand_over(nonce, WRONG)
    assert come_back(nonce, ada).outcome is Outcome.CONNECTED
    with pytest.raises(NotFound):
        hand_over(nonce, WRONG)


def test_of_many_hand_overs_at_once_one_is_taken(app: Flask, nonce: str, pasted: dict[str, str]) -> None:
    def taken(number: int) -> bool:
        try:
            hand_over(nonce, {**pasted, "consumer_key": f"ck_{number:040}"})
        except NotFound:
            return False
        return True

    assert at_once(app, [partial(taken, number) for number in range(6)]).count(True) == 1


def test_keys_that_come_after_ten_minutes_are_refused(
    ada: User, nonce: str, pasted: dict[str, str], frozen_clock: FrozenClock
) -> None:
    nonce = connections.begin(Caller(ada.id), "woocommerce", ADDRESS).state
    frozen_clock.advance(minutes=10)

    with pytest.raises(NotFound):
        hand_over(nonce, pasted)
    assert come_back(nonce, ada).outcome is Outcome.EXPIRED


@pytest.mark.parametrize("end", ["begin again", "cancel"])
def test_a_hand_over_that_was_called_off_takes_no_keys(ada: User, nonce: str, pasted: dict[str, str], end: str) -> None:
    if end == "cancel":
        connections.cancel(ada.id, "woocommerce")
    else:
        connections.begin(Caller(ada.id), "woocommerce", ADDRESS)

    with pytest.raises(NotFound):
        hand_over(nonce, pasted)


@pytest.mark.parametrize(
    "changes",
    [
        {"consumer_key": None}, {"consumer_secret": None}, {"consumer_key": ""}, {"consumer_key": 7},
        {"consumer_secret": ["cs_1"]}, {"consumer_key": "ck_" + "x" * 5000}, {"consumer_secret": "cs_\x00" + "1" * 40},
        {"consumer_key": {"ck": 1}}, {"consumer_key": True},
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused_by_name_and_the_right_one_may_still_come(
    ada: User, nonce: str, pasted: dict[str, str], changes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as refused:
        hand_over(nonce, pasted, **changes)

    hand_over(nonce, pasted)
    assert list(refused.value.fields) == list(changes)
    assert come_back(nonce, ada).outcome is Outcome.CONNECTED


def test_whatever_else_is_posted_is_passed_over(ada: User, nonce: str, pasted: dict[str, str]) -> None:
    hand_over(nonce, pasted, store="evil.example.org", settings={"a": 1}, id="x" * 10_000)

    come_back(nonce, ada)

    assert connections.connected(ada.id, "woocommerce").settings == ADDRESS


# -- waiting


@pytest.fixture
def narrow(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """An installation with so few web threads that one may wait at a time."""
    app = app_for(settings_for(WEB_THREADS="4"))
    monkeypatch.setattr(keys, "KEYS_ARRIVE_WITHIN", timedelta(seconds=60))
    with app.app_context():
        yield app


def waiting(app: Flask, user: User, nonce: str) -> tuple[threading.Thread, list[Returned]]:
    """A browser that is back, in a thread of its own."""
    returned: list[Returned] = []

    def wait() -> None:
        with app.app_context():
            returned.append(come_back(nonce, user))

    thread = threading.Thread(target=wait)
    thread.start()
    return thread, returned


def connections_held(looks: int) -> list[int]:
    """How many connections to the database are in use, at each look."""
    held = []
    for _ in range(looks):
        time.sleep(0.03)
        held.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]  # pools have it
    return held


def test_who_waits_holds_no_connection_to_the_database(
    narrow: Flask, ada: User, sandbox: Sandbox, pasted: dict[str, str]
) -> None:
    nonce = connections.begin(Caller(ada.id), "woocommerce", ADDRESS).state
    db.session.remove()
    thread, returned = waiting(narrow, ada, nonce)
    wait_until(lambda: keys.seats.taken == 1)

    held = connections_held(looks=10)

    hand_over(nonce, pasted)
    thread.join()
    assert held.count(0) >= 5  # now and then it looks
    assert returned[0].outcome is Outcome.CONNECTED


def test_no_more_than_a_quarter_of_the_threads_wait(
    narrow: Flask, ada: User, ben: User, sandbox: Sandbox, pasted: dict[str, str]
) -> None:
    nonces = {user.id: connections.begin(Caller(user.id), "woocommerce", ADDRESS).state for user in (ada, ben)}
    thread, returned = waiting(narrow, ada, nonces[ada.id])
    wait_until(lambda: keys.seats.taken == 1)

    began = time.monotonic()
    refused = come_back(nonces[ben.id], ben)
    refused_after_s, is_waiting = time.monotonic() - began, thread.is_alive()
    hand_over(nonces[ada.id], pasted)
    thread.join()

    assert refused.outcome is Outcome.FAILED
    assert refused_after_s < 30
    assert is_waiting
    assert keys.seats.taken == 0
    assert connections.find(ben.id, "woocommerce") is None
    assert returned[0].outcome is Outcome.CONNECTED


def test_who_finds_no_seat_still_finds_keys_that_are_here(
    narrow: Flask, ada: User, ben: User, sandbox: Sandbox, pasted: dict[str, str]
) -> None:
    nonces = {user.id: connections.begin(Caller(user.id), "woocommerce", ADDRESS).state for user in (ada, ben)}
    hand_over(nonces[ben.id], pasted)
    thread, _ = waiting(narrow, ada, nonces[ada.id])
    wait_until(lambda: keys.seats.taken == 1)

    assert come_back(nonces[ben.id], ben).outcome is Outcome.CONNECTED
    hand_over(nonces[ada.id], sandbox.keys("woocommerce", ADDRESS))
    thread.join()
