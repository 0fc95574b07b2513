"""What version of an external object a record holds."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column."""
    op.add_column("records", sa.Column("version", sa.String(length=100), nullable=True))
