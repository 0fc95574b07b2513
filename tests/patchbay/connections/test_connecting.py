"""Connections: begun, come back to, renewed, ended; every way a return from a platform can go has its outcome."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from patchbay import connections, records, runs
from patchbay.connections import Caller, Outcome
from patchbay.errors import Conflict, Invalid, NotFound
from patchbay.models import (
    AuditEntry,
    CallbackOutcome,
    Connection,
    ConnectionState,
    PendingAuthorization,
    Record,
    Run,
    RunStatus,
    Trigger,
    User,
    db,
    transaction,
)
from patchbay.settings import Settings
from patchbay.spec import Item
from tests.stage import FrozenClock, Queue, Sandbox, Walker, at_once
from tests.wire import Said, Wire, listening

pytestmark = pytest.mark.usefixtures("context")

DEMO = {"shop": "demo-shop"}
TOKEN_ANSWER = {
    "access_token": "shpat_1",
    "refresh_token": "shprt_1",
    "expires_in": 3600,
    "refresh_token_expires_in": 7776000,
    "scope": "write_products",
}
SHOP_ANSWER = {"data": {"shop": {"name": "Demo", "myshopifyDomain": "demo-shop.myshopify.com"}}}


def deeds(user: User) -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).where(AuditEntry.user_id == user.id)))


def signed(query: dict[str, str]) -> dict[str, str]:
    """The callback's query with the signature that Shopify would give it."""
    rest = {name: text for name, text in query.items() if name != "hmac"}
    text = "&".join(f"{name}={rest[name]}" for name in sorted(rest))
    return rest | {"hmac": hmac.new(b"sandbox-secret-shopify", text.encode(), hashlib.sha256).hexdigest()}


def add_record(connection: Connection) -> None:
    with transaction():
        records.upsert(connection, "products", "run_before", [Item("1", "Mug", {"id": "1"})])


# -- leaving


@pytest.mark.parametrize(
    "shop",
    [
        "evil.example.org", "demo-shop.myshopify.com.evil.org", "-shop", "demo shop", "demo_shop", "../demo", "",
        "demo-shop.myshopify.com:8080", "user@demo-shop", "demo-shop\nevil", "ден", "a" * 121, "{shop}",
        "demo-shop?x=", "demo-shop#", "demo-shop\x00", "demo-shop/x", "demo-shop.myshopify.com/x",
        "https://demo-shop.myshopify.com",
    ],
)  # fmt: skip
def test_names_that_are_no_shops_are_refused(ada: User, sandbox: Sandbox, shop: str) -> None:
    with pytest.raises(Invalid) as refused:
        connections.begin(Caller(ada.id), "shopify", {"shop": shop})

    assert list(refused.value.fields) == ["shop"]
    assert db.session.scalar(select(func.count()).select_from(PendingAuthorization)) == 0
    assert sandbox.received("shopify") == []


@pytest.mark.parametrize(
    "shop",
    ["demo-shop", "demo-shop.myshopify.com", "Demo-Shop", " demo-shop "],
)
def test_a_shop_may_be_named_in_many_ways(ada: User, shop: str) -> None:
    departure = connections.begin(Caller(ada.id), "shopify", {"shop": shop})

    assert "/demo-shop.myshopify.com/admin/oauth/authorize?" in departure.url


@pytest.mark.parametrize("value", [7, ["demo-shop"], {"a": 1}, True])
def test_a_shop_that_is_not_text_is_refused(ada: User, value: Any) -> None:
    with pytest.raises(Invalid):
        connections.begin(Caller(ada.id), "shopify", {"shop": value})


def test_unknown_fields_are_refused(ada: User) -> None:
    with pytest.raises(Invalid) as refused:
        connections.begin(Caller(ada.id), "shopify", {**DEMO, "region": "eu"})

    assert list(refused.value.fields) == ["region"]


def test_an_unknown_integration_is_not_found(ada: User) -> None:
    with pytest.raises(NotFound):
        connections.begin(Caller(ada.id), "nowhere", {})


def test_what_is_coming_soon_cannot_be_connected(ada: User) -> None:
    with pytest.raises(Conflict):
        connections.begin(Caller(ada.id), "pinterest", {})


def test_without_credentials_an_integration_is_not_set_up(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], ada: User
) -> None:
    with app_for(settings_for(SANDBOX="off")).app_context(), pytest.raises(Conflict) as refused:
        connections.begin(Caller(ada.id), "google-drive", {})

    assert "not set up" in refused.value.sentence


def test_the_address_asks_for_what_is_declared_and_hides_the_verifier(ada: User) -> None:
    departure = connections.begin(Caller(ada.id), "google-drive", {})

    assert "code_challenge_method=S256" in departure.url
    assert "access_type=offline" in departure.url
    assert departure.code_verifier is not None
    assert departure.code_verifier not in departure.url
    assert departure.code_verifier not in repr(departure)


def test_neither_state_nor_verifier_is_stored_in_the_clear(ada: User) -> None:
    departure = connections.begin(Caller(ada.id), "google-drive", {})

    row = db.session.scalars(select(PendingAuthorization)).one()
    stored = " ".join(str(value) for value in vars(row).values())
    assert departure.state not in stored
    assert str(departure.code_verifier) not in stored
    assert row.code_verifier == departure.code_verifier


def test_a_connect_under_way_is_waited_for_ten_minutes(ada: User, frozen_clock: FrozenClock) -> None:
    connections.begin(Caller(ada.id), "shopify", DEMO)

    before = connections.waiting(ada.id)
    frozen_clock.advance(minutes=10)

    assert before == {"shopify"}
    assert connections.waiting(ada.id) == frozenset()


def test_beginning_again_ends_the_earlier_attempt(ada: User, connect: Walker) -> None:
    first = connect.leave(Caller(ada.id), "shopify", **DEMO)
    connections.begin(Caller(ada.id), "shopify", DEMO)

    assert connections.come_back(first, Caller(ada.id)).outcome is Outcome.NOT_VERIFIED


def test_a_return_after_calling_off_is_not_verified(ada: User, connect: Walker) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)
    connections.cancel(ada.id, "shopify")

    assert connections.come_back(query, Caller(ada.id)).outcome is Outcome.NOT_VERIFIED
    assert connections.find(ada.id, "shopify") is None


# -- coming back


def test_approval_makes_a_connection_that_names_its_account(ada: User, connect: Walker) -> None:
    returned = connect.walk(Caller(ada.id), "shopify", **DEMO)

    connection = connections.connected(ada.id, "shopify")
    assert returned.outcome is Outcome.CONNECTED
    assert returned.params == {"account": "demo-shop.myshopify.com"}
    assert connection.account_label == "demo-shop.myshopify.com"
    assert connection.is_sandbox
    assert connection.is_connected
    assert connections.missing_scopes(connection) == ()
    assert deeds(ada)[-2:] == ["connect_started", "connected"]


def test_tokens_are_stored_sealed(ada: User, connect: Walker) -> None:
    connection = connect(ada, "google-drive")

    assert connection.access_token
    assert connection.refresh_token
    assert connection.access_token not in str(connection.access_token_sealed)
    assert connection.refresh_token not in str(connection.refresh_token_sealed)


def test_a_scope_that_contains_another_covers_it(ada: User, connect: Walker) -> None:
    connection = connect(ada, "shopify", **DEMO)

    assert connection.scopes == ["write_products"]
    assert connections.missing_scopes(connection) == ()


@pytest.mark.parametrize(("integration", "fields"), [("shopify", DEMO), ("google-drive", {})])
def test_denial_connects_nothing(
    ada: User, connect: Walker, sandbox: Sandbox, integration: str, fields: dict[str, str]
) -> None:
    returned = connect.walk(Caller(ada.id), integration, consent="deny", **fields)

    assert returned.outcome is Outcome.DENIED
    assert connections.find(ada.id, integration) is None
    assert sandbox.received(integration, grantType="authorization_code") == []


@pytest.mark.parametrize("state", ["", "made-up", "%00", "a" * 5000])
def test_an_unknown_state_is_not_verified(ada: User, connect: Walker, sandbox: Sandbox, state: str) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)

    returned = connections.come_back(signed(query | {"state": state}), Caller(ada.id))

    assert returned.outcome is Outcome.NOT_VERIFIED
    assert deeds(ada)[-1] == "connect_refused"
    assert sandbox.received("shopify", grantType="authorization_code") == []


def test_a_return_without_any_parameter_is_not_verified(ada: User) -> None:
    assert connections.come_back({}, Caller(ada.id)).outcome is Outcome.NOT_VERIFIED


def test_a_return_to_another_session_is_not_verified(ada: User, connect: Walker) -> None:
    query = connect.leave(Caller(ada.id, "this-session"), "shopify", **DEMO)

    assert connections.come_back(query, Caller(ada.id, "another")).outcome is Outcome.NOT_VERIFIED


def test_a_return_of_another_user_is_not_verified_and_leaves_the_state_to_its_owner(
    ada: User, cleo: User, connect: Walker
) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)

    stolen = connections.come_back(query, Caller(cleo.id))

    assert stolen.outcome is Outcome.NOT_VERIFIED
    assert connections.find(cleo.id, "shopify") is None
    assert connections.come_back(query, Caller(ada.id)).outcome is Outcome.CONNECTED


@pytest.mark.parametrize(
    "change",
    [
        {"hmac": "0" * 64}, {"hmac": ""}, {"hmac": "ü"}, {"code": "another"}, {"shop": "other.myshopify.com"},
        {"timestamp": "1"}, {"extra": "1"},
    ],
)  # fmt: skip
def test_a_signature_that_does_not_fit_is_not_verified(
    ada: User, connect: Walker, sandbox: Sandbox, change: dict[str, str]
) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)

    returned = connections.come_back(query | change, Caller(ada.id))

    assert returned.outcome is Outcome.NOT_VERIFIED
    assert sandbox.received("shopify", grantType="authorization_code") == []


def test_a_signed_return_for_another_shop_than_asked_for_is_not_verified(ada: User, connect: Walker) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)

    returned = connections.come_back(signed(query | {"shop": "other.myshopify.com"}), Caller(ada.id))

    assert returned.outcome is Outcome.NOT_VERIFIED
    assert connections.find(ada.id, "shopify") is None


def test_a_return_after_ten_minutes_has_expired(
    ada: User, connect: Walker, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)
    frozen_clock.advance(minutes=10)

    returned = connections.come_back(query, Caller(ada.id))

    assert returned.outcome is Outcome.EXPIRED
    assert sandbox.received("shopify", grantType="authorization_code") == []


def test_a_second_return_finds_the_connection_made(ada: User, connect: Walker, sandbox: Sandbox) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)
    connections.come_back(query, Caller(ada.id))

    returned = connections.come_back(query, Caller(ada.id))

    assert returned.outcome is Outcome.ALREADY_DONE
    assert len(sandbox.received("shopify", grantType="authorization_code")) == 1


def test_a_second_return_of_a_denied_connect_is_not_verified(ada: User, connect: Walker) -> None:
    query = connect.leave(Caller(ada.id), "shopify", consent="deny", **DEMO)
    connections.come_back(query, Caller(ada.id))

    assert connections.come_back(query, Caller(ada.id)).outcome is Outcome.NOT_VERIFIED


def test_two_returns_at_once_exchange_the_code_once(ada: User, app: Flask, connect: Walker, sandbox: Sandbox) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)

    outcomes = at_once(app, [lambda: connections.come_back(query, Caller(ada.id)).outcome] * 4)

    assert outcomes.count(Outcome.CONNECTED) == 1
    assert len(sandbox.received("shopify", grantType="authorization_code")) == 1


def test_a_return_without_a_session_uses_the_state_up(ada: User, connect: Walker, sandbox: Sandbox) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)

    returned = connections.come_back(query, None)

    assert returned.outcome is Outcome.NOT_SIGNED_IN
    assert connections.come_back(query, Caller(ada.id)).outcome is Outcome.NOT_VERIFIED
    assert sandbox.received("shopify", grantType="authorization_code") == []


def test_an_error_of_the_authorize_page_means_that_the_setup_is_wrong(ada: User, connect: Walker) -> None:
    query = connect.leave(Caller(ada.id), "google-drive")

    returned = connections.come_back({"state": query["state"], "error": "invalid_scope"}, Caller(ada.id))

    assert returned.outcome is Outcome.SETUP_WRONG
    assert returned.params["redirect_uri"] == "http://localhost/integrations/callback"


def test_a_wrong_code_connects_nothing(ada: User, connect: Walker) -> None:
    query = connect.leave(Caller(ada.id), "google-drive")

    returned = connections.come_back(query | {"code": "4/wrong"}, Caller(ada.id))

    assert returned.outcome is Outcome.FAILED
    assert "wrong" not in str(returned.params)
    assert connections.find(ada.id, "google-drive") is None


def test_a_return_without_a_code_connects_nothing(ada: User, connect: Walker) -> None:
    query = connect.leave(Caller(ada.id), "google-drive")

    assert connections.come_back({"state": query["state"]}, Caller(ada.id)).outcome is Outcome.FAILED


@pytest.mark.parametrize("kind", ["server_error", "reset", "malformed", "truncated"])
def test_an_exchange_that_goes_wrong_connects_nothing(ada: User, connect: Walker, sandbox: Sandbox, kind: str) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)
    sandbox.fault("shopify", kind, match="access_token")

    returned = connections.come_back(query, Caller(ada.id))

    assert returned.outcome is Outcome.FAILED
    assert connections.find(ada.id, "shopify") is None


def test_an_account_that_cannot_be_asked_for_connects_nothing(ada: User, connect: Walker, sandbox: Sandbox) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)
    sandbox.fault("shopify", "malformed", match="graphql")

    assert connections.come_back(query, Caller(ada.id)).outcome is Outcome.FAILED


# -- coming back to a platform that answers what it should not


@pytest.fixture
def wire() -> Iterator[Wire]:
    with listening() as wire:
        yield wire


@pytest.fixture
def odd(
    wire: Wire, settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> Iterator[Callable[..., connections.Returned]]:
    """Come back to a platform whose token endpoint, then its API, answer as told."""
    with app_for(settings_for(SANDBOX_URL=wire.url)).app_context():

        def come_back(user: User, *answers: Said) -> connections.Returned:
            wire.say(*answers)
            departure = connections.begin(Caller(user.id), "shopify", DEMO)
            query = {"state": departure.state, "code": "c0de", "shop": "demo-shop.myshopify.com", "timestamp": "1"}
            return connections.come_back(signed(query), Caller(user.id))

        yield come_back


@pytest.mark.parametrize(
    "answer",
    [
        Said(body={}),
        Said(body={"access_token": ""}),
        Said(body={"access_token": None, "expires_in": 3600}),
        Said(body={"access_token": 7}),
        Said(body={"access_token": ["a"]}),
        Said(body={"access_token": "shpat_1", "refresh_token": 7}),
        Said(body={"access_token": "shpat_1", "expires_in": "soon"}),
        Said(body={"access_token": "shpat_1", "expires_in": [3600]}),
        Said(body=[]),
        Said(body=7),
        Said(body="text"),
        Said(body=b""),
        Said(body=b"null"),
        Said(body=b"<!doctype html><h1>Down for maintenance</h1>", headers={"Content-Type": "text/html"}),
        Said(503, b"<!doctype html>", {"Content-Type": "text/html"}),
        Said(400, {"error": {"code": 7}}),
        Said(400, {"error": "invalid_request"}),
        Said(302, b"", {"Location": "https://demo-shop.myshopify.com/elsewhere"}),
        Said(body=b'{"access_token": "' + b"a" * 5_000_000 + b'"'),
        Said(body=b"{" * 5_000_000),
        Said(body=b"\xff\xfe" * 100),
        Said(drop=True),
    ],
)
def test_a_token_answer_that_makes_no_sense_connects_nothing(
    ada: User, odd: Callable[..., connections.Returned], answer: Said
) -> None:
    returned = odd(ada, answer)

    assert returned.outcome is Outcome.FAILED
    assert connections.find(ada.id, "shopify") is None


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "redirect_uri_mismatch"])
def test_credentials_that_the_platform_does_not_know_mean_a_wrong_setup(
    ada: User, odd: Callable[..., connections.Returned], error: str
) -> None:
    returned = odd(ada, Said(400, {"error": error, "error_description": "no"}))

    assert returned.outcome is Outcome.SETUP_WRONG
    assert error in returned.params["reason"]


@pytest.mark.parametrize(
    "answer",
    [
        Said(body={"data": {}}),
        Said(body={"data": None}),
        Said(body={"data": {"shop": None}}),
        Said(body={"data": {"shop": {}}}),
        Said(body={"data": {"shop": {"myshopifyDomain": 7}}}),
        Said(body={"errors": [{"message": "no", "extensions": {"code": ["A", "B"]}}]}),
        Said(body={"errors": "no"}),
        Said(body={**SHOP_ANSWER, "extensions": {"cost": {"throttleStatus": "none"}}}, status=500),
        Said(body=b"<html>", headers={"Content-Type": "text/html"}),
    ],
)
def test_an_account_answer_that_makes_no_sense_connects_nothing(
    ada: User, odd: Callable[..., connections.Returned], answer: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.001)

    returned = odd(ada, Said(body=TOKEN_ANSWER), answer)

    assert returned.outcome is Outcome.FAILED
    assert connections.find(ada.id, "shopify") is None


def test_scopes_granted_in_part_connect_and_are_named(ada: User, odd: Callable[..., connections.Returned]) -> None:
    returned = odd(ada, Said(body=TOKEN_ANSWER | {"scope": "read_products"}), Said(body=SHOP_ANSWER))

    assert returned.outcome is Outcome.CONNECTED_IN_PART
    assert connections.missing_scopes(connections.connected(ada.id, "shopify")) == ("write_products",)


def test_an_answer_that_names_no_scopes_grants_what_was_asked(
    ada: User, odd: Callable[..., connections.Returned]
) -> None:
    without = {name: value for name, value in TOKEN_ANSWER.items() if name != "scope"}

    returned = odd(ada, Said(body=without), Said(body=SHOP_ANSWER))

    assert returned.outcome is Outcome.CONNECTED
    assert connections.connected(ada.id, "shopify").scopes == ["read_products", "write_products"]


@pytest.mark.parametrize("lifetime", [-1, 0, 10**15, None])
def test_a_lifetime_that_makes_no_sense_is_not_believed(
    ada: User, odd: Callable[..., connections.Returned], lifetime: Any
) -> None:
    odd(ada, Said(body=TOKEN_ANSWER | {"expires_in": lifetime}), Said(body=SHOP_ANSWER))

    assert connections.connected(ada.id, "shopify").token_expires_at is None


# -- whose account it is


def test_an_account_of_another_user_is_refused_before_the_exchange(
    ada: User, ben: User, connect: Walker, sandbox: Sandbox
) -> None:
    connection = connect(ada, "shopify", **DEMO)
    before = len(sandbox.received("shopify", grantType="authorization_code"))

    returned = connect.walk(Caller(ben.id), "shopify", **DEMO)

    assert returned.outcome is Outcome.ACCOUNT_TAKEN
    assert ada.email not in str(returned.params)
    assert len(sandbox.received("shopify", grantType="authorization_code")) == before
    assert connections.find(ben.id, "shopify") is None
    assert connection.is_connected


def test_an_account_is_free_again_after_a_disconnect(ada: User, ben: User, connect: Walker) -> None:
    connect(ada, "shopify", **DEMO)
    connections.disconnect(ada.id, "shopify")

    assert connect.walk(Caller(ben.id), "shopify", **DEMO).outcome is Outcome.CONNECTED


def test_two_users_may_connect_the_same_drive(ada: User, ben: User, connect: Walker) -> None:
    connect(ada, "google-drive")

    assert connect.walk(Caller(ben.id), "google-drive").outcome is Outcome.CONNECTED


def test_of_two_users_at_once_one_gets_the_account(ada: User, ben: User, app: Flask, connect: Walker) -> None:
    queries = {user.id: connect.leave(Caller(user.id), "shopify", **DEMO) for user in (ada, ben)}

    returns = at_once(app, [partial(connections.come_back, query, Caller(who)) for who, query in queries.items()])

    outcomes = [returned.outcome for returned in returns]
    assert outcomes.count(Outcome.CONNECTED) == 1
    assert set(outcomes) <= {Outcome.CONNECTED, Outcome.ACCOUNT_TAKEN, Outcome.FAILED}


def test_another_account_than_before_is_the_owners_decision(ada: User, connect: Walker) -> None:
    before = connect(ada, "shopify", **DEMO).access_token

    returned = connect.walk(Caller(ada.id), "shopify", shop="other")

    connection = connections.connected(ada.id, "shopify")
    assert returned.outcome is Outcome.OTHER_ACCOUNT
    assert returned.params == {"before": "demo-shop.myshopify.com", "account": "other.myshopify.com"}
    assert connection.account_label == "demo-shop.myshopify.com"
    assert connection.settings == {"shop": "demo-shop.myshopify.com"}
    assert connection.access_token == before


def test_keeping_the_account_changes_nothing(ada: User, connect: Walker) -> None:
    add_record(connect(ada, "shopify", **DEMO))
    connect.walk(Caller(ada.id), "shopify", shop="other")

    connections.replace_account(ada.id, "shopify", keep=True)

    connection = connections.connected(ada.id, "shopify")
    assert connection.account_label == "demo-shop.myshopify.com"
    assert db.session.scalar(select(func.count()).select_from(Record)) == 1


def test_replacing_the_account_deletes_the_records_of_the_old_one(ada: User, connect: Walker) -> None:
    add_record(connect(ada, "shopify", **DEMO))
    connect.walk(Caller(ada.id), "shopify", shop="other")

    connections.replace_account(ada.id, "shopify", keep=False)

    connection = connections.connected(ada.id, "shopify")
    assert connection.account_label == "other.myshopify.com"
    assert connection.settings["shop"] == "other.myshopify.com"
    assert connections.missing_scopes(connection) == ()
    assert db.session.scalar(select(func.count()).select_from(Record)) == 0


def test_replacing_the_account_ends_the_runs_of_the_old_one(ada: User, connect: Walker) -> None:
    connect(ada, "shopify", **DEMO)
    run = runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    connect.walk(Caller(ada.id), "shopify", shop="other")

    connections.replace_account(ada.id, "shopify", keep=False)

    assert runs.get(ada.id, run.id).status is RunStatus.CANCELLED


@pytest.mark.parametrize("keep", [True, False])
def test_an_account_is_decided_once(ada: User, connect: Walker, keep: bool) -> None:
    connect(ada, "shopify", **DEMO)
    connect.walk(Caller(ada.id), "shopify", shop="other")
    connections.replace_account(ada.id, "shopify", keep=keep)

    with pytest.raises(Conflict):
        connections.replace_account(ada.id, "shopify", keep=keep)


def test_a_decision_that_comes_too_late_is_refused(ada: User, connect: Walker, frozen_clock: FrozenClock) -> None:
    connect(ada, "shopify", **DEMO)
    connect.walk(Caller(ada.id), "shopify", shop="other")
    frozen_clock.advance(minutes=10)

    with pytest.raises(Conflict):
        connections.replace_account(ada.id, "shopify", keep=False)


def test_an_account_that_another_user_took_meanwhile_cannot_replace(ada: User, ben: User, connect: Walker) -> None:
    connect(ada, "shopify", **DEMO)
    connect.walk(Caller(ada.id), "shopify", shop="other")
    connect(ben, "shopify", shop="other")

    with pytest.raises(Conflict):
        connections.replace_account(ada.id, "shopify", keep=False)

    assert connections.connected(ada.id, "shopify").account_label == "demo-shop.myshopify.com"


# -- how it ended, shown once


def test_an_outcome_is_shown_once_and_to_its_user_alone(ada: User, cleo: User, connect: Walker) -> None:
    returned = connect.walk(Caller(ada.id), "shopify", **DEMO)

    assert connections.outcome(returned.token, cleo.id) is None
    shown = connections.outcome(returned.token, ada.id)
    assert shown is not None
    assert shown.outcome == "connected"
    assert connections.outcome(returned.token, ada.id) is None


def test_outcomes_and_audit_hold_no_secret(ada: User, connect: Walker) -> None:
    query = connect.leave(Caller(ada.id), "shopify", **DEMO)
    returned = connections.come_back(query, Caller(ada.id))
    connection = connections.connected(ada.id, "shopify")

    rows = [*db.session.scalars(select(CallbackOutcome)), *db.session.scalars(select(AuditEntry))]
    written = " ".join(str(vars(row)) for row in rows)
    for secret in (query["code"], query["state"], returned.token, connection.access_token, connection.refresh_token):
        assert str(secret) not in written


def test_what_nobody_can_come_back_to_is_forgotten(ada: User, connect: Walker, frozen_clock: FrozenClock) -> None:
    connect.walk(Caller(ada.id), "shopify", **DEMO)
    frozen_clock.advance(days=2)

    connections.forget_expired()

    assert db.session.scalar(select(func.count()).select_from(PendingAuthorization)) == 0
    assert db.session.scalar(select(func.count()).select_from(CallbackOutcome)) == 0


# -- again


def test_reconnecting_keeps_settings_records_and_the_row(ada: User, connect: Walker) -> None:
    before = connect(ada, "shopify", **DEMO)
    add_record(before)
    with transaction():
        before.settings = {**before.settings, "note": "mine"}
        before.state = ConnectionState.RECONNECT_NEEDED

    returned = connect.walk(Caller(ada.id), "shopify", **DEMO)

    after = connections.connected(ada.id, "shopify")
    assert returned.outcome is Outcome.RECONNECTED
    assert after.id == before.id
    assert after.settings == {"shop": "demo-shop.myshopify.com", "note": "mine"}
    assert after.is_connected
    assert db.session.scalar(select(func.count()).select_from(Record)) == 1
    assert deeds(ada)[-1] == "reconnected"


def test_connecting_again_after_a_disconnect_uses_the_row_again(ada: User, connect: Walker) -> None:
    before = connect(ada, "shopify", **DEMO)
    connections.disconnect(ada.id, "shopify")

    after = connect(ada, "shopify", **DEMO)

    assert after.id == before.id
    assert after.is_connected


# -- the end


def test_disconnecting_revokes_where_the_platform_can(ada: User, connect: Walker, sandbox: Sandbox) -> None:
    connect(ada, "google-drive")

    revoked = connections.disconnect(ada.id, "google-drive")

    connection = connections.find(ada.id, "google-drive")
    assert revoked
    assert connection is not None
    assert connection.state is ConnectionState.DISCONNECTED
    assert connection.access_token is None
    assert connection.refresh_token is None
    assert [row["status"] for row in sandbox.received("google-drive", path="/revoke")] == [200]
    assert deeds(ada)[-1] == "disconnected"


def test_disconnecting_a_shop_leaves_the_app_installed(ada: User, connect: Walker, sandbox: Sandbox) -> None:
    connect(ada, "shopify", **DEMO)
    before = len(sandbox.received("shopify"))

    revoked = connections.disconnect(ada.id, "shopify")

    assert not revoked
    assert len(sandbox.received("shopify")) == before


def test_disconnecting_a_shop_uninstalls_the_app_when_asked(ada: User, connect: Walker, sandbox: Sandbox) -> None:
    token = connect(ada, "shopify", **DEMO).access_token

    revoked = connections.disconnect(ada.id, "shopify", uninstall=True)

    assert revoked
    assert len(sandbox.received("shopify", operation="appUninstall", status=200)) == 1
    assert token


@pytest.mark.parametrize("kind", ["server_error", "reset", "malformed"])
def test_a_revocation_that_fails_still_disconnects(ada: User, connect: Walker, sandbox: Sandbox, kind: str) -> None:
    connect(ada, "google-drive")
    sandbox.fault("google-drive", kind, match="/revoke", times=0)

    revoked = connections.disconnect(ada.id, "google-drive")

    connection = connections.find(ada.id, "google-drive")
    assert connection is not None
    assert connection.access_token_sealed is None
    assert connection.state is ConnectionState.DISCONNECTED
    assert revoked is (kind == "malformed")


def test_a_grant_that_is_dead_already_counts_as_revoked(ada: User, connect: Walker, sandbox: Sandbox) -> None:
    connect(ada, "google-drive")
    sandbox.fault("google-drive", "revoked_grant")

    assert connections.disconnect(ada.id, "google-drive")


def test_a_connection_that_waits_for_its_owner_can_be_disconnected(ada: User, connect: Walker) -> None:
    connection = connect(ada, "google-drive")
    with transaction():
        connection.state = ConnectionState.RECONNECT_NEEDED

    connections.disconnect(ada.id, "google-drive")

    assert connection.state is ConnectionState.DISCONNECTED


def test_disconnecting_keeps_records_and_cancels_what_is_queued(ada: User, connect: Walker, queue: Queue) -> None:
    add_record(connect(ada, "shopify", **DEMO))
    run = runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)

    connections.disconnect(ada.id, "shopify")
    queue.run_all()

    assert runs.get(ada.id, run.id).status is RunStatus.CANCELLED
    assert db.session.scalar(select(func.count()).select_from(Record)) == 1


@pytest.mark.parametrize("integration", ["shopify", "google-drive"])
def test_what_is_not_connected_cannot_be_disconnected(ada: User, integration: str) -> None:
    with pytest.raises(Conflict):
        connections.disconnect(ada.id, integration)


def test_disconnecting_twice_is_refused(ada: User, connect: Walker) -> None:
    connect(ada, "google-drive")
    connections.disconnect(ada.id, "google-drive")

    with pytest.raises(Conflict):
        connections.disconnect(ada.id, "google-drive")


def test_imported_data_can_be_deleted(ada: User, connect: Walker) -> None:
    add_record(connect(ada, "shopify", **DEMO))

    assert connections.delete_records(ada.id, "shopify") == 1
    assert deeds(ada)[-1] == "records_deleted"


def test_imported_data_is_not_deleted_under_an_import(ada: User, connect: Walker) -> None:
    add_record(connect(ada, "shopify", **DEMO))
    db.session.commit()
    runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)

    with pytest.raises(Conflict):
        connections.delete_records(ada.id, "shopify")

    assert db.session.scalar(select(func.count()).select_from(Run)) == 1


def test_the_data_of_a_connection_that_never_was_is_not_found(ada: User) -> None:
    with pytest.raises(NotFound):
        connections.delete_records(ada.id, "shopify")


def test_unknown_settings_are_refused(ada: User, connect: Walker) -> None:
    connect(ada, "shopify", **DEMO)

    with pytest.raises(Invalid):
        connections.change_settings(ada.id, "shopify", {"shop": "evil.example.org"})


def test_nobody_finds_the_connection_of_another(ada: User, cleo: User, connect: Walker) -> None:
    connect(ada, "google-drive")

    assert connections.find(cleo.id, "google-drive") is None
    assert connections.of_user(cleo.id) == {}
