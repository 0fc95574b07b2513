"""Speaking to a platform: the token, retries, throttles, and where a request may go, on a real wire."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from flask import Flask

from patchbay import client, credentials, providers, tokens
from patchbay.client import Client, Unwatched
from patchbay.errors import (
    CredentialsRefused,
    Invalid,
    NetworkError,
    NotFoundThere,
    OutcomeUnknown,
    PatchbayError,
    PlatformError,
    ProviderUnavailable,
    QuotaFull,
    RateLimited,
    ScopeMissing,
    UnexpectedShape,
)
from patchbay.settings import Settings
from patchbay.spec import Request
from tests.stage import FrozenClock
from tests.wire import Said, Wire, listening

DATABASES = ("sqlite",)  # little of this is the database's
DRIVE = "https://www.googleapis.com/drive/v3/files"
ADMIN = "https://{shop}/admin/api/2026-10/graphql.json"
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
    monkeypatch.setattr(client, "FIRST_BACKOFF_S", 0.01)
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


def test_what_must_not_be_repeated_is_sent_once(api: Callable[..., Client], wire: Wire) -> None:
    wire.say(Said(503), FINE)

    with pytest.raises(ProviderUnavailable):
        api().send(Request("POST", DRIVE, json={}))

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


def test_a_spent_budget_is_waited_for_before_asking(
    api: Callable[..., Client], wire: Wire, frozen_clock: FrozenClock
) -> None:
    wire.say(Said(body={"data": {}, "extensions": {"cost": COST}}))
    api("shopify").send(Request("POST", ADMIN, json={}))

    with pytest.raises(RateLimited):
        api("shopify").send(Request("POST", ADMIN, json={}))
    frozen_clock.advance(seconds=8)
    api("shopify").send(Request("POST", ADMIN, json={}))

    assert len(wire.received) == 2


def test_the_budget_of_one_connection_is_no_other_ones(
    api: Callable[..., Client], wire: Wire, frozen_clock: FrozenClock
) -> None:
    wire.say(Said(body={"data": {}, "extensions": {"cost": COST}}))
    api("shopify").send(Request("POST", ADMIN, json={}))

    assert api("shopify", budget_key="con_2").send(Request("POST", ADMIN, json={})).status == 200


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
    [("ACCESS_DENIED", ScopeMissing), ("INTERNAL_SERVER_ERROR", ProviderUnavailable), ("UNHEARD_OF", PlatformError)],
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
