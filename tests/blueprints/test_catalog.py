"""The integrations page and the page of one integration, as readers get them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from patchbay import accounts, catalog, clock, providers
from patchbay.models import Connection, ConnectionState, User, db, new_id, transaction
from patchbay.providers import shopify
from patchbay.spec import Category, Status
from tests.blueprints.pages import HTMX, post, text_of
from tests.stage import Queue, Sandbox, Walker, in_context

Login = Callable[[FlaskClient, User], str]


@contextmanager
def counted_queries(app: Flask) -> Iterator[list[str]]:
    """The queries that are sent meanwhile."""
    seen: list[str] = []
    with in_context(app):
        engine = db.engine

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_every_integration_is_listed_once_for_anybody(client: FlaskClient) -> None:
    page = client.get("/integrations")

    html = page.get_data(as_text=True)
    assert page.status_code == 200
    assert all(html.count(f'id="card-{provider.key}"') == 1 for provider in providers.all())


def test_coming_soon_offers_no_connect(client: FlaskClient) -> None:
    html = client.get("/integrations").get_data(as_text=True)

    soon = html[html.index('id="shelf-coming-soon"') :]
    names = [provider.name for provider in providers.all() if provider.status is Status.COMING_SOON]
    assert names
    assert all(name in soon for name in names)
    assert "/connect" not in soon


def test_search_and_category_narrow_together(client: FlaskClient) -> None:
    page = client.get("/integrations?q=products&category=ecommerce").get_data(as_text=True)

    assert 'id="card-shopify"' in page
    assert 'id="card-google-drive"' not in page
    assert 'name="q" value="products"' in page


def test_a_search_without_a_match_says_so_and_offers_the_way_back(client: FlaskClient) -> None:
    page = client.get("/integrations?q=zzz")

    assert "No integrations match “zzz”." in text_of(page)
    assert "Clear search" in text_of(page)


def test_an_unknown_category_shows_everything(client: FlaskClient) -> None:
    page = client.get("/integrations?category=nonsense")

    assert page.status_code == 200
    assert 'id="card-shopify"' in page.get_data(as_text=True)


def test_several_categories_are_shown_at_once_and_each_link_switches_its_own(client: FlaskClient) -> None:
    page = client.get("/integrations?q=mockups&category=storage&category=ecommerce")

    html = page.get_data(as_text=True)
    current = re.findall(r'id="category-([a-z-]+)"[^>]*aria-current="page"', html)
    links = {name: unescape(address) for name, address in re.findall(r'id="category-([a-z-]+)" href="([^"]+)"', html)}
    assert current == ["ecommerce", "storage"]
    assert 'id="card-dropbox"' in html
    assert 'id="card-shopify"' in html
    assert 'id="card-figma"' not in html
    assert html.count('<input type="hidden" form="search" name="category"') == 2
    assert links["all"] == "/integrations?q=mockups"
    assert links["storage"] == "/integrations?category=ecommerce&q=mockups"
    assert links["marketing"] == "/integrations?category=ecommerce&category=marketing&category=storage&q=mockups"


def test_categories_without_a_match_are_named(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    shops = {one.key: one for one in providers.all() if one.category is Category.ECOMMERCE}
    monkeypatch.setattr(providers, "_by_key", lambda: shops)

    page = client.get("/integrations?category=storage&category=marketing")

    assert "Nothing in Marketing or Storage yet." in text_of(page)


def test_htmx_gets_the_shelves_with_filters_and_count_and_no_page(client: FlaskClient) -> None:
    answer = client.get("/integrations?q=google+drive", headers=HTMX)

    html = answer.get_data(as_text=True)
    assert "<html" not in html
    assert 'hx-target="#filters"' in html
    assert "1 integration" in html
    assert {"HX-Request", "HX-Request-Type", "HX-History-Restore-Request", "Cookie"} <= set(answer.vary)


def test_what_is_searched_for_is_shown_as_text(client: FlaskClient) -> None:
    page = client.get("/integrations?q=<script>alert(1)</script>")

    assert "<script>alert(1)" not in page.get_data(as_text=True)


def test_the_catalogue_costs_four_queries_however_long_it_is(
    app: Flask, client: FlaskClient, ada: User, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = {f"shop-{n}": replace(shopify.PROVIDER, key=f"shop-{n}", name=f"Shop {n}") for n in range(60)}
    monkeypatch.setattr(providers, "_by_key", lambda: many)
    with in_context(app):
        catalog.publish()
        with transaction() as session:
            session.add_all(_connection(ada, key) for key in list(many)[:50])
    login(client, ada)

    with counted_queries(app) as seen:
        page = client.get("/integrations")

    assert page.get_data(as_text=True).count("<article") == 60 + 1  # and the dialog's
    assert len(seen) <= 4, seen


def test_a_row_without_a_provider_file_is_left_out(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = {provider.key: provider for provider in providers.all() if provider.key != "figma"}
    monkeypatch.setattr(providers, "_by_key", lambda: rest)

    page = client.get("/integrations")

    assert page.status_code == 200
    assert 'id="card-figma"' not in page.get_data(as_text=True)


def test_an_unknown_integration_is_not_found(client: FlaskClient) -> None:
    page = client.get("/integrations/nothing")

    assert page.status_code == 404
    assert "There is no such integration." in text_of(page)


def test_a_key_needs_the_scope_even_for_public_pages(
    client: FlaskClient, ada: User, key_for: Callable[..., Any]
) -> None:
    page = client.get("/integrations", headers=key_for(ada, "events:write"))

    assert page.status_code == 403


def test_the_detail_page_shows_account_access_and_activity(
    client: FlaskClient, ada: User, login: Login, connect: Walker, queue: Queue
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    token = login(client, ada)
    post(client, "/integrations/shopify/sync", token, operation="import_products")
    queue.run_all()

    page = client.get("/integrations/shopify")

    words = text_of(page)
    assert "demo-shop.myshopify.com" in words
    assert "Read your products and their pictures" in words
    assert "12 records" in words
    assert "Asked for: Import products." in words
    assert "Delete imported data" in words


def test_nobody_sees_anothers_connection(
    client: FlaskClient, ada: User, cleo: User, login: Login, connect: Walker
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    login(client, cleo)

    words = text_of(client.get("/integrations")) + text_of(client.get("/integrations/shopify"))

    assert "demo-shop" not in words


def test_an_account_name_with_markup_is_text(
    app: Flask, client: FlaskClient, ada: User, login: Login, connect: Walker
) -> None:
    connection = connect(ada, "google-drive")
    with in_context(app), transaction() as session:
        session.merge(connection).account_label = '<script>alert(1)</script><b hx-get="/x">'
    login(client, ada)

    pages = [client.get(path).get_data(as_text=True) for path in ("/integrations", "/integrations/google-drive")]

    assert not any("<script>alert" in page or '<b hx-get="/x">' in page for page in pages)


def test_without_credentials_only_administrators_are_offered_the_setup(
    app_for: Callable[..., Flask], settings_for: Callable[..., Any], login: Login
) -> None:
    app = app_for(settings_for(SANDBOX="off"))
    with in_context(app):
        admin, member = accounts.by_email("ada@example.org"), accounts.by_email("ben@example.org")
    assert admin is not None
    assert member is not None
    pages = []
    for user in (admin, member):
        client = app.test_client()
        login(client, user)
        pages.append(text_of(client.get("/integrations")))

    assert "Configure" in pages[0]
    assert "Configure" not in pages[1]
    assert "Ask an administrator" in pages[1]


def test_a_failed_sync_names_its_reason_and_its_run(
    client: FlaskClient, ada: User, login: Login, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    sandbox.fault("shopify", "malformed", times=0)
    token = login(client, ada)
    post(client, "/integrations/shopify/sync", token, operation="import_products")
    queue.run_all()

    words = text_of(client.get("/integrations"))

    assert "Last sync failed" in words
    assert "answered in a form Patchbay does not understand" in words
    assert "Try again" in words


def _connection(user: User, key: str) -> Connection:
    now = clock.now()
    return Connection(
        id=new_id("con"), user_id=user.id, integration_id=key, state=ConnectionState.CONNECTED, settings={},
        account_id=key, account_label=f"{key}.example", scopes=[], connected_at=now, created_at=now, updated_at=now,
    )  # fmt: skip


def test_the_detail_page_says_how_good_the_integration_is(client: FlaskClient) -> None:
    shown = text_of(client.get("/integrations/shopify"))
    announced = text_of(client.get("/integrations/pinterest"))

    assert "Quality Platinum" in shown
    assert "What is deleted at the platform is marked as deleted here." in shown
    assert "Quality" not in announced
