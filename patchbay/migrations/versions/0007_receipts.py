"""What a run waits for and how long it has; receipts of what an action has sent that must not be sent twice."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns and a table."""
    op.add_column("runs", sa.Column("wait_reason", sa.String(length=32), nullable=True))
    op.add_column("runs", sa.Column("waits", sa.Integer(), server_default="0", nullable=False))
    op.add_column("runs", sa.Column("stuck_since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "sent", "done", "unknown", "asked", name="state", native_enum=False, length=32, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_receipts_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_receipts_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("run_id", "name", name=op.f("uq_receipts_run_id_name")),
    )
    op.create_index("ix_receipts_user_id", "receipts", ["user_id"])
