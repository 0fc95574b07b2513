"""How each user wants to hear of alerts: through which channels, of which kinds, after how long.

What does not live here: the messages themselves (`alerts.notices`, `alerts.delivery`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from patchbay import settings
from patchbay.models import AlertChannel, AlertKind, AlertPreference, db


@dataclass(frozen=True)
class Preference:
    """What holds for a user; see `AlertPreference` for its parts. The page shows every alert in any case."""

    wants_email: bool = True
    address: str | None = None
    muted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    patience_minutes: int = 0

    def channels(self, kind: AlertKind) -> tuple[AlertChannel, ...]:
        """Through which channels an alert of that kind is sent."""
        open_ones = {
            AlertChannel.EMAIL: self.wants_email and settings.current().mail is not None,
            AlertChannel.ADDRESS: self.address is not None,
        }
        return tuple(
            channel for channel, is_open in open_ones.items() if is_open and kind not in self.muted.get(channel, ())
        )


def of(user_id: str) -> Preference:
    """The user's preference, or what holds for somebody who never said."""
    row = db.session.scalar(select(AlertPreference).where(AlertPreference.user_id == user_id))
    if row is None:
        return Preference()
    return Preference(row.wants_email, row.address, row.muted, row.patience_minutes)
