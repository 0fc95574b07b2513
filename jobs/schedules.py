"""Starting what is due by its schedule."""

from jobs.owners import of_owner
from patchbay import schedules
from patchbay.models import Schedule


@of_owner(Schedule)
def start(schedule_id: str) -> None:
    """Start the schedule's run, unless it is not due or something stands in its way."""
    schedules.start(schedule_id)
