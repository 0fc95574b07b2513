"""Who listens to what a run says to its platform: statistics and logs, each of which adds itself to `LISTENERS`.

What does not live here: the run itself (`runs.execution`), which tells its listeners and lets them write.
"""

from collections.abc import Callable
from typing import Protocol

from patchbay import health
from patchbay.alerts.run_notes import RunNotes
from patchbay.client import Exchange
from patchbay.models import Run
from patchbay.wire import WireLog


class Listener(Protocol):
    """Listens to one claim of one run."""

    def exchanged(self, exchange: Exchange) -> None:
        """Take a note in memory, quickly: the run waits for it, and no transaction is open."""

    def write(self, run: Run) -> None:
        """Write what was noted since the last time, in the present transaction: the run's own step.

        Of the run what `STANDING` names has just been read.
        """


LISTENERS: tuple[Callable[[Run], Listener], ...] = (health.CallLog, RunNotes, WireLog)
"""Each is called with the run when it is claimed (again)."""

STANDING = ("status", "error_kind", "started_at", "ended_at", "count_created", "count_updated", "count_deleted")
"""What listeners ask of a run: read once for all of them."""
