"""Choosing after connecting, and connecting with keys: what the pages ask, show and keep to themselves."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from patchbay import connections
from patchbay.connections import Caller
from patchbay.models import Connection, User
from tests.blueprints.pages import HTMX, address_in, htmx_post, path_of, post, text_of
from tests.stage import Sandbox, Walker, in_context

Login = Callable[[FlaskClient, User], str]
PAGE = "/integrations/facebook"
SETTINGS = "/integrations/facebook/settings"
WOO = "/integrations/woocommerce/connect"
STORE = "demo-store.example"


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    """Ada is signed in; this is her session's token."""
    return login(client, ada)


@pytest.fixture
def undecided(app: Flask, ada: User, sandbox: Sandbox) -> Connection:
    """Ada's Facebook, by an account that manages two pages."""
    with in_context(app):
        departure = connections.begin(Caller(ada.id), "facebook", {})
        query = allowed(departure.url, account="ben")
        assert connections.come_back(query, Caller(ada.id)).outcome.is_success
        found = connections.find(ada.id, "facebook")
        assert found is not None
        return found


def allowed(auth_url: str, *, account: str) -> dict[str, str]:
    """Answer the consent page as somebody of another account would; what the browser is sent back with."""
    form = requests.get(auth_url, timeout=10).text
    scopes = re.findall(r'name="scope" value="([^"]+)"', form)
    answer = {"decision": "allow", "account": account, "scope": scopes}
    back = requests.post(auth_url, data=answer, allow_redirects=False, timeout=10)
    return dict(parse_qsl(urlsplit(back.headers["Location"]).query))


def pages_in(page: TestResponse) -> dict[str, str]:
    """The ids of the pages that can be chosen, by name."""
    found = re.findall(r'name="page" value="(\d+)"[^>]*>(?:<img[^>]*>)?<span>([^<]+)', page.get_data(as_text=True))
    return {name: value for value, name in found}


# -- a choice


def test_a_missing_choice_is_shown_on_the_card_and_on_the_page(
    client: FlaskClient, token: str, undecided: Connection
) -> None:
    cards, page = client.get("/integrations"), client.get(PAGE)

    assert "Choose: Page" in text_of(cards)
    assert "Choose first: Page." in text_of(cards)
    assert f'href="{PAGE}#settings"' in cards.get_data(as_text=True)
    assert "1 needs you" in text_of(cards)
    assert "Choose to go on: Page" in text_of(page)
    assert set(pages_in(page)) == {"Little Kiln", "Northern Prints"}


def test_right_after_connecting_the_choice_is_the_next_step(
    client: FlaskClient, ada: User, token: str, sandbox: Sandbox
) -> None:
    leaving = post(client, f"{PAGE}/connect", token)
    query = allowed(address_in(leaving, r'http://[^"]+/dialog/oauth[^"]+'), account="ben")
    back = client.get("/integrations/callback", query_string=query)

    page = client.get(path_of(back))

    assert "Facebook is connected as Ben North." in text_of(page)
    assert "One more step: choose Page below." in text_of(page)


def test_what_needs_the_choice_is_off_until_it_is_made(client: FlaskClient, token: str, undecided: Connection) -> None:
    before = client.get(f"{PAGE}/do/publish_photo")
    chosen = pages_in(client.get(PAGE))["Little Kiln"]

    saved = post(client, SETTINGS, token, page=chosen, do="now")

    page = client.get(PAGE)
    assert "Choose first: Page." in text_of(before)
    assert path_of(saved) == PAGE
    assert "Little Kiln" in text_of(page)
    assert "Choose to go on" not in text_of(page)
    assert 'name="do"' in client.get(f"{PAGE}/do/publish_photo").get_data(as_text=True)


def test_a_choice_that_was_made_is_shown_by_name_and_asks_the_platform_nothing(
    client: FlaskClient, token: str, undecided: Connection, sandbox: Sandbox
) -> None:
    chosen = pages_in(client.get(PAGE))["Little Kiln"]
    post(client, SETTINGS, token, page=chosen, do="now")
    before = len(sandbox.received("facebook"))

    page = client.get(PAGE)
    asked = len(sandbox.received("facebook")) - before
    form = htmx_post(client, SETTINGS, token, page=chosen, show="page")

    assert asked == 0
    assert pages_in(page) == {}
    assert set(pages_in(form)) == {"Little Kiln", "Northern Prints"}
    assert f'value="{chosen}" checked' in form.get_data(as_text=True)


def test_saving_in_place_tells_by_a_toast(client: FlaskClient, token: str, undecided: Connection) -> None:
    pages = pages_in(client.get(PAGE))
    first = htmx_post(client, SETTINGS, token, page=pages["Little Kiln"], do="now")
    second = htmx_post(client, SETTINGS, token, page=pages["Northern Prints"], do="now")

    assert first.headers["HX-Redirect"] == PAGE  # all of the page changes with it
    assert "Settings saved." in text_of(second)
    assert "Northern Prints" in text_of(second)
    assert "<html" not in second.get_data(as_text=True)


@pytest.mark.parametrize("value", ["", "12345"])
def test_what_is_no_choice_is_refused_beside_it(
    client: FlaskClient, token: str, undecided: Connection, value: str
) -> None:
    page = htmx_post(client, SETTINGS, token, page=value, do="now")

    assert page.status_code == 422
    assert 'id="field-page-error"' in page.get_data(as_text=True)
    assert set(pages_in(page)) >= {"Little Kiln", "Northern Prints"}


def test_choices_that_cannot_be_asked_for_are_a_problem_with_another_try(
    client: FlaskClient, token: str, undecided: Connection, sandbox: Sandbox
) -> None:
    sandbox.fault("facebook", "malformed", times=0)

    page = client.get(PAGE)

    assert page.status_code == 200
    assert "Facebook answered in a form Patchbay does not understand." in text_of(page)
    assert 'name="again" value="page"' in page.get_data(as_text=True)


def test_the_address_of_the_settings_leads_to_their_page(client: FlaskClient, token: str) -> None:
    assert client.get(SETTINGS).headers["Location"].endswith(f"{PAGE}#settings")


# -- keys


def test_the_dialog_offers_to_go_there_and_to_paste_keys(client: FlaskClient, token: str) -> None:
    part = client.get(WOO, headers=HTMX)

    html = part.get_data(as_text=True)
    assert "Continue to WooCommerce" in text_of(part)
    assert "I have keys already" in text_of(part)
    assert 'name="store"' in html
    assert html.count('type="password"') == 2
    assert "<details open" not in html


def test_going_there_needs_the_address_alone(client: FlaskClient, token: str) -> None:
    leaving = post(client, WOO, token, store=STORE)
    refused = post(client, WOO, token, store="no address")

    assert f"{STORE}/wc-auth/v1/authorize" in leaving.get_data(as_text=True)
    assert refused.status_code == 422
    assert 'value="no address"' in refused.get_data(as_text=True)


def test_pasted_keys_connect_at_once(client: FlaskClient, token: str, sandbox: Sandbox) -> None:
    answer = post(client, WOO, token, store=STORE, keys="pasted", **sandbox.keys("woocommerce", {"store": STORE}))

    page = client.get(path_of(answer))
    assert answer.status_code == 303
    assert f"WooCommerce is connected as {STORE}." in text_of(page)


def test_wrong_keys_are_named_by_field_and_never_shown_again(client: FlaskClient, token: str) -> None:
    page = post(client, WOO, token, store=STORE, keys="pasted", consumer_key="xx_0123456789abcdef0", consumer_secret="")

    html = page.get_data(as_text=True)
    assert page.status_code == 422
    assert 'id="field-consumer_key-error"' in html
    assert 'id="field-consumer_secret-error"' in html
    assert f'value="{STORE}"' in html
    assert "xx_0123456789abcdef0" not in html
    assert "<details" in html
    assert f"https://{STORE}/" in html  # where keys are made, now that the store is known
    assert re.search(r"<details[^>]* open><summary>I have keys already", html)


def test_keys_that_the_store_refuses_are_a_problem_in_the_form(client: FlaskClient, token: str) -> None:
    pair = {"consumer_key": "ck_" + "0" * 40, "consumer_secret": "cs_" + "0" * 40}

    page = post(client, WOO, token, store=STORE, keys="pasted", **pair)

    html = page.get_data(as_text=True)
    assert page.status_code == 409
    assert "WooCommerce does not accept these keys." in text_of(page)
    assert pair["consumer_key"] not in html
    assert pair["consumer_secret"] not in html


def test_a_renewal_keeps_the_store(
    client: FlaskClient, ada: User, token: str, connect: Walker, sandbox: Sandbox
) -> None:
    connect(ada, "woocommerce", store=STORE)

    form = client.get(WOO)
    answer = post(client, WOO, token, keys="pasted", **sandbox.keys("woocommerce", {"store": STORE}))

    assert 'name="store"' not in form.get_data(as_text=True)
    assert "Reconnected as" in text_of(client.get(path_of(answer)))


# -- permissions


def test_what_may_be_refused_is_marked_as_optional(client: FlaskClient, token: str) -> None:
    dialog, page = client.get("/integrations/figma/connect", headers=HTMX), client.get("/integrations/figma")

    for shown in (dialog, page):
        assert "List projects and the files in them optional" in text_of(shown)


def test_what_was_never_asked_for_is_not_missing(client: FlaskClient, ada: User, token: str, connect: Walker) -> None:
    connect(ada, "figma")

    words = text_of(client.get("/integrations/figma"))

    assert "List projects" not in words
    assert "not granted" not in words
