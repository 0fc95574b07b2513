"""Scopes of a connection beside what is declared: what is off, what is new, and asking for one thing more."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from patchbay import connections, providers, runs, tokens
from patchbay.connections import Caller
from patchbay.errors import Conflict
from patchbay.models import Connection, Trigger, User, transaction
from patchbay.oauth import Grant
from patchbay.spec import OAuth2, Provider, Scope
from tests.stage import Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def shop(connect: Walker, ada: User) -> Connection:
    """A shop whose owner allowed reading, and not writing."""
    connection = connect(ada, "shopify", shop="demo-shop")
    with transaction():
        connection.scopes = ["read_products"]
    return connection


def scopes_asked(address: str) -> list[str]:
    return dict(parse_qsl(urlsplit(address).query))["scope"].split(",")


def test_an_operation_that_lacks_a_scope_is_off_alone(shop: Connection, ada: User) -> None:
    with pytest.raises(Conflict) as refused:
        runs.start(ada.id, "shopify", "publish_mockup", {}, Trigger.API)

    run = runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)

    assert refused.value.params == {"provider": "Shopify", "scopes": "write_products"}
    assert run.operation == "import_products"


def test_more_is_asked_for_without_asking_for_anything_else(shop: Connection, ada: User) -> None:
    added = connections.begin(Caller(ada.id), "shopify", dict(shop.settings), to_allow="publish_mockup")
    with transaction():
        shop.scopes = []
    alone = connections.begin(Caller(ada.id), "shopify", dict(shop.settings), to_allow="import_products")

    assert scopes_asked(added.url) == ["read_products", "write_products"]
    assert scopes_asked(alone.url) == ["read_products"]


def test_what_was_allowed_in_addition_switches_the_operation_on(shop: Connection, ada: User, sandbox: Sandbox) -> None:
    departure = connections.begin(Caller(ada.id), "shopify", dict(shop.settings), to_allow="publish_mockup")
    returned = connections.come_back(sandbox.consent(departure.url), Caller(ada.id))

    connection = connections.connected(ada.id, "shopify")
    assert returned.outcome.is_success
    assert connections.missing_scopes(connection) == ()
    assert connection.id == shop.id


@pytest.mark.parametrize("name", ["", "no_such_operation"])
def test_without_an_operation_everything_is_asked_for(shop: Connection, ada: User, name: str) -> None:
    departure = connections.begin(Caller(ada.id), "shopify", dict(shop.settings), to_allow=name)

    assert scopes_asked(departure.url) == ["read_products", "write_products"]


def test_a_declaration_that_comes_to_need_more_is_told_from_a_refusal(
    shop: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = connections.new_needs(shop)
    orders = Scope("read_orders", "Read orders", "to know what sells")

    monkeypatch.setattr(providers, "get", lambda _key: needing(SHOPIFY, orders))
    after = connections.new_needs(shop)

    assert before == ()
    assert after == (orders,)
    assert connections.missing_scopes(shop) == ("write_products", "read_orders")


def test_connections_of_which_nobody_wrote_down_what_was_asked_are_not_flagged(shop: Connection) -> None:
    with transaction():
        shop.scopes_asked, shop.scopes = None, []

    assert connections.new_needs(shop) == ()
    assert connections.missing_scopes(shop) == ("read_products", "write_products")


def test_a_refresh_that_narrows_the_scopes_is_believed(connect: Walker, ada: User) -> None:
    studio = connect(ada, "canva")
    with transaction():
        tokens.keep(studio, Grant("a", "r", scopes=("profile:read",)))

    assert "design:meta:read" in connections.missing_scopes(studio)


def test_implication_reaches_through() -> None:
    implies = {"admin": ("write_products",), "write_products": ("read_products",)}
    auth = replace(auth_of(SHOPIFY), implies=implies)

    assert auth.missing(frozenset({"admin"}), {}) == ()


SHOPIFY = providers.get("shopify")


def auth_of(provider: Provider) -> OAuth2:
    assert isinstance(provider.auth, OAuth2)
    return provider.auth


def needing(provider: Provider, scope: Scope) -> Provider:
    return replace(provider, auth=replace(auth_of(provider), scopes=(*auth_of(provider).scopes, scope)))
