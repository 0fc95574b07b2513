"""What an action has sent that must not be sent twice, and what is known of its outcome."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime, text_enum


class ReceiptState(StrEnum):
    """What is known of something that was sent."""

    SENT = "sent"  # on its way, or its sender was killed
    DONE = "done"
    UNKNOWN = "unknown"  # the answer was lost, and the platform did not show what became of it
    ASKED = "asked"  # the same, and its owner, who was told, has asked for another try


class Receipt(Base):
    """Written before a request goes out that may not be repeated, and again when its outcome is known.

    `name` is the step of the action (`spec.Api.once`), `fingerprint` a SHA-256 of what was sent, `answer` what the step
    came to.
    """

    __tablename__ = "receipts"
    __table_args__ = (UniqueConstraint("run_id", "name"), Index("ix_receipts_user_id", "user_id"))

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    state: Mapped[ReceiptState] = mapped_column(text_enum(ReceiptState, checked_as="state"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    answer: Mapped[Any] = mapped_column(JSON, nullable=False)
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
