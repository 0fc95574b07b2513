"""After a crash or a lost answer: what is tried, what is left alone, and what the owner is told."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from patchbay import client, tokens
from patchbay.errors import CredentialsRefused, GrantExpired, NetworkError
from patchbay.models import Alert, AlertKind, Connection, ConnectionState, User, db, fresh_view, new_id, transaction
from patchbay.oauth import Asking, Grant
from patchbay.settings import ROOT, Settings
from patchbay.spec import Request
from patchbay.tokens import keeping, lease
from patchbay.tokens.attempt import Attempt, Held
from patchbay.tokens.present import read
from tests.stage import FrozenClock, Sandbox, Walker, at_once
from tests.wire import Said, Wire, listening

pytestmark = pytest.mark.usefixtures("context")

TOKEN_CALL = {"shopify": "admin/oauth/access_token", "canva": "oauth/token"}
PROFILE = Request("GET", "https://api.canva.com/rest/v1/users/me/profile")
SHOP = Request("POST", "https://{shop}/admin/api/2026-10/graphql.json", json={"query": "{ shop { id } }"})


@pytest.fixture
def shop(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    """A platform that takes a refresh token again until its successor is used."""
    return connect(ada, "shopify", shop="demo-shop")


@pytest.fixture
def studio(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    """A platform that ends everything when a refresh token comes back. Its tokens live for four hours."""
    return connect(ada, "canva")


def reread(connection: Connection) -> Connection:
    fresh_view()
    return db.session.get_one(Connection, connection.id, populate_existing=True)


def refreshes(sandbox: Sandbox, provider: str) -> int:
    return len(sandbox.received(provider, grantType="refresh_token"))


def open_alerts(connection: Connection) -> list[AlertKind]:
    fresh_view()
    found = select(Alert.kind).where(Alert.connection_id == connection.id, Alert.is_open).order_by(Alert.id)
    return list(db.session.scalars(found))


def lose_an_answer(sandbox: Sandbox, connection: Connection) -> None:
    """Refresh while the token is still good, and hear nothing of it."""
    sandbox.fault(connection.integration_id, "lost_response", match=TOKEN_CALL[connection.integration_id])
    tokens.fresh(connection.id)


# -- the mark, and both pairs


def test_the_mark_stands_before_anything_is_sent_and_goes_with_the_answer(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[datetime | None] = []
    ask = Attempt._asked

    def look(attempt: Attempt, held: Held, asking: Asking) -> Grant:
        seen.append(read(shop.id).sent_at)
        return ask(attempt, held, asking)

    monkeypatch.setattr(Attempt, "_asked", look)
    frozen_clock.advance(hours=2)

    tokens.fresh(shop.id)

    assert seen == [frozen_clock.now()]
    assert reread(shop).refresh_sent_at is None


def test_the_old_pair_is_kept_until_the_new_one_has_worked(shop: Connection, frozen_clock: FrozenClock) -> None:
    before = (shop.access_token, shop.refresh_token)
    frozen_clock.advance(hours=2)

    tokens.fresh(shop.id)
    unproved = reread(shop)
    kept = (unproved.previous_access_token, unproved.previous_refresh_token)
    client.of_connection(unproved).send(SHOP)

    proved = reread(shop)
    assert kept == before
    assert proved.previous_access_token_sealed is None
    assert proved.previous_refresh_token_sealed is None
    assert tokens.fresh(shop.id).is_proved


def test_a_pair_that_never_worked_gives_way_to_the_one_before(
    ada: User,
    frozen_clock: FrozenClock,
    wire: Wire,
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
) -> None:
    app_for(settings_for(SANDBOX_URL=wire.url))
    connection = stored(ada, "shopify", frozen_clock.now())
    wire.say(
        Said(body=pair("broken")),
        Said(400, {"error": "invalid_grant"}),
        Said(body=pair("good")),
    )
    broken = tokens.refresh(connection.id, seen_version=connection.token_version)

    token = tokens.refresh(connection.id, seen_version=broken.version)

    sent = [request.body.decode() for request in wire.received]
    assert token.value == "access-good"
    assert ["refresh-first" in body for body in sent] == [True, False, True]
    assert reread(connection).is_connected


# -- lost answers


def test_where_grace_is_declared_the_old_token_is_sent_again(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    before = shop.access_token
    frozen_clock.advance(minutes=57)
    lose_an_answer(sandbox, shop)
    marked_at = reread(shop).refresh_sent_at
    frozen_clock.advance(minutes=10)

    token = tokens.fresh(shop.id)

    after = reread(shop)
    assert marked_at is not None
    assert token.value == after.access_token != before
    assert after.refresh_sent_at is None
    assert refreshes(sandbox, "shopify") == 2


def test_where_repetition_is_punished_the_present_token_is_used_up_first(
    studio: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    frozen_clock.advance(hours=3, minutes=57)
    lose_an_answer(sandbox, studio)
    frozen_clock.advance(minutes=1)

    values = [tokens.fresh(studio.id).value for _ in range(3)]
    answer = client.of_connection(reread(studio)).send(PROFILE)

    assert values == [studio.access_token] * 3
    assert answer.status == 200
    assert refreshes(sandbox, "canva") == 1
    assert open_alerts(studio) == [AlertKind.LOGIN_ENDING]


def test_a_token_that_was_not_spent_after_all_is_saved_at_the_last_moment(
    studio: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    before = studio.access_token
    frozen_clock.advance(hours=3, minutes=57)
    sandbox.fault("canva", "reset", match=TOKEN_CALL["canva"])  # nothing was done there
    tokens.fresh(studio.id)
    frozen_clock.advance(minutes=2)
    tokens.fresh(studio.id)
    frozen_clock.advance(seconds=50)
    due = tokens.due()

    tokens.fresh(studio.id)

    after = reread(studio)
    assert due == [studio.id]
    assert after.access_token != before
    assert after.is_connected
    assert open_alerts(studio) == []


def test_a_token_that_was_spent_is_given_up_only_when_the_present_one_is_refused(
    studio: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    frozen_clock.advance(hours=3, minutes=57)
    lose_an_answer(sandbox, studio)
    frozen_clock.advance(minutes=2)
    tokens.fresh(studio.id)
    frozen_clock.advance(seconds=50)

    tokens.fresh(studio.id)
    living_on = reread(studio)
    has_refresh_token, state = living_on.refresh_token_sealed is not None, living_on.state
    with pytest.raises(CredentialsRefused):
        client.of_connection(living_on).send(PROFILE)

    assert (has_refresh_token, state) == (False, ConnectionState.CONNECTED)
    assert reread(studio).state is ConnectionState.RECONNECT_NEEDED
    assert open_alerts(studio) == [AlertKind.AUTH_FAILED]


def test_what_was_never_sent_leaves_no_mark(
    studio: Connection,
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
    frozen_clock: FrozenClock,
) -> None:
    app_for(settings_for(SANDBOX_URL="http://127.0.0.1:9"))
    frozen_clock.advance(hours=5)

    with pytest.raises(NetworkError):
        tokens.fresh(studio.id)

    after = reread(studio)
    assert after.refresh_sent_at is None
    assert after.refresh_failed_at == frozen_clock.now()
    assert after.is_connected


# -- crashes: a process of its own, killed where it hurts

SCRIPT = """
import sys, time
from datetime import datetime
from app import create_app
from patchbay import clock, settings, tenancy, tokens
import json
order = json.loads(sys.argv[1])
clock.now = lambda: datetime.fromisoformat(order["now"])
def stop(*_args, **_named):
    print("here", flush=True)
    time.sleep(60)
from patchbay.tokens import keeping
from patchbay.tokens.attempt import Attempt
if order["place"] == "before it is sent":
    Attempt._asked = stop
else:
    keeping.store = stop
with create_app(settings.load(order["environment"])).app_context(), tenancy.everyone():
    tokens.fresh(order["connection"])
"""


def killed(connection: Connection, settings: Settings, place: str, now: datetime) -> None:
    """Let a process refresh the token, and kill it there and then."""
    environment = {
        "PATCHBAY_HOME": str(settings.home),
        "PUBLIC_URL": settings.public_url,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SANDBOX": "on",
        "SANDBOX_URL": settings.sandbox_url,
        "SECRET_KEY": settings.secret_key,
        "VAULT_KEYS": ",".join(settings.vault_keys),
        "DEMO_PASSWORD": "a password for the demo",
    }
    order = {"connection": connection.id, "environment": environment, "place": place, "now": now.isoformat()}
    command = [sys.executable, "-c", SCRIPT, json.dumps(order)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert "here\n" in iter(process.stdout.readline, "") if process.stdout else False
        finally:
            os.kill(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("place", ["before it is sent", "before it is stored"])
def test_a_kill_around_a_refresh_costs_no_connection_where_grace_is_declared(
    shop: Connection, settings: Settings, sandbox: Sandbox, frozen_clock: FrozenClock, place: str
) -> None:
    before = shop.access_token
    frozen_clock.advance(hours=2)
    killed(shop, settings, place, frozen_clock.now())
    marked = reread(shop)
    lost = (marked.refresh_sent_at, marked.refresh_lease_token)
    frozen_clock.advance(seconds=lease.LEASE.total_seconds() + 1)

    token = tokens.fresh(shop.id)

    after = reread(shop)
    assert None not in lost
    assert token.value == after.access_token != before
    assert (after.refresh_sent_at, after.refresh_lease_token) == (None, None)
    assert client.of_connection(after).send(SHOP).status == 200


@pytest.mark.parametrize(
    ("place", "state"),
    [
        ("before it is sent", ConnectionState.CONNECTED),
        ("before it is stored", ConnectionState.RECONNECT_NEEDED),  # the one that the platform's rule lets nobody save
    ],
)
def test_a_kill_around_a_refresh_where_repetition_is_punished(
    studio: Connection,
    settings: Settings,
    frozen_clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    state: ConnectionState,
) -> None:
    monkeypatch.setattr(lease, "LONGEST_EXCHANGE_S", 0.2)
    before = studio.access_token
    frozen_clock.advance(hours=3, minutes=56)
    killed(studio, settings, place, frozen_clock.now())
    frozen_clock.advance(seconds=lease.LEASE.total_seconds() + 1)
    used_up = tokens.fresh(studio.id).value
    frozen_clock.advance(minutes=10)

    with suppress(GrantExpired):
        tokens.fresh(studio.id)

    assert used_up == before
    assert reread(studio).state is state


# -- clocks that are stepped


def test_a_clock_set_ahead_lets_nobody_send_a_token_that_is_on_its_way(
    studio: Connection, app: Flask, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    sandbox.fault("canva", "slow", match=TOKEN_CALL["canva"], seconds=1)
    studio_id = studio.id
    frozen_clock.advance(hours=5)

    def stepping() -> str:
        frozen_clock.advance(minutes=30)
        return tokens.fresh(studio_id).value

    values = at_once(app, [lambda: tokens.fresh(studio_id).value, stepping, stepping])

    assert len(set(values)) == 1
    assert refreshes(sandbox, "canva") == 1
    assert reread(studio).is_connected


def test_a_clock_set_back_does_not_stop_refreshing(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    frozen_clock.advance(hours=2)
    with transaction():
        shop.refresh_lease_token = "lse_of_the_dead"
        shop.refresh_lease_until = frozen_clock.now() + timedelta(hours=1)

    token = tokens.fresh(shop.id)

    assert token.value == reread(shop).access_token
    assert refreshes(sandbox, "shopify") == 1


# -- late and stale words


def test_an_answer_that_comes_late_revives_what_was_given_up(shop: Connection, frozen_clock: FrozenClock) -> None:
    claim = lease.claim(read(shop.id), lease.Lookout(is_patient=False))
    assert claim is not None
    tokens.mark_reconnect_needed(shop.id, "given up meanwhile")
    alerts_then = open_alerts(shop)

    keeping.store(claim, Grant("late", "later", frozen_clock.now() + timedelta(hours=1)))

    assert alerts_then == [AlertKind.AUTH_FAILED]
    assert reread(shop).is_connected
    assert open_alerts(shop) == []


def test_an_answer_that_comes_after_the_account_was_deleted_is_dropped(shop: Connection) -> None:
    claim = lease.claim(read(shop.id), lease.Lookout(is_patient=False))
    assert claim is not None
    with transaction() as session:
        session.execute(delete(Connection).where(Connection.id == shop.id))
    db.session.expunge_all()

    with pytest.raises(CredentialsRefused):
        keeping.store(claim, Grant("late", "later"))


def test_a_worker_with_an_old_token_gives_nothing_up(shop: Connection) -> None:
    source = tokens.StoredToken(shop.id)
    source.fresh()
    tokens.refresh(shop.id, seen_version=shop.token_version)

    source.gave_up("401")

    assert reread(shop).is_connected


def test_a_token_that_has_merely_ended_gives_nothing_up(shop: Connection, frozen_clock: FrozenClock) -> None:
    source = tokens.StoredToken(shop.id)
    source.fresh()
    frozen_clock.advance(hours=2)

    source.gave_up("401")

    assert reread(shop).is_connected


# -- a platform that says what it is told


@pytest.fixture
def wire() -> Iterator[Wire]:
    with listening() as wire:
        yield wire


def pair(name: str) -> dict[str, object]:
    return {"access_token": f"access-{name}", "refresh_token": f"refresh-{name}", "expires_in": 3600}


def stored(user: User, integration_id: str, now: datetime) -> Connection:
    connection = Connection(
        id=new_id("con"), user_id=user.id, integration_id=integration_id, state=ConnectionState.CONNECTED,
        account_id="1", account_label="ada", scopes=[], is_sandbox=True, settings={"shop": "demo-shop.myshopify.com"},
        setting_labels={}, token_version=1, connected_at=now, created_at=now,
    )  # fmt: skip
    tokens.keep(connection, Grant("access-first", "refresh-first", now + timedelta(hours=1)))
    with transaction() as session:
        session.add(connection)
    return connection
