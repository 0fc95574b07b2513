"""What users take with them, and their going: exports of all that is theirs, and accounts that are being deleted."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime, text_enum


class ExportState(StrEnum):
    """How far an export is."""

    ASKED = "asked"
    READY = "ready"
    FAILED = "failed"


class Export(Base):
    """One archive of all that belongs to a user; its file lies in the home under the export's id until it expires."""

    __tablename__ = "exports"
    __table_args__ = (
        Index("ix_exports_user_id_id", "user_id", "id"),
        Index("ix_exports_state_lease_until", "state", "lease_until"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    state: Mapped[ExportState] = mapped_column(text_enum(ExportState, checked_as="state"))
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    size_bytes: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class Leaving(Base):
    """A user who is being deleted: their connections are ended one by one, then the rest goes at once, this row too."""

    __tablename__ = "leavings"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    asked_by: Mapped[str] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
