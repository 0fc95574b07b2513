"""Keys handed over by a platform, and the labels of what was chosen after connecting."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns."""
    op.add_column("pending_authorizations", sa.Column("keys_sealed", sa.Text(), nullable=True))
    op.add_column(
        "user_integrations", sa.Column("setting_labels", sa.JSON(), nullable=False, server_default=sa.text("'{}'"))
    )
