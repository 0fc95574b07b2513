"""What a comparison of the records with their platform found.

How it is found lives in `patchbay.records.reconciling`; the run around it in `patchbay.runs`.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime, text_enum


class DifferenceKind(StrEnum):
    """In which way a record and the object there disagree."""

    MISSING = "missing"  # there, and not here, or deleted here
    CHANGED = "changed"  # otherwise here than there
    DELETED = "deleted"  # here, and not there


class Comparison(Base):
    """One comparison of a stream. `cursor` is where it stands; `is_read`: the platform's list came to its end.

    `is_whole` says whether that list can be trusted to have been all of it, without which nothing is called deleted.
    """

    __tablename__ = "comparisons"
    __table_args__ = (Index("ix_comparisons_connection_id_stream_run_id", "connection_id", "stream", "run_id"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"))
    integration_id: Mapped[str] = mapped_column(String(64))
    stream: Mapped[str] = mapped_column(String(64))
    cursor: Mapped[str | None] = mapped_column(Text)
    is_read: Mapped[bool] = mapped_column(default=False)
    is_whole: Mapped[bool] = mapped_column(default=False)
    total: Mapped[int | None] = mapped_column()
    count_same: Mapped[int] = mapped_column(default=0)
    count_missing: Mapped[int] = mapped_column(default=0)
    count_changed: Mapped[int] = mapped_column(default=0)
    count_deleted: Mapped[int] = mapped_column(default=0)
    repair_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def differences(self) -> int:
        """How many objects disagree."""
        return self.count_missing + self.count_changed + self.count_deleted


class Difference(Base):
    """One object that disagrees; only so many of a kind are kept. `fields` names what has changed."""

    __tablename__ = "differences"
    __table_args__ = (Index("ix_differences_run_id_kind_id", "run_id", "kind", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("comparisons.run_id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[DifferenceKind] = mapped_column(text_enum(DifferenceKind))
    external_id: Mapped[str] = mapped_column(String(255))
    record_id: Mapped[str | None] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(Text)
    fields: Mapped[list[str]] = mapped_column(JSON, default=list)
