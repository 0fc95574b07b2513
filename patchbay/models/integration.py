"""The catalogue's rows and the app credentials that an administrator entered for them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, EncryptedText, UTCDateTime, sealed_column, text_enum
from patchbay.spec import Category, Status

__all__ = ["Category", "Integration", "ProviderCredential", "Status"]


class Integration(Base):
    """A provider as the catalogue shows it. Written from the declarations at each migration."""

    __tablename__ = "integrations"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(Text)
    category: Mapped[Category] = mapped_column(text_enum(Category, checked_as="category"), index=True)
    logo_url: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[Status] = mapped_column(text_enum(Status, checked_as="status"), index=True)
    oauth_config: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ProviderCredential(Base):
    """Client id and secret of our app at a platform, entered by an administrator; the environment wins over it."""

    __tablename__ = "provider_credentials"

    id: Mapped[str] = mapped_column(ForeignKey("integrations.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(255))
    client_secret_sealed: Mapped[str | None] = sealed_column()
    redirect_uri: Mapped[str | None] = mapped_column(String(500))
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    client_secret = EncryptedText("client_secret_sealed")
