"""Starting what is due by its schedule."""

from patchbay import schedules


def start(schedule_id: str) -> None:
    """Start the schedule's run, unless it is not due or something stands in its way."""
    schedules.start(schedule_id)
