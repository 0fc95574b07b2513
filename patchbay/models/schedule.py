"""When an import runs by itself, and what stands in its way."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patchbay.models.base import Base, UTCDateTime, text_enum
from patchbay.models.connection import Connection
from patchbay.models.run import Run


class Repeat(StrEnum):
    """How a schedule comes round: every so many minutes or hours, or at a time of day, daily or on chosen weekdays."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAILY = "daily"
    WEEKLY = "weekly"


UNITS: Mapping[Repeat, timedelta] = {Repeat.MINUTES: timedelta(minutes=1), Repeat.HOURS: timedelta(hours=1)}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Overlap(StrEnum):
    """What becomes of a schedule that is due while a run of its import is open: left out, or started after it."""

    SKIP = "skip"
    QUEUE = "queue"


class Schedule(Base):
    """One import of one connection, and when it runs by itself.

    `every` goes with minutes and hours, which are counted from `counts_from`; `time` ("09:30", in `time_zone`) and
    `weekdays` (English, small letters) go with the others. `next_at` is when the clock looks at it; None while its
    owner has paused it, and while its connection cannot be used: then it starts once as soon as that can be used again.
    `held_since` to `held_params` say since when and why a run that is due has not started (a message id, its
    parameters); `skipped_at` when it was last left out because of an open run.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        UniqueConstraint("connection_id", "operation"),
        Index("ix_schedules_user_id_id", "user_id", "id"),
        Index("ix_schedules_paused_at_next_at", "paused_at", "next_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"))
    integration_id: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(64))
    input: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    repeat: Mapped[Repeat] = mapped_column(text_enum(Repeat))
    every: Mapped[int | None] = mapped_column()
    time: Mapped[str | None] = mapped_column(String(5))
    weekdays: Mapped[list[str]] = mapped_column(JSON, default=list)
    time_zone: Mapped[str] = mapped_column(String(64))
    overlap: Mapped[Overlap] = mapped_column(text_enum(Overlap))
    counts_from: Mapped[datetime] = mapped_column(UTCDateTime)
    next_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    held_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    held_reason: Mapped[str | None] = mapped_column(Text)
    held_params: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    skipped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    connection: Mapped[Connection] = relationship(viewonly=True)
    last_run: Mapped[Run | None] = relationship(viewonly=True)
