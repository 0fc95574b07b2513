"""Pictures that users own: designs they brought, mockups made from them. The bytes lie in the home, by their hash."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime, text_enum


class AssetKind(StrEnum):
    """What the picture is."""

    DESIGN = "design"
    MOCKUP = "mockup"


class Asset(Base):
    """One picture of one user. Two assets with the same bytes share one file."""

    __tablename__ = "assets"
    __table_args__ = (Index("ix_assets_user_id_kind_id", "user_id", "kind", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[AssetKind] = mapped_column(text_enum(AssetKind, checked_as="kind"))
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(64))
    extension: Mapped[str] = mapped_column(String(8))
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    design_id: Mapped[str | None] = mapped_column(ForeignKey("assets.id", ondelete="SET NULL"), index=True)
    template_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
