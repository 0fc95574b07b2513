"""What the integration's page says of scopes: what is off and why, what is new, and the button that asks for more."""

from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay import providers
from patchbay.models import Connection, User, transaction
from patchbay.spec import OAuth2, Scope
from tests.blueprints.pages import post, text_of
from tests.stage import Walker, in_context

Login = Callable[[FlaskClient, User], str]


@pytest.fixture
def shop(app: Flask, connect: Walker, ada: User) -> Connection:
    """A shop whose owner allowed reading alone."""
    connection = connect(ada, "shopify", shop="demo-shop")
    with in_context(app), transaction() as session:
        session.merge(connection).scopes = ["read_products"]
    return connection


@pytest.mark.usefixtures("shop")
def test_a_page_offers_to_allow_just_what_an_operation_lacks(client: FlaskClient, ada: User, login: Login) -> None:
    login(client, ada)

    page = client.get("/integrations/shopify")
    html = unescape(page.get_data(as_text=True))

    assert "Not allowed yet: Change your products." in text_of(page)
    assert "Allow: Change your products" in text_of(page)
    assert 'href="/integrations/shopify/connect?allow=publish_mockup"' in html
    assert "Sync now" in text_of(page)


@pytest.mark.usefixtures("shop")
def test_the_form_names_that_alone_and_carries_it_on(client: FlaskClient, ada: User, login: Login) -> None:
    token = login(client, ada)

    form = client.get("/integrations/shopify/connect?allow=publish_mockup")
    leaving = post(client, "/integrations/shopify/connect", token, allow="publish_mockup")

    assert "Allow more in Shopify" in text_of(form)
    assert "Change your products" in text_of(form)
    assert "Read your products" not in text_of(form)
    assert 'name="allow" value="publish_mockup"' in form.get_data(as_text=True)
    assert "scope=read_products%2Cwrite_products" in unescape(leaving.get_data(as_text=True))


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("name", ["import_products", "nothing", "<b>"])
def test_where_nothing_is_lacking_it_is_a_plain_reconnect(
    client: FlaskClient, ada: User, login: Login, name: str
) -> None:
    login(client, ada)

    form = client.get("/integrations/shopify/connect", query_string={"allow": name})

    assert form.status_code == 200
    assert "Reconnect Shopify" in text_of(form)
    assert 'name="allow"' not in form.get_data(as_text=True)


def test_an_operation_that_is_not_allowed_is_a_clear_refusal_of_the_api(
    app: Flask, client: FlaskClient, ada: User, shop: Connection, key_for: Callable[..., dict[str, str]]
) -> None:
    body = {"integrationId": "shopify", "operation": "publish_mockup", "data": {}}

    answer = client.post("/api/integrations/sync", json=body, headers=key_for(ada))

    assert answer.status_code == 409
    assert "write_products" in answer.json["error"] if answer.json else False


def test_a_need_that_is_new_is_flagged_and_no_failure(
    client: FlaskClient, ada: User, login: Login, shop: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(client, ada)
    provider = providers.get("shopify")
    assert isinstance(provider.auth, OAuth2)
    orders = Scope("read_orders", "Read your orders", "")
    auth = replace(provider.auth, scopes=(*provider.auth.scopes, orders))
    known = {one.key: one for one in providers.all()} | {"shopify": replace(provider, auth=auth)}
    monkeypatch.setattr(providers, "_by_key", lambda: known)

    page = client.get("/integrations/shopify")

    assert page.status_code == 200
    assert "Read your orders new, not granted yet" in " ".join(text_of(page).split())
    assert "Sync now" in text_of(page)
