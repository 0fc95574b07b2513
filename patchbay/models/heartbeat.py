"""Signs of life of the background processes: `/health` reads them, and they survive a wiped Redis."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from patchbay.models.base import Base, UTCDateTime

CLOCK, AWAKE = "clock", "awake"


class Heartbeat(Base):
    """The last sign of life of one process or thread, by its name; AWAKE: since when those of CLOCK have no gap."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
