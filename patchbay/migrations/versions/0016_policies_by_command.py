"""Policies by command: what may be read, added, changed and deleted is said in a policy of its own each.

The one policy that each table of users had for everything on PostgreSQL becomes four with the same condition, so that
none of the commands is open or closed meanwhile. On SQLite there is nothing to do.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SPLIT = """
DO $$
DECLARE
    one record;
    command text;
BEGIN
    FOR one IN
        SELECT polrelid::regclass AS owned, pg_get_expr(polqual, polrelid) AS rule,
            obj_description(oid, 'pg_policy') AS said
        FROM pg_policy WHERE polname = 'own_rows' AND polcmd = '*'
    LOOP
        FOREACH command IN ARRAY ARRAY['select', 'insert', 'update', 'delete'] LOOP
            EXECUTE format('CREATE POLICY own_rows_%s ON %s FOR %s', command, one.owned, command)
                || CASE WHEN command = 'insert' THEN '' ELSE format(' USING (%s)', one.rule) END
                || CASE WHEN command IN ('insert', 'update') THEN format(' WITH CHECK (%s)', one.rule) ELSE '' END;
            EXECUTE format('COMMENT ON POLICY own_rows_%s ON %s IS %L', command, one.owned, one.said);
        END LOOP;
        EXECUTE format('DROP POLICY own_rows ON %s', one.owned);
    END LOOP;
END
$$
"""


def upgrade() -> None:
    """Four policies for one, in each table that has it."""
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(SPLIT.replace("%", "%%"))
