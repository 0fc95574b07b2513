"""Listing, connecting and disconnecting over the JSON API."""

from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay import connections
from patchbay.connections import Caller
from patchbay.models import User
from tests.stage import Sandbox, Walker

KeyFor = Callable[..., Mapping[str, str]]


def test_the_list_shows_every_integration_in_the_shape_of_the_contract(
    client: FlaskClient, ada: User, key_for: KeyFor
) -> None:
    headers = key_for(ada, "integrations:read")

    answer = client.get("/api/integrations/list", headers=headers)

    assert answer.status_code == 200
    shopify = next(each for each in answer.get_json()["integrations"] if each["id"] == "shopify")
    assert shopify["name"] == "Shopify"
    assert shopify["category"] == "ecommerce"
    assert shopify["status"] == "active"
    assert shopify["isConnected"] is False
    assert shopify["logoUrl"].endswith(".svg")
    assert shopify["description"]
    assert {"name": "import_products", "title": "Import products", "stream": "products"} in shopify["operations"]
    onedrive = next(each for each in answer.get_json()["integrations"] if each["id"] == "onedrive")
    assert onedrive["status"] == "coming_soon"


@pytest.mark.parametrize("body", [{}, None], ids=["an empty object", "no body"])
def test_the_list_can_be_asked_for_with_a_body(
    client: FlaskClient, ada: User, key_for: KeyFor, body: dict[str, str] | None
) -> None:
    headers = key_for(ada, "integrations:read")

    answer = (
        client.post("/api/integrations/list", headers=headers, json=body)
        if body is not None
        else client.post("/api/integrations/list", headers=headers)
    )

    assert answer.status_code == 200
    assert answer.get_json()["integrations"]


def test_the_own_user_id_is_accepted_in_body_and_query(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    headers = key_for(ada)

    by_body = client.post("/api/integrations/list", headers=headers, json={"userId": ada.id})
    by_query = client.get(f"/api/integrations/list?userId={ada.id}", headers=headers)

    assert (by_body.status_code, by_query.status_code) == (200, 200)


def test_the_list_shows_the_users_own_connection_and_nobody_elses(
    client: FlaskClient, ada: User, cleo: User, key_for: KeyFor, connect: Walker
) -> None:
    connect(ada, "shopify", shop="demo-shop")

    hers = client.get("/api/integrations/list", headers=key_for(ada)).get_json()["integrations"]
    anothers = client.get("/api/integrations/list", headers=key_for(cleo)).get_json()["integrations"]

    own = next(each for each in hers if each["id"] == "shopify")
    assert (own["isConnected"], own["state"], own["isSandbox"]) == (True, "connected", True)
    assert own["account"] == "demo-shop.myshopify.com"
    assert own["connectedAt"].endswith("Z")
    foreign = next(each for each in anothers if each["id"] == "shopify")
    assert (foreign["isConnected"], foreign["account"], foreign["connectedAt"]) == (False, None, None)


def test_connect_answers_an_absolute_address_that_leads_to_a_connection(
    app: Flask, client: FlaskClient, ada: User, key_for: KeyFor, sandbox: Sandbox
) -> None:
    body = {"integrationId": "shopify", "settings": {"shop": "demo-shop"}}

    answer = client.post("/api/integrations/connect", headers=key_for(ada, "integrations:write"), json=body)

    assert answer.status_code == 200
    assert list(answer.get_json()) == ["authUrl"]
    assert answer.headers["Cache-Control"] == "no-store"
    query = sandbox.consent(answer.get_json()["authUrl"])
    with app.app_context():
        assert connections.come_back(query, Caller(ada.id)).outcome.is_success


def test_a_connect_begun_in_a_session_is_bound_to_that_session(
    app: Flask, client: FlaskClient, ada: User, login: Callable[[FlaskClient, User], str], sandbox: Sandbox
) -> None:
    token = login(client, ada)
    body = {"integrationId": "shopify", "settings": {"shop": "demo-shop"}}

    answer = client.post("/api/integrations/connect", headers={"X-CSRF-Token": token}, json=body)

    query = sandbox.consent(answer.get_json()["authUrl"])
    with app.app_context():
        assert not connections.come_back(query, Caller(ada.id, "another session")).outcome.is_success


def test_connecting_an_announced_integration_is_a_conflict(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    answer = client.post("/api/integrations/connect", headers=key_for(ada), json={"integrationId": "onedrive"})

    told = answer.get_json()
    assert (answer.status_code, told["type"], told["platform"]) == (409, "CONFLICT", "onedrive")
    assert "coming soon" in answer.get_json()["userMessage"]


def test_connecting_an_unknown_integration_is_not_found(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    answer = client.post("/api/integrations/connect", headers=key_for(ada), json={"integrationId": "nope"})

    assert (answer.status_code, answer.get_json()["type"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "shop"),
        ({"shop": 7}, "shop"),
        ({"shop": "evil.example.com"}, "shop"),
        ({"shop": "demo-shop.myshopify.com@evil.example"}, "shop"),
        ({"shop": "demo-shop", "colour": "red"}, "colour"),
        ({"shop": ["demo-shop"]}, "shop"),
        ({"shop": "\u0000"}, "shop"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    client: FlaskClient, ada: User, key_for: KeyFor, given: dict[str, object], field: str
) -> None:
    body = {"integrationId": "shopify", "settings": given}

    answer = client.post("/api/integrations/connect", headers=key_for(ada), json=body)

    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, [field])


def test_credentials_are_refused_where_the_platform_asks_for_consent(
    client: FlaskClient, ada: User, key_for: KeyFor
) -> None:
    body = {"integrationId": "shopify", "settings": {"shop": "demo-shop"}, "credentials": {"key": "k"}}

    answer = client.post("/api/integrations/connect", headers=key_for(ada), json=body)

    assert (answer.status_code, answer.get_json()["fields"]) == (
        422,
        {"credentials": "Shopify is connected on its own site."},
    )


def test_disconnect_ends_the_connection_and_says_what_the_platform_confirmed(
    client: FlaskClient, ada: User, key_for: KeyFor, connect: Walker
) -> None:
    connect(ada, "google-drive")
    headers = key_for(ada, "integrations:read", "integrations:write")

    answer = client.post("/api/integrations/disconnect", headers=headers, json={"integrationId": "google-drive"})

    assert (answer.status_code, answer.get_json()) == (200, {"success": True, "revoked": True})
    listed = client.get("/api/integrations/list", headers=headers).get_json()["integrations"]
    assert not next(each for each in listed if each["id"] == "google-drive")["isConnected"]


def test_disconnecting_shopify_leaves_the_app_installed_unless_told_otherwise(
    client: FlaskClient, ada: User, key_for: KeyFor, connect: Walker, sandbox: Sandbox
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    body = {"integrationId": "shopify"}

    kept = client.post("/api/integrations/disconnect", headers=key_for(ada), json=body)
    connect(ada, "shopify", shop="demo-shop")
    removed = client.post("/api/integrations/disconnect", headers=key_for(ada), json=body | {"uninstall": True})

    assert (kept.get_json()["revoked"], removed.get_json()["revoked"]) == (False, True)
    assert len(sandbox.received("shopify", operation="appUninstall")) == 1


def test_what_is_not_connected_cannot_be_disconnected(
    client: FlaskClient, ada: User, cleo: User, key_for: KeyFor, connect: Walker
) -> None:
    connect(ada, "shopify", shop="demo-shop")

    answer = client.post("/api/integrations/disconnect", headers=key_for(cleo), json={"integrationId": "shopify"})

    assert (answer.status_code, answer.get_json()["type"]) == (409, "CONFLICT")


@pytest.mark.parametrize("uninstall", ["true", "on", 1, [], [True], {}, "no"])
def test_uninstall_must_be_true_or_false(
    client: FlaskClient, ada: User, key_for: KeyFor, connect: Walker, uninstall: object
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    body = {"integrationId": "shopify", "uninstall": uninstall}

    answer = client.post("/api/integrations/disconnect", headers=key_for(ada), json=body)

    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["uninstall"])
