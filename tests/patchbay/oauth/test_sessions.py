"""Conversations with token endpoints on a real wire: what is sent, what the answers come to, and what is never told."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask

from patchbay import credentials, oauth, providers
from patchbay.credentials import AppCredentials
from patchbay.errors import (
    ConnectionFailed,
    GrantExpired,
    NetworkError,
    OAuthRefused,
    PatchbayError,
    ProviderUnavailable,
    RateLimited,
    SetupWrong,
)
from patchbay.settings import Settings
from patchbay.spec import OAuth2, Provider
from tests.wire import Received, Said, Wire, listening

DATABASES = ("sqlite",)  # none of this is the database's
SECRET, CODE, TOKEN = "sEcReT/of+the=app", "c0de-of-the-return", "the-present-token"
FINE = {"access_token": "new-token", "expires_in": 3600}


@pytest.fixture
def wire(settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]) -> Iterator[Wire]:
    """A platform that says what it is told, in an installation that takes it for the sandbox."""
    with listening() as wire:
        wire.say(Said(body=FINE))
        with app_for(settings_for(SANDBOX_URL=wire.url)).app_context():
            yield wire


def app_at(provider: Provider) -> AppCredentials:
    found = credentials.find(provider)
    assert found is not None
    return replace(found, client_secret=SECRET)


def exchange(key: str, **values: str) -> oauth.Grant:
    provider = providers.get(key)
    return oauth.exchange(provider, app_at(provider), values, code=CODE, code_verifier="the-verifier")


def refresh(key: str) -> oauth.Grant:
    provider = providers.get(key)
    return oauth.refresh(provider, app_at(provider), {}, TOKEN)


def query_of(request: Received) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.path).query))


def form_of(request: Received) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode()))


def test_a_code_is_exchanged_in_a_form(wire: Wire) -> None:
    grant = exchange("dropbox")

    (asked,) = wire.received
    sent = form_of(asked)
    assert (asked.method, urlsplit(asked.path).path) == ("POST", "/api.dropboxapi.com/oauth2/token")
    assert (sent["code"], sent["client_secret"], sent["code_verifier"]) == (CODE, SECRET, "the-verifier")
    assert query_of(asked) == {}
    assert grant.access_token == "new-token"


def test_the_client_may_stand_in_the_header_alone(wire: Wire) -> None:
    exchange("canva")

    (asked,) = wire.received
    assert asked.headers["authorization"] == f"Basic {b64encode(f'sandbox-canva:{SECRET}'.encode()).decode()}"
    assert "client_secret" not in form_of(asked)


def test_a_platform_that_is_never_shown_the_secret_is_not_shown_it(wire: Wire) -> None:
    exchange("etsy")

    (asked,) = wire.received
    assert SECRET not in f"{asked.path} {asked.headers} {asked.body!r}"


def test_a_refresh_may_have_an_address_of_its_own(wire: Wire) -> None:
    refresh("figma")

    (asked,) = wire.received
    assert urlsplit(asked.path).path == "/api.figma.com/v1/oauth/refresh"
    assert form_of(asked)["refresh_token"] == TOKEN


def test_an_answer_without_a_refresh_token_leaves_the_present_one(wire: Wire) -> None:
    grant = refresh("figma")

    assert grant.access_token == "new-token"
    assert grant.refresh_token is None


@pytest.mark.parametrize("lifetime", ["soon", [3600], 10**400, 1e308, -1, {"s": 1}])
def test_a_lifetime_that_makes_no_sense_spoils_no_token(wire: Wire, lifetime: Any) -> None:
    wire.say(Said(body={**FINE, "expires_in": lifetime, "expires_at": lifetime}))

    assert exchange("shopify", shop="demo-shop.myshopify.com").access_token == "new-token"
    assert exchange("shopify", shop="demo-shop.myshopify.com").expires_at is None


def test_a_lifetime_beyond_all_numbers_spoils_no_token(wire: Wire) -> None:
    wire.say(Said(body=b'{"access_token": "new-token", "expires_in": 1e999}'))

    assert exchange("shopify", shop="demo-shop.myshopify.com").expires_at is None


# -- tokens for tokens


def test_the_first_token_is_traded_for_one_that_lasts(wire: Wire) -> None:
    wire.say(Said(body={"access_token": "short", "expires_in": 60}), Said(body={"access_token": "long"}))

    grant = exchange("facebook")

    traded = wire.received[1]
    assert traded.method == "GET"
    assert query_of(traded) == {
        "grant_type": "fb_exchange_token",
        "client_id": "sandbox-facebook",
        "client_secret": SECRET,
        "fb_exchange_token": "short",
    }
    assert grant.access_token == "long"


def test_the_scopes_of_the_first_token_hold_where_the_second_names_none(wire: Wire) -> None:
    first = {"data": [{"access_token": "short", "user_id": "7", "permissions": "one,two"}]}
    wire.say(Said(body=first), Said(body=FINE))

    grant = exchange("instagram")

    assert grant.scopes == ("one", "two")
    assert grant.refresh_token == grant.access_token == "new-token"


def test_without_the_second_token_there_is_no_grant(wire: Wire) -> None:
    wire.say(Said(body=FINE), Said(400, {"error": {"code": 190, "message": "no"}}))

    with pytest.raises(OAuthRefused):
        exchange("facebook")


def test_a_live_token_renews_itself(wire: Wire) -> None:
    wire.say(Said(body=FINE))

    grant = refresh("instagram")

    (asked,) = wire.received
    assert query_of(asked) == {"grant_type": "ig_refresh_token", "access_token": TOKEN}
    assert grant.refresh_token == grant.access_token == "new-token"


# -- refusals


@pytest.mark.parametrize(
    ("key", "answer", "meant"),
    [
        ("dropbox", Said(400, {"error": "invalid_grant"}), GrantExpired),
        ("dropbox", Said(400, {"error": "invalid_client"}), SetupWrong),
        ("dropbox", Said(400, {"error": "unheard_of"}), OAuthRefused),
        ("figma", Said(400, {"error": True, "status": 400, "message": "Invalid refresh token"}), GrantExpired),
        ("canva", Said(400, {"code": "invalid_grant", "message": "no"}), GrantExpired),
        ("instagram", Said(400, {"error": {"code": 190, "message": "no"}}), GrantExpired),
        ("instagram", Said(200, {"error": {"code": 190, "message": "no"}}), GrantExpired),
        ("instagram", Said(400, {"error": {"code": 2, "message": "no"}}), OAuthRefused),
        (
            "instagram",
            Said(400, {"error_type": "OAuthException", "code": 400, "error_message": "Invalid platform app"}),
            SetupWrong,
        ),
    ],
)
def test_refusals_of_a_refresh_are_told_apart(wire: Wire, key: str, answer: Said, meant: type[PatchbayError]) -> None:
    wire.say(answer)

    with pytest.raises(meant) as refused:
        refresh(key)

    assert type(refused.value) is meant
    assert refused.value.params["provider"] == providers.get(key).name


@pytest.mark.parametrize("key", ["dropbox", "instagram"])
@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (Said(500, {"error": "invalid_grant"}), ProviderUnavailable),
        (Said(503, b"<!doctype html>"), ProviderUnavailable),
        (Said(502, b"<!doctype html>"), NetworkError),
        (Said(504, b""), NetworkError),
        (Said(429, {"error": "invalid_grant"}), RateLimited),
        (Said(429, b""), RateLimited),
        (Said(408, b""), ProviderUnavailable),
        (Said(drop=True), NetworkError),
        (Said(body=b"<!doctype html>", headers={"Content-Type": "text/html"}), ConnectionFailed),
        (Said(404, b"<!doctype html>"), ConnectionFailed),
        (Said(302, b"", {"Location": "https://api.dropboxapi.com/elsewhere"}), ConnectionFailed),
        (Said(body=b""), ConnectionFailed),
        (Said(body=[]), ConnectionFailed),
        (Said(body=b"[" * 200_000), ConnectionFailed),
        (Said(body=b'{"error": ' * 200_000), ConnectionFailed),
        (Said(body={"access_token": 7}), ConnectionFailed),
    ],
)
def test_what_is_no_word_on_the_grant_never_ends_it(
    wire: Wire, key: str, answer: Said, meant: type[PatchbayError]
) -> None:
    wire.say(answer)

    with pytest.raises(meant) as failed:
        refresh(key)

    assert not isinstance(failed.value, GrantExpired)
    assert len(wire.received) == 1


# -- what nobody is told


def echoes(sent: str) -> list[dict[str, object]]:
    """Refusals, in every dialect, that repeat a secret which was sent along."""
    return [
        {"error": f"bad_request client_secret={SECRET} code={sent}"},
        {"error": True, "message": f"{SECRET} is not the secret of {sent}"},
        {"error": {"code": f"{SECRET}{sent}", "message": f"{SECRET}{sent}"}},
        {"code": f"{'x' * 70}{SECRET}", "message": sent},
        {"error_type": SECRET, "error_message": sent},
    ]


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("call", "sent"),
    [
        (lambda: exchange("facebook"), CODE),
        (lambda: exchange("canva"), CODE),
        (lambda: refresh("instagram"), TOKEN),
        (lambda: refresh("figma"), TOKEN),
    ],
    ids=["exchange", "exchange with a header", "renewal", "refresh"],
)
def test_a_platform_that_repeats_what_it_was_sent_tells_nobody(
    wire: Wire, caplog: pytest.LogCaptureFixture, call: Callable[[], oauth.Grant], sent: str, status: int
) -> None:
    told = ""
    for body in echoes(sent):
        wire.say(Said(status, body))
        told += refused_text(call)

    for secret in (SECRET, SECRET[:10], sent):
        assert secret not in told + caplog.text


def test_the_token_that_was_traded_is_not_told_either(wire: Wire) -> None:
    wire.say(Said(body=FINE), Said(400, {"error": "new-token is no token"}))

    assert "new-token" not in refused_text(lambda: exchange("facebook"))


def refused_text(call: Callable[[], oauth.Grant]) -> str:
    """All that a refusal says of itself, causes included."""
    with pytest.raises(PatchbayError) as refused:
        call()
    error = refused.value
    assert error.__cause__ is None
    assert error.__suppress_context__
    return f"{error!r} {error} {error.detail} {dict(error.params)}"


def test_no_address_with_a_secret_is_told_when_there_is_no_answer(wire: Wire) -> None:
    wire.say(Said(drop=True))

    told = refused_text_of_network(lambda: refresh("instagram"))

    assert TOKEN not in told
    assert "access_token" not in told


def refused_text_of_network(call: Callable[[], oauth.Grant]) -> str:
    with pytest.raises(NetworkError) as failed:
        call()
    return f"{failed.value!r} {failed.value.detail} {failed.value.__context__!r}"


def test_apps_and_departures_show_no_secret(wire: Wire) -> None:
    provider = providers.get("dropbox")
    app = app_at(provider)

    departure = oauth.depart(provider, app, {})

    assert isinstance(provider.auth, OAuth2)
    assert SECRET not in repr(app)
    assert departure.state not in repr(departure)
    assert SECRET not in departure.url
