"""A platform that answers after 29 seconds, and one that never does: the first is heard, once; the second given up.

One answer is waited for in truth, together with its token endpoint's. Elsewhere time is a tenth or, where none comes in
time, a fiftieth: 35 s allowed for an exchange are 3.5 or 0.7.
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread

import pytest
from flask import Flask

from patchbay import client, clock, runs, tokens
from patchbay.errors import CircuitOpen, NetworkError, OutcomeUnknown
from patchbay.limits import breakers
from patchbay.models import Connection, RunStatus, Trigger, User, transaction
from patchbay.oauth import Grant
from patchbay.runs.lease import LENGTH
from patchbay.settings import Settings
from patchbay.spec import Request
from tests.faults.conftest import Shelf, reread
from tests.stage import Queue, linked_to_dropbox
from tests.wire import Said, Wire, listening

LATE_S = 29.0
TENTH, FIFTIETH = 10, 50
BEYOND_LEASE_S = LENGTH.total_seconds() + 1
FILES = "https://api.dropboxapi.com/2/files/list_folder"
ASK, DO = Request("GET", FILES), Request("POST", "https://api.dropboxapi.com/2/files/create_folder_v2", json={})
PAIR = {"access_token": "access-second", "refresh_token": "refresh-second", "expires_in": 3600}


@pytest.fixture
def wire() -> Iterator[Wire]:
    with listening() as wire:
        wire.say(Said(body={"ok": True}))
        yield wire


@pytest.fixture
def app(wire: Wire, settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]) -> Iterator[Flask]:
    """An installation whose platforms are all on the wire."""
    made = app_for(settings_for(SANDBOX_URL=wire.url))
    with made.app_context():
        yield made


def quicken(monkeypatch: pytest.MonkeyPatch, share: int) -> None:
    """Let an exchange have only this share of its time."""
    monkeypatch.setattr("patchbay.client.exchange.CONNECT_S", 5 / share)
    monkeypatch.setattr("patchbay.client.exchange.ANSWER_S", 30 / share)
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch, FIFTIETH)


def connected(user: User) -> Connection:
    """To Dropbox, with a token that ended an hour ago and one to refresh it with."""
    connection = linked_to_dropbox(user)
    with transaction():
        tokens.keep(connection, Grant("access-first", "refresh-first", clock.now() - timedelta(hours=1)))
    return connection


def test_an_answer_after_29_seconds_is_taken_and_its_run_and_refresh_stay_with_their_worker(
    app: Flask, wire: Wire, ada: User, shelf: Shelf, queue: Queue
) -> None:
    connection = connected(ada)
    run = runs.start(ada.id, "dropbox", "act", {}, Trigger.API)
    wire.say(Said(body=PAIR, after_s=LATE_S), Said(body={"ok": True}, after_s=BEYOND_LEASE_S - LATE_S))
    shelf.act = lambda api: {"status": api.send(ASK).status, "offered": runs.due()}
    others: list[str] = []

    def use_too() -> None:
        with app.app_context():
            time.sleep(1)
            others.append(tokens.fresh(connection.id).value)

    beside = Thread(target=use_too)
    beside.start()
    queue.run_all()
    beside.join()

    done = reread(run)
    assert (done.status, done.attempts, done.result) == (RunStatus.SUCCEEDED, 1, {"status": 200, "offered": []})
    assert others == ["access-second"]
    assert [request.path.rpartition("/")[2] for request in wire.received] == ["token", "list_folder"]


def test_a_late_answer_is_heard_and_nothing_is_sent_twice(
    app: Flask, wire: Wire, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    quicken(monkeypatch, TENTH)
    api = client.of_connection(linked_to_dropbox(ada))
    wire.say(Said(body={"ok": True}, after_s=LATE_S / TENTH))

    answers = [api.send(request).status for request in (ASK, DO)]

    assert answers == [200, 200]
    assert len(wire.received) == 2


@pytest.mark.usefixtures("_quick")
def test_what_never_answers_is_given_up_and_asked_again_where_that_does_no_harm(
    app: Flask, wire: Wire, ada: User
) -> None:
    api = client.of_connection(linked_to_dropbox(ada))
    wire.say(Said(after_s=60 / FIFTIETH), Said(after_s=60 / FIFTIETH), Said(body={"ok": True}))

    answer = api.send(ASK)

    assert answer.status == 200
    assert len(wire.received) == 3


@pytest.mark.usefixtures("_quick")
def test_of_what_must_not_be_sent_twice_nobody_knows_when_no_answer_comes(app: Flask, wire: Wire, ada: User) -> None:
    api = client.of_connection(linked_to_dropbox(ada))
    wire.say(Said(after_s=60 / FIFTIETH))

    with pytest.raises(OutcomeUnknown, match="no complete answer within"):
        api.send(DO)

    assert len(wire.received) == 1


@pytest.mark.usefixtures("_quick")
def test_a_platform_that_never_answers_is_left_alone_after_a_while(
    app: Flask, wire: Wire, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchbay.client.exchange.ANSWER_S", 0.05)
    connection = linked_to_dropbox(ada)
    api = client.of_connection(connection)
    wire.say(Said(after_s=0.5))

    for _ in range(2):
        with pytest.raises(NetworkError):
            api.send(ASK)
    with pytest.raises((CircuitOpen, NetworkError)):
        api.send(ASK)
    sent = len(wire.received)
    with pytest.raises(CircuitOpen):
        api.send(ASK)

    assert breakers.state("dropbox", connection.id, is_sandbox=True).is_open
    assert len(wire.received) == sent
