"""What the doctor says of the login of the application on PostgreSQL: too mighty, an owner, or held to the policies."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url

from patchbay import doctor, migrations
from patchbay.doctor import Finding, Level
from patchbay.models import db
from patchbay.settings import Settings

DATABASES = ("postgresql",)
Order = Callable[[str], object]


@pytest.fixture
def order(database: str) -> Iterator[Order]:
    """Send a command to the server as its superuser."""
    with psycopg.connect(database, autocommit=True) as server:
        yield lambda command: server.execute(command.encode())


@pytest.fixture
def found(settings: Settings, app: Flask) -> Callable[[], Finding]:
    """What it says of isolation now."""

    def examine() -> Finding:
        with app.app_context():
            (finding,) = (one for one in doctor.examine(settings) if one.name == "isolation")
            db.session.remove()
        return finding

    migrations.migrate(settings)
    return examine


def test_a_table_without_one_of_its_policies_is_a_fault(found: Callable[[], Finding], order: Order) -> None:
    order("DROP POLICY own_rows_delete ON runs")

    finding = found()

    assert (finding.level, finding.text) == (Level.FAIL, "without their policies: runs")
    assert "restart" in finding.advice


def test_a_policy_too_many_is_a_fault(found: Callable[[], Finding], order: Order) -> None:
    order("CREATE POLICY everything ON assets USING (true)")

    assert found().text == "without their policies: assets"


def test_a_table_whose_owner_is_let_off_is_a_fault(found: Callable[[], Finding], order: Order) -> None:
    order("ALTER TABLE records NO FORCE ROW LEVEL SECURITY")

    assert found().text == "without their policies: records"


def test_a_start_puts_all_of_that_right(found: Callable[[], Finding], order: Order, settings: Settings) -> None:
    order("DROP POLICY own_rows_delete ON runs")
    order("CREATE POLICY everything ON assets USING (true)")
    order("ALTER TABLE records NO FORCE ROW LEVEL SECURITY")

    migrations.migrate(settings)

    assert found().level is Level.OK


def test_who_may_make_tables_is_doubtful(found: Callable[[], Finding], order: Order, database: str) -> None:
    order(f"GRANT TEMPORARY ON DATABASE {make_url(database).database} TO PUBLIC")

    finding = found()

    assert (finding.level, "may make tables" in finding.text) == (Level.WARN, True)


def test_an_owner_of_the_tables_is_doubtful_and_who_is_above_them_a_fault(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], database: str, order: Order
) -> None:
    name = make_url(database).database
    order(f"CREATE ROLE owner_{name} LOGIN")
    order(f"CREATE DATABASE owner_{name} OWNER owner_{name}")
    there = database.replace(f"postgres@/{name}", f"owner_{name}@/owner_{name}")
    here = settings_for(DATABASE_URL=there, SECRET_KEY="a key that no login was made for")
    migrations.migrate(here)

    with app_for(here).app_context():
        owning = next(one for one in doctor.examine(here) if one.name == "isolation")
        order(f"ALTER ROLE owner_{name} BYPASSRLS")
        above = next(one for one in doctor.examine(here) if one.name == "isolation")
        db.session.remove()

    assert (owning.level, "owns tables" in owning.text) == (Level.WARN, True)
    assert (above.level, "above the policies" in above.text) == (Level.FAIL, True)
    assert "CREATEROLE" in owning.advice
