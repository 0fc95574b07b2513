"""Who did what: entries are added, never changed, and sealed in batches that hang on each other.

How the seals are made and checked lives in `patchbay.audit.chain`; the database itself refuses changes (triggers).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime


class AuditEntry(Base):
    """One deed. `user_id` is whose affairs it concerns, `actor` who did it: a user id, a key id, or `system`.

    Neither refers to a row: an entry stays what it was when its user has gone.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_user_id_id", "user_id", "id"),
        Index("ix_audit_entries_subject_id_id", "subject_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    user_id: Mapped[str | None] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    subject_id: Mapped[str | None] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    address: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))


class AuditSeal(Base):
    """A batch of entries, closed: `hash` covers them in their order, their number, and the seal before.

    `last_entry` is the newest under a seal so far. `signature` is the hash, signed with a key derived from the
    installation's own: whoever can write to the database alone cannot make one.
    """

    __tablename__ = "audit_seals"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    count: Mapped[int]
    last_entry: Mapped[str] = mapped_column(String(40))
    hash: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(64))


class AuditLink(Base):
    """Which seal an entry is under, and in which place."""

    __tablename__ = "audit_links"

    seal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(String(40), unique=True)


class AuditRetention(Base):
    """Up to which seal the entries have served their time; one row. Triggers let nothing else be deleted."""

    __tablename__ = "audit_retention"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ended_through: Mapped[int]
    signature: Mapped[str] = mapped_column(String(64))
