"""Statistics of calls and runs by the hour, and when each operation last got through."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables."""
    outcomes = ("ok", "throttled", "passing", "owners", "ours", "run_succeeded", "run_failed")
    op.create_table(
        "statistics",
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("span", sa.Enum("hour", "day", name="span", native_enum=False, length=32), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Enum(*outcomes, name="outcome", native_enum=False, length=32), nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["user_integrations.id"],
            name=op.f("fk_statistics_connection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_statistics_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(
            "connection_id", "operation", "span", "starts_at", "outcome", "bucket", name=op.f("pk_statistics")
        ),
    )
    with op.batch_alter_table("statistics", schema=None) as batch_op:
        batch_op.create_index("ix_statistics_user_id_span_starts_at", ["user_id", "span", "starts_at"], unique=False)
        batch_op.create_index("ix_statistics_span_starts_at", ["span", "starts_at"], unique=False)

    op.create_table(
        "contacts",
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["user_integrations.id"],
            name=op.f("fk_contacts_connection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_contacts_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id", "operation", name=op.f("pk_contacts")),
    )
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.create_index("ix_contacts_user_id", ["user_id"], unique=False)
