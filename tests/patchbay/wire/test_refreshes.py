"""A token's refresh in the wire log: that a run needed one is told, and nothing of what it was asked with or gave."""

import json
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from patchbay import client, runs, tokens, wire
from patchbay.errors import GrantExpired
from patchbay.models import Connection, Trigger, User, WireEntry, db, fresh_view
from patchbay.runs import upkeep
from patchbay.settings import Settings
from patchbay.spec import Request
from patchbay.wire import replay
from tests.stage import FrozenClock, Queue, Sandbox, Walker
from tests.wire import Said, Wire, listening

pytestmark = pytest.mark.usefixtures("context")

SHOP = Request("POST", "https://{shop}/admin/api/2026-10/graphql.json", json={"query": "{ shop { id } }"})


def entries() -> list[WireEntry]:
    fresh_view()
    return list(db.session.scalars(select(WireEntry).order_by(WireEntry.run_id, WireEntry.number)))


def secrets_of(connection: Connection) -> list[str]:
    fresh_view()
    row = db.session.get_one(Connection, connection.id, populate_existing=True)
    found = (row.access_token, row.refresh_token, row.previous_access_token, row.previous_refresh_token)
    return [secret for secret in found if secret]


def all_of(entry: WireEntry) -> str:
    columns = [str(getattr(entry, column.key)) for column in WireEntry.__table__.columns]
    return " ".join([*columns, wire.as_curl(entry)])


@pytest.mark.parametrize(
    ("integration_id", "operation", "fields"),
    [
        ("shopify", "get_products", {"shop": "demo-shop"}),  # the client's secret in the form
        ("etsy", "get_listings", {}),  # no secret at all
        ("canva", "list_designs", {}),  # HTTP Basic
        ("google-drive", "list_folders", {}),
    ],
)
def test_a_run_that_needed_a_new_token_shows_that_exchange_without_its_secrets(
    ada: User,
    connect: Walker,
    queue: Queue,
    frozen_clock: FrozenClock,
    integration_id: str,
    operation: str,
    fields: dict[str, str],
) -> None:
    connection = connect(ada, integration_id, **fields)
    before = secrets_of(connection)
    frozen_clock.advance(days=100)

    runs.start(ada.id, integration_id, operation, {}, Trigger.API)
    queue.run_all()

    first, *others = entries()
    secrets = {*before, *secrets_of(connection), f"sandbox-secret-{integration_id}"}
    assert first.is_refresh
    assert (first.number, first.status, first.error) == (1, 200, "")
    assert "grant_type=refresh_token" in first.request_body
    assert set(json.loads(first.response_body)) >= {"access_token", "expires_in"}
    assert not any(entry.is_refresh for entry in others)
    assert not [secret for secret in secrets for entry in [first, *others] if secret in all_of(entry)]


def test_a_refresh_is_no_part_of_a_replay(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "shopify", shop="demo-shop")
    plain = runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    queue.run_all()
    sandbox.fault("shopify", "expired_token")
    made = upkeep.record(ada.id, plain.id, Trigger.PAGE)
    queue.run_all()
    run = runs.get(ada.id, made.id)

    outcome = replay.replay(run)

    kept = [entry for entry in entries() if entry.run_id == run.id]
    assert [entry.is_refresh for entry in kept].count(True) == 1
    assert [entry.whole_sealed for entry in kept if entry.is_refresh] == [None]
    assert outcome.differs is None


def test_the_clocks_own_refresh_is_in_no_run(ada: User, connect: Walker, frozen_clock: FrozenClock) -> None:
    connection = connect(ada, "shopify", shop="demo-shop")
    frozen_clock.advance(hours=2)

    tokens.refresh_if_due(connection.id)

    assert entries() == []


# -- a platform that repeats what it must not


@pytest.fixture
def spiteful(
    connect: Walker, ada: User, settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> Iterator[tuple[Wire, Connection]]:
    """A connection to a platform that says what it is told to."""
    connection = connect(ada, "shopify", shop="demo-shop")
    with listening() as wire:
        app_for(settings_for(SANDBOX_URL=wire.url))
        yield wire, connection


class Listening(client.Unwatched):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[client.Exchange] = []

    def exchanged(self, exchange: client.Exchange) -> None:
        self.heard.append(exchange)


def test_what_was_sent_is_hidden_wherever_a_refusal_repeats_it(
    spiteful: tuple[Wire, Connection], frozen_clock: FrozenClock
) -> None:
    platform, connection = spiteful
    secrets = [*secrets_of(connection), "sandbox-secret-shopify"]
    repeated = " and ".join(secrets)
    platform.say(
        Said(
            400,
            {
                "error": "invalid_grant",
                "error_description": repeated,
                "scope": repeated,
                "type": [{"error": secrets[0]}],
                repeated: repeated,
            },
            {"X-Echo": repeated, "Retry-After": "5"},
        )
    )
    frozen_clock.advance(hours=2)
    watch = Listening()

    with pytest.raises(GrantExpired):
        client.of_connection(connection, watch=watch).send(SHOP)

    (heard,) = watch.heard
    headers = f"{heard.request_headers} {heard.response_headers}"
    told = f"{heard.url} {headers} {heard.request_body!r} {heard.response_body!r}"
    assert heard.error == "GrantExpired"
    assert heard.response_headers["retry-after"] == "5"
    assert b'"error": "invalid_grant"' in heard.response_body
    assert not [secret for secret in secrets if secret in told]
