"""Migrations: from nothing, with a copy kept aside, refused when the database is newer; and equal to the models."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from patchbay import migrations, providers, settings
from patchbay.errors import SettingsError
from patchbay.models import Base
from patchbay.settings import Settings

TABLES = set(Base.metadata.tables)


@pytest.fixture
def fresh(tmp_path: Path) -> Settings:
    """An installation that has no database yet."""
    return settings.load({"PATCHBAY_HOME": str(tmp_path / "home")})


def file_of(here: Settings) -> Path:
    return here.home / "patchbay.sqlite3"


def revise(path: Path, revision: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


def copies(here: Settings) -> list[Path]:
    return sorted(here.home.glob("patchbay.before-*.sqlite3"))


def test_a_fresh_database_gets_every_table(fresh: Settings) -> None:
    migrations.migrate(fresh)

    engine = create_engine(fresh.database_url)
    assert set(inspect(engine).get_table_names()) == TABLES | {"alembic_version"}
    engine.dispose()


def test_migrating_again_changes_nothing_and_keeps_no_copy(fresh: Settings) -> None:
    migrations.migrate(fresh)
    before = file_of(fresh).read_bytes()

    migrations.migrate(fresh)

    assert file_of(fresh).read_bytes() == before
    assert copies(fresh) == []


def test_a_database_newer_than_the_code_is_refused_and_left_alone(fresh: Settings) -> None:
    migrations.migrate(fresh)
    revise(file_of(fresh), "9999")

    with pytest.raises(SettingsError, match="newer than this code"):
        migrations.migrate(fresh)

    assert copies(fresh) == []


def test_a_copy_of_the_file_is_kept_before_it_is_changed(
    fresh: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.migrate(fresh)
    later = code_with_one_more_step(tmp_path)
    monkeypatch.setattr(migrations, "_config", lambda: later)

    migrations.migrate(fresh)

    assert len(copies(fresh)) == 1
    with sqlite3.connect(copies(fresh)[0]) as copy:
        tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    copy.close()
    assert tables >= TABLES
    assert "added_later" not in tables
    assert copies(fresh)[0].stat().st_mode & 0o777 == file_of(fresh).stat().st_mode & 0o777


def test_a_database_out_of_reach_is_one_clear_line(tmp_path: Path) -> None:
    here = settings.load({"PATCHBAY_HOME": str(tmp_path), "DATABASE_URL": f"postgresql://nobody@/none?host={tmp_path}"})

    with pytest.raises(SettingsError, match=r"^DATABASE_URL: the database cannot be reached"):
        migrations.migrate(here)


def test_there_is_one_newest_step() -> None:
    migrations.check_single_head()

    assert len(migrations._scripts().get_heads()) == 1


def test_the_steps_lead_to_what_the_models_say(database: str) -> None:
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()

    assert differences == []


def test_the_named_checks_are_in_the_database(database: str) -> None:
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    checks = {check["name"] for check in inspect(engine).get_check_constraints("integrations")}
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM integrations")).scalar_one()
    engine.dispose()

    assert checks == {"ck_integrations_category", "ck_integrations_status"}
    assert count == len(providers.all())


def code_with_one_more_step(folder: Path) -> Config:
    """The steps of today, and one that comes after them."""
    steps = shutil.copytree(Path(migrations.__file__).parent, folder / "later")
    before = ScriptDirectory(str(steps)).get_current_head()
    step = steps / "versions" / "9000_one_more_table.py"
    step.write_text(
        f"""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9000", "{before}", None, None


def upgrade() -> None:
    op.create_table("added_later", sa.Column("id", sa.Integer, primary_key=True))
"""
    )
    config = Config()
    config.set_main_option("script_location", str(steps))
    return config
