"""Forward-only schema steps (Alembic), and the careful way they are taken at start-up.

`python -m patchbay.migrations` copies the SQLite file aside, migrates, and writes the catalogue's rows.
"""

import shutil
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError

from patchbay import signing, tenancy
from patchbay.errors import SettingsError
from patchbay.migrations import isolation
from patchbay.settings import Settings
from patchbay.signing import Signer

COPIES_KEPT = 5


def migrate(settings: Settings, *, to: str = "head") -> None:
    """Bring the database to a schema, by default the newest.

    Raises SettingsError when the database, or what is wanted, is newer than the code, or the database out of reach.
    """
    engine, signer = create_engine(settings.database_url), Signer(settings.secret_key)
    signing.use(signer)  # a step may see the rows of all users, which takes a pass
    try:
        before = _present_revision(engine)
        if before is not None and before not in known():
            raise SettingsError(
                f"The database is newer than this code (schema {before}). Update the code, or restore an older copy."
            )
        if to not in {"head", *known()}:
            raise SettingsError(f"This is newer than this code (schema {to}). Update the code first.")
        if before != (_scripts().get_current_head() if to == "head" else to):
            if before is not None and settings.uses_sqlite:
                _copy_aside(Path(str(engine.url.database)), before)
            _take_steps(engine, signer, to)
        if not settings.uses_sqlite and to == "head":
            isolation.establish(engine, signer)
    except OperationalError as error:
        raise SettingsError(f"DATABASE_URL: the database cannot be reached ({type(error.orig).__name__}).") from error
    finally:
        engine.dispose()


def _take_steps(engine: Engine, signer: Signer, to: str) -> None:
    """In one transaction, and for the rows of all users: policies hold for the owner of the tables too."""
    config = _config()
    with tenancy.everyone(), engine.begin() as connection:
        isolation.renew_key(connection, signer)
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def present(settings: Settings) -> str | None:
    """Which schema the database has; None: none yet."""
    engine = create_engine(settings.database_url)
    try:
        return _present_revision(engine)
    finally:
        engine.dispose()


def known() -> list[str]:
    """Every schema that this code knows, the newest first."""
    return [script.revision for script in _scripts().walk_revisions()]


def check_single_head() -> None:
    """Raises SettingsError when two migrations both claim to be the newest."""
    heads = _scripts().get_heads()
    if len(heads) != 1:
        raise SettingsError(f"Migrations have {len(heads)} heads: {', '.join(heads)}.")


def _present_revision(engine: Engine) -> str | None:
    with tenancy.everyone(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _copy_aside(path: Path, revision: str) -> None:
    """Keep a consistent copy of the SQLite file from before the migration, and the newest few of these."""
    target = path.with_name(f"{path.stem}.before-{revision}{path.suffix}")
    with sqlite3.connect(path) as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    shutil.copymode(path, target)
    copies = sorted(path.parent.glob(f"{path.stem}.before-*{path.suffix}"), key=lambda copy: copy.stat().st_mtime)
    for old in copies[:-COPIES_KEPT]:
        old.unlink()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
