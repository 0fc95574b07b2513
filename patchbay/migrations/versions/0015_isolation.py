"""Isolation: who may see which rows on PostgreSQL.

Makes the schema `tenancy` with the key that passes are signed with, kept from the application's login, and the
function `tenancy.present()`, which says whose rows the present transaction may see. The policies that ask it are
brought up to date with the tables at every start, by `patchbay.migrations.isolation`. On SQLite there is nothing to do.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# HMAC-SHA256 (RFC 2104) of the user's id under a key of 64 bytes, which is the length of a block. A pass that does not
# match is nobody's, as is none at all.
PRESENT = r"""
CREATE FUNCTION tenancy.present() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    pass text := current_setting('patchbay.pass', true);
    scope text := split_part(pass, ' ', 1);
    key record;
BEGIN
    IF pass IS NULL OR pass = '' THEN
        RETURN NULL;
    END IF;
    SELECT inner_pad, outer_pad INTO key FROM tenancy.keys;
    IF split_part(pass, ' ', 2)
        = encode(sha256(key.outer_pad || sha256(key.inner_pad || convert_to(scope, 'UTF8'))), 'hex') THEN
        RETURN scope;
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    """The schema, the key's place and the function that checks a pass."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("CREATE SCHEMA tenancy")
    op.execute(
        "CREATE TABLE tenancy.keys (id integer PRIMARY KEY CHECK (id = 1), inner_pad bytea NOT NULL, "
        "outer_pad bytea NOT NULL)"
    )
    op.execute("REVOKE ALL ON tenancy.keys FROM PUBLIC")
    op.execute(PRESENT)
