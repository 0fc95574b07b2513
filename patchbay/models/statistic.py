"""How calls and runs went, counted by the hour, and when each operation last got through."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime, text_enum


class Span(StrEnum):
    """How long a stretch a statistic covers; old hours are added up to days (of UTC)."""

    HOUR = "hour"
    DAY = "day"


class Outcome(StrEnum):
    """How a call or a run ended. A call's failure is the owner's to mend, passing, or ours; throttling is none."""

    OK = "ok"
    THROTTLED = "throttled"
    PASSING = "passing"
    OWNERS = "owners"
    OURS = "ours"
    RUN_SUCCEEDED = "run_succeeded"
    RUN_FAILED = "run_failed"


class Statistic(Base):
    """How often an operation's calls, or the operation itself, ended in one way within a span from `starts_at` on.

    `bucket` numbers the length of time it took (`patchbay.health.durations`).
    """

    __tablename__ = "statistics"
    __table_args__ = (
        Index("ix_statistics_user_id_span_starts_at", "user_id", "span", "starts_at"),
        Index("ix_statistics_span_starts_at", "span", "starts_at"),
    )

    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"), primary_key=True)
    operation: Mapped[str] = mapped_column(String(64), primary_key=True)
    span: Mapped[Span] = mapped_column(text_enum(Span), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    outcome: Mapped[Outcome] = mapped_column(text_enum(Outcome), primary_key=True)
    bucket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    count: Mapped[int]


class Contact(Base):
    """When an operation of a connection last had an answer, last ended well, last brought a change, last failed."""

    __tablename__ = "contacts"
    __table_args__ = (Index("ix_contacts_user_id", "user_id"),)

    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"), primary_key=True)
    operation: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    succeeded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
