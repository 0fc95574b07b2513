"""Where an edit made here met a change made at the platform.

Who wins is decided in `patchbay.records.edits`; the loser is kept here.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime, text_enum


class Winner(StrEnum):
    """Whose value stays; OPEN: its owner has not decided yet, and the one from here is shown."""

    OPEN = "open"
    LOCAL = "local"
    REMOTE = "remote"


class Clash(Base):
    """One field of one record, with both values."""

    __tablename__ = "clashes"
    __table_args__ = (
        Index("ix_clashes_user_id_winner_id", "user_id", "winner", "id"),
        Index("ix_clashes_record_id_id", "record_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    record_id: Mapped[str] = mapped_column(ForeignKey("records.id", ondelete="CASCADE"))
    run_id: Mapped[str] = mapped_column(String(40))
    field: Mapped[str] = mapped_column(String(64))
    local_value: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    remote_value: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    winner: Mapped[Winner] = mapped_column(text_enum(Winner))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
