"""The chain of seals over the audit log, and triggers by which the database itself refuses to change an entry."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("audit_entries", "audit_seals", "audit_links")
HAS_ENDED = {
    "audit_entries": "EXISTS (SELECT 1 FROM audit_links l JOIN audit_retention r ON l.seal <= r.ended_through"
    " WHERE l.entry_id = OLD.id)",
    "audit_links": "EXISTS (SELECT 1 FROM audit_retention r WHERE OLD.seal <= r.ended_through)",
    "audit_seals": "1 = 0",
}
"""When a row may be deleted: its seal has served its time. Seals stay for good."""


def upgrade() -> None:
    """Seals, links, the mark of retention; entries that no longer refer to a user's row; triggers."""
    with op.batch_alter_table("audit_entries") as entries:
        entries.drop_constraint("fk_audit_entries_user_id", type_="foreignkey")
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_entry", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seals")),
    )
    op.create_table(
        "audit_links",
        sa.Column("seal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("seal", "place", name=op.f("pk_audit_links")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_links_entry_id")),
    )
    op.create_table(
        "audit_retention",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ended_through", sa.Integer(), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_retention")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table in TABLES:
        refuse = "BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END"
        op.execute(f"CREATE TRIGGER {table}_stay BEFORE UPDATE ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_last BEFORE DELETE ON {table} WHEN NOT ({HAS_ENDED[table]}) {refuse}")


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is only ever added to'; END $$"
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_stay BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
        )
        op.execute(
            f"CREATE FUNCTION {table}_may_go() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT ({HAS_ENDED[table]})"
            " THEN RAISE EXCEPTION 'the audit log is only ever added to'; END IF; RETURN OLD; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_last BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_may_go()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        )
