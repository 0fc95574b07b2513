"""OAuth: the registry holds declarations, each flow has a client of its own, and errors are told apart."""

from collections.abc import Callable

import pytest
from flask import Flask

from patchbay import connections, oauth, providers
from patchbay.connections import Caller
from patchbay.models import User
from patchbay.settings import Settings
from patchbay.spec import OAuth2, Provider

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize(
    "provider", [each for each in providers.all() if isinstance(each.auth, OAuth2)], ids=lambda each: each.key
)
def test_the_registry_holds_addresses_and_no_credentials(provider: Provider) -> None:
    entry = oauth.registry.create_client(provider.key)

    assert isinstance(provider.auth, OAuth2)
    assert entry.access_token_url == provider.auth.token_url
    assert entry.client_id == ""
    assert entry.client_secret == ""


def test_what_is_announced_is_not_registered() -> None:
    assert oauth.registry.create_client("pinterest") is None


def test_a_flow_leaves_the_registered_client_as_it_was(ada: User) -> None:
    connections.begin(Caller(ada.id), "shopify", {"shop": "demo-shop"})

    entry = oauth.registry.create_client("shopify")
    assert "{shop}" in entry.authorize_url
    assert entry.client_id == ""


def test_two_flows_have_states_and_verifiers_of_their_own(ada: User, ben: User) -> None:
    one, other = (connections.begin(Caller(user.id), "google-drive", {}) for user in (ada, ben))

    assert one.state != other.state
    assert one.code_verifier != other.code_verifier


def test_live_credentials_lead_to_the_platform_itself(
    ada: User, settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> None:
    here = settings_for(SHOPIFY_CLIENT_ID="live-id", SHOPIFY_CLIENT_SECRET="live-secret")
    with app_for(here).app_context():
        url = connections.begin(Caller(ada.id), "shopify", {"shop": "demo-shop"}).url

    assert url.startswith("https://demo-shop.myshopify.com/admin/oauth/authorize?")
    assert "client_id=live-id" in url
    assert "live-secret" not in url
