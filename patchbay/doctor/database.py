"""The database: whether it answers, has the schema of this code, is sound, and keeps users apart."""

import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from patchbay import migrations
from patchbay.doctor.finding import Finding, broken, doubtful, well
from patchbay.migrations import isolation
from patchbay.models import db
from patchbay.settings import Settings

SLOW_S = 0.5
_LOGIN = """
SELECT current_user AS name,
    EXISTS (SELECT FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND pg_has_role(oid, 'MEMBER')) AS is_above,
    EXISTS (
        SELECT FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND pg_has_role(relowner, 'MEMBER')
    ) AS is_owner,
    has_database_privilege(current_database(), 'TEMPORARY') OR has_schema_privilege('public', 'CREATE') AS may_make
"""
"""Also what the login could become by `SET ROLE`."""
_ANOTHER_LOGIN = (
    "let DATABASE_URL name a login that may make others (CREATEROLE), and restart: Patchbay makes one for rows alone"
)


def reached(here: Settings) -> Iterator[Finding]:
    """Whether it answers, and soon."""
    began = time.monotonic()
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        advice = "see that the server runs and that DATABASE_URL is right" if not here.uses_sqlite else _sqlite_advice()
        yield broken(f"does not answer ({type(error).__name__})", advice)
        return
    took_s = time.monotonic() - began
    kind = db.engine.dialect.name
    if took_s > SLOW_S:
        yield doubtful(f"{kind} took {took_s:.1f} s to answer", "look at what keeps it busy, or at the way to it")
    else:
        yield well(f"{kind} answers within {took_s * 1000:.0f} ms")


def migrated(here: Settings) -> Iterator[Finding]:
    """Whether it has the schema of this code."""
    present, newest = migrations.present(here), migrations.known()[0]
    if present == newest:
        yield well(f"schema {present}, the newest")
    elif present is None:
        yield broken("holds no tables yet", "start Patchbay once (make run): it makes them")
    elif present in migrations.known():
        yield broken(f"schema {present} is older than this code ({newest})", "restart Patchbay: it migrates at start")
    else:
        yield broken(
            f"schema {present} is newer than this code ({newest})", "update the code, or restore an older copy"
        )


def sound(here: Settings) -> Iterator[Finding]:
    """What SQLite says of its own file. PostgreSQL guards its pages itself."""
    if not here.uses_sqlite:
        yield well("PostgreSQL guards its own files")
        return
    file = Path(str(db.engine.url.database))
    said = db.session.execute(text("PRAGMA quick_check(5)")).scalars().all()
    orphans = db.session.execute(text("PRAGMA foreign_key_check")).first()
    if said != ["ok"]:
        yield broken(
            f"{file} is damaged: {said[0]}", "stop Patchbay, keep a copy of the file, restore your last backup"
        )
    elif orphans is not None:
        yield broken(f"{file}: a row of {orphans[0]} hangs on none", "restore your last backup, or ask for help")
    else:
        yield well(f"{file.name} is sound, {file.stat().st_size / 2**20:.0f} MiB")


def isolated(here: Settings) -> Iterator[Finding]:
    """Whether PostgreSQL holds the login that the application uses to the policies that keep users apart."""
    if here.uses_sqlite:
        yield well("SQLite: users are kept apart by the application")
        return
    login = db.session.execute(text(_LOGIN)).one()
    open_tables = [table.name for table in isolation.unguarded(db.session.connection())]
    if login.is_above:
        yield broken(f"the login {login.name} is above the policies that keep users apart", _ANOTHER_LOGIN)
    elif open_tables:
        yield broken(f"without their policies: {', '.join(open_tables)}", "restart Patchbay: it sets them at its start")
    elif login.is_owner:
        yield doubtful(f"the login {login.name} owns tables, and could lift what keeps users apart", _ANOTHER_LOGIN)
    elif login.may_make:
        said = f"the login {login.name} may make tables, which could be taken for ours"
        yield doubtful(said, "restart Patchbay with a DATABASE_URL whose login owns the database: it takes that right")
    else:
        yield well(f"the login {login.name} is held to the policies that keep users apart")


def _sqlite_advice() -> str:
    return "see that the file is there and can be written; another program may hold it locked"
