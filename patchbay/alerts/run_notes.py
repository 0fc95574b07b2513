"""What a run notices of its platform: that something of the interface ends, or that answers have changed their form.

What does not live here: what the clock finds by looking at rows (`alerts.rules`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from patchbay import alerts, clock
from patchbay.alerts.finding import title_of
from patchbay.errors import UnexpectedShape
from patchbay.models import AlertKind, Run, RunStatus

FARTHEST = timedelta(days=20 * 365)


class Answered(Protocol):
    """As much of an exchange as is looked at."""

    @property
    def response_headers(self) -> Mapping[str, str]:
        """The headers of the answer, none when there was no answer."""


class RunNotes:
    """Listens to one claim of a run (`runs.listening.Listener`)."""

    def __init__(self, run: Run) -> None:
        self._run_id, self._user_id, self._connection_id = run.id, run.user_id, run.connection_id
        self._title = title_of(run.integration_id, run.operation)
        self._operation = run.operation
        self._is_ending = False
        self._ends_at: datetime | None = None

    def exchanged(self, exchange: Answered) -> None:
        """Note what the answer's headers say of an end."""
        headers = exchange.response_headers
        if not headers:
            return
        names = {name.lower(): text for name, text in headers.items() if name.lower() in {"deprecation", "sunset"}}
        if not names:
            return
        ends_at = sunset(names.get("sunset", ""))
        if ends_at is not None or is_deprecated(names.get("deprecation", "")):
            self._is_ending = True
            self._ends_at = min((at for at in (self._ends_at, ends_at) if at is not None), default=None)

    def write(self, run: Run) -> None:
        """Raise what was noted, and what the run's end tells; resolve what a success disproves."""
        if self._is_ending:
            self._raise_ending()
        subject_id = f"{self._connection_id}:{self._operation}"
        if run.status is RunStatus.SUCCEEDED:
            alerts.resolve(AlertKind.UNEXPECTED_SHAPE, subject_id)
        elif run.status is RunStatus.FAILED and run.error_kind == UnexpectedShape.__name__:
            alerts.raise_alert(
                AlertKind.UNEXPECTED_SHAPE,
                user_id=self._user_id,
                subject_id=subject_id,
                connection_id=self._connection_id,
                operation=self._title,
                run=self._run_id,
            )

    def _raise_ending(self) -> None:
        dated = {"until": clock.iso(self._ends_at)} if self._ends_at else {"case": "undated"}
        alerts.raise_alert(
            AlertKind.API_ENDING,
            user_id=self._user_id,
            subject_id=f"{self._connection_id}:heard",
            connection_id=self._connection_id,
            **dated,
        )
        self._is_ending = False  # said once in a claim of a run


def is_deprecated(text: str) -> bool:
    """Whether a Deprecation header names a moment, past or to come (RFC 9745, section 2.1: `@` and Unix seconds).

    Drafts before it had `true` or a date there; both still occur.
    """
    text = text.strip()
    seconds = text.removeprefix("@")
    if text.startswith("@") and seconds.lstrip("-").isdigit():
        return True
    return text.lower() == "true" or _date(text) is not None


def sunset(text: str) -> datetime | None:
    """The moment of a Sunset header (RFC 8594, section 3: an HTTP date), aware UTC; None for none that can be used."""
    return _date(text.strip())


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if abs(moment - clock.now()) < FARTHEST else None
