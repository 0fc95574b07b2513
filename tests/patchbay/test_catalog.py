"""The catalogue: every provider once, with the state of the user's own connection."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import event, select

from patchbay import catalog, connections, providers, runs
from patchbay.catalog import CardState
from patchbay.connections import Caller
from patchbay.errors import NotFound
from patchbay.models import ConnectionState, Integration, RunStatus, Trigger, User, db, transaction
from patchbay.settings import Settings
from patchbay.spec import Category
from tests.stage import Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")


def state_of(user: User | None, integration: str = "shopify") -> CardState:
    db.session.rollback()
    return catalog.entry(user.id if user else None, integration).state


def test_every_provider_is_in_the_catalogue_once() -> None:
    keys = [entry.integration.id for entry in catalog.entries(None)]

    assert sorted(keys) == sorted(provider.key for provider in providers.all())


def test_publishing_again_changes_no_row_but_the_words() -> None:
    with transaction() as session:
        session.get_one(Integration, "shopify").name = "Shoplify"
    made = db.session.get_one(Integration, "shopify").created_at

    catalog.publish()

    row = db.session.get_one(Integration, "shopify", populate_existing=True)
    assert (row.name, row.created_at) == ("Shopify", made)


def test_the_rows_hold_addresses_and_no_secret() -> None:
    row = db.session.get_one(Integration, "google-drive")

    assert row.oauth_config["tokenUrl"] == "https://oauth2.googleapis.com/token"
    assert row.oauth_config["pkce"] is True
    assert "secret" not in str(row.oauth_config)


def test_an_integration_is_available_connecting_connected(ada: User, connect: Walker) -> None:
    before = state_of(ada)
    connections.begin(Caller(ada.id), "shopify", {"shop": "demo-shop"})
    under_way = state_of(ada)
    connect(ada, "shopify", shop="demo-shop")

    assert [before, under_way, state_of(ada)] == [CardState.AVAILABLE, CardState.CONNECTING, CardState.CONNECTED]


def test_an_import_shows_as_syncing_waiting_failed(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "shopify", shop="demo-shop")
    runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    syncing = state_of(ada)
    sandbox.fault("shopify", "rate_limit", match="products", seconds=60)
    queue.run_all()
    waiting = state_of(ada)
    run = runs.page(runs.Query(ada.id), cursor=None, limit=1)[0][0]
    with transaction():
        run.status, run.open_key = RunStatus.FAILED, None

    assert [syncing, waiting, state_of(ada)] == [CardState.SYNCING, CardState.RATE_LIMITED, CardState.ERROR]


def test_a_connection_that_needs_its_owner_comes_first(ada: User, connect: Walker) -> None:
    connection = connect(ada, "shopify", shop="demo-shop")
    with transaction():
        connection.state = ConnectionState.RECONNECT_NEEDED

    first = catalog.entries(ada.id)[0]

    assert (first.integration.id, first.state) == ("shopify", CardState.NEEDS_ATTENTION)


def test_after_a_disconnect_it_is_available_again(ada: User, connect: Walker) -> None:
    connect(ada, "shopify", shop="demo-shop")
    connections.disconnect(ada.id, "shopify")

    assert state_of(ada) is CardState.AVAILABLE


def test_a_user_sees_no_state_of_another(ada: User, cleo: User, connect: Walker) -> None:
    connect(ada, "shopify", shop="demo-shop")

    assert state_of(cleo) is CardState.AVAILABLE
    assert state_of(None) is CardState.AVAILABLE
    assert catalog.entry(cleo.id, "shopify").connection is None


def test_what_is_announced_is_coming_soon(ada: User) -> None:
    assert state_of(ada, "pinterest") is CardState.COMING_SOON


def test_without_sandbox_and_credentials_it_is_not_set_up(
    ada: User, settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> None:
    with app_for(settings_for(SANDBOX="off", SHOPIFY_CLIENT_ID="x", SHOPIFY_CLIENT_SECRET="y")).app_context():
        states = {entry.integration.id: entry.state for entry in catalog.entries(ada.id)}

    assert states["google-drive"] is CardState.NOT_CONFIGURED
    assert states["shopify"] is CardState.AVAILABLE


@pytest.mark.parametrize(
    ("search", "categories", "keys"),
    [
        ("shop", (), {"shopify", "woocommerce"}),
        ("SHOPIFY", (), {"shopify"}),
        ("folder drive", (), {"google-drive"}),
        ("nothing at all", (), set()),
        ("%", (), set()),
        ("", (Category.STORAGE,), {"google-drive", "dropbox", "onedrive"}),
        ("", (Category.STORAGE, Category.DESIGN_TOOLS), {"google-drive", "dropbox", "onedrive", "figma", "canva"}),
        ("google", (Category.ECOMMERCE,), set()),
    ],
)
def test_the_catalogue_is_narrowed_by_words_and_shelves(
    search: str, categories: tuple[Category, ...], keys: set[str]
) -> None:
    found = catalog.narrowed(catalog.entries(None), search=search, categories=categories)

    assert {entry.integration.id for entry in found} >= keys
    assert bool(found) == bool(keys)


def test_an_unknown_integration_is_not_found(ada: User) -> None:
    with pytest.raises(NotFound):
        catalog.entry(ada.id, "nowhere")


def test_the_catalogue_takes_a_constant_number_of_queries(ada: User, connect: Walker) -> None:
    def count() -> int:
        db.session.rollback()
        statements: list[str] = []
        engine = db.engine
        event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        catalog.entries(ada.id)
        return len([text for text in statements if text.startswith("SELECT")])

    before = count()
    connect(ada, "shopify", shop="demo-shop")
    connect(ada, "google-drive")

    assert len(db.session.scalars(select(Integration)).all()) == len(providers.all())
    assert before <= 4
    assert count() <= 4
