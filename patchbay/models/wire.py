"""What went over the wire for a run: each request and its answer, redacted before they come here."""

import re
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, EncryptedText, UTCDateTime, sealed_column

REFRESH = "token refresh"
_GRAPHQL_NAME = re.compile(r'"query"\s*:\s*"(?:\\n|\s)*(?:query|mutation)\s+(?P<name>\w+)')


class WireEntry(Base):
    """One try of one request. `number` counts the tries of a run, so that a gap tells how many were not kept.

    `fingerprint` says which request it is, so that a replay knows it again; a token's refresh has REFRESH in its place.

    Bodies are cut; their `…_bytes` are their true sizes. `whole` is the answer to the last byte, packed and sealed,
    for runs that were to be recorded for a replay; it is never shown.
    """

    __tablename__ = "wire_entries"
    __table_args__ = (
        Index("ix_wire_entries_run_id_number", "run_id", "number"),
        Index("ix_wire_entries_user_id_id", "user_id", "id"),
        Index("ix_wire_entries_at", "at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    integration_id: Mapped[str] = mapped_column(String(64))
    number: Mapped[int]
    attempt: Mapped[int]
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    duration_ms: Mapped[int]
    method: Mapped[str] = mapped_column(String(16))
    url: Mapped[str] = mapped_column(Text)
    request_headers: Mapped[dict[str, Any]] = mapped_column(JSON)
    request_body: Mapped[str] = mapped_column(Text)
    request_bytes: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    error: Mapped[str] = mapped_column(String(64))
    response_headers: Mapped[dict[str, Any]] = mapped_column(JSON)
    response_body: Mapped[str] = mapped_column(Text)
    response_bytes: Mapped[int]
    whole_sealed: Mapped[str | None] = sealed_column()

    whole = EncryptedText("whole_sealed")

    @property
    def is_refresh(self) -> bool:
        """Whether the run needed a new token, and this is how it was asked for."""
        return self.fingerprint == REFRESH

    @property
    def graphql_operation(self) -> str:
        """Which operation a GraphQL request asks for, "" for any other: its address says nothing of it (GraphQL
        specification, "Named Operation Definitions").
        """
        found = _GRAPHQL_NAME.search(self.request_body)
        return found["name"] if found else ""
