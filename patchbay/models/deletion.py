"""What a complete import missed: deleted here as well, or held until its owner has decided.

Which records it is about, they say themselves (`Record.vanished_in`); the rules live in `patchbay.records.deletions`.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime, text_enum


class DeletionState(StrEnum):
    """What became of it."""

    HELD = "held"
    DELETED = "deleted"
    KEPT = "kept"
    REPLACED = "replaced"  # a later sweep came to an end of its own
    UNDONE = "undone"


class Deletion(Base):
    """The records that one run missed: `count` of the `known` ones of its stream. `decided_at`: of the last change."""

    __tablename__ = "deletions"
    __table_args__ = (Index("ix_deletions_connection_id_stream_id", "connection_id", "stream", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"))
    integration_id: Mapped[str] = mapped_column(String(64))
    stream: Mapped[str] = mapped_column(String(64))
    state: Mapped[DeletionState] = mapped_column(text_enum(DeletionState))
    count: Mapped[int] = mapped_column()
    known: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
