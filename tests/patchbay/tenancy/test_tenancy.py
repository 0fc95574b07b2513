"""Whose rows may be reached: how it is said, and how tables follow from it."""

import importlib.util
import threading

import pytest
from flask import Flask
from sqlalchemy import Column, ForeignKey, MetaData, Table, Text

from patchbay import tenancy
from patchbay.models import Base
from patchbay.tenancy import Belonging

DATABASES = ("sqlite",)  # none of this is the database's


def test_where_nothing_was_said_it_is_nobody() -> None:
    spec = importlib.util.find_spec("patchbay.tenancy")
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    seen: list[str] = []

    with fresh.everyone():
        other = threading.Thread(target=lambda: seen.append(fresh.present()))
        other.start()
        other.join()

    assert seen == [tenancy.NOBODY]
    assert fresh.present() == tenancy.NOBODY


def test_what_was_said_before_holds_again_behind_it() -> None:
    with tenancy.of("usr_a"):
        with tenancy.everyone():
            inside = tenancy.present()
        with pytest.raises(ZeroDivisionError), tenancy.nobody():
            raise ZeroDivisionError
        after = tenancy.present()

    assert (inside, after) == (tenancy.EVERYONE, "usr_a")


@pytest.mark.parametrize("user_id", ["", "*"])
def test_everyone_and_nobody_are_not_the_ids_of_users(user_id: str) -> None:
    with pytest.raises(ValueError, match="not the id"), tenancy.of(user_id):
        pass


def test_of_every_table_it_can_be_said_whose_its_rows_are() -> None:
    for table in Base.metadata.sorted_tables:
        how = tenancy.belonging(table)

        if how is not None and how.parent is not None:
            parent = Base.metadata.tables[how.parent]
            assert len(parent.primary_key) == 1, f"{table.name} hangs on a row that one column does not name"
            assert tenancy.belonging(parent) is not None


def test_the_tables_that_are_named_exist() -> None:
    assert set(Base.metadata.tables) >= tenancy.SHARED | tenancy.ADMINISTERED


def test_no_table_that_knows_a_user_is_shared() -> None:
    shared = [table for table in Base.metadata.sorted_tables if tenancy.belonging(table) is None]

    assert [table.name for table in shared if "users" in {key.column.table.name for key in table.foreign_keys}] == []


def test_a_table_of_which_nothing_is_known_is_refused() -> None:
    table = Table("things", MetaData(), Column("id", Text, primary_key=True))

    with pytest.raises(LookupError, match="things"):
        tenancy.belonging(table)


def test_a_row_belongs_with_the_row_that_it_hangs_on() -> None:
    kept = MetaData()
    Table("users", kept, Column("id", Text, primary_key=True))
    Table("runs", kept, Column("id", Text, primary_key=True), Column("user_id", Text))
    line = Table("lines", kept, Column("run", Text, ForeignKey("runs.id"), nullable=False))

    assert tenancy.belonging(line) == Belonging("run", "runs")


def test_every_command_works_for_everyone(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from blueprints import commands

    registered = [command for name, command in app.cli.commands.items() if name != "worker"]
    leaves = [leaf for command in registered for leaf in getattr(command, "commands", {"": command}).values()]

    assert [leaf.name for leaf in leaves if leaf not in commands._wide] == []
