"""A user's link to a provider, and the authorisations that are under way."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, EncryptedText, UTCDateTime, sealed_column, text_enum


class ConnectionState(StrEnum):
    """Whether the connection can be used."""

    CONNECTED = "connected"
    RECONNECT_NEEDED = "reconnect_needed"
    DISCONNECTED = "disconnected"


class Connection(Base):
    """A user's link to a provider; outlives a disconnect, because records, runs and settings hang on it.

    `exclusive_account` equals `account_id` while connected where a new grant at the platform kills the earlier one
    (two users must not take one account from each other), and is null otherwise. `setting_labels` says settings that
    were picked from a list as people know them. `scopes` are those granted, `scopes_asked` those that were asked for;
    null where nobody has written them down.

    Of the tokens: `refresh_sent_at` is set before a refresh of this `token_version` goes out and cleared once it is
    known what became of it, so that whoever finds it there knows that an answer may have been lost. The `previous_…`
    pair is kept until the present one has worked once. `refresh_due_at` is when the token is to be refreshed ahead of
    its end (null: there is nothing to do), `login_ends_at` when the owner has to connect again if nothing is renewed
    before.
    """

    __tablename__ = "user_integrations"
    __table_args__ = (
        UniqueConstraint("user_id", "integration_id"),
        UniqueConstraint("integration_id", "exclusive_account"),
        Index("ix_user_integrations_state_refresh_due_at", "state", "refresh_due_at"),
        Index("ix_user_integrations_state_login_ends_at", "state", "login_ends_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id", ondelete="CASCADE"), index=True)
    state: Mapped[ConnectionState] = mapped_column(text_enum(ConnectionState, checked_as="state"))
    access_token_sealed: Mapped[str | None] = sealed_column()
    refresh_token_sealed: Mapped[str | None] = sealed_column()
    token_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    refresh_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    token_version: Mapped[int] = mapped_column(default=0)
    refresh_lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    refresh_lease_token: Mapped[str | None] = mapped_column(String(40))
    refresh_failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    refresh_sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    refresh_due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    login_ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    previous_access_token_sealed: Mapped[str | None] = sealed_column()
    previous_refresh_token_sealed: Mapped[str | None] = sealed_column()
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    setting_labels: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    account_id: Mapped[str] = mapped_column(String(255))
    account_label: Mapped[str] = mapped_column(String(255))
    exclusive_account: Mapped[str | None] = mapped_column(String(255))
    scopes: Mapped[list[str]] = mapped_column(JSON, default=list)
    scopes_asked: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    is_sandbox: Mapped[bool] = mapped_column(default=False)
    connected_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_synced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    access_token = EncryptedText("access_token_sealed")
    refresh_token = EncryptedText("refresh_token_sealed")
    previous_access_token = EncryptedText("previous_access_token_sealed")
    previous_refresh_token = EncryptedText("previous_refresh_token_sealed")

    @property
    def is_connected(self) -> bool:
        """Whether a run may use it now."""
        return self.state is ConnectionState.CONNECTED


class PendingAuthorization(Base):
    """A connect that left for the platform: found again by the hash of its state, used once, 10 minutes long.

    When another account came back than before, it keeps the new grant until the owner has decided. `keys` are those
    that a platform has handed over while the browser was still on its way back.
    """

    __tablename__ = "pending_authorizations"
    __table_args__ = (Index("ix_pending_authorizations_user_id_integration_id", "user_id", "integration_id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    state_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    session_hash: Mapped[str | None] = mapped_column(String(64))
    integration_id: Mapped[str] = mapped_column(ForeignKey("integrations.id", ondelete="CASCADE"))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    scopes_asked: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    code_verifier_sealed: Mapped[str | None] = sealed_column()
    redirect_uri: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    grant_sealed: Mapped[str | None] = sealed_column()
    keys_sealed: Mapped[str | None] = sealed_column()

    code_verifier = EncryptedText("code_verifier_sealed")
    grant = EncryptedText("grant_sealed")
    keys = EncryptedText("keys_sealed")


class CallbackOutcome(Base):
    """How a return from a platform ended, kept until it has been shown once at an address that holds no secret."""

    __tablename__ = "callback_outcomes"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    integration_id: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(32))
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    shown_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
