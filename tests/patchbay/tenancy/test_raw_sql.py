"""What SQL injected into a request of Ben's would try on PostgreSQL: none of it shows or changes anything of Ada's."""

from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import DBAPIError

from patchbay import migrations, tenancy
from patchbay.errors import SettingsError
from patchbay.models import Base, Connection, Record, Run, RunLog, User, db
from patchbay.settings import Settings
from tests.patchbay.tenancy.conftest import Scope, Two

DATABASES = ("postgresql",)
pytestmark = pytest.mark.usefixtures("context", "shut")

KNOWN_TO_THE_SERVER = [
    "SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats",
    "SELECT s::text FROM pg_statistic s",
    "SELECT a::text FROM pg_stat_activity a",
    "SELECT p::text FROM pg_prepared_statements p",
    "SELECT c::text FROM pg_cursors c",
    "SELECT s::text FROM pg_settings s",
    "SELECT l::text FROM pg_locks l",
]
READING = [
    *KNOWN_TO_THE_SERVER,
    "SELECT * FROM records",
    "SELECT * FROM users",
    "SELECT records.* FROM runs LEFT JOIN records ON true",
    "SELECT (SELECT string_agg(title, '') FROM records)",
    "SELECT * FROM records WHERE user_id = '{ada}'",
    "SELECT * FROM records UNION ALL SELECT * FROM records",
    "WITH stolen AS (UPDATE records SET title = title RETURNING *) SELECT * FROM stolen",
    "SELECT query_to_xml('SELECT title FROM records', true, false, '')",
    "SET row_security = off -> SELECT * FROM records",
    "SELECT * FROM records WHERE ctid = '(0,1)'",
    "SELECT * FROM ONLY records TABLESAMPLE SYSTEM (100)",
    "SELECT lag(user_id) OVER () FROM records",
    "SELECT * FROM users FOR UPDATE",
    "SELECT database_to_xml(true, false, '')",
    "EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM records",
    "PREPARE stolen AS SELECT * FROM records -> EXECUTE stolen",
    "DECLARE stolen CURSOR WITH HOLD FOR SELECT * FROM records -> FETCH ALL FROM stolen",
    "DO $$ DECLARE t text; BEGIN SELECT string_agg(title, '') INTO t FROM records; RAISE EXCEPTION '%', t; END $$",
    # other roles
    "RESET ROLE -> SELECT * FROM records",
    "RESET SESSION AUTHORIZATION -> SELECT * FROM records",
    "RESET ALL -> SELECT * FROM records",
    # forged, borrowed and empty passes
    "SELECT set_config('patchbay.pass', '*', true) -> SELECT * FROM records",
    "SELECT set_config('patchbay.pass', '{ada}', true) -> SELECT * FROM records",
    "SELECT set_config('patchbay.pass', '{ada} ' || split_part(current_setting('patchbay.pass'), ' ', 2), true) ->"
    " SELECT * FROM records",
    "SELECT set_config('patchbay.pass', '* ' || repeat('0', 64), true) -> SELECT * FROM records",
    "SET patchbay.pass = '{ada} {ada}' -> SELECT * FROM records",
    "RESET patchbay.pass -> SELECT * FROM records",
    # what an error would tell of a row before the policy has looked
    "SELECT * FROM records WHERE title::int = 1",
]
COMMANDS = [("SELECT", True, False), ("INSERT", False, True), ("UPDATE", True, True), ("DELETE", True, False)]
"""Whether each has a condition for what is there, and for what is written."""
OF_USERS = {table.name for table in Base.metadata.sorted_tables if tenancy.belonging(table) is not None}
REFUSED = [
    "SELECT * FROM tenancy.keys",
    "UPDATE tenancy.keys SET inner_pad = '', outer_pad = ''",
    "CREATE OR REPLACE FUNCTION tenancy.present() RETURNS text LANGUAGE sql AS 'SELECT ''*''::text'",
    "ALTER FUNCTION tenancy.present() SECURITY INVOKER",
    "DROP SCHEMA tenancy CASCADE",
    "SET ROLE postgres",
    "SELECT set_config('role', 'postgres', false)",
    "SET SESSION AUTHORIZATION postgres",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER TABLE records DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE records NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE records OWNER TO CURRENT_USER",
    "DROP POLICY own_rows_select ON records",
    "CREATE POLICY all_rows ON records USING (true)",
    "ALTER POLICY own_rows_select ON records USING (true)",
    "CREATE TRIGGER spy BEFORE UPDATE ON records EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE spy AS ON SELECT TO records DO INSTEAD SELECT 1",
    "CREATE VIEW public.everything AS SELECT * FROM records",
    "CREATE TABLE public.mine (x text)",
    # what the next user of the session would take for ours
    "CREATE TEMP TABLE records (id text)",
    "CREATE TEMP VIEW records AS SELECT 1",
    "CREATE TEMP SEQUENCE run_logs_id_seq",
    "CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OPERATOR public.= (leftarg = text, rightarg = text, function = texteq)",
    "CREATE SCHEMA mine",
    "ALTER SCHEMA public OWNER TO CURRENT_USER",
    "GRANT ALL ON tenancy.keys TO CURRENT_USER",
    "GRANT postgres TO CURRENT_USER",
    "GRANT pg_read_all_data TO CURRENT_USER",
    "CREATE ROLE mine SUPERUSER",
    "ALTER ROLE postgres PASSWORD 'mine'",
    "ALTER TABLE records ADD COLUMN mine text DEFAULT current_setting('patchbay.pass')",
    "SELECT setval('run_logs_id_seq', 1)",
    "TRUNCATE records",
    "DROP TABLE records",
    "COPY records FROM PROGRAM 'true'",
    "COPY records TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/x'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "CREATE FOREIGN DATA WRAPPER mine",
    "SET session_replication_role = replica",
    "UPDATE alembic_version SET version_num = '0001'",
    'INSERT INTO runs SELECT * FROM jsonb_populate_record(NULL::runs, \'{{"id": "run_x", "user_id": "{ada}"}}\')',
    "UPDATE records SET user_id = '{ada}'",
    "INSERT INTO run_logs SELECT * FROM run_logs ON CONFLICT (id) DO UPDATE SET run_id = '{ada_run}'",
    "INSERT INTO run_logs (run_id, at, level, message, params) VALUES ('{ada_run}', now(), 'info', 'x', '{{}}')",
    "UPDATE run_logs SET run_id = '{ada_run}'",
]
CHANGING = [
    "UPDATE records SET title = 'was here'",
    "DELETE FROM records WHERE user_id = '{ada}'",
    "DELETE FROM records",
    "DELETE FROM users WHERE id = '{ada}'",
    "UPDATE users SET password_hash = 'mine' WHERE id = '{ada}'",
    "UPDATE api_keys SET key_hash = 'mine'",
    "UPDATE records SET title = 'was here' FROM users WHERE users.id = '{ada}'",
    "WITH gone AS (DELETE FROM records RETURNING *) SELECT count(*) FROM gone",
    "PREPARE gone AS DELETE FROM records -> EXECUTE gone",
    "DO $$ BEGIN DELETE FROM records; UPDATE run_logs SET message = 'was here'; END $$",
    "DELETE FROM run_logs WHERE run_id = '{ada_run}'",
    "UPDATE user_integrations SET state = 'disconnected' WHERE id = '{ada_connection}'",
    "INSERT INTO records SELECT * FROM records ON CONFLICT (id) DO UPDATE SET title = 'was here'",
    "MERGE INTO records USING (SELECT '{ada}' AS a) AS s ON user_id = s.a WHEN MATCHED THEN DELETE",
]


@pytest.fixture
def shut(settings: Settings, database: str) -> None:
    """As after a start of the hub, which also sees to the rights to this very database; and with its statistics."""
    migrations.migrate(settings)
    with psycopg.connect(database, autocommit=True) as server:
        server.execute("ANALYZE")


def test_nothing_of_another_user_is_read(two: Two, as_ben: Scope) -> None:
    told = {attack: run(attack, two, as_ben) for attack in READING}

    assert {attack: answer for attack, answer in told.items() if two.ada in answer} == {}
    assert two.ben in told["SELECT * FROM records"]


def test_what_would_lift_the_rule_is_refused(two: Two, as_ben: Scope) -> None:
    told = {attack: run(attack, two, as_ben) for attack in REFUSED}

    assert {attack: answer for attack, answer in told.items() if not answer.startswith("InsufficientPrivilege")} == {}


def test_nothing_of_another_user_is_changed(two: Two, as_ben: Scope) -> None:
    for attack in CHANGING:
        run(attack, two, as_ben)

    with tenancy.of(two.ada):
        assert db.session.scalars(select(Record.title)).all() == [f"secret of {two.ada}"]
        assert db.session.scalar(select(func.count()).select_from(RunLog)) == 1
        assert db.session.scalars(select(Connection.state)).one().value == "connected"
        assert db.session.get(User, two.ada) is not None


def test_a_copy_of_a_table_holds_only_what_is_mine(two: Two, as_ben: Scope) -> None:
    with as_ben():
        driver = db.session.connection().connection.driver_connection
        db.session.execute(select(Run.id))  # shows the pass
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor().copy("COPY (TABLE records) TO STDOUT") as copy:
            content = b"".join(bytes(part) for part in copy).decode()
    db.session.rollback()

    assert two.ben in content
    assert two.ada not in content


def test_the_pass_ends_with_its_transaction(two: Two, as_ben: Scope) -> None:
    with as_ben():
        during = db.session.scalar(text("SELECT current_setting('patchbay.pass', true)"))
        db.session.commit()
    with tenancy.nobody():
        after = db.session.scalar(text("SELECT current_setting('patchbay.pass', true)"))

    assert str(during).startswith(two.ben)
    assert not after


def test_a_pass_that_was_kept_for_the_session_shows_nobodys_rows_to_nobody(two: Two, as_ben: Scope) -> None:
    kept = "SELECT set_config('patchbay.pass', current_setting('patchbay.pass'), false) -> SELECT count(*) FROM records"

    told = run(kept, two, as_ben)
    with tenancy.nobody():
        seen = db.session.scalar(text("SELECT count(*) FROM records"))

    assert (told, seen) == ("[(1,)]", 0)


def test_the_pass_of_another_transaction_is_not_to_be_found(app: Flask, two: Two, as_ben: Scope) -> None:
    with tenancy.of(two.ada), db.engine.connect() as hers:
        shown = hers.scalar(text("SELECT current_setting('patchbay.pass')"))

        told = "".join(run(attack, two, as_ben) for attack in KNOWN_TO_THE_SERVER)

    assert shown.startswith(f"{two.ada} ")
    assert shown.split()[1] not in told
    assert two.ada not in told


def test_web_and_workers_use_a_login_that_owns_nothing_and_that_no_policy_lets_off(two: Two) -> None:
    rights = db.session.execute(
        text(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit, current_user = session_user "
            "FROM pg_roles WHERE rolname = session_user"
        )
    ).one()
    memberships = db.session.scalar(text("SELECT count(*) FROM pg_auth_members WHERE member = session_user::regrole"))
    owned = db.session.scalar(text("SELECT count(*) FROM pg_class WHERE relowner = session_user::regrole"))

    assert tuple(rights) == (False, False, False, False, False, True)
    assert (memberships, owned) == (0, 0)


def test_every_table_of_users_has_a_policy_for_each_command_and_is_forced(two: Two) -> None:
    policies = db.session.execute(
        text(
            "SELECT tablename, cmd, qual IS NOT NULL, with_check IS NOT NULL FROM pg_policies "
            "WHERE coalesce(qual, with_check) LIKE '%tenancy.present()%' OR coalesce(qual, with_check) LIKE '%EXISTS%'"
        )
    )
    forced = db.session.scalars(text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"))

    assert {tuple(policy) for policy in policies} == {(name, *command) for name in OF_USERS for command in COMMANDS}
    assert set(forced) == OF_USERS
    assert {table.name for table in Base.metadata.sorted_tables if "user_id" in table.columns} <= OF_USERS


def test_there_are_no_policies_but_those(two: Two) -> None:
    assert db.session.scalar(text("SELECT count(*) FROM pg_policies")) == len(OF_USERS) * len(COMMANDS)


def test_the_one_policy_of_before_becomes_four_with_the_same_condition(
    settings_for: Callable[..., Settings], blank_postgresql: str
) -> None:
    here = settings_for(DATABASE_URL=blank_postgresql)
    migrations.migrate(here, to="0015")
    with psycopg.connect(blank_postgresql, autocommit=True) as server:
        server.execute("CREATE POLICY own_rows ON runs USING (id = 'a') WITH CHECK (id = 'a')")
        server.execute("COMMENT ON POLICY own_rows ON runs IS 'said'")

        migrations.migrate(here, to="0016")

        found = server.execute(
            "SELECT cmd, qual, with_check, obj_description(pg_policy.oid, 'pg_policy') "
            "FROM pg_policies JOIN pg_policy ON polname = policyname ORDER BY policyname"
        ).fetchall()
    rule = "((id)::text = 'a'::text)"
    assert found == [
        ("DELETE", rule, None, "said"),
        ("INSERT", None, rule, "said"),
        ("SELECT", rule, None, "said"),
        ("UPDATE", rule, rule, "said"),
    ]


def test_a_second_start_changes_no_policy(settings: Settings, app: Flask, two: Two) -> None:
    def policies() -> list[object]:
        return list(db.session.scalars(text("SELECT xmin::text || oid FROM pg_policy ORDER BY oid")))

    before = policies()
    db.session.rollback()

    migrations.migrate(settings)

    assert policies() == before


def test_a_new_secret_key_takes_a_start(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], two: Two
) -> None:
    renewed = settings_for(SECRET_KEY="another secret key than before")
    early = app_for(renewed)

    with early.app_context(), pytest.raises(SettingsError, match="sees the rows of all users"):
        db.session.scalars(select(Run)).all()
    migrations.migrate(renewed)
    with app_for(renewed).app_context(), tenancy.of(two.ben):
        owners = set(db.session.scalars(select(Run.user_id)))

    assert owners == {two.ben}


def test_an_owner_who_may_make_no_login_is_held_to_the_rule_too(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], database: str
) -> None:
    name = make_url(database).database
    with psycopg.connect(database, autocommit=True) as server:
        server.execute(f"CREATE ROLE plain_{name} LOGIN".encode())
        server.execute(f"CREATE DATABASE plain_{name} OWNER plain_{name}".encode())
    plain = settings_for(
        DATABASE_URL=database.replace(f"postgres@/{name}", f"plain_{name}@/plain_{name}"),
        SECRET_KEY="a key that no login was made for",
    )

    migrations.migrate(plain)
    with app_for(plain).app_context():
        with tenancy.everyone():
            db.session.scalars(select(User)).all()
            user = db.session.scalar(text("SELECT current_user"))
        with tenancy.nobody():
            forced = db.session.scalars(text("SELECT count(*) FROM users")).one()
        db.session.remove()

    assert user == f"plain_{name}"
    assert forced == 0


def run(attack: str, two: Two, as_ben: Scope) -> str:
    """What the last of the statements answered, or why the first that failed was refused."""
    words = {"ada": two.ada, "ada_run": two.ada_run, "ada_connection": two.ada_connection}
    told = []
    with as_ben():
        try:
            for statement in attack.replace("{{", "\0").replace("}}", "\1").format(**words).split(" -> "):
                sent = statement.replace("\0", "{").replace("\1", "}")
                result = db.session.connection().exec_driver_sql(sent.replace("%", "%%"))
                told.append(str(result.fetchall()) if result.returns_rows else "")
            db.session.commit()
        except DBAPIError as error:
            db.session.rollback()
            told.append(f"{type(error.orig).__name__}: {error.orig}")
    return told[-1]
