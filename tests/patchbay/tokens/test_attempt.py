"""What must not cost a pair that is on its way: a stop, a database that is locked, a process that was held up."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import OperationalError

from patchbay import client, tokens
from patchbay.errors import NetworkError
from patchbay.models import Connection, User, db, fresh_view
from patchbay.oauth import Grant
from patchbay.spec import Request
from patchbay.tokens import attempt, keeping, lease
from patchbay.tokens.lease import Claim
from patchbay.tokens.present import Token
from tests.stage import FrozenClock, Sandbox, Walker, wait_until

pytestmark = pytest.mark.usefixtures("context")

PROFILE = Request("GET", "https://api.canva.com/rest/v1/users/me/profile")


class Stopped(BaseException):
    """What a worker's handler raises."""


@pytest.fixture
def stoppable() -> Iterator[None]:
    """A process that a SIGTERM stops as it stops a worker's job."""

    def stop(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGTERM, stop)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def studio(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    """A connection, whose token has ended, to a platform that ends everything when a refresh token comes back."""
    connection = connect(ada, "canva")
    frozen_clock.advance(hours=5)
    return connection


def reread(connection: Connection) -> Connection:
    fresh_view()
    return db.session.get_one(Connection, connection.id, populate_existing=True)


@pytest.mark.usefixtures("stoppable")
def test_a_stop_waits_until_the_answer_is_stored(
    studio: Connection, sandbox: Sandbox, let_go: Callable[[], None]
) -> None:
    sandbox.fault("canva", "slow", match="oauth/token")
    before = studio.access_token

    def stop_meanwhile() -> None:
        wait_until(lambda: len(sandbox.received("canva", grantType="refresh_token")) == 1)
        os.kill(os.getpid(), signal.SIGTERM)
        let_go()

    stopping = threading.Thread(target=stop_meanwhile)
    stopping.start()
    with pytest.raises(Stopped):
        tokens.fresh(studio.id)
    stopping.join()

    after = reread(studio)
    assert after.access_token != before
    assert (after.refresh_sent_at, after.refresh_lease_token) == (None, None)
    assert client.of_connection(after).send(PROFILE).status == 200


def test_a_new_pair_is_kept_though_the_database_was_locked_when_it_came(
    studio: Connection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "STORE_AGAIN_S", 0.01)
    store, tries = keeping.store, []

    def locked_at_first(claim: Claim, grant: Grant) -> Token:
        tries.append(claim)
        if len(tries) < 3:
            raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))
        return store(claim, grant)

    monkeypatch.setattr(keeping, "store", locked_at_first)

    token = tokens.fresh(studio.id)

    assert token.value == reread(studio).access_token
    assert len(sandbox.received("canva", grantType="refresh_token")) == 1


def test_a_database_that_stays_away_leaves_the_answer_in_doubt(
    studio: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "KEEP_TRYING_S", 0.0)

    def locked(*_: object) -> Token:
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    monkeypatch.setattr(keeping, "store", locked)

    with pytest.raises(OperationalError):
        tokens.fresh(studio.id)

    assert reread(studio).refresh_sent_at is not None


def test_a_process_that_was_held_up_until_its_lease_was_nearly_over_sends_nothing(
    studio: Connection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    held_up_s = lease.LEASE.total_seconds() - lease.LONGEST_EXCHANGE_S + 1
    check = lease.check_in_time

    def late(claim: Claim) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: began + held_up_s)
        check(claim)

    monkeypatch.setattr(lease, "check_in_time", late)

    with pytest.raises(NetworkError):
        tokens.fresh(studio.id)

    after = reread(studio)
    assert sandbox.received("canva", grantType="refresh_token") == []
    assert (after.refresh_sent_at, after.is_connected) == (None, True)
