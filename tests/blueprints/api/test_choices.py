"""Pasted keys and choices over the JSON API: what is refused by name, kept to itself, and whose it is."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from patchbay import connections
from patchbay.connections import Caller
from patchbay.models import User
from tests.stage import Sandbox, Walker, in_context

KeyFor = Callable[..., Mapping[str, str]]

CONNECT, SETTINGS = "/api/integrations/connect", "/api/integrations/settings"
STORE = {"store": "demo-store.example"}
WRONG = {"consumer_key": "ck_" + "0" * 40, "consumer_secret": "cs_" + "0" * 40}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


@pytest.fixture
def headers(ada: User, key_for: KeyFor) -> Mapping[str, str]:
    return key_for(ada, "integrations:write", "runs:write")


# -- pasted keys


def with_keys(keys: Mapping[str, Any], store: Mapping[str, Any] = STORE) -> dict[str, Any]:
    return {"integrationId": "woocommerce", "settings": store, "credentials": keys}


def test_pasted_keys_connect_at_once(
    app: Flask, client: FlaskClient, ada: User, headers: Mapping[str, str], sandbox: Sandbox
) -> None:
    answer = client.post(CONNECT, json=with_keys(sandbox.keys("woocommerce", STORE)), headers=headers)

    assert (answer.status_code, answer.get_json()) == (200, {"success": True})
    with in_context(app):
        assert connections.connected(ada.id, "woocommerce").is_connected


def test_wrong_keys_are_told_and_not_repeated(
    client: FlaskClient, headers: Mapping[str, str], sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.post(CONNECT, json=with_keys(WRONG), headers=headers)

    told = answer.get_json()
    assert (answer.status_code, told["type"], told["platform"]) == (409, "INVALID_CREDENTIALS", "woocommerce")
    assert "%(" not in answer.get_data(as_text=True)
    for secret in WRONG.values():
        assert secret not in answer.get_data(as_text=True) + caplog.text


@pytest.mark.parametrize(
    ("keys", "store", "fields"),
    [
        ({"consumer_key": "x"}, STORE, {"consumer_key", "consumer_secret"}),
        ({**WRONG, "region": "eu"}, STORE, {"region"}),
        ({**WRONG, "consumer_key": {"a": 1}}, STORE, {"consumer_key"}),
        (WRONG, {"store": "http://localhost"}, {"store"}),
        (WRONG, {"store": "169.254.169.254/latest"}, set()),
        (WRONG, {}, {"store"}),
        ("ck_1:cs_1", STORE, {"credentials"}),
        (["ck_1"], STORE, {"credentials"}),
    ],
)
def test_keys_that_make_no_sense_are_refused_by_name(
    client: FlaskClient, headers: Mapping[str, str], sandbox: Sandbox, keys: Any, store: Any, fields: set[str]
) -> None:
    answer = client.post(CONNECT, json=with_keys(keys, store), headers=headers)

    assert answer.status_code == 422
    assert set(answer.get_json().get("fields", {})) == fields
    assert sandbox.received("woocommerce") == []


def test_without_keys_the_owner_is_sent_to_make_some(client: FlaskClient, headers: Mapping[str, str]) -> None:
    answer = client.post(CONNECT, json={"integrationId": "woocommerce", "settings": STORE}, headers=headers)

    assert "/demo-store.example/wc-auth/v1/authorize?" in answer.get_json()["authUrl"]


def test_keys_of_another_store_are_a_conflict_to_decide(
    client: FlaskClient, headers: Mapping[str, str], sandbox: Sandbox
) -> None:
    other = {"store": "second-store.example"}
    client.post(CONNECT, json=with_keys(sandbox.keys("woocommerce", STORE)), headers=headers)

    answer = client.post(CONNECT, json=with_keys(sandbox.keys("woocommerce", other), other), headers=headers)

    told = answer.get_json()
    assert (answer.status_code, told["type"]) == (409, "CONFLICT")
    assert "second-store.example" in told["userMessage"]


# -- choices


@pytest.fixture
def pages(app: Flask, ada: User, sandbox: Sandbox) -> dict[str, str]:
    """The two pages among which Ada's Facebook has to choose, by name."""
    with in_context(app):
        departure = connections.begin(Caller(ada.id), "facebook", {})
        form = requests.get(departure.url, timeout=10).text
        scopes = re.findall(r'name="scope" value="([^"]+)"', form)
        sent = {"decision": "allow", "account": "ben", "scope": scopes}
        back = requests.post(departure.url, data=sent, allow_redirects=False, timeout=10)
        connections.come_back(dict(parse_qsl(urlsplit(back.headers["Location"]).query)), Caller(ada.id))
        return {page["name"]: page["id"] for page in connections.ask(ada.id, "facebook", "list_pages", {})["pages"]}


def choosing(value: Any) -> dict[str, Any]:
    return {"integrationId": "facebook", "settings": {"page": value}}


def test_a_choice_is_made_and_named(client: FlaskClient, headers: Mapping[str, str], pages: dict[str, str]) -> None:
    answer = client.post(SETTINGS, json=choosing(pages["Little Kiln"]), headers=headers)

    assert answer.status_code == 200
    assert answer.get_json() == {
        "success": True,
        "settings": {"page": pages["Little Kiln"]},
        "labels": {"page": "Little Kiln"},
    }


def test_what_needs_a_choice_is_a_conflict_until_it_is_made(
    client: FlaskClient, headers: Mapping[str, str], pages: dict[str, str]
) -> None:
    listing = {"integrationId": "facebook", "operation": "list_photos", "wait": 0}
    before = client.post("/api/integrations/sync", json=listing, headers=headers)
    client.post(SETTINGS, json=choosing(pages["Little Kiln"]), headers=headers)
    after = client.post("/api/integrations/sync", json=listing, headers=headers)

    assert (before.status_code, before.get_json()["type"], after.status_code) == (409, "CONFLICT", 202)
    assert "Facebook" in before.get_json()["userMessage"]


@pytest.mark.parametrize("value", ["1", "", None, 7, ["1"], {"id": 1}, "\x00", "1" * 30])
def test_what_is_not_offered_is_refused_by_name(
    client: FlaskClient, headers: Mapping[str, str], pages: dict[str, str], value: Any
) -> None:
    answer = client.post(SETTINGS, json=choosing(value), headers=headers)

    assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {"page"})


@pytest.mark.parametrize(("kind", "status"), [("server_error", 502), ("reset", 504), ("rate_limit", 429)])
def test_a_platform_that_cannot_be_asked_is_told(
    client: FlaskClient, headers: Mapping[str, str], pages: dict[str, str], sandbox: Sandbox, kind: str, status: int
) -> None:
    sandbox.fault("facebook", kind, match="accounts", times=0, seconds=60)

    answer = client.post(SETTINGS, json=choosing(pages["Little Kiln"]), headers=headers)

    assert (answer.status_code, answer.get_json()["platform"]) == (status, "facebook")


def test_choices_are_their_owners_alone(
    client: FlaskClient, cleo: User, key_for: KeyFor, pages: dict[str, str]
) -> None:
    answer = client.post(SETTINGS, json=choosing(pages["Little Kiln"]), headers=key_for(cleo))

    assert (answer.status_code, answer.get_json()["type"]) == (409, "CONFLICT")


@pytest.mark.parametrize(("integration", "status"), [("nope", 404), ("onedrive", 409), ("dropbox", 409)])
def test_what_is_not_connected_has_no_settings(
    client: FlaskClient, headers: Mapping[str, str], integration: str, status: int
) -> None:
    body = {"integrationId": integration, "settings": {"space": "own"} if integration == "dropbox" else {}}

    assert client.post(SETTINGS, json=body, headers=headers).status_code == status


def test_settings_that_a_platform_does_not_have_are_refused(
    client: FlaskClient, headers: Mapping[str, str], ada: User, connect: Walker
) -> None:
    connect(ada, "shopify", shop="demo-shop")

    answer = client.post(
        SETTINGS, json={"integrationId": "shopify", "settings": {"shop": "evil.myshopify.com"}}, headers=headers
    )

    assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {"shop"})
