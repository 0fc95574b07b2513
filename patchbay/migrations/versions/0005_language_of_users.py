"""What language a user wants to read."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column."""
    op.add_column("users", sa.Column("language", sa.String(length=16), nullable=True))
