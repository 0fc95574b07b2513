"""Tokens: refreshed ahead of their end, once for everybody, and what becomes of a connection when that fails."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from patchbay import connections, tokens
from patchbay.errors import CircuitOpen, CredentialsRefused, GrantExpired, NetworkError, ProviderUnavailable
from patchbay.models import AuditEntry, Connection, ConnectionState, User, db, fresh_view, new_id, transaction
from patchbay.oauth import Grant
from patchbay.settings import Settings
from patchbay.tokens import refreshing
from tests.stage import FrozenClock, Sandbox, Walker, at_once, wait_until
from tests.wire import Said, Wire, listening

pytestmark = pytest.mark.usefixtures("context")

ALMOST_AN_HOUR = {"minutes": 57}


@pytest.fixture
def shop(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    """A connection whose token lives for an hour from now."""
    return connect(ada, "shopify", shop="demo-shop")


def refreshes(sandbox: Sandbox, provider: str = "shopify") -> int:
    return len(sandbox.received(provider, grantType="refresh_token"))


def refresh_under_way(shop: Connection, app: Flask, sandbox: Sandbox) -> "Future[str]":
    """A refresh that has reached the platform, which answers once the test lets it go; the token's value to be."""
    shop_id, seen = shop.id, shop.token_version
    sandbox.fault("shopify", "slow", match="access_token")

    def refresh() -> str:
        with app.app_context():
            return tokens.refresh(shop_id, seen_version=seen).value

    pool = ThreadPoolExecutor(1)
    under_way = pool.submit(refresh)
    pool.shutdown(wait=False)
    wait_until(lambda: refreshes(sandbox) == 1)
    return under_way


def reread(connection: Connection) -> Connection:
    fresh_view()
    return db.session.get_one(Connection, connection.id, populate_existing=True)


def count_of(action: str) -> int:
    return db.session.scalar(select(func.count()).where(AuditEntry.action == action)) or 0


def test_a_token_that_lives_long_is_used_as_it_is(shop: Connection, sandbox: Sandbox) -> None:
    token = tokens.fresh(shop.id)

    assert token.value == shop.access_token
    assert token.value not in repr(token)
    assert refreshes(sandbox) == 0


def test_a_token_is_refreshed_ahead_of_its_end(shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock) -> None:
    before = (shop.access_token, shop.refresh_token, shop.token_version)
    frozen_clock.advance(**ALMOST_AN_HOUR)

    token = tokens.fresh(shop.id)

    after = reread(shop)
    assert token.value == after.access_token
    assert (after.access_token, after.refresh_token) != before[:2]
    assert after.refresh_token != before[1]
    assert after.token_version == before[2] + 1
    assert after.token_expires_at == frozen_clock.now() + timedelta(hours=1)
    assert refreshes(sandbox) == 1
    assert count_of("token_refreshed") == 1


def test_a_platform_that_keeps_the_refresh_token_leaves_it_in_place(
    ada: User, connect: Walker, frozen_clock: FrozenClock
) -> None:
    connection = connect(ada, "google-drive")
    before = (connection.access_token, connection.refresh_token)
    frozen_clock.advance(hours=1)

    tokens.fresh(connection.id)

    after = reread(connection)
    assert after.access_token != before[0]
    assert after.refresh_token == before[1]


def test_twenty_threads_refresh_once(shop: Connection, app: Flask, sandbox: Sandbox, frozen_clock: FrozenClock) -> None:
    frozen_clock.advance(hours=2)
    shop_id = shop.id

    values = at_once(app, [lambda: tokens.fresh(shop_id).value] * 20)

    assert len(set(values)) == 1
    assert refreshes(sandbox) == 1


def test_a_refused_token_is_replaced_once_for_all_who_saw_it(shop: Connection, app: Flask, sandbox: Sandbox) -> None:
    shop_id, seen = shop.id, shop.token_version

    values = at_once(app, [lambda: tokens.refresh(shop_id, seen_version=seen).value] * 8)

    assert len(set(values)) == 1
    assert refreshes(sandbox) == 1


def test_a_lost_answer_is_made_good_by_the_next_refresh(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    sandbox.fault("shopify", "lost_response", match="access_token")
    frozen_clock.advance(hours=2)

    with pytest.raises(NetworkError):
        tokens.fresh(shop.id)
    token = tokens.fresh(shop.id)

    assert token.value == reread(shop).access_token
    assert refreshes(sandbox) == 2
    assert reread(shop).is_connected


@pytest.mark.parametrize("kind", ["server_error", "reset"])
def test_a_refresh_that_fails_leaves_the_present_token_in_use_while_it_is_good(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock, kind: str
) -> None:
    sandbox.fault("shopify", kind, match="access_token", times=0)
    frozen_clock.advance(**ALMOST_AN_HOUR)
    present = shop.access_token

    values = [tokens.fresh(shop.id).value for _ in range(3)]

    assert values == [present] * 3
    assert refreshes(sandbox) == 1
    assert reread(shop).is_connected


def test_a_token_endpoint_that_keeps_failing_is_left_alone(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    sandbox.fault("shopify", "server_error", match="access_token", times=0)
    frozen_clock.advance(hours=2)
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            tokens.refresh(shop.id, seen_version=shop.token_version)

    with pytest.raises(CircuitOpen):
        tokens.refresh(shop.id, seen_version=shop.token_version)

    assert refreshes(sandbox) == 5
    assert reread(shop).state is ConnectionState.CONNECTED


@pytest.mark.parametrize(("kind", "error"), [("server_error", ProviderUnavailable), ("reset", NetworkError)])
def test_a_refresh_that_fails_after_the_end_says_so_and_leaves_the_connection(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock, kind: str, error: type[Exception]
) -> None:
    sandbox.fault("shopify", kind, match="access_token", times=0)
    frozen_clock.advance(hours=2)

    with pytest.raises(error):
        tokens.fresh(shop.id)

    after = reread(shop)
    assert after.is_connected
    assert after.refresh_failed_at == frozen_clock.now()
    assert after.refresh_lease_token is None


def test_a_dead_grant_needs_its_owner_and_is_said_once(
    shop: Connection, app: Flask, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    sandbox.fault("shopify", "revoked_grant")
    frozen_clock.advance(hours=2)
    shop_id = shop.id

    def refused() -> bool:
        with pytest.raises(GrantExpired):
            tokens.fresh(shop_id)
        return True

    at_once(app, [refused] * 5)

    assert reread(shop).state is ConnectionState.RECONNECT_NEEDED
    assert count_of("reconnect_needed") == 1
    assert refreshes(sandbox) == 1


def test_a_refused_token_without_a_refresh_token_cannot_be_replaced(shop: Connection) -> None:
    with transaction():
        shop.refresh_token = None

    with pytest.raises(CredentialsRefused):
        tokens.refresh(shop.id, seen_version=shop.token_version)


def test_a_token_without_an_end_and_refresh_token_is_used(shop: Connection, frozen_clock: FrozenClock) -> None:
    with transaction():
        shop.refresh_token = None
    frozen_clock.advance(hours=2)

    assert tokens.fresh(shop.id).value == shop.access_token


def test_a_disconnected_connection_has_no_token(shop: Connection, ada: User) -> None:
    connections.disconnect(ada.id, "shopify")

    with pytest.raises(CredentialsRefused):
        tokens.fresh(shop.id)


def test_the_refresh_of_a_worker_that_died_is_taken_over(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    frozen_clock.advance(hours=2)
    with transaction():
        shop.refresh_lease_token = "lse_of_the_dead"
        shop.refresh_lease_until = frozen_clock.now() - timedelta(seconds=1)

    tokens.fresh(shop.id)

    assert refreshes(sandbox) == 1
    assert reread(shop).refresh_lease_token is None


def test_a_refresh_under_way_elsewhere_is_waited_for_but_not_for_ever(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen_clock.advance(hours=2)
    with transaction():
        shop.refresh_lease_token = "lse_of_another"
        shop.refresh_lease_until = frozen_clock.now() + timedelta(seconds=30)
    monkeypatch.setattr(refreshing, "PATIENCE_S", 0.3)

    with pytest.raises(NetworkError):
        tokens.fresh(shop.id)

    assert refreshes(sandbox) == 0


def test_a_refresh_that_ends_after_a_disconnect_stores_nothing(
    shop: Connection, app: Flask, ada: User, sandbox: Sandbox, let_go: Callable[[], None]
) -> None:
    under_way = refresh_under_way(shop, app, sandbox)

    connections.disconnect(ada.id, "shopify")
    let_go()
    with pytest.raises(CredentialsRefused):
        under_way.result()

    after = reread(shop)
    assert after.access_token_sealed is None
    assert after.refresh_token_sealed is None


def test_a_refresh_that_ends_after_a_reconnect_does_not_replace_the_new_tokens(
    shop: Connection, app: Flask, ada: User, sandbox: Sandbox, connect: Walker, let_go: Callable[[], None]
) -> None:
    under_way = refresh_under_way(shop, app, sandbox)

    renewed = connect(ada, "shopify", shop="demo-shop").access_token
    let_go()
    under_way.result()

    assert reread(shop).access_token == renewed


def test_a_refusal_that_comes_after_a_reconnect_does_not_end_the_new_login(
    shop: Connection, app: Flask, ada: User, sandbox: Sandbox, connect: Walker, let_go: Callable[[], None]
) -> None:
    sandbox.fault("shopify", "revoked_grant")
    under_way = refresh_under_way(shop, app, sandbox)

    renewed = connect(ada, "shopify", shop="demo-shop").access_token
    let_go()
    given = under_way.result()

    assert reread(shop).is_connected
    assert given == renewed


def test_the_clock_finds_tokens_that_end_soon(shop: Connection, frozen_clock: FrozenClock) -> None:
    before = tokens.due()
    frozen_clock.advance(**ALMOST_AN_HOUR)

    assert before == []
    assert tokens.due() == [shop.id]


@pytest.mark.parametrize("state", [ConnectionState.RECONNECT_NEEDED, ConnectionState.DISCONNECTED])
def test_the_clock_leaves_alone_what_is_not_connected(
    shop: Connection, frozen_clock: FrozenClock, state: ConnectionState
) -> None:
    frozen_clock.advance(hours=2)
    with transaction():
        shop.state = state

    assert tokens.due() == []


@pytest.mark.parametrize("grant", [{"expires_at": "soon"}, {"refresh_token": "r"}])
def test_the_clock_leaves_alone_what_cannot_be_refreshed_or_has_no_end(
    ben: User, frozen_clock: FrozenClock, grant: dict[str, str]
) -> None:
    ends_at = frozen_clock.now() + timedelta(hours=1) if "expires_at" in grant else None
    stored(ben, "shopify", frozen_clock.now(), Grant("a", grant.get("refresh_token"), expires_at=ends_at))
    frozen_clock.advance(hours=2)

    assert tokens.due() == []


def test_a_failed_refresh_is_tried_again_after_a_minute(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    sandbox.fault("shopify", "server_error", match="access_token")
    frozen_clock.advance(hours=2)

    tokens.refresh_if_due(shop.id)
    right_after = tokens.due()
    frozen_clock.advance(minutes=2)
    later = tokens.due()
    tokens.refresh_if_due(shop.id)

    assert right_after == []
    assert later == [shop.id]
    assert tokens.due() == []
    assert refreshes(sandbox) == 2


@pytest.mark.parametrize("kind", ["server_error", "reset", "malformed", "truncated", "revoked_grant"])
def test_a_refresh_ahead_of_need_leaves_its_failure_on_the_row(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock, kind: str
) -> None:
    sandbox.fault("shopify", kind, match="access_token")
    frozen_clock.advance(hours=2)

    tokens.refresh_if_due(shop.id)

    after = reread(shop)
    assert (after.refresh_failed_at is not None) or (after.state is ConnectionState.RECONNECT_NEEDED)


# -- a refresh ahead of need is of no matter while the token is good


@pytest.fixture
def wire() -> Iterator[Wire]:
    with listening() as wire:
        yield wire


def lasting(now: datetime, **lapse: float) -> Grant:
    """The present tokens, which live that long from now."""
    return Grant("the-present-token", "the-present-token", expires_at=now + timedelta(**lapse))


def stored(user: User, integration_id: str, now: datetime, grant: Grant) -> Connection:
    """A connection with these tokens."""
    connection = Connection(
        id=new_id("con"), user_id=user.id, integration_id=integration_id, state=ConnectionState.CONNECTED,
        account_id="1", account_label="ada", scopes=[], is_sandbox=True, settings={}, setting_labels={},
        token_version=1, connected_at=now, created_at=now,
    )  # fmt: skip
    tokens.keep(connection, grant)
    with transaction() as session:
        session.add(connection)
    return connection


@pytest.fixture
def renewing(
    wire: Wire,
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
    frozen_clock: FrozenClock,
    ada: User,
) -> Connection:
    """A connection whose live token renews itself, for 60 days from now, at a platform that says what it is told."""
    app_for(settings_for(SANDBOX_URL=wire.url))  # what is in use from now on
    return stored(ada, "instagram", frozen_clock.now(), lasting(frozen_clock.now(), days=60))


RENEWED = Said(body={"access_token": "the-next-token", "expires_in": 60 * 24 * 3600})


def test_a_token_that_renews_itself_is_renewed_long_before_its_end(
    renewing: Connection, wire: Wire, frozen_clock: FrozenClock
) -> None:
    wire.say(RENEWED)
    frozen_clock.advance(days=44)
    before = (tokens.fresh(renewing.id).value, tokens.due())
    frozen_clock.advance(days=1, seconds=1)
    due = tokens.due()

    token = tokens.fresh(renewing.id)

    after = reread(renewing)
    assert before == ("the-present-token", [])
    assert due == [renewing.id]
    assert token.value == after.access_token == after.refresh_token == "the-next-token"
    assert after.token_expires_at == frozen_clock.now() + timedelta(days=60)
    assert tokens.due() == []


def test_many_threads_renew_once(
    renewing: Connection, wire: Wire, app: Flask, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "PATIENCE_WHILE_GOOD_S", 60)
    wire.say(RENEWED)
    frozen_clock.advance(days=50)
    connection_id = renewing.id

    values = at_once(app, [lambda: tokens.fresh(connection_id).value] * 12)

    assert set(values) == {"the-next-token"}
    assert len(wire.received) == 1


def test_a_token_that_lives_shorter_than_it_is_renewed_ahead_is_not_renewed_at_every_use(
    renewing: Connection, wire: Wire, frozen_clock: FrozenClock
) -> None:
    wire.say(Said(body={"access_token": "a-short-one", "expires_in": 3600}))
    frozen_clock.advance(days=50)
    tokens.fresh(renewing.id)

    values = [tokens.fresh(renewing.id).value for _ in range(3)]

    assert values == ["a-short-one"] * 3
    assert tokens.due() == []
    assert len(wire.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Said(body=b"<!doctype html>"),
        Said(body={"access_token": 7}),
        Said(400, {"error": {"code": 2, "message": "Not now."}}),
        Said(400, {"error": {"code": 101, "message": "Error validating client secret."}}),
        Said(429, {"error": {"code": 4, "message": "Too many."}}),
        Said(503),
        Said(drop=True),
    ],
)
def test_a_renewal_that_fails_in_whatever_way_leaves_the_present_token_in_use(
    renewing: Connection, wire: Wire, frozen_clock: FrozenClock, answer: Said
) -> None:
    wire.say(answer)
    frozen_clock.advance(days=50)

    values = [tokens.fresh(renewing.id).value for _ in range(3)]

    after = reread(renewing)
    assert values == ["the-present-token"] * 3
    assert after.is_connected
    assert after.refresh_failed_at == frozen_clock.now()
    assert len(wire.received) == 1


def test_a_renewal_that_the_platform_refuses_for_good_asks_the_owner(
    renewing: Connection, wire: Wire, frozen_clock: FrozenClock
) -> None:
    wire.say(Said(400, {"error": {"code": 190, "message": "The user has changed the password."}}))
    frozen_clock.advance(days=50)

    with pytest.raises(GrantExpired):
        tokens.fresh(renewing.id)

    assert reread(renewing).state is ConnectionState.RECONNECT_NEEDED


def test_what_was_due_first_comes_first(renewing: Connection, ben: User, frozen_clock: FrozenClock) -> None:
    frozen_clock.advance(days=50)
    hourly = stored(ben, "shopify", frozen_clock.now(), lasting(frozen_clock.now(), hours=1))
    frozen_clock.advance(minutes=58)

    assert tokens.due(limit=1) == [renewing.id]
    assert tokens.due() == [renewing.id, hourly.id]


# -- another app than the one that was granted something


def test_a_live_token_is_never_shown_to_the_sandbox(
    renewing: Connection, wire: Wire, frozen_clock: FrozenClock
) -> None:
    wire.say(RENEWED)
    with transaction():
        renewing.is_sandbox = False
    frozen_clock.advance(days=50)

    with pytest.raises(GrantExpired):
        tokens.fresh(renewing.id)

    assert wire.received == []
    assert reread(renewing).state is ConnectionState.RECONNECT_NEEDED


def test_a_token_of_the_sandbox_is_not_refreshed_with_a_live_app(
    shop: Connection,
    sandbox: Sandbox,
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
    frozen_clock: FrozenClock,
) -> None:
    live = app_for(settings_for(SHOPIFY_CLIENT_ID="live", SHOPIFY_CLIENT_SECRET="live-secret"))
    frozen_clock.advance(hours=2)

    with live.app_context(), pytest.raises(GrantExpired):
        tokens.fresh(shop.id)

    assert refreshes(sandbox) == 0
