"""What platforms last had to pick from, for forms that are opened while they cannot be asked."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.create_table(
        "known_choices",
        sa.Column("connection_id", sa.String(length=40), nullable=False),
        sa.Column("list_key", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["user_integrations.id"], name=op.f("fk_known_choices_connection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_known_choices_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("connection_id", "list_key", name=op.f("pk_known_choices")),
    )
    op.create_index("ix_known_choices_user_id", "known_choices", ["user_id"])
