"""Several runs that belong together, started in one go or stage by stage."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patchbay.models.base import Base, UTCDateTime, text_enum
from patchbay.models.run import Run, Trigger


class Batch(Base):
    """What was asked for in one go. `recipe` names the job that it follows stage by stage, None: there is one stage.

    `stage` is the one whose parts are under way; `memo` holds what a stage made before it could start its parts.
    Whoever plans the next stage writes only while `lease_token` is its own. `version` grows with every change that a
    page would show.
    """

    __tablename__ = "batches"
    __table_args__ = (
        Index("ix_batches_user_id_id", "user_id", "id"),
        Index("ix_batches_ended_at_lease_until", "ended_at", "lease_until"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    recipe: Mapped[str | None] = mapped_column(String(64))
    trigger: Mapped[Trigger] = mapped_column(text_enum(Trigger))
    input: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    memo: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    stage: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    error_kind: Mapped[str | None] = mapped_column(String(64))
    error_params: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    lease_token: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    parts: Mapped[list["BatchPart"]] = relationship(order_by="BatchPart.id", lazy="selectin", viewonly=True)


class BatchPart(Base):
    """One thing to do: a run, or the error because of which none could be started."""

    __tablename__ = "batch_parts"
    __table_args__ = (Index("ix_batch_parts_batch_id_id", "batch_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id", ondelete="CASCADE"))
    stage: Mapped[int] = mapped_column()
    integration_id: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(255))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    error_kind: Mapped[str | None] = mapped_column(String(64))
    error_params: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)

    run: Mapped[Run | None] = relationship(lazy="selectin", viewonly=True)
