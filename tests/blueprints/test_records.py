"""The records browser, one record, and the small pictures."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay import records
from patchbay.models import Connection, User, transaction
from patchbay.spec import Item
from tests.blueprints.pages import HTMX, address_in, post, text_of
from tests.stage import Queue, Sandbox, Walker, in_context

Login = Callable[[FlaskClient, User], str]


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    """Ada is signed in; this is her session's token."""
    return login(client, ada)


@pytest.fixture
def shop(client: FlaskClient, ada: User, token: str, connect: Walker, queue: Queue) -> Connection:
    """Ada's shop, its twelve products imported."""
    connection = connect(ada, "shopify", shop="demo-shop")
    post(client, "/integrations/shopify/sync", token, operation="import_products")
    queue.run_all()
    return connection


def keep(app: Flask, connection: Connection, *items: Item) -> None:
    """Import something more."""
    with in_context(app), transaction() as session:
        records.upsert(session.merge(connection), "products", "run_of_a_test", items)


def test_the_search_finds_words_in_titles(client: FlaskClient, shop: Connection) -> None:
    page = client.get("/records?q=mug")

    assert "Two-Tone Mug" in text_of(page)
    assert "Fern Tee" not in text_of(page)


def test_an_empty_search_says_so(client: FlaskClient, shop: Connection) -> None:
    assert "No records match this search." in text_of(client.get("/records?q=zzz"))


def test_what_vanished_there_is_hidden_until_asked_for(
    client: FlaskClient, token: str, shop: Connection, sandbox: Sandbox, queue: Queue
) -> None:
    sandbox.remove_product("fern-tee")
    post(client, "/integrations/shopify/sync", token, operation="import_products")
    queue.run_all()

    assert "Fern Tee" not in text_of(client.get("/records"))
    assert "Fern Tee" in text_of(client.get("/records?deleted=with"))
    assert "Market Tote" not in text_of(client.get("/records?deleted=only"))


def test_load_more_keeps_the_search_and_brings_no_record_twice(
    app: Flask, client: FlaskClient, shop: Connection
) -> None:
    keep(app, shop, *(Item(str(n), f"Numbered {n}", {"id": str(n)}) for n in range(70)))
    first = client.get("/records?q=numbered").get_data(as_text=True)
    more = first[first.index('id="load-more" href="') :].split('"')[3].replace("&amp;", "&")

    second = client.get(more, headers=HTMX).get_data(as_text=True)

    rows = [part.split('"')[0] for part in (first + second).split('<tr id="record-')[1:]]
    assert len(rows) == len(set(rows)) == 70
    assert "<html" not in second


def test_htmx_gets_the_table_alone(client: FlaskClient, shop: Connection) -> None:
    answer = client.get("/records?q=mug", headers=HTMX).get_data(as_text=True)

    assert answer.lstrip().startswith('<div id="records">')


def test_a_record_shows_what_is_stored(client: FlaskClient, shop: Connection) -> None:
    page = client.get(address_in(client.get("/records?q=fern"), r"/records/rec_[a-z0-9]+"))

    words = text_of(page)
    assert "Fern Tee" in words
    assert "TEE-FOR-S" in words
    assert "demo-shop.myshopify.com" in words


def test_markup_in_a_record_is_text_and_no_address_runs_script(
    app: Flask, client: FlaskClient, shop: Connection
) -> None:
    data = {
        "id": "9",
        "description": "<img src=x onerror=alert(1)>",
        "url": "javascript:alert(1)",
        "vendor": "<b>V</b>",
    }
    keep(app, shop, Item("9", '<script>alert(1)</script><a hx-get="/x">', data))
    listed = client.get("/records?q=script")

    page = client.get(address_in(listed, r"/records/rec_[a-z0-9]+"))

    html = listed.get_data(as_text=True) + page.get_data(as_text=True)
    assert not any(bad in html for bad in ("<script>alert", "<a hx-get", "<img src=x", 'href="javascript', "<b>V</b>"))


def test_anothers_record_is_not_found(client: FlaskClient, shop: Connection, cleo: User, login: Login) -> None:
    record = address_in(client.get("/records"), r"/records/rec_[a-z0-9]+")
    login(client, cleo)

    assert client.get(record).status_code == 404
    assert "Fern Tee" not in text_of(client.get("/records"))


def test_a_platforms_picture_is_fetched_once_and_made_small(
    client: FlaskClient, shop: Connection, sandbox: Sandbox
) -> None:
    picture = address_in(client.get("/records"), r"/images/[^\"]+")
    asked = len(sandbox.received("shopify"))

    answers = [client.get(picture) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].mimetype == "image/webp"
    assert answers[0].data[8:12] == b"WEBP"
    assert answers[0].headers["Cache-Control"].startswith("private, max-age=")
    assert len(sandbox.received("shopify")) == asked + 1


def test_a_picture_that_cannot_be_had_is_not_asked_for_again_at_once(
    client: FlaskClient, shop: Connection, sandbox: Sandbox
) -> None:
    picture = address_in(client.get("/records"), r"/images/[^\"]+")
    sandbox.fault("shopify", "server_error", times=0, match="cdn.shopify.com")
    asked = len(sandbox.received("shopify"))

    answers = [client.get(picture) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {404}
    assert len(sandbox.received("shopify")) == asked + 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x.png", "https://169.254.169.254/x.png", "file:///etc/passwd"])
def test_a_picture_inside_the_network_is_never_fetched(
    app: Flask, client: FlaskClient, shop: Connection, address: str
) -> None:
    keep(app, shop, Item("9", "A trap", {"id": "9", "images": [{"url": address}]}))

    picture = address_in(client.get("/records?q=trap"), r"/images/[^\"]+")

    assert client.get(picture).status_code == 404


def test_a_forged_picture_is_not_found(client: FlaskClient) -> None:
    assert client.get("/images/WyJhc3NldCBhc3RfMSIsMjAwMDAwMDAwMF0.forged").status_code == 404


def test_a_picture_without_a_login_leaves_no_cookie(client: FlaskClient, app: Flask, shop: Connection) -> None:
    picture = address_in(client.get("/records"), r"/images/[^\"]+")

    answer = app.test_client().get(picture)

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
