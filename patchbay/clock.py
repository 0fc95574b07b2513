"""The one place that knows what time it is. Formatting for people lives in the templates."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """`moment` (aware) as ISO 8601 in UTC with milliseconds and `Z`, the form of every time on the wire."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
