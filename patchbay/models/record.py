"""External objects as last seen, where the import of their stream stands, and by which rules it is kept in step."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime, text_enum
from patchbay.spec import EditRule


class Record(Base):
    """One external object. `seen_in` is the last run that met it: a complete import deletes what it did not meet.

    `version` is the platform's word for what it looked like (`spec.Item.version`), null when that cannot be trusted.
    `vanished_in` is the `Deletion` it belongs to, or the run whose first sweep missed it; `is_kept`: its owner wants it
    although it has gone there. Both end when it is met again. `compared_in` is the last comparison that met it.

    `data` is the object as the platform gave it. `local` holds the fields that were edited here, `base` what the
    platform had in these when they were; both null without an edit.
    """

    __tablename__ = "records"
    __table_args__ = (
        UniqueConstraint("connection_id", "stream", "external_id"),
        Index("ix_records_connection_id_stream_id", "connection_id", "stream", "id"),
        Index("ix_records_user_id_id", "user_id", "id"),
        # Of few rows, so that the many that every import touches do not have to move in them.
        Index(
            "ix_records_vanished_in_id",
            "vanished_in",
            "id",
            sqlite_where=text("vanished_in IS NOT NULL"),
            postgresql_where=text("vanished_in IS NOT NULL"),
        ),
        Index(
            "ix_records_deleted_at",
            "deleted_at",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"))
    integration_id: Mapped[str] = mapped_column(String(64))
    stream: Mapped[str] = mapped_column(String(64))
    external_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_hash: Mapped[str] = mapped_column(String(64))
    version: Mapped[str | None] = mapped_column(String(100))
    seen_in: Mapped[str] = mapped_column(String(40))
    first_seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    vanished_in: Mapped[str | None] = mapped_column(String(40))
    is_kept: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    compared_in: Mapped[str | None] = mapped_column(String(40))
    local: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    base: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    @property
    def content(self) -> Mapping[str, Any]:
        """The object as it counts here: the platform's fields, under those that were edited."""
        return {**self.data, **self.local} if self.local else self.data


class Checkpoint(Base):
    """Where the import of a stream stands: written with the page it covers, in the same transaction.

    `total` and `least` are the most and the fewest objects that the platform said there are, `passed_over` the ids of
    objects that it listed and that could not be stored. `sweeps` counts how often this run has begun at the beginning.
    `swept_at` is when the last complete sweep ended, of whatever run.
    """

    __tablename__ = "checkpoints"

    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"), primary_key=True)
    stream: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(40))
    cursor: Mapped[str | None] = mapped_column(Text)
    is_complete: Mapped[bool] = mapped_column(default=False)
    total: Mapped[int | None] = mapped_column()
    least: Mapped[int | None] = mapped_column()
    passed_over: Mapped[list[str]] = mapped_column(JSON, default=list, server_default=text("'[]'"))
    sweeps: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    swept_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class StreamRule(Base):
    """How a stream of a connection is kept in step, where its owner wants it otherwise than usual.

    `deletion_percent`: when more of the records would vanish at once, their owner is asked first. `edits` null: as the
    import declares.
    """

    __tablename__ = "stream_rules"

    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"), primary_key=True)
    stream: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    deletion_percent: Mapped[int] = mapped_column()
    edits: Mapped[EditRule | None] = mapped_column(text_enum(EditRule))
    compares_weekly: Mapped[bool] = mapped_column()
