"""What sweeps missed and what comparisons found, edits of records and where they clash, rules per stream."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Five tables, and columns of runs, records and checkpoints."""
    _widen()
    _add_deletions()
    _add_comparisons()
    _add_edits()


def _widen() -> None:
    op.add_column("runs", sa.Column("purpose", sa.String(length=32), nullable=False, server_default="usual"))
    for column in (
        sa.Column("vanished_in", sa.String(length=40), nullable=True),
        sa.Column("is_kept", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("compared_in", sa.String(length=40), nullable=True),
        sa.Column("local", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("base", sa.JSON(none_as_null=True), nullable=True),
    ):
        op.add_column("records", column)
    for name, columns in (
        ("ix_records_vanished_in_id", ["vanished_in", "id"]),
        ("ix_records_deleted_at", ["deleted_at"]),
    ):
        has_value = sa.text(f"{columns[0]} IS NOT NULL")
        op.create_index(name, "records", columns, sqlite_where=has_value, postgresql_where=has_value)
    for added in (
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("least", sa.Integer(), nullable=True),
        sa.Column("passed_over", sa.JSON(), nullable=False, server_default=sa.text("'[]'")),
        sa.Column("sweeps", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("checkpoints", added)


def _add_deletions() -> None:
    op.create_table(
        "deletions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("integration_id", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        *_references("deletions", "user_id", "connection_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_deletions_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletions")),
        sa.UniqueConstraint("run_id", name=op.f("uq_deletions_run_id")),
    )
    op.create_index(op.f("ix_deletions_user_id"), "deletions", ["user_id"])
    op.create_index("ix_deletions_connection_id_stream_id", "deletions", ["connection_id", "stream", "id"])


def _add_comparisons() -> None:
    counts = [sa.Column(f"count_{name}", sa.Integer(), nullable=False) for name in ("same", "missing", "changed")]
    op.create_table(
        "comparisons",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("integration_id", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("is_read", sa.Boolean(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        *counts,
        sa.Column("count_deleted", sa.Integer(), nullable=False),
        sa.Column("repair_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *_references("comparisons", "user_id", "connection_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_comparisons_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_comparisons")),
    )
    op.create_index(op.f("ix_comparisons_user_id"), "comparisons", ["user_id"])
    op.create_index("ix_comparisons_connection_id_stream_run_id", "comparisons", ["connection_id", "stream", "run_id"])
    op.create_table(
        "differences",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("record_id", sa.String(length=40), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        *_references("differences", "user_id"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["comparisons.run_id"], name=op.f("fk_differences_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_differences")),
    )
    op.create_index(op.f("ix_differences_user_id"), "differences", ["user_id"])
    op.create_index("ix_differences_run_id_kind_id", "differences", ["run_id", "kind", "id"])


def _add_edits() -> None:
    op.create_table(
        "clashes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("local_value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("remote_value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("winner", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        *_references("clashes", "user_id"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_clashes_record_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clashes")),
    )
    op.create_index("ix_clashes_user_id_winner_id", "clashes", ["user_id", "winner", "id"])
    op.create_index("ix_clashes_record_id_id", "clashes", ["record_id", "id"])
    op.create_table(
        "stream_rules",
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("deletion_percent", sa.Integer(), nullable=False),
        sa.Column("edits", sa.String(length=32), nullable=True),
        sa.Column("compares_weekly", sa.Boolean(), nullable=False),
        *_references("stream_rules", "user_id", "connection_id"),
        sa.PrimaryKeyConstraint("connection_id", "stream", name=op.f("pk_stream_rules")),
    )
    op.create_index(op.f("ix_stream_rules_user_id"), "stream_rules", ["user_id"])


def _references(table: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    targets = {"user_id": "users.id", "connection_id": "user_integrations.id"}
    return [
        sa.ForeignKeyConstraint([column], [targets[column]], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE")
        for column in columns
    ]
