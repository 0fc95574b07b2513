"""What needs a person's attention, the messages that say so, and whom to tell of what in which way."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, EncryptedText, UTCDateTime, sealed_column, text_enum


class AlertKind(StrEnum):
    """What can be amiss; the words for each are in `patchbay.alerts.stories`."""

    INTEGRATION_DOWN = "integration_down"
    NO_SUCCESS = "no_success"
    ERROR_RATE = "error_rate"
    QUOTA_NEAR = "quota_near"
    AUTH_FAILED = "auth_failed"
    RUN_STUCK = "run_stuck"
    BACKLOG_OLD = "backlog_old"
    DISK_LOW = "disk_low"
    API_ENDING = "api_ending"
    UNEXPECTED_SHAPE = "unexpected_shape"
    DELETIONS_HELD = "deletions_held"
    LOGIN_ENDING = "login_ending"


class AlertChannel(StrEnum):
    """How a message leaves this installation."""

    EMAIL = "email"
    ADDRESS = "address"


class AlertEvent(StrEnum):
    """What a message is about."""

    OPENED = "opened"
    REMINDER = "reminder"
    RECOVERED = "recovered"


class NoticeState(StrEnum):
    """What became of a message; only the first may still change."""

    PENDING = "pending"
    SENT = "sent"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


class Alert(Base):
    """Something amiss with a subject (a connection, a run, this installation). One is open per user, kind and subject.

    `subject_id` names what it is about, in words of whoever raises it. A silent cause raises it again and again:
    `count` and `last_raised_at` tell. `snoozed_until` None: not put off.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_open",
            "user_id",
            "kind",
            "subject_id",
            unique=True,
            sqlite_where=text("is_open"),
            postgresql_where=text("is_open"),
        ),
        Index("ix_alerts_kind_subject_id_is_open", "kind", "subject_id", "is_open"),
        Index("ix_alerts_user_id_is_open_id", "user_id", "is_open", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    connection_id: Mapped[str | None] = mapped_column(
        ForeignKey("user_integrations.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[AlertKind] = mapped_column(text_enum(AlertKind))
    subject_id: Mapped[str] = mapped_column(String(200))
    params: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    is_open: Mapped[bool] = mapped_column(default=True)
    count: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_raised_at: Mapped[datetime] = mapped_column(UTCDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    snoozed_until: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)


class AlertNotice(Base):
    """One message about an alert through one channel: due at a time, sent under a lease, tried again until sent.

    Its id is what receivers know it by (`Message-ID`, `webhook-id`), the same in every try. A lease token that is still
    there after `lease_until` says that a sender died and nobody knows whether the message left.
    """

    __tablename__ = "alert_notices"
    __table_args__ = (
        UniqueConstraint("alert_id", "channel", "event", "number"),
        Index("ix_alert_notices_state_due_at", "state", "due_at"),
        Index("ix_alert_notices_user_id_id", "user_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    alert_id: Mapped[str] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    channel: Mapped[AlertChannel] = mapped_column(text_enum(AlertChannel))
    event: Mapped[AlertEvent] = mapped_column(text_enum(AlertEvent))
    number: Mapped[int] = mapped_column(default=1)
    state: Mapped[NoticeState] = mapped_column(text_enum(NoticeState), default=NoticeState.PENDING)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    problem: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class AlertPreference(Base):
    """Whom to tell: a user without a row gets everything by e-mail at once.

    `muted` maps a channel to the kinds that are not sent through it; `patience_minutes` is how long an alert must last
    before anything is sent. `secret` signs what goes to `address`.
    """

    __tablename__ = "alert_preferences"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    wants_email: Mapped[bool] = mapped_column(default=True)
    address: Mapped[str | None] = mapped_column(Text)
    secret_sealed: Mapped[str | None] = sealed_column()
    muted: Mapped[dict[str, list[str]]] = mapped_column(JSON, default=dict)
    patience_minutes: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    secret = EncryptedText("secret_sealed")
