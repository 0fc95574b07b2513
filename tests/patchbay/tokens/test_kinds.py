"""The kinds of tokens there are: each as its platform declares it, and answers that are not as they should be."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from patchbay import client, connections, providers, tokens
from patchbay.connections import Caller
from patchbay.errors import CredentialsRefused, GrantExpired, SetupWrong
from patchbay.models import Connection, ConnectionState, User, db, fresh_view, new_id, transaction
from patchbay.oauth import Grant
from patchbay.settings import Settings
from patchbay.spec import Account, ClientCredentials, Keys, Provider, Request
from tests.stage import FrozenClock
from tests.wire import Said, Wire, listening

pytestmark = pytest.mark.usefixtures("context")

PAIR = {"consumer_key": "ck_" + "a" * 40, "consumer_secret": "cs_" + "b" * 40}


@pytest.fixture
def wire(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], frozen_clock: FrozenClock
) -> Iterator[Wire]:
    """A platform that says what it is told, in the sandbox's place."""
    with listening() as wire:
        app_for(settings_for(SANDBOX_URL=wire.url))
        yield wire


def stored(user: User, integration_id: str, grant: Grant, clock: FrozenClock) -> Connection:
    now = clock.now()
    connection = Connection(
        id=new_id("con"), user_id=user.id, integration_id=integration_id, state=ConnectionState.CONNECTED,
        account_id="1", account_label="ada", scopes=[], is_sandbox=True, settings={"shop": "demo-shop.myshopify.com"},
        setting_labels={}, token_version=1, connected_at=now, created_at=now,
    )  # fmt: skip
    tokens.keep(connection, grant)
    with transaction() as session:
        session.add(connection)
    return connection


def reread(connection: Connection) -> Connection:
    fresh_view()
    return db.session.get_one(Connection, connection.id, populate_existing=True)


@pytest.mark.parametrize("told", [None, 0, -5, "soon", 10**12, [], 1e400, "3600"])
def test_an_end_that_makes_no_sense_counts_as_the_declared_one(
    ada: User, wire: Wire, frozen_clock: FrozenClock, told: object
) -> None:
    connection = stored(ada, "dropbox", Grant("a", "r", frozen_clock.now()), frozen_clock)
    wire.say(Said(body={"access_token": "b", "expires_in": told}))

    tokens.fresh(connection.id)

    lifetime = timedelta(seconds=3600 if told == "3600" else 14400)
    assert reread(connection).token_expires_at == frozen_clock.now() + lifetime


def test_an_answer_without_a_refresh_token_keeps_the_present_one(
    ada: User, wire: Wire, frozen_clock: FrozenClock
) -> None:
    connection = stored(ada, "shopify", Grant("a", "r", frozen_clock.now()), frozen_clock)
    wire.say(Said(body={"access_token": "b", "expires_in": 3600}))

    token = tokens.fresh(connection.id)

    assert token.is_proved
    assert reread(connection).refresh_token == "r"


def test_a_separate_refresh_address_is_used(ada: User, wire: Wire, frozen_clock: FrozenClock) -> None:
    connection = stored(ada, "figma", Grant("a", "r", frozen_clock.now()), frozen_clock)
    wire.say(Said(body={"access_token": "b", "expires_in": 3600}))

    tokens.fresh(connection.id)

    assert wire.received[0].path == "/api.figma.com/v1/oauth/refresh"


@pytest.mark.parametrize("integration_id", ["woocommerce", "facebook"])
def test_what_has_no_refresh_token_is_used_as_it_is(ada: User, frozen_clock: FrozenClock, integration_id: str) -> None:
    connection = stored(ada, integration_id, Grant("a:b"), frozen_clock)
    frozen_clock.advance(days=3000)

    assert tokens.fresh(connection.id).value == "a:b"
    assert tokens.due() == []


@pytest.mark.parametrize(
    "answer",
    [
        Said(500, {"error": "invalid_grant"}),
        Said(429, {"error": "invalid_grant"}),
        Said(200, b"<!doctype html>"),
        Said(400, b"<!doctype html>"),
        Said(401, {"error": "invalid_client"}),
        Said(drop=True),
    ],
)
def test_what_is_no_refusal_of_the_grant_leaves_the_connection_as_it_is(
    ada: User, wire: Wire, frozen_clock: FrozenClock, answer: Said
) -> None:
    connection = stored(ada, "shopify", Grant("a", "r", frozen_clock.now()), frozen_clock)
    wire.say(answer)

    tokens.refresh_if_due(connection.id)

    after = reread(connection)
    assert after.is_connected
    assert after.refresh_due_at is not None
    assert after.refresh_due_at >= frozen_clock.now() + timedelta(minutes=1)


# -- client credentials: no platform here has them yet, so one is declared that has


def identify(api: object) -> Account:
    answer = api.send(Request("GET", "https://shop.example/wp-json/wc/v3/system_status"))  # type: ignore[attr-defined]  # the Api it is handed
    return Account(str(answer.json["id"]), "A shop")


@pytest.fixture
def with_credentials(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A platform whose keys are a client's own id and secret, which tokens are had for."""
    store = providers.get("woocommerce")
    assert isinstance(store.auth, Keys)
    asked = ClientCredentials(token_url="https://shop.example/oauth/token", access_lifetime_s=32_400)
    auth = replace(store.auth, tokens=asked, handover=None)
    made = replace(store, auth=auth, identify=identify)
    known = {one.key: one for one in providers.all()} | {"woocommerce": made}
    monkeypatch.setattr(providers, "_by_key", lambda: known)
    return made


@pytest.mark.usefixtures("with_credentials")
def test_a_client_of_the_owners_own_is_connected_and_kept_alive(
    ada: User, wire: Wire, frozen_clock: FrozenClock
) -> None:
    wire.say(
        Said(body={"access_token": "t1", "token_type": "Bearer"}),
        Said(body={"id": 7}),
        Said(body={"access_token": "t2", "expires_in": 60}),
        Said(body={"id": 7}),
    )
    returned = connections.connect_with_keys(Caller(ada.id), "woocommerce", *fields())
    connection = connections.connected(ada.id, "woocommerce")
    first_end = connection.token_expires_at
    frozen_clock.advance(hours=9)

    client.of_connection(connection).send(Request("GET", "https://shop.example/wp-json/wc/v3/system_status"))

    sent = [request.headers.get("authorization", "") for request in wire.received]
    basic = "Basic " + base64.b64encode(":".join(PAIR.values()).encode()).decode()
    assert returned.outcome.is_success
    assert first_end == frozen_clock.now()
    assert sent == [basic, "Bearer t1", basic, "Bearer t2"]
    assert b"grant_type=client_credentials" in wire.received[0].body
    assert reread(connection).refresh_token == ":".join(PAIR.values())


@pytest.mark.usefixtures("with_credentials")
def test_a_client_that_the_platform_does_not_know_any_more_asks_its_owner(
    ada: User, wire: Wire, frozen_clock: FrozenClock
) -> None:
    wire.say(Said(401, {"error": "invalid_client"}))
    connection = stored(ada, "woocommerce", Grant("t1", "ck:cs", frozen_clock.now()), frozen_clock)

    with pytest.raises(CredentialsRefused):
        connections.connect_with_keys(Caller(ada.id), "woocommerce", *fields())
    with pytest.raises(GrantExpired):
        tokens.fresh(connection.id)

    assert reread(connection).state is ConnectionState.RECONNECT_NEEDED


def test_our_own_app_that_is_refused_ends_nobodys_grant(ada: User, wire: Wire, frozen_clock: FrozenClock) -> None:
    wire.say(Said(401, {"error": "invalid_client"}))
    connection = stored(ada, "shopify", Grant("a", "r", frozen_clock.now()), frozen_clock)

    with pytest.raises(SetupWrong):
        tokens.fresh(connection.id)

    assert reread(connection).is_connected


def fields() -> tuple[dict[str, str], dict[str, str]]:
    """The store's address and its keys, as the form sends them."""
    store = providers.get("woocommerce")
    assert isinstance(store.auth, Keys)
    address = {store.fields[0].name: "https://shop.example"}
    return address, dict(zip([field.name for field in store.auth.fields], PAIR.values(), strict=True))
