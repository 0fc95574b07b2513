"""Storing a grant: accounts as the database takes them, and nothing of another account's left behind."""

from typing import Any

import pytest
from sqlalchemy import func, select

from patchbay import connections, oauth, providers, records, runs, signing
from patchbay.connections import Caller, Outcome, Returned, keys, settling
from patchbay.errors import UnexpectedShape
from patchbay.models import (
    Checkpoint,
    Connection,
    PendingAuthorization,
    Record,
    Run,
    RunStatus,
    Trigger,
    User,
    db,
    fresh_view,
    transaction,
)
from patchbay.spec import Account, Item
from tests.stage import Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")

DEMO = {"shop": "demo-shop"}


def begun(user: User, integration_id: str, **settings: Any) -> PendingAuthorization:
    """A connect that is under way."""
    pending = keys.new_pending(Caller(user.id), providers.get(integration_id), settings, signing.new_token())
    with transaction() as session:
        session.add(pending)
    return pending


def settle(user: User, account: Account, integration_id: str = "dropbox", grant: oauth.Grant | None = None) -> Returned:
    provider = providers.get(integration_id)
    given = grant or oauth.Grant("a-token")
    return settling.settle(provider, begun(user, integration_id), given, account, is_sandbox=True)


def reread(connection: Connection) -> Connection:
    fresh_view()
    return db.session.get_one(Connection, connection.id, populate_existing=True)


def count_of(kind: type[Record | Checkpoint | Connection]) -> int:
    return db.session.scalar(select(func.count()).select_from(kind)) or 0


# -- accounts


@pytest.mark.parametrize(
    ("label", "kept"),
    [("Ada", "Ada"), ("x" * 400, "x" * 255), ("A\x00da", "A\ufffdda"), ("", "id-1"), ("Ада 🦊", "Ада 🦊")],
)
def test_whatever_an_account_is_called_is_kept(ada: User, label: str, kept: str) -> None:
    returned = settle(ada, Account("id-1", label))

    assert returned.outcome is Outcome.CONNECTED
    assert reread(connections.connected(ada.id, "dropbox")).account_label == kept
    assert returned.params["account"] == kept


@pytest.mark.parametrize("account_id", ["", "x" * 256, "a\x00b"])
def test_an_account_without_an_id_that_can_be_kept_is_not_connected(ada: User, account_id: str) -> None:
    with pytest.raises(UnexpectedShape) as refused:
        settle(ada, Account(account_id, "Ada"))

    assert refused.value.params["provider"] == "Dropbox"
    assert count_of(Connection) == 0


@pytest.mark.parametrize(("scopes", "missing"), [(None, False), (("account_info.read",), True), ((), True)])
def test_what_was_granted_is_the_same_behind_a_decision(
    ada: User, scopes: tuple[str, ...] | None, missing: bool
) -> None:
    settle(ada, Account("one", "One"))
    returned = settle(ada, Account("two", "Two"), grant=oauth.Grant("another", scopes=scopes))

    connection = connections.replace_account(ada.id, "dropbox", keep=False)

    assert returned.outcome is Outcome.OTHER_ACCOUNT
    assert bool(connections.missing_scopes(connection)) is missing


# -- nothing of another account


@pytest.fixture
def half_imported(connect: Walker, ada: User, sandbox: Sandbox, queue: Queue) -> Run:
    """A run that has stopped behind its first page."""
    sandbox.generate("shopify", count=600, seed=3, shop="demo-shop.myshopify.com")
    connect(ada, "shopify", **DEMO)
    run = runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    sandbox.fault("shopify", "malformed", match="products", times=0, rate=1)
    queue.run_all()
    sandbox.clear_faults("shopify")
    connection = connections.connected(ada.id, "shopify")
    with transaction():
        records.upsert(connection, "products", run.id, [Item("1", "Mug", {"id": "1"})])
        records.advance(connection.id, "products", run.id, "a-cursor-of-the-old-account")
    return run


def test_a_run_of_the_old_account_tried_again_begins_at_the_beginning(
    half_imported: Run, ada: User, connect: Walker, sandbox: Sandbox, queue: Queue
) -> None:
    sandbox.generate("shopify", count=3, seed=1, shop="other.myshopify.com")
    connect.walk(Caller(ada.id), "shopify", shop="other")
    connections.replace_account(ada.id, "shopify", keep=False)

    again = runs.retry(ada.id, half_imported.id)
    queue.run_all()

    done = runs.get(ada.id, again.id)
    assert done.status is RunStatus.SUCCEEDED
    assert (done.progress_done, done.counts["created"]) == (3, 3)


def test_after_its_data_was_deleted_an_import_tried_again_begins_at_the_beginning(
    half_imported: Run, ada: User, queue: Queue
) -> None:
    connections.delete_records(ada.id, "shopify")

    again = runs.retry(ada.id, half_imported.id)
    queue.run_all()

    done = runs.get(ada.id, again.id)
    assert done.status is RunStatus.SUCCEEDED
    assert done.counts["created"] == done.progress_done == 612


def test_another_account_behind_a_disconnect_begins_at_the_beginning(ada: User) -> None:
    settle(ada, Account("one", "One"))
    before = connections.connected(ada.id, "dropbox")
    with transaction():
        records.advance(before.id, "files", "run_1", "a-cursor")
        before.last_synced_at = before.created_at
    connections.disconnect(ada.id, "dropbox")

    returned = settle(ada, Account("two", "Two"))

    after = reread(before)
    assert returned.outcome is Outcome.RECONNECTED
    assert (after.id, after.account_label, after.last_synced_at) == (before.id, "Two", None)
    assert count_of(Checkpoint) == 0


def test_a_grant_that_is_not_kept_is_given_back_to_where_it_came_from(
    ada: User, connect: Walker, sandbox: Sandbox
) -> None:
    sandbox.reset()
    settle(ada, Account("one", "One"), "google-drive", oauth.Grant("ya29.of-one"))
    settle(ada, Account("two", "Two"), "google-drive", oauth.Grant("ya29.of-two"))

    connections.replace_account(ada.id, "google-drive", keep=True)

    assert [row["path"] for row in sandbox.received("google-drive")] == ["/revoke"]
    assert connections.connected(ada.id, "google-drive").access_token == "ya29.of-one"
