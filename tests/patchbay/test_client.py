"""Speaking to a platform: the token, retries, throttles, and where a request may go, on a real wire."""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from flask import Flask

from patchbay import client, clock, credentials, providers, tokens
from patchbay.client import Client, Unwatched
from patchbay.errors import (
    CircuitOpen,
    CredentialsRefused,
    Invalid,
    NetworkError,
    NotFoundThere,
    OutcomeUnknown,
    PatchbayError,
    PlatformError,
    ProviderUnavailable,
    PublicAddressNeeded,
    QuotaFull,
    RateLimited,
    ScopeMissing,
    SetupWrong,
    UnexpectedShape,
)
from patchbay.limits import breakers
from patchbay.models import Connection, ConnectionState, User, new_id, transaction
from patchbay.settings import Settings
from patchbay.spec import Meaning, Provider, Request, Rule
from tests.servers import RedisServer
from tests.stage import FrozenClock
from tests.wire import Said, Wire, listening

DATABASES = ("sqlite",)  # little of this is the database's
DRIVE = "https://www.googleapis.com/drive/v3/files"
ADMIN = "https://{shop}/admin/api/2026-10/graphql.json"
GRAPH = "https://graph.facebook.com/v26.0/me"
FINE = Said(body={"id": "1"})
COST = {
    "requestedQueryCost": 500,
    "throttleStatus": {"maximumAvailable": 1000, "currentlyAvailable": 100, "restoreRate": 50},
}
THROTTLED = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": {"cost": COST}}


@dataclass
class Diary(Unwatched):
    """The watch of a run that is only listened to."""

    lines: list[str] = field(default_factory=list)

    def log(self, level: str, message: str, **params: str | int) -> None:
        self.lines.append(f"{level}: {message % params}")


class Stopped(Exception):
    pass


class Stopping(Unwatched):
    """The watch of a run that was cancelled."""

    def check(self) -> None:
        raise Stopped


class Thing(msgspec.Struct):
    id: str


@pytest.fixture
def wire() -> Iterator[Wire]:
    with listening() as wire:
        wire.say(FINE)
        yield wire


@pytest.fixture
def api(
    wire: Wire,
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Client]]:
    """Make a client of a provider that speaks to the wire, with short pauses."""
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)
    with app_for(settings_for(SANDBOX_URL=wire.url)).app_context():

        def make(key: str = "google-drive", **changes: Any) -> Client:
            made = Client(
                provider=providers.get(key),
                app=credentials.find(providers.get(key)),
                settings={"shop": "demo-shop.myshopify.com"},
                is_sandbox=True,
                source=tokens.GivenToken("the-token"),
                budget_key="con_1",
                doing="listing folders",
            )
            return replace(made, **changes)

        yield make


def test_a_request_carries_the_token_as_the_platform_wants_it(api: Callable[..., Client], wire: Wire) -> None:
    api("google-drive").send(Request("GET", DRIVE))
    api("shopify").send(Request("POST", ADMIN, json={"query": "{ shop { id } }"}))

    drive, shop = wire.received
    assert drive.headers["authorization"] == "Bearer the-token"
    assert shop.headers["x-shopify-access-token"] == "the-token"
    assert "authorization" not in shop.headers


def test_the_settings_fill_the_address(api: Callable[..., Client], wire: Wire) -> None:
    api("shopify").send(Request("POST", ADMIN, json={}))

    assert wire.received[0].path == "/demo-shop.myshopify.com/admin/api/2026-10/graphql.json"


def test_an_address_with_an_authority_of_its_own_gets_no_token(api: Callable[..., Client], wire: Wire) -> None:
    api().send(Request("PUT", f"{DRIVE}?upload_id=1", content=b"x", with_token=False))

    assert "authorization" not in wire.received[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.org/drive/v3/files",
        "https://www.googleapis.com.evil.example.org/",
        "https://evil.example.org/www.googleapis.com",
        "https://user@evil.example.org/",
        "https://accounts.google.com/",
        "https://oauth2.googleapis.com/token",
        "http://evil.example.org",
        "/drive/v3/files",
    ],
)
def test_the_token_is_never_sent_to_a_foreign_host(api: Callable[..., Client], wire: Wire, url: str) -> None:
    with pytest.raises(UnexpectedShape):
        api().send(Request("GET", url))

    assert wire.received == []


def test_no_request_leaves_the_platform_even_without_a_token(api: Callable[..., Client], wire: Wire) -> None:
    with pytest.raises(UnexpectedShape):
        api().send(Request("PUT", "https://evil.example.org/upload", content=b"x", with_token=False))

    assert wire.received == []


@pytest.mark.parametrize("status", [500, 502, 503, 408])
def test_a_passing_fault_is_tried_again(api: Callable[..., Client], wire: Wire, status: int) -> None:
    wire.say(Said(status), Said(status), FINE)
    diary = Diary()

    answer = api(watch=diary).send(Request("GET", DRIVE))

    assert answer.status == 200
    assert len(wire.received) == 3
    assert diary.lines == [f"warning: Google Drive answered HTTP {status}; trying again."] * 2


def test_after_four_tries_a_passing_fault_is_one_of_the_platform(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(503, {"error": {"message": "Backend Error"}}))

    with pytest.raises(ProviderUnavailable) as failed:
        api().send(Request("GET", DRIVE))

    assert len(wire.received) == 4
    assert failed.value.params == {"provider": "Google Drive", "action": "listing folders"}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_an_error_to_what_must_not_be_repeated_leaves_the_outcome_unknown(
    api: Callable[..., Client], wire: Wire, status: int
) -> None:
    wire.say(Said(status), FINE)

    with pytest.raises(OutcomeUnknown, match=f"HTTP {status}"):
        api().send(Request("POST", DRIVE, json={}))

    assert len(wire.received) == 1


@pytest.mark.parametrize("answer", [Said(408), Said(503, headers={"Retry-After": "0.01"})])
def test_what_was_refused_before_it_was_begun_is_sent_again(
    api: Callable[..., Client], wire: Wire, answer: Said
) -> None:
    wire.say(answer, FINE)

    assert api().send(Request("POST", DRIVE, json={})).status == 200


def test_a_refusal_that_lasts_is_waited_for_by_whoever_asked(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(503, headers={"Retry-After": "600"}))

    with pytest.raises(ProviderUnavailable) as failed:
        api().send(Request("POST", DRIVE, json={}))

    assert failed.value.wait_s == 600
    assert len(wire.received) == 1


def test_what_is_declared_repeatable_is_repeated(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(503), FINE)

    assert api().send(Request("POST", DRIVE, json={}, is_repeatable=True)).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_lost_answer_is_asked_for_again_where_that_does_no_harm(
    api: Callable[..., Client], wire: Wire, method: str
) -> None:
    wire.say(Said(drop=True), FINE)

    assert api().send(Request(method, DRIVE)).status == 200


def test_a_lost_answer_to_what_must_not_be_repeated_leaves_the_outcome_unknown(
    api: Callable[..., Client], wire: Wire
) -> None:
    wire.say(Said(drop=True))

    with pytest.raises(OutcomeUnknown):
        api().send(Request("POST", DRIVE, json={}))

    assert len(wire.received) == 1


def test_without_any_answer_the_platform_counts_as_out_of_reach(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(drop=True))

    with pytest.raises(NetworkError) as failed:
        api().send(Request("GET", DRIVE))

    assert len(wire.received) == 4
    assert failed.value.params == {"provider": "Google Drive"}


def test_a_cancelled_run_sends_nothing_more(api: Callable[..., Client], wire: Wire) -> None:
    with pytest.raises(Stopped):
        api(watch=Stopping()).send(Request("GET", DRIVE))

    assert wire.received == []


# -- what answers mean


@pytest.mark.parametrize(
    ("status", "body", "meant"),
    [
        (404, {}, NotFoundThere),
        (410, b"", NotFoundThere),
        (400, {"error": {"message": "Bad Request"}}, PlatformError),
        (403, {"error": {"errors": [{"reason": "insufficientPermissions"}], "message": "no"}}, ScopeMissing),
        (403, {"error": {"errors": [{"reason": "storageQuotaExceeded"}], "message": "full"}}, QuotaFull),
        (302, b"", PlatformError),
        (401, {}, CredentialsRefused),
        (418, b"<html>", PlatformError),
        (400, {"error": {"errors": [{"reason": ["a", "b"]}]}}, PlatformError),
        (400, {"error": "text"}, PlatformError),
        (400, b"[]", PlatformError),
        (400, b"\xff\xfe", PlatformError),
    ],
)
def test_refusals_are_told_apart(
    api: Callable[..., Client], wire: Wire, status: int, body: object, meant: type[PatchbayError]
) -> None:
    wire.say(Said(status, body))

    with pytest.raises(meant) as refused:
        api().send(Request("POST", DRIVE, json={}))

    assert type(refused.value) is meant
    assert len(wire.received) == 1


def test_the_platforms_own_words_are_kept_for_the_details(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(403, {"error": {"errors": [{"reason": "storageQuotaExceeded"}], "message": "The Drive is full."}}))

    with pytest.raises(PlatformError) as refused:
        api().send(Request("POST", DRIVE, json={}))

    assert refused.value.detail == "HTTP 403 The Drive is full."


def test_a_status_that_is_expected_comes_back_as_an_answer(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(409, {}))

    assert api().send(Request("POST", DRIVE, json={}, accept=(409,))).status == 409


@pytest.mark.parametrize(
    "body",
    [b"", b"<!doctype html>", b"{", b"[]", b'{"id": 7}', b"{}", b"\xff\xfe", b"null", b'{"id": "' + b"a" * 5_000_000],
)
def test_an_answer_of_an_unexpected_shape_names_provider_stream_and_place(
    api: Callable[..., Client], wire: Wire, body: bytes
) -> None:
    wire.say(Said(body=body))
    one = api(stream="files")

    with pytest.raises(UnexpectedShape) as wrong:
        one.read(one.send(Request("GET", DRIVE)), Thing)

    assert wrong.value.detail.startswith("google-drive/files: ")
    assert len(wrong.value.detail) < 300


def test_the_path_that_does_not_fit_is_named(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(body={"id": 7}))
    one = api()

    with pytest.raises(UnexpectedShape, match=r"\$\.id"):
        one.read(one.send(Request("GET", DRIVE)), Thing)


def test_a_body_beyond_the_cap_is_not_read(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(body=b"x" * (80 * 1024 * 1024)))

    with pytest.raises(NetworkError):
        api(provider=providers.get("google-drive")).send(Request("GET", DRIVE))


def test_a_value_that_cannot_be_a_header_is_refused(api: Callable[..., Client], wire: Wire) -> None:
    with pytest.raises(Invalid):
        api().send(Request("GET", DRIVE, headers={"X-Name": "a\r\nb: c"}))

    assert wire.received == []


# -- throttles, in both dialects


@pytest.mark.parametrize("wait", ["0", "0.05"])
def test_a_short_wait_is_waited_for(api: Callable[..., Client], wire: Wire, wait: str) -> None:
    wire.say(Said(429, headers={"Retry-After": wait}), FINE)
    diary = Diary()

    assert api(watch=diary).send(Request("GET", DRIVE)).status == 200
    assert diary.lines == ["info: Google Drive asks us to slow down."]


def test_a_long_wait_is_told_with_its_end(api: Callable[..., Client], wire: Wire, frozen_clock: FrozenClock) -> None:
    wire.say(Said(429, headers={"Retry-After": "90"}))

    with pytest.raises(RateLimited) as limited:
        api().send(Request("GET", DRIVE))

    assert limited.value.retry_at == frozen_clock.now() + timedelta(seconds=90)
    assert len(wire.received) == 1


def test_a_wait_may_be_given_as_a_date(api: Callable[..., Client], wire: Wire, frozen_clock: FrozenClock) -> None:
    wire.say(Said(429, headers={"Retry-After": "Mon, 01 Mar 2027 12:02:00 GMT"}))

    with pytest.raises(RateLimited) as limited:
        api().send(Request("GET", DRIVE))

    assert limited.value.retry_at == frozen_clock.now() + timedelta(minutes=2)


@pytest.mark.parametrize("wait", ["soon", "-5", "", "nan"])
def test_a_wait_that_makes_no_sense_is_a_short_one(api: Callable[..., Client], wire: Wire, wait: str) -> None:
    wire.say(Said(429, headers={"Retry-After": wait}), FINE)

    assert api().send(Request("GET", DRIVE)).status == 200


@pytest.mark.parametrize("wait", ["1e400", "99999999999999999999"])
def test_nobody_waits_longer_than_a_month(
    api: Callable[..., Client], wire: Wire, frozen_clock: FrozenClock, wait: str
) -> None:
    wire.say(Said(429, headers={"Retry-After": wait}))

    with pytest.raises(RateLimited) as limited:
        api().send(Request("GET", DRIVE))

    assert limited.value.retry_at == frozen_clock.now() + timedelta(days=31)


def test_a_throttle_that_does_not_end_frees_the_worker(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(429, headers={"Retry-After": "0"}))

    with pytest.raises(RateLimited):
        api().send(Request("GET", DRIVE))

    assert len(wire.received) == 4


@pytest.mark.parametrize("reason", ["userRateLimitExceeded", "rateLimitExceeded"])
def test_a_throttle_may_hide_in_a_refusal(api: Callable[..., Client], wire: Wire, reason: str) -> None:
    wire.say(Said(403, {"error": {"errors": [{"reason": reason}]}}, {"Retry-After": "0"}), FINE)

    assert api().send(Request("GET", DRIVE)).status == 200


def test_a_throttle_may_hide_in_a_success(api: Callable[..., Client], wire: Wire, frozen_clock: FrozenClock) -> None:
    wire.say(Said(body=THROTTLED))

    with pytest.raises(RateLimited) as limited:
        api("shopify").send(Request("POST", ADMIN, json={}))

    assert limited.value.retry_at == frozen_clock.now() + timedelta(seconds=8)  # (500 - 100) / 50


def test_a_spent_budget_is_not_asked_of(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(body={"data": {}, "extensions": {"cost": COST}}))
    api("shopify").send(Request("POST", ADMIN, json={}))

    with pytest.raises(RateLimited):
        api("shopify").send(Request("POST", ADMIN, json={}))

    assert len(wire.received) == 1


def test_a_budget_that_fills_soon_is_waited_for(api: Callable[..., Client], wire: Wire) -> None:
    status = {"maximumAvailable": 1000, "currentlyAvailable": 100, "restoreRate": 1000}
    cost = {"requestedQueryCost": 500, "actualQueryCost": 500, "throttleStatus": status}
    wire.say(Said(body={"data": {}, "extensions": {"cost": cost}}))
    api("shopify").send(Request("POST", ADMIN, json={}))
    began = time.monotonic()

    api("shopify").send(Request("POST", ADMIN, json={}))

    assert len(wire.received) == 2
    assert time.monotonic() - began > 0.35


def test_the_budget_of_one_account_is_no_other_ones(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(body={"data": {}, "extensions": {"cost": COST}}))
    api("shopify").send(Request("POST", ADMIN, json={}))

    assert api("shopify", account="another").send(Request("POST", ADMIN, json={})).status == 200


def test_two_connections_with_one_account_share_its_budget(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(body={"data": {}, "extensions": {"cost": COST}}))
    api("shopify", account="demo", budget_key="con_1").send(Request("POST", ADMIN, json={}))

    with pytest.raises(RateLimited):
        api("shopify", account="demo", budget_key="con_2").send(Request("POST", ADMIN, json={}))


def test_nobody_asks_before_the_time_that_a_refusal_told(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(429, headers={"Retry-After": "30"}), FINE)
    with pytest.raises(RateLimited):
        api().send(Request("GET", DRIVE))

    with pytest.raises(RateLimited):
        api(stream="files").send(Request("GET", DRIVE))

    assert len(wire.received) == 1


def test_a_platform_that_keeps_failing_is_left_alone(
    api: Callable[..., Client], wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(breakers.LEAST_CALLS, "connection", 4)
    wire.say(Said(503))
    with pytest.raises((CircuitOpen, ProviderUnavailable)):
        api().send(Request("GET", DRIVE))

    with pytest.raises(CircuitOpen):
        api().send(Request("GET", DRIVE))

    assert len(wire.received) == 4


@pytest.mark.parametrize("status", [400, 401, 404, 429])
def test_refusals_leave_the_breaker_closed(
    api: Callable[..., Client], wire: Wire, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(breakers.LEAST_CALLS, "connection", 2)
    wire.say(Said(status, headers={"Retry-After": "0"}))
    for _ in range(2):
        with pytest.raises(PatchbayError):
            api().send(Request("POST", f"{DRIVE}", json={}))

    assert not breakers.state("google-drive", "con_1", is_sandbox=True).is_open


def test_without_redis_requests_go_on(api: Callable[..., Client], wire: Wire, redis_server: RedisServer) -> None:
    redis_server.stop()

    assert [api().send(Request("GET", DRIVE)).status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(
    "cost",
    [
        None, 7, [], {"throttleStatus": None}, {"throttleStatus": {}}, {"throttleStatus": {"maximumAvailable": "x"}},
        {"throttleStatus": {"maximumAvailable": 0, "currentlyAvailable": 0, "restoreRate": 0}},
    ],
)  # fmt: skip
def test_a_budget_that_makes_no_sense_is_passed_over(api: Callable[..., Client], wire: Wire, cost: object) -> None:
    wire.say(Said(body={"data": {}, "extensions": {"cost": cost}}))
    shop = api("shopify")

    assert [shop.send(Request("POST", ADMIN, json={})).status for _ in range(2)] == [200, 200]


# -- GraphQL's errors in a success


@pytest.mark.parametrize(
    ("code", "meant"),
    [("ACCESS_DENIED", ScopeMissing), ("INTERNAL_SERVER_ERROR", OutcomeUnknown), ("UNHEARD_OF", PlatformError)],
)
def test_errors_inside_a_success_are_errors(
    api: Callable[..., Client], wire: Wire, code: str, meant: type[PatchbayError]
) -> None:
    wire.say(Said(body={"errors": [{"message": "no", "extensions": {"code": code}}], "data": None}))

    with pytest.raises(meant) as refused:
        api("shopify").send(Request("POST", ADMIN, json={}))

    assert type(refused.value) is meant


def test_neither_token_nor_query_shows_in_an_error(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(400, b"the-token"))
    one = api()

    with pytest.raises(PlatformError) as refused:
        one.send(Request("GET", DRIVE, params={"q": "secret"}))

    assert "the-token" not in str(refused.value) + repr(one)
    assert "secret" not in str(refused.value)


# -- whose token it is


@dataclass(frozen=True)
class Renewable(tokens.GivenToken):
    """A token that can be replaced, and a note of what becomes of it."""

    told: list[str] = field(default_factory=list)

    def replaced(self, refused: tokens.Token) -> tokens.Token:
        self.told.append("replaced")
        return tokens.Token("the-next-token", refused.version + 1)

    def gave_up(self, reason: str) -> None:  # noqa: ARG002 - the protocol's names
        self.told.append("gave up")


def test_a_refused_token_is_replaced_once(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(401), FINE)
    source = Renewable("the-token")

    answer = api(source=source).send(Request("GET", DRIVE))

    assert answer.status == 200
    assert wire.received[1].headers["authorization"] == "Bearer the-next-token"
    assert source.told == ["replaced"]


def test_when_the_replacement_is_refused_too_the_owner_must_act(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(401))
    source = Renewable("the-token")

    with pytest.raises(CredentialsRefused):
        api(source=source).send(Request("GET", DRIVE))

    assert source.told == ["replaced", "gave up"]
    assert len(wire.received) == 2


def test_a_request_may_speak_with_another_token(api: Callable[..., Client], wire: Wire) -> None:
    request = Request("GET", GRAPH, token="the-token-of-a-page")

    api("facebook").send(request)

    assert wire.received[0].headers["authorization"] == "Bearer the-token-of-a-page"
    assert "the-token-of-a-page" not in repr(request)


def test_of_another_token_that_is_refused_nothing_follows_for_the_connection(
    api: Callable[..., Client], wire: Wire
) -> None:
    wire.say(Said(401))
    source = Renewable("the-token")

    with pytest.raises(CredentialsRefused):
        api("facebook", source=source).send(Request("GET", GRAPH, token="the-token-of-a-page"))

    assert source.told == []
    assert len(wire.received) == 1


def test_of_an_address_without_a_token_that_is_refused_nothing_follows_for_the_connection(
    api: Callable[..., Client], wire: Wire
) -> None:
    wire.say(Said(401))
    source = Renewable("the-token")

    with pytest.raises(PlatformError):
        api(source=source).send(Request("PUT", f"{DRIVE}?upload_id=1", content=b"x", with_token=False))

    assert source.told == []


def test_a_fresh_token_that_is_refused_names_the_platform(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(401))

    with pytest.raises(CredentialsRefused) as refused:
        api().send(Request("GET", DRIVE))

    assert refused.value.params["provider"] == "Google Drive"


# -- what goes along with it


def test_the_apps_own_headers_go_along_with_the_token_alone(api: Callable[..., Client], wire: Wire) -> None:
    ping = "https://openapi.etsy.com/v3/application/openapi-ping"

    api("etsy").send(Request("GET", ping))
    api("etsy").send(Request("GET", ping, with_token=False))

    with_token, without = wire.received
    assert with_token.headers["x-api-key"] == "sandbox-etsy:sandbox-secret-etsy"
    assert "x-api-key" not in without.headers


def test_a_proof_shows_that_the_token_and_the_secret_are_in_one_hand(api: Callable[..., Client], wire: Wire) -> None:
    api("facebook").send(Request("GET", GRAPH))
    api("facebook").send(Request("GET", GRAPH, token="another"))
    api("facebook").send(Request("GET", GRAPH, with_token=False))

    proofs = [dict(parse_qsl(urlsplit(asked.path).query)).get("appsecret_proof") for asked in wire.received]
    assert proofs == [proof_of("the-token"), proof_of("another"), None]


def proof_of(token: str) -> str:
    return hmac.new(b"sandbox-secret-facebook", token.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("key", ["etsy", "facebook"])
def test_a_live_app_has_no_part_in_a_connection_of_the_sandbox(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], wire: Wire, ada: User, key: str
) -> None:
    name = key.upper()
    live = {f"{name}_CLIENT_ID": "live-id", f"{name}_CLIENT_SECRET": "live-secret", "SANDBOX_URL": wire.url}
    with app_for(settings_for(**live)).app_context():
        api = client.of_connection(stored(ada, key))
        host = api.provider.token_hosts[0]
        api.send(Request("GET", f"https://{host}/v3/application/shops"))

    (asked,) = wire.received
    sent = f"{asked.path} {asked.headers}"
    assert "live-id" not in sent
    assert "live-secret" not in sent
    assert "appsecret_proof" not in sent


def stored(user: User, integration_id: str) -> Connection:
    """A connection of the sandbox."""
    now = clock.now()
    connection = Connection(
        id=new_id("con"), user_id=user.id, integration_id=integration_id, state=ConnectionState.CONNECTED,
        account_id="1", account_label="ada", scopes=[], is_sandbox=True, settings={}, setting_labels={},
        token_version=1, connected_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    connection.access_token = "the-token"
    with transaction() as session:
        session.add(connection)
    return connection


# -- where a token may go


@pytest.mark.parametrize(
    "address",
    [
        "https://{store}/wp-json/wc/v3/products",
        "https://shop.example/wp-json/",
        "https://SHOP.example/",
        "https://shop.example",
        "https://shop.example?x=1",
    ],
)
@pytest.mark.parametrize("store", ["shop.example", "shop.example/blog", "Shop.Example"])
def test_a_store_at_an_address_of_its_owner_gets_the_keys(
    api: Callable[..., Client], wire: Wire, address: str, store: str
) -> None:
    api("woocommerce", settings={"store": store}).send(Request("GET", address))

    (asked,) = wire.received
    assert asked.path.lower().startswith("/shop.example/")
    assert asked.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "https://evil.example/shop.example",
        "https://shop.example.evil.example/",
        "https://evilshop.example/",
        "https://shop.example@evil.example/",
        "https://evil.example@shop.example/",
        "https://shop.example:8443/",
        "https://shop.example:443@evil.example/",
        "https://evil.example\\@shop.example/",
        "https://evil.example#@shop.example/",
        "https://evil.example?@shop.example/",
        "https://shop.example\\.evil.example/",
        "https://shop.example%2eevil.example/",
        "https://[shop.example/",
        "https://sh℀p.example/",
        "https:shop.example/",
        "//evil.example/",
        "https://",
        "",
    ],
)
def test_no_other_address_gets_the_keys_of_a_store(api: Callable[..., Client], wire: Wire, address: str) -> None:
    with pytest.raises(UnexpectedShape):
        api("woocommerce", settings={"store": "shop.example/blog"}).send(Request("GET", address))

    assert wire.received == []


def test_a_store_with_a_port_is_another_host(api: Callable[..., Client], wire: Wire) -> None:
    one = api("woocommerce", settings={"store": "shop.example:8443"})

    with pytest.raises(UnexpectedShape):
        one.send(Request("GET", "https://shop.example/"))

    assert wire.received == []


@pytest.mark.parametrize(
    "address",
    ["https://user:word@a.fbcdn.net/", "https://evil.example:443@a.fbcdn.net/", "https://evil.example\\.fbcdn.net/"],
)
def test_a_pattern_of_hosts_lets_no_user_and_no_path_pass(api: Callable[..., Client], wire: Wire, address: str) -> None:
    with pytest.raises(UnexpectedShape) as refused:
        api("facebook").send(Request("GET", address, with_token=False))

    assert "word" not in refused.value.detail
    assert wire.received == []


@pytest.mark.parametrize("place", ["{shop.__class__}", "{0}", "{}", "{shop!r}", "{shop[0]}", "{", "}", "{{shop}}"])
def test_braces_in_an_address_say_nothing_but_a_name(api: Callable[..., Client], wire: Wire, place: str) -> None:
    api().send(Request("GET", f"{DRIVE}/{place}"))

    (asked,) = wire.received
    assert "class" not in asked.path or "__class__" in asked.path
    assert "<" not in asked.path


def test_an_address_that_wants_what_nobody_gave_is_not_asked(api: Callable[..., Client], wire: Wire) -> None:
    with pytest.raises(UnexpectedShape) as refused:
        api().send(Request("GET", f"{DRIVE}/{{folder}}"))

    assert "folder" in refused.value.detail
    assert wire.received == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["https://evil.example/", "https://www.googleapis.com/elsewhere", "/elsewhere", ""])
def test_no_redirect_is_followed(api: Callable[..., Client], wire: Wire, status: int, place: str) -> None:
    wire.say(Said(status, b"", {"Location": place}))

    with pytest.raises(PlatformError):
        api().send(Request("GET", DRIVE))

    assert len(wire.received) == 1


# -- rules of a dialect


def ruled(*rules: Rule) -> Provider:
    return replace(providers.get("google-drive"), faults=rules)


@pytest.mark.parametrize(
    ("means", "meant"),
    [
        (Meaning.FULL, QuotaFull),
        (Meaning.SETUP_WRONG, SetupWrong),
        (Meaning.SCOPE_MISSING, ScopeMissing),
        (Meaning.NOT_FOUND, NotFoundThere),
        (Meaning.REFUSED, PlatformError),
    ],
)
def test_a_rule_says_what_is_raised_and_may_bring_its_own_sentence(
    api: Callable[..., Client], wire: Wire, means: Meaning, meant: type[PatchbayError]
) -> None:
    wire.say(Said(400, {"why": "no"}))
    usual, own = Rule(means, status=400, text=("why",)), Rule(means, status=400, says="%(provider)s says no.")

    refusals = []
    for rule in (usual, own):
        with pytest.raises(meant) as refused:
            api(provider=ruled(rule)).send(Request("GET", DRIVE))
        refusals.append(refused.value)

    assert [type(refusal) for refusal in refusals] == [meant, meant]
    assert [refusal.sentence for refusal in refusals] == [meant.sentence, "%(provider)s says no."]
    assert refusals[0].detail == "HTTP 400 no"


def test_an_answer_that_a_request_takes_is_no_fault(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(409, {"why": "conflict"}))
    request = Request("GET", DRIVE, accept_if=lambda answer: bool(answer.at("why") == "conflict"))

    assert api().send(request).status == 409


def test_a_success_may_be_a_fault_that_a_request_takes(api: Callable[..., Client], wire: Wire) -> None:
    one = api(provider=ruled(Rule(Meaning.REFUSED, path=("why",))))
    wire.say(Said(200, {"why": "conflict"}))

    assert one.send(Request("GET", DRIVE, accept=(200,))).status == 200
    with pytest.raises(PlatformError):
        one.send(Request("GET", DRIVE))


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"error": ' * 200_000, b'{"id": ' + b"[" * 200_000])
@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_without_end_in_its_depth_is_an_error_like_any_other(
    api: Callable[..., Client], wire: Wire, body: bytes, status: int
) -> None:
    wire.say(Said(status, body))
    one = api()

    with pytest.raises(PlatformError):
        one.read(one.send(Request("GET", DRIVE)), Thing)


# -- addresses for the platform to fetch from


@dataclass
class Sharing(Unwatched):
    """The watch of a run that gives out addresses."""

    shared: str

    def public_address(self, address: str, content_type: str) -> str:  # noqa: ARG002 - the protocol's names
        return self.shared


@pytest.mark.parametrize(
    ("public_url", "is_public"),
    [
        ("https://hub.example.org", True),
        ("https://203.0.113.7.nip.io", True),
        ("http://hub.example.org", False),
        ("https://localhost", False),
        ("https://hub", False),
        ("https://hub.internal", False),
        ("https://10.0.0.7", False),
        ("https://127.0.0.1:8443", False),
        ("https://[::1]", False),
    ],
)
def test_a_platform_is_given_an_address_that_it_can_reach(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], public_url: str, is_public: bool
) -> None:
    here = settings_for(PUBLIC_URL=public_url, SANDBOX="off")
    with app_for(here).app_context():
        one = live_client("instagram", Sharing(f"{public_url}/assets/x.jpg"))

        if is_public:
            assert one.public_address("own", "image/jpeg") == f"{public_url}/assets/x.jpg"
        else:
            with pytest.raises(PublicAddressNeeded) as refused:
                one.public_address("own", "image/jpeg")
            assert refused.value.params["provider"] == "Instagram"


def test_the_picture_of_another_server_needs_no_address_of_ours(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> None:
    with app_for(settings_for(PUBLIC_URL="http://localhost", SANDBOX="off")).app_context():
        one = live_client("woocommerce", Sharing("https://pictures.example.org/a.png"))

        assert one.public_address("https://pictures.example.org/a.png") == "https://pictures.example.org/a.png"


def test_the_sandbox_reaches_every_address_of_ours(api: Callable[..., Client]) -> None:
    one = api("instagram", watch=Sharing("http://localhost/assets/x.jpg"))

    assert one.public_address("own", "image/jpeg") == "http://localhost/assets/x.jpg"


def live_client(key: str, watch: Unwatched) -> Client:
    """A client of the platform itself."""
    source = tokens.GivenToken("the-token")
    return Client(providers.get(key), None, {}, is_sandbox=False, source=source, budget_key="con_1", watch=watch)


# -- what a platform repeats


@pytest.mark.parametrize(
    ("key", "source", "secrets"),
    [
        ("google-drive", tokens.GivenToken("the-token-of-ada"), ["the-token-of-ada", "sandbox-secret-google-drive"]),
        ("woocommerce", tokens.GivenToken("the-key-of-ada:the-secret-of-ada"), ["the-key-of-ada", "the-secret-of-ada"]),
        ("facebook", tokens.GivenToken("the-token-of-ada"), ["the-token-of-ada", "sandbox-secret-facebook"]),
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_secret_that_a_platform_repeats_is_told_to_nobody(
    api: Callable[..., Client], wire: Wire, key: str, source: tokens.GivenToken, secrets: list[str], status: int
) -> None:
    words = " and ".join(secrets)
    wire.say(Said(status, {"error": {"message": words, "code": 7}, "message": words}, {"Retry-After": "90"}))
    one = api(key, source=source, settings={"store": "shop.example"}, provider=providers.get(key))
    address = {"google-drive": DRIVE, "woocommerce": "https://{store}/", "facebook": GRAPH}[key]

    with pytest.raises(PatchbayError) as refused:
        one.send(Request("POST", address, json={}))

    for secret in secrets:
        assert secret not in f"{refused.value!r} {refused.value.detail} {dict(refused.value.params)}"


def test_the_token_of_a_page_is_not_repeated_either(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(400, {"error": {"message": "the-token-of-a-page is none", "code": 100}}))

    with pytest.raises(PlatformError) as refused:
        api("facebook").send(Request("GET", GRAPH, token="the-token-of-a-page"))

    assert refused.value.detail == "HTTP 400 *** is none"


def test_odd_words_of_a_platform_can_be_kept(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(400, b'{"error": {"message": "no\\u0000 \\ud800", "code": 100}}'))

    with pytest.raises(PlatformError) as refused:
        api("facebook").send(Request("GET", GRAPH))

    assert refused.value.detail == "HTTP 400 no\ufffd ?"
