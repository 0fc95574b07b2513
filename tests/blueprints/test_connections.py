"""Connecting from a page, every way that it can end, and what a connected reader can do."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from patchbay import connections, records
from patchbay.connections import HTTP_STATUS
from patchbay.models import ConnectionState, User
from tests.blueprints.pages import HTMX, address_in, htmx_post, path_of, post, text_of
from tests.stage import FrozenClock, Queue, Sandbox, Walker, in_context

Login = Callable[[FlaskClient, User], str]
AUTHORIZE = r'http://[^"]+/admin/oauth/authorize[^"]+'
JSON = {"Accept": "application/json"}


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    """Ada is signed in; this is her session's token."""
    return login(client, ada)


@pytest.fixture
def leave(client: FlaskClient, token: str, sandbox: Sandbox) -> Callable[..., str]:
    """Begin a connect from the page and answer the consent; the callback's address, with what the platform sends."""

    def go(answer: str = "allow", shop: str = "demo-shop", **extra: str) -> str:
        page = post(client, "/integrations/shopify/connect", token, shop=shop)
        query = sandbox.consent(address_in(page, AUTHORIZE), answer, **extra)
        return f"/integrations/callback?{urlencode(query)}"

    return go


def shown_after(client: FlaskClient, address: str) -> TestResponse:
    """What the browser ends up with after the callback."""
    back = client.get(address)
    assert back.status_code == 303
    return client.get(path_of(back))


# -- leaving


def test_connect_leads_a_stranger_to_the_login_and_back(client: FlaskClient) -> None:
    page = client.get("/integrations/shopify/connect")
    part = client.get("/integrations/shopify/connect", headers=HTMX)

    assert path_of(page) == "/login?next=/integrations/shopify/connect"
    assert part.headers["HX-Redirect"] == "/login?next=/integrations/shopify/connect"


def test_the_dialog_says_what_is_asked_for_and_asks_the_shop(client: FlaskClient, token: str) -> None:
    part = client.get("/integrations/shopify/connect", headers=HTMX)

    assert "<html" not in part.get_data(as_text=True)
    assert "Read your products and their pictures" in text_of(part)
    assert 'name="shop"' in part.get_data(as_text=True)


def test_the_leaving_page_leaves_without_a_redirect_and_without_a_trace(client: FlaskClient, token: str) -> None:
    page = post(client, "/integrations/shopify/connect", token, shop="demo-shop")

    html = page.get_data(as_text=True)
    assert page.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=http://' in html
    assert "<form" not in html
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_a_shop_that_is_none_is_refused_beside_the_field(client: FlaskClient, token: str) -> None:
    page = post(client, "/integrations/shopify/connect", token, shop="evil.example/x")

    html = page.get_data(as_text=True)
    assert page.status_code == 422
    assert 'aria-invalid="true"' in html
    assert 'value="evil.example/x"' in html


def test_what_is_coming_soon_cannot_be_connected(client: FlaskClient, token: str) -> None:
    page = post(client, "/integrations/pinterest/connect", token)

    assert page.status_code == 409
    assert "coming soon" in text_of(page)


def test_a_post_without_the_token_is_refused(client: FlaskClient, token: str) -> None:
    page = client.post("/integrations/shopify/connect", data={"shop": "demo-shop"})

    assert page.status_code == 403


def test_a_waiting_connect_can_be_called_off_on_its_card(client: FlaskClient, token: str) -> None:
    post(client, "/integrations/shopify/connect", token, shop="demo-shop")
    waiting = client.get("/integrations").get_data(as_text=True)

    card = htmx_post(client, "/integrations/shopify/cancel", token, on="card")

    assert "Waiting for approval" in waiting
    assert "Waiting for approval" not in card.get_data(as_text=True)
    assert 'id="card-shopify"' in card.get_data(as_text=True)


def test_a_reconnect_asks_for_nothing_again(client: FlaskClient, ada: User, token: str, connect: Walker) -> None:
    connect(ada, "shopify", shop="demo-shop")

    page = client.get("/integrations/shopify/connect")
    leaving = post(client, "/integrations/shopify/connect", token)

    assert 'name="shop"' not in page.get_data(as_text=True)
    assert "demo-shop.myshopify.com" in address_in(leaving, AUTHORIZE)


# -- coming back


def test_success_is_shown_at_an_address_without_code_and_state(client: FlaskClient, leave: Callable[..., str]) -> None:
    back = client.get(leave())

    page = client.get(path_of(back))
    assert back.status_code == 303
    assert back.headers["Referrer-Policy"] == "no-referrer"
    assert "code=" not in path_of(back)
    assert "state=" not in path_of(back)
    assert page.status_code == 200
    assert "Shopify is connected as demo-shop.myshopify.com." in text_of(page)


@pytest.mark.parametrize("path", ["/api/integrations/callback", "/api/shopify-oauth"])
def test_the_other_callback_addresses_do_the_same(client: FlaskClient, leave: Callable[..., str], path: str) -> None:
    page = shown_after(client, leave().replace("/integrations/callback", path))

    assert "Shopify is connected as" in text_of(page)


def test_an_outcome_is_shown_once(client: FlaskClient, leave: Callable[..., str]) -> None:
    shown = path_of(client.get(leave()))
    first, second = client.get(shown), client.get(shown)

    assert "Shopify is connected as" in text_of(first)
    assert "Shopify is connected as" not in text_of(second)
    assert second.status_code == 200


def test_denial_is_told_calmly_with_the_way_on(client: FlaskClient, leave: Callable[..., str]) -> None:
    page = shown_after(client, leave("deny"))

    assert page.status_code == 200
    assert "You did not approve access to Shopify, so nothing was connected." in text_of(page)
    assert "Try again" in text_of(page)


def test_an_unknown_state_is_shown_on_a_page_of_its_own(client: FlaskClient, token: str) -> None:
    page = shown_after(client, "/integrations/callback?code=x&state=forged")

    assert page.status_code == 400
    assert "We could not verify this sign-in." in text_of(page)
    assert "Back to integrations" in text_of(page)


def test_a_changed_signature_is_not_verified(client: FlaskClient, leave: Callable[..., str]) -> None:
    page = shown_after(client, leave().replace("hmac=", "hmac=0"))

    assert page.status_code == 400
    assert "We could not verify this sign-in." in text_of(page)
    assert "Start again" in text_of(page)


def test_a_return_in_anothers_session_is_not_verified(
    app: Flask, leave: Callable[..., str], ben: User, login: Login
) -> None:
    address = leave()
    other = app.test_client()
    login(other, ben)

    page = shown_after(other, address)

    assert page.status_code == 400
    assert "It may have been started in another browser." in text_of(page)


def test_a_late_return_has_expired(frozen_clock: FrozenClock, client: FlaskClient, leave: Callable[..., str]) -> None:
    address = leave()
    frozen_clock.advance(minutes=11)

    page = shown_after(client, address)

    assert page.status_code == 400
    assert "took longer than 10 minutes and has expired" in text_of(page)


def test_a_reloaded_return_is_no_error_and_no_second_connection(client: FlaskClient, leave: Callable[..., str]) -> None:
    address = leave()
    client.get(address)

    page = shown_after(client, address)

    assert page.status_code == 200
    assert "We could not verify" not in text_of(page)
    assert "Connected" in text_of(page)


def test_who_signed_out_meanwhile_is_asked_to_sign_in(
    client: FlaskClient, token: str, leave: Callable[..., str]
) -> None:
    address = leave()
    post(client, "/logout", token)

    page = shown_after(client, address)

    assert page.status_code == 401
    assert "Sign in to Patchbay, then connect Shopify again." in text_of(page)


def test_wrong_credentials_are_told_to_administrators_with_the_redirect_uri(
    client: FlaskClient, leave: Callable[..., str]
) -> None:
    address = leave()

    page = shown_after(client, f"/integrations/callback?error=invalid_client&{_state(address)}")

    assert page.status_code == 502
    assert "is not set up correctly here" in text_of(page)
    assert "http://localhost/integrations/callback" in text_of(page)
    assert "Open setup" in text_of(page)


def test_a_refused_code_fails_with_another_try(
    client: FlaskClient, leave: Callable[..., str], sandbox: Sandbox
) -> None:
    address = leave()
    sandbox.fault("shopify", "malformed", match="/admin/oauth/access_token")

    page = shown_after(client, address)

    assert page.status_code == 502
    assert "We could not finish connecting to Shopify." in text_of(page)
    assert "Try again" in text_of(page)


def test_an_account_of_somebody_else_is_named_to_nobody(
    client: FlaskClient, leave: Callable[..., str], ben: User, connect: Walker
) -> None:
    connect(ben, "shopify", shop="demo-shop")

    page = shown_after(client, leave())

    assert page.status_code == 409
    assert "This Shopify account is already connected by someone else here." in text_of(page)
    assert "ben@" not in text_of(page)


@pytest.fixture
def undecided(client: FlaskClient, ada: User, leave: Callable[..., str], connect: Walker) -> TestResponse:
    """The page that asks whether another shop replaces the present one."""
    connect(ada, "shopify", shop="demo-shop")
    return shown_after(client, leave(shop="other-shop"))


def test_another_account_is_asked_about_naming_both(undecided: TestResponse) -> None:
    words = text_of(undecided)

    assert undecided.status_code == 200
    assert "You were connected as demo-shop.myshopify.com. Replace it with other-shop.myshopify.com?" in words


@pytest.mark.parametrize(("choice", "account"), [("keep", "demo-shop"), ("replace", "other-shop")])
def test_the_decision_is_carried_out(
    client: FlaskClient, token: str, undecided: TestResponse, choice: str, account: str
) -> None:
    page = client.get(path_of(post(client, "/integrations/shopify/replace", token, choice=choice)))

    assert f"Shopify is connected as {account}.myshopify.com." in text_of(page)


def test_a_decision_must_be_one_of_the_two(client: FlaskClient, token: str, undecided: TestResponse) -> None:
    assert post(client, "/integrations/shopify/replace", token, choice="perhaps").status_code == 422


# -- coming back as a program


def test_a_program_gets_success_as_json(client: FlaskClient, leave: Callable[..., str]) -> None:
    answer = client.get(leave(), headers=JSON)

    assert answer.status_code == 200
    assert answer.json == {"success": True, "redirectUrl": "http://localhost/integrations/shopify"}


def test_a_program_gets_a_forged_state_as_json(client: FlaskClient, token: str) -> None:
    answer = client.get("/integrations/callback?state=forged", headers=JSON)

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["type"] == "VALIDATION_ERROR"
    assert "could not verify" in answer.json["error"]


def test_a_program_gets_a_taken_account_as_json(
    client: FlaskClient, leave: Callable[..., str], ben: User, connect: Walker
) -> None:
    connect(ben, "shopify", shop="demo-shop")

    answer = client.get(leave(), headers=JSON)

    assert answer.status_code == HTTP_STATUS[connections.Outcome.ACCOUNT_TAKEN]
    assert answer.json is not None
    assert answer.json["type"] == "CONFLICT"
    assert answer.json["platform"] == "shopify"


def test_a_key_can_walk_the_whole_flow(
    client: FlaskClient, ada: User, key_for: Callable[..., Any], sandbox: Sandbox
) -> None:
    key = key_for(ada, "integrations:write")
    page = client.post("/integrations/shopify/connect", data={"shop": "demo-shop"}, headers=key)
    query = sandbox.consent(address_in(page, AUTHORIZE))

    answer = client.get(f"/api/integrations/callback?{urlencode(query)}", headers={**key, **JSON})

    assert answer.json == {"success": True, "redirectUrl": "http://localhost/integrations/shopify"}


# -- using it


def test_sync_answers_at_once_with_the_card_and_a_second_click_finds_the_same_run(
    client: FlaskClient, ada: User, token: str, connect: Walker, queue: Queue
) -> None:
    connect(ada, "shopify", shop="demo-shop")

    first = htmx_post(client, "/integrations/shopify/sync", token, on="card", operation="import_products")
    second = post(client, "/integrations/shopify/sync", token, operation="import_products")

    run = address_in(first, r"/runs/run_[a-z0-9]+")
    assert first.status_code == 202
    assert 'aria-busy="true"' in first.get_data(as_text=True)
    assert path_of(second) == run
    assert len(queue.hints()) == 1


def test_an_unknown_operation_is_refused(client: FlaskClient, ada: User, token: str, connect: Walker) -> None:
    connect(ada, "shopify", shop="demo-shop")

    assert post(client, "/integrations/shopify/sync", token, operation="nothing").status_code == 422


def test_disconnect_asks_first_and_then_gives_the_card_back(
    app: Flask, client: FlaskClient, ada: User, token: str, connect: Walker
) -> None:
    connect(ada, "shopify", shop="demo-shop")

    dialog = client.get("/integrations/shopify/disconnect?on=card", headers=HTMX)
    card = htmx_post(client, "/integrations/shopify/disconnect", token, on="card")

    with in_context(app):
        connection = connections.find(ada.id, "shopify")
    assert "Also uninstall our app at Shopify" in text_of(dialog)
    assert 'id="connect-shopify"' in card.get_data(as_text=True)
    assert card.headers["HX-Trigger"] == "modal:close"
    assert "Shopify is disconnected. Remove access in your Shopify settings too." in text_of(card)
    assert connection is not None
    assert connection.state is ConnectionState.DISCONNECTED


def test_disconnect_can_uninstall(
    client: FlaskClient, ada: User, token: str, connect: Walker, sandbox: Sandbox
) -> None:
    connect(ada, "shopify", shop="demo-shop")

    answer = post(client, "/integrations/shopify/disconnect", token, uninstall="on")

    assert path_of(answer) == "/integrations/shopify"
    assert sandbox.received("shopify", operation="appUninstall")


def test_deleting_the_data_needs_the_typed_name(
    app: Flask, client: FlaskClient, ada: User, token: str, connect: Walker, queue: Queue
) -> None:
    connection = connect(ada, "shopify", shop="demo-shop")
    post(client, "/integrations/shopify/sync", token, operation="import_products")
    queue.run_all()

    refused = htmx_post(client, "/integrations/shopify/records/delete", token, confirmation="Shop")
    with in_context(app):
        kept = records.counts(connection.id)
    done = post(client, "/integrations/shopify/records/delete", token, confirmation="shopify")

    with in_context(app):
        left = records.counts(connection.id)
    assert refused.status_code == 422
    assert kept == {"products": 12}
    assert path_of(done) == "/integrations/shopify"
    assert left == {}


@pytest.mark.parametrize("path", ["disconnect", "sync", "settings", "replace", "cancel", "records/delete"])
def test_none_of_it_is_for_strangers(client: FlaskClient, path: str) -> None:
    page = client.get("/login")
    token = address_in(page, r'(?<=name="csrf_token" value=")[^"]+')

    assert post(client, f"/integrations/shopify/{path}", token).status_code == 401


def _state(address: str) -> str:
    return next(part for part in address.partition("?")[2].split("&") if part.startswith("state="))
