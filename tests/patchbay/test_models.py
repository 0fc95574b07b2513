"""What the database itself refuses, and how transactions, times and secrets behave on it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from patchbay import clock, runs
from patchbay.errors import VaultError
from patchbay.models import (
    AuditEntry,
    Connection,
    ConnectionState,
    Heartbeat,
    Integration,
    Record,
    Trigger,
    User,
    db,
    new_id,
    transaction,
)
from patchbay.settings import Settings
from tests.stage import FrozenClock, Walker, at_once

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def add(row: object) -> None:
    with transaction() as session:
        session.add(row)


def connection_of(user: User, integration: str = "shopify", **changes: Any) -> Connection:
    values: dict[str, Any] = {
        "id": new_id("con"),
        "user_id": user.id,
        "integration_id": integration,
        "state": ConnectionState.CONNECTED,
        "account_id": "a",
        "account_label": "a",
        "connected_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Connection(**values | changes)


def test_a_user_has_one_connection_per_integration(ada: User) -> None:
    add(connection_of(ada))

    with pytest.raises(IntegrityError):
        add(connection_of(ada))


def test_an_exclusive_account_has_one_user(ada: User, ben: User) -> None:
    add(connection_of(ada, exclusive_account="shop"))

    with pytest.raises(IntegrityError):
        add(connection_of(ben, exclusive_account="shop"))


def test_accounts_that_are_not_exclusive_may_be_shared(ada: User, ben: User) -> None:
    add(connection_of(ada))
    add(connection_of(ben))

    assert len(db.session.scalars(select(Connection)).all()) == 2


@pytest.mark.parametrize(("column", "value"), [("category", "toys"), ("status", "broken")])
def test_an_integration_of_no_known_kind_is_refused(column: str, value: str) -> None:
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(text(f"UPDATE integrations SET {column} = :value"), {"value": value})  # noqa: S608 - a test's


@pytest.mark.parametrize("table", ["user_integrations", "runs"])
def test_a_state_of_no_known_kind_is_refused(ada: User, connect: Walker, table: str) -> None:
    connect(ada, "shopify", shop="demo-shop")
    runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    column = "state" if table == "user_integrations" else "status"

    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(text(f"UPDATE {table} SET {column} = 'odd'"))  # noqa: S608 - a test's


def test_an_email_with_capitals_is_refused(ada: User) -> None:
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(update(User).where(User.id == ada.id).values(email="ADA@example.org"))


def test_with_a_user_goes_all_that_is_theirs(ada: User, connect: Walker) -> None:
    connect(ada, "shopify", shop="demo-shop")

    with transaction() as session:
        session.delete(session.get_one(User, ada.id))

    assert db.session.scalars(select(Connection)).all() == []
    assert db.session.scalars(select(AuditEntry.action).where(AuditEntry.user_id == ada.id)).first()  # the log stays


def test_with_an_integration_go_its_connections(ada: User) -> None:
    add(connection_of(ada))

    with transaction() as session:
        session.delete(session.get_one(Integration, "shopify"))

    assert db.session.scalars(select(Connection)).all() == []


def test_a_record_needs_its_connection(ada: User) -> None:
    with pytest.raises(IntegrityError):
        add(
            Record(
                id=new_id("rec"), user_id=ada.id, connection_id="con_none", integration_id="shopify", stream="products",
                external_id="1", title="", data={}, content_hash="", seen_in="", first_seen_at=NOW, updated_at=NOW,
            )
        )  # fmt: skip


# -- transactions


def test_a_write_outside_a_transaction_is_refused() -> None:
    db.session.add(Heartbeat(name="x", at=NOW))

    with pytest.raises(RuntimeError, match="outside"):
        db.session.flush()
    db.session.rollback()


def test_an_error_undoes_the_whole_of_a_transaction() -> None:
    def fail() -> None:
        with transaction() as session:
            session.add(Heartbeat(name="x", at=NOW))
            with transaction():
                session.add(Heartbeat(name="y", at=NOW))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert db.session.scalars(select(Heartbeat)).all() == []


def test_many_writers_at_once_all_come_through(app: Flask) -> None:
    def write() -> None:
        for _ in range(5):
            db.session.scalars(select(Heartbeat)).all()  # a snapshot that a write must not be built upon
            add(Heartbeat(name=new_id("hb"), at=NOW))

    at_once(app, [write] * 8)

    assert len(db.session.scalars(select(Heartbeat)).all()) == 40


# -- times


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=9))])
def test_a_time_comes_back_aware_and_in_utc(zone: timezone) -> None:
    moment = datetime(2027, 3, 1, 21, 30, 0, 123456, tzinfo=zone)
    add(Heartbeat(name="x", at=moment))
    db.session.expire_all()

    back = db.session.get_one(Heartbeat, "x").at

    assert back == moment
    assert back.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(StatementError, match="without a time zone"):
        add(Heartbeat(name="x", at=datetime(2027, 3, 1)))  # noqa: DTZ001 - the point of the test


# -- ids and secrets


def test_ids_sort_by_the_time_they_were_made(frozen_clock: FrozenClock) -> None:
    ids = [new_id("run") for _ in range(50)]

    assert len(set(ids)) == 50
    assert [item[:14] for item in ids] == sorted(item[:14] for item in ids)
    assert all(item.startswith("run_") and item == item.lower() for item in ids)


def test_a_ciphertext_moved_to_another_row_does_not_open(ada: User, ben: User) -> None:
    mine, other = connection_of(ada), connection_of(ben)
    mine.access_token = "shpat_secret"
    other.access_token_sealed = mine.access_token_sealed

    assert mine.access_token == "shpat_secret"
    with pytest.raises(VaultError):
        assert other.access_token


def test_a_ciphertext_moved_to_another_column_does_not_open(ada: User) -> None:
    mine = connection_of(ada)
    mine.access_token = "shpat_secret"
    mine.refresh_token_sealed = mine.access_token_sealed

    with pytest.raises(VaultError):
        assert mine.refresh_token


def test_a_secret_needs_the_id_of_its_row() -> None:
    with pytest.raises(ValueError, match="before the row had its id"):
        Connection(access_token_sealed=None).access_token = "shpat_secret"


def test_rotation_seals_everything_anew_and_the_old_key_may_go(
    ada: User, connect: Walker, settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> None:
    connection = connect(ada, "google-drive")
    tokens, old = (connection.access_token, connection.refresh_token), connection.access_token_sealed
    new = Fernet.generate_key().decode()

    rotated = app_for(settings_for(VAULT_KEYS=f"{new},{settings_for().vault_keys[0]}"))
    result = rotated.test_cli_runner().invoke(args=["vault", "rotate"])
    alone = app_for(settings_for(VAULT_KEYS=new))

    with alone.app_context():
        after = db.session.get_one(Connection, connection.id)
        assert (after.access_token, after.refresh_token) == tokens
        assert after.access_token_sealed != old
        assert db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc())).first() == "vault_rotated"
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "secrets anew with key" in result.stderr


def test_a_savepoint_that_failed_leaves_the_transaction_as_it_was(ada: User) -> None:
    with transaction() as session:
        session.add(Heartbeat(name="the clock", at=clock.now()))
        session.flush()  # the row that the next one meets
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(insert(Heartbeat), [{"name": "the clock", "at": clock.now()}])

        assert session.get(User, ada.id, populate_existing=True) is not None
