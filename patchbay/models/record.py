"""External objects as last seen, and where the import of their stream stands."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime


class Record(Base):
    """One external object. `seen_in` is the last run that met it: a complete import deletes what it did not meet.

    `version` is the platform's word for what it looked like (`spec.Item.version`), null when that cannot be trusted.
    """

    __tablename__ = "records"
    __table_args__ = (
        UniqueConstraint("connection_id", "stream", "external_id"),
        Index("ix_records_connection_id_stream_id", "connection_id", "stream", "id"),
        Index("ix_records_user_id_id", "user_id", "id"),
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


class Checkpoint(Base):
    """Where the import of a stream stands: written with the page it covers, in the same transaction."""

    __tablename__ = "checkpoints"

    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"), primary_key=True)
    stream: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(40))
    cursor: Mapped[str | None] = mapped_column(Text)
    is_complete: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
