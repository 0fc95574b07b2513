""" "The platform said no" and "it could not be asked" are told apart in the words of each platform that there is.

Of what is connected with tokens that can be renewed the token endpoint is asked; of the rest, whose account it is.
"""

import pytest
from sqlalchemy import select

from patchbay import client, providers, tokens
from patchbay.client import retries
from patchbay.errors import CredentialsRefused, GrantExpired, PatchbayError
from patchbay.models import Alert, AlertKind, Connection, ConnectionState, User, db, fresh_view
from patchbay.spec import Status
from tests.stage import FrozenClock, Sandbox, Walker

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("context")

FIELDS = {"shopify": {"shop": "demo-shop"}, "woocommerce": {"store": "demo-store.example"}}
PLATFORMS = [one.key for one in providers.all() if one.status is not Status.COMING_SOON]
RENEWED = {"shopify", "etsy", "canva", "figma", "google-drive", "dropbox", "instagram"}


@pytest.fixture(params=PLATFORMS)
def connection(request: pytest.FixtureRequest, connect: Walker, ada: User, frozen_clock: FrozenClock) -> Connection:
    return connect(ada, request.param, **FIELDS.get(request.param, {}))


def ask(connection: Connection) -> None:
    """The platform for a new token, or with the one that there is."""
    if connection.integration_id in RENEWED:
        tokens.refresh(connection.id, seen_version=connection.token_version)
        return
    identify = providers.get(connection.integration_id).identify
    assert identify is not None
    identify(client.of_connection(connection))


def state_of(connection: Connection) -> tuple[ConnectionState, list[AlertKind]]:
    fresh_view()
    now = db.session.get_one(Connection, connection.id, populate_existing=True)
    told = select(Alert.kind).where(Alert.connection_id == connection.id, Alert.is_open)
    return now.state, list(db.session.scalars(told))


def test_all_platforms_are_asked() -> None:
    assert len(PLATFORMS) == 9
    assert set(PLATFORMS) > RENEWED


def test_no_asks_the_owner_once(connection: Connection, sandbox: Sandbox) -> None:
    sandbox.fault(connection.integration_id, "revoked_grant")

    for _ in range(2):
        with pytest.raises((GrantExpired, CredentialsRefused)):
            ask(connection)

    assert state_of(connection) == (ConnectionState.RECONNECT_NEEDED, [AlertKind.AUTH_FAILED])


@pytest.mark.parametrize("kind", ["server_error", "rate_limit", "malformed", "reset"])
def test_what_could_not_be_asked_leaves_the_connection_alone(
    connection: Connection, sandbox: Sandbox, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "FIRST_BACKOFF_S", 0.02)
    sandbox.fault(connection.integration_id, kind, times=0, seconds=60)

    with pytest.raises(PatchbayError):
        ask(connection)

    assert state_of(connection) == (ConnectionState.CONNECTED, [])
