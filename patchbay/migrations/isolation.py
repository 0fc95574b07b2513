"""Row-level security on PostgreSQL, brought up to date at each start: policies, the application's login, its rights.

Which tables belong to users is said in `patchbay.tenancy`; what a pass is, in `patchbay.models.postgresql`.
"""

from typing import Any

import structlog
from psycopg import sql
from sqlalchemy import Connection, Engine, Table, text

from patchbay import tenancy
from patchbay.errors import SettingsError
from patchbay.models import Base
from patchbay.models.postgresql import login_name, login_password, pass_key
from patchbay.signing import Signer
from patchbay.tenancy import EVERYONE

log = structlog.get_logger()

POLICY = "own_rows"
COMMANDS = {
    "select": "USING ({0})",
    "insert": "WITH CHECK ({0})",
    "update": "USING ({0}) WITH CHECK ({0})",
    "delete": "USING ({0})",
}
"""What has a policy of its own in each table of users, and where its condition goes."""
LOCK = 7_310_982
"""Advisory lock: several machines may start at once."""
PRESENT = "(SELECT tenancy.present())"
"""As a subquery it is asked once in a statement, not once a row."""


def renew_key(connection: Connection, signer: Signer) -> None:
    """Keep in the database what passes are signed with now; does nothing where there is no place for it (yet)."""
    if connection.dialect.name != "postgresql" or connection.scalar(text("SELECT to_regclass('tenancy.keys')")) is None:
        return
    key = pass_key(signer)
    connection.execute(
        text(
            "INSERT INTO tenancy.keys VALUES (1, :inner, :outer) ON CONFLICT (id) DO UPDATE SET "
            "inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad "
            "WHERE (keys.inner_pad, keys.outer_pad) IS DISTINCT FROM (excluded.inner_pad, excluded.outer_pad)"
        ),
        {"inner": bytes(byte ^ 0x36 for byte in key), "outer": bytes(byte ^ 0x5C for byte in key)},
    )


def establish(engine: Engine, signer: Signer) -> None:
    """Bring policies, login and rights up to date. Raises SettingsError when there is only a login that sees all."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        renew_key(connection, signer)
        for table in unguarded(connection):
            _protect(connection, table)
        _shut(connection)
        is_new = _make_login(connection, signer)
        if _has_login(connection, signer):
            _grant(connection, signer)
    _try_login(engine, signer, is_new=is_new)


def condition(table: Table) -> str | None:
    """What a row must fulfil to be seen or written, in SQL; None for tables that are shared.

    A row that hangs on another is seen with it: the other's own policy decides, by its primary key. Who sees everything
    asks no other row.
    """
    how = tenancy.belonging(table)
    if how is None:
        return None
    if not how.column:
        return f"{PRESENT} = '{EVERYONE}'"
    if how.parent is None:
        return f"{how.column} = {PRESENT} OR {PRESENT} = '{EVERYONE}'"
    (key,) = table.metadata.tables[how.parent].primary_key
    the_other = f"SELECT FROM {how.parent} owner WHERE owner.{key.name} = {table.name}.{how.column}"
    is_seen = f"EXISTS ({the_other} OFFSET 0)"  # without OFFSET all the others may be read beforehand, by no index
    return f"{PRESENT} = '{EVERYONE}' OR {is_seen}"


def unguarded(connection: Connection) -> list[Table]:
    """The tables that have other policies than they are to have, or whose owner is let off; parents come first."""
    found = text(
        "SELECT relname, relrowsecurity AND relforcerowsecurity, coalesce(jsonb_object_agg(polname, "
        "obj_description(p.oid, 'pg_policy')) FILTER (WHERE polname IS NOT NULL), '{}') FROM pg_class c "
        "LEFT JOIN pg_policy p ON polrelid = c.oid WHERE relkind = 'r' AND pg_table_is_visible(c.oid) GROUP BY c.oid"
    )
    present = {name: (is_forced, policies) for name, is_forced, policies in connection.execute(found)}
    wanted = {table: _policies(table) for table in Base.metadata.sorted_tables if table.name in present}
    return [table for table, policies in wanted.items() if present[table.name] != (bool(policies), policies)]


def _policies(table: Table) -> dict[str, str]:
    """The conditions of the table's policies, by their names."""
    rule = condition(table)
    return {} if rule is None else {f"{POLICY}_{command}": rule for command in COMMANDS}


def _protect(connection: Connection, table: Table) -> None:
    """Give the table its policies, and no others."""
    name, rule = sql.Identifier(table.name), condition(table)
    kept = text("SELECT polname FROM pg_policy WHERE polrelid = to_regclass(:name)")
    for policy in connection.scalars(kept, {"name": table.name}).all():
        _run(connection, "DROP POLICY {} ON {}", sql.Identifier(policy), name)
    if rule is None:
        _run(connection, "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY", name)
        return
    _run(connection, "ALTER TABLE {} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", name)
    for command, clause in COMMANDS.items():
        policy = sql.Identifier(f"{POLICY}_{command}")
        _run(connection, f"CREATE POLICY {{}} ON {{}} FOR {command} {clause.format(rule)}", policy, name)
        _run(connection, "COMMENT ON POLICY {} ON {} IS {}", policy, name, sql.Literal(rule))


def _shut(connection: Connection) -> None:
    """Let nobody but the owner make tables, not even for a session: its next user would take them for ours."""
    database = sql.Identifier(str(connection.scalar(text("SELECT current_database()"))))
    _run(connection, "REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", database)
    _run(connection, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def _make_login(connection: Connection, signer: Signer) -> bool:
    """Make the application's login, where there is none and we may; True when it was made."""
    may = connection.scalar(text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"))
    if not may or _has_login(connection, signer):
        return False
    driver: Any = connection.connection.driver_connection
    name = login_name(signer)
    secret = login_password(signer).encode()
    kept = driver.pgconn.encrypt_password(secret, name.encode())  # the server's log must not have it
    rights = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD {}"
    _run(connection, f"CREATE ROLE {{}} {rights}", sql.Identifier(name), sql.Literal(kept.decode()))
    return True


def _has_login(connection: Connection, signer: Signer) -> bool:
    found = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :name AND rolcanlogin)")
    return bool(connection.scalar(found, {"name": login_name(signer)}))


def _grant(connection: Connection, signer: Signer) -> None:
    """Rows, and nothing of the tables themselves; not the key of the passes, and no TRUNCATE, which heeds no policy."""
    role = sql.Identifier(login_name(signer))
    tables = sql.SQL(", ").join(sql.Identifier(name) for name in Base.metadata.tables)
    _run(connection, "GRANT USAGE ON SCHEMA public, tenancy TO {}", role)
    _run(connection, "GRANT SELECT ON alembic_version TO {}", role)
    _run(connection, "GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}", tables, role)
    _run(connection, "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}", role)


def _try_login(engine: Engine, signer: Signer, *, is_new: bool) -> None:
    """Look whether the server lets the login in, and take a new one back that it does not."""
    with engine.connect() as connection:
        sees_all = connection.scalar(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
        has_own = _has_login(connection, signer)
    refused = _refused(engine, signer) if has_own else "it may not make one"
    if refused is None:
        return
    if is_new:
        with engine.begin() as connection:
            role = sql.Identifier(login_name(signer))
            _run(connection, "DROP OWNED BY {}", role)
            _run(connection, "DROP ROLE {}", role)
    if sees_all or (has_own and not is_new):
        raise SettingsError(f"DATABASE_URL: the login {login_name(signer)} is needed; the server says: {refused}.")
    log.warning(
        "Web and workers use the login that owns the tables, which could switch row-level security off. "
        "A login that may make roles (CREATEROLE) makes another one for them.",
        reason=refused,
    )


def _refused(engine: Engine, signer: Signer) -> str | None:
    """Why the server does not let the application's login in; None when it does."""
    args, params = engine.dialect.create_connect_args(engine.url)
    try:
        engine.dialect.connect(
            *args, **{**params, "user": login_name(signer), "password": login_password(signer)}
        ).close()
    except engine.dialect.loaded_dbapi.Error as error:
        return str(error).strip().splitlines()[-1]
    return None


def _run(connection: Connection, command: str, *parts: sql.Composable) -> None:
    """Send DDL, whose names and texts PostgreSQL takes no parameters for."""
    driver: Any = connection.connection.driver_connection
    connection.exec_driver_sql(sql.SQL(command).format(*parts).as_string(driver).replace("%", "%%"))
