"""What a run waits for, and receipts of what an action has sent."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column."""
    op.add_column("runs", sa.Column("wait_reason", sa.String(length=32), nullable=True))
