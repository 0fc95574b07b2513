"""What keeps a token alive: a mark for a refresh under way, the pair before, when it is due, and what was asked for.

Connections of before are due at once, where they have something to refresh with: how long ahead each platform wants it
is not known here.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TIMES = ("refresh_sent_at", "refresh_due_at", "login_ends_at")
_SECRETS = ("previous_access_token_sealed", "previous_refresh_token_sealed")


def upgrade() -> None:
    """Columns, and indexes for the two questions that the clock asks."""
    for name in _TIMES:
        op.add_column("user_integrations", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in _SECRETS:
        op.add_column("user_integrations", sa.Column(name, sa.Text(), nullable=True))
    for table in ("user_integrations", "pending_authorizations"):
        op.add_column(table, sa.Column("scopes_asked", sa.JSON(), nullable=True))
    op.execute(
        "UPDATE user_integrations SET refresh_due_at = connected_at "
        "WHERE refresh_token_sealed IS NOT NULL AND token_expires_at IS NOT NULL"
    )
    op.execute(
        "UPDATE user_integrations SET login_ends_at = "
        "CASE WHEN refresh_token_sealed IS NULL THEN token_expires_at ELSE refresh_expires_at END"
    )
    op.drop_index("ix_user_integrations_state_token_expires_at", table_name="user_integrations")
    for name in ("refresh_due_at", "login_ends_at"):
        op.create_index(f"ix_user_integrations_state_{name}", "user_integrations", ["state", name])
