"""One execution of an operation, and what it said while it went on."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, defer, mapped_column

from patchbay.models.base import Base, UTCDateTime, text_enum


class RunStatus(StrEnum):
    """Where a run stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class WaitReason(StrEnum):
    """What a waiting run waits for; all but the last end by themselves, at `Run.resumes_at`."""

    RATE_LIMIT = "rate_limit"
    BREAKER = "breaker"
    UNAVAILABLE = "unavailable"
    STORAGE = "storage"
    CONFIRM_DELETIONS = "confirm_deletions"


OPEN = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING)


class Trigger(StrEnum):
    """Who or what asked for the run."""

    PAGE = "page"
    API = "api"
    RETRY = "retry"
    SCHEDULE = "schedule"


class Purpose(StrEnum):
    """What an import's run is for."""

    USUAL = "usual"  # bring in what is new and changed, find what has gone
    COMPARE = "compare"  # read everything, change nothing, report what disagrees
    REPAIR = "repair"  # bring in everything anew, whatever the versions say
    IDS = "ids"  # find what has gone, reading nothing but ids


class LogLevel(StrEnum):
    """How grave a log line is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Run(Base):
    """`open_key` is unique while the run is open, so that the database itself refuses a second open run.

    `memo` holds what must survive a kill between two steps of an action (ids made in advance, sessions begun).
    `version` grows with every change that a page would show. A worker may write only while `lease_token` is its own.
    `waits` counts how often it has waited for a platform that does not answer since it last came further, and
    `stuck_since` is when the first of these waits began.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_user_id_id", "user_id", "id"),
        Index("ix_runs_connection_id_id", "connection_id", "id"),
        Index("ix_runs_status_lease_until", "status", "lease_until"),
        Index("ix_runs_status_resumes_at", "status", "resumes_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("user_integrations.id", ondelete="CASCADE"))
    integration_id: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(64))
    stream: Mapped[str | None] = mapped_column(String(64))
    trigger: Mapped[Trigger] = mapped_column(text_enum(Trigger))
    purpose: Mapped[Purpose] = mapped_column(text_enum(Purpose), default=Purpose.USUAL, server_default="usual")
    status: Mapped[RunStatus] = mapped_column(text_enum(RunStatus, checked_as="status"))
    open_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    input: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    memo: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int | None] = mapped_column()
    count_read: Mapped[int] = mapped_column(default=0)
    count_created: Mapped[int] = mapped_column(default=0)
    count_updated: Mapped[int] = mapped_column(default=0)
    count_unchanged: Mapped[int] = mapped_column(default=0)
    count_deleted: Mapped[int] = mapped_column(default=0)
    count_failed: Mapped[int] = mapped_column(default=0)
    error_kind: Mapped[str | None] = mapped_column(String(64))
    error_params: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    error_detail: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    resumes_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    wait_reason: Mapped[WaitReason | None] = mapped_column(text_enum(WaitReason))
    waits: Mapped[int] = mapped_column(default=0, server_default="0")
    keeps_answers: Mapped[bool] = mapped_column(default=False, server_default=false())
    stuck_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def is_open(self) -> bool:
        """Whether it may still change by itself."""
        return self.status in OPEN

    @property
    def is_asking(self) -> bool:
        """Whether it has done its work, and its owner is to decide about deletions."""
        return self.status is RunStatus.WAITING and self.wait_reason is WaitReason.CONFIRM_DELETIONS

    @property
    def counts(self) -> dict[str, int]:
        """The six counts, by the names of the contract."""
        return {name: getattr(self, f"count_{name}") for name in COUNTS}


# A list does without these: a result may hold fifty products, and reading them costs more than all the rest.
WITHOUT_CONTENT = (defer(Run.result), defer(Run.memo), defer(Run.input))
COUNTS = ("read", "created", "updated", "unchanged", "deleted", "failed")


class RunLog(Base):
    """A line of a run's log: an English message id and what fills its placeholders, redacted when written."""

    __tablename__ = "run_logs"
    __table_args__ = (Index("ix_run_logs_run_id_id", "run_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    level: Mapped[LogLevel] = mapped_column(text_enum(LogLevel))
    message: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
