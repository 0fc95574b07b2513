"""What a platform last had to pick from, for forms that are opened while it cannot be asked.

When it is kept and for how long it is shown is said in `patchbay.connections.offers`.
"""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime


class KnownChoices(Base):
    """One list of a connection as it was at `seen_at`: pairs of value and label, in the platform's order.

    `list_key` tells lists apart by what is asked for and with which other values.
    """

    __tablename__ = "known_choices"
    __table_args__ = (Index("ix_known_choices_user_id", "user_id"),)

    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"), primary_key=True)
    list_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    choices: Mapped[list[list[str]]] = mapped_column(JSON)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
