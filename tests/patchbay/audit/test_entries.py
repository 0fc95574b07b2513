"""The audit log: each deed worth remembering leaves one entry, in the transaction of the deed itself."""

import pytest
from sqlalchemy import select

from patchbay import accounts, audit, connections, runs
from patchbay.models import AuditEntry, Role, Trigger, User, db
from tests.stage import PASSWORD, FrozenClock, Queue, Walker

pytestmark = pytest.mark.usefixtures("context")


def deeds_of(user: User) -> list[str]:
    statement = select(AuditEntry.action).where(AuditEntry.user_id == user.id).order_by(AuditEntry.id)
    return list(db.session.scalars(statement))


def test_the_life_of_a_connection_is_remembered(
    ada: User, frozen_clock: FrozenClock, connect: Walker, queue: Queue
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    frozen_clock.advance(hours=2)
    runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    queue.run_all()
    connections.disconnect(ada.id, "shopify")

    assert deeds_of(ada)[-6:] == [
        "connect_started", "connected", "run_started", "token_refreshed", "run_ended", "disconnected",
    ]  # fmt: skip


def test_the_deeds_of_an_account_are_remembered(ada: User, ben: User) -> None:
    accounts.sign_in(ben.email, PASSWORD, "192.0.2.1")
    key = accounts.create_key(ben, "a script", ["runs:read"])
    accounts.authenticate_key(key.text, "192.0.2.1")
    accounts.revoke_key(ben.id, key.row.id)
    accounts.set_active(ada, ben.id, active=False)
    accounts.invite(ada, "dora@example.org", Role.MEMBER)

    assert deeds_of(ben)[1:] == [
        "signed_in", "key_created", "key_used_from_new_address", "key_revoked", "user_changed",
    ]  # fmt: skip
    assert deeds_of(ada)[-1] == "user_invited"


def test_the_newest_entries_about_something_come_first(ada: User, connect: Walker) -> None:
    connection = connect(ada, "shopify", shop="demo-shop")
    runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)

    assert [entry.action for entry in audit.latest(connection.id)] == ["run_started", "connected"]
    assert len(audit.latest(connection.id, limit=1)) == 1


def test_without_anybody_behind_it_the_system_did_it(ada: User) -> None:
    audit.add(audit.Deed.SETTINGS_CHANGED, user_id=ada.id)

    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.actor, entry.address, entry.request_id) == ("system", None, None)
