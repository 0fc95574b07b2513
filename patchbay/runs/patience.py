"""How long a run bears with a platform that does not answer: the pauses, and when it gives up.

The quick tries within one request are the client's (`patchbay.client.retries`).
"""

import random
from datetime import datetime, timedelta

from patchbay.errors import NetworkError, PatchbayError, ProviderUnavailable
from patchbay.models import Run, Trigger

PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=15))
"""The last one is repeated."""
STORAGE_PAUSE = timedelta(seconds=15)
"""After the database was away or the disk full."""
LONGEST = timedelta(hours=1)
LONGEST_UNWATCHED = timedelta(hours=24)
SPREAD = 0.1
MOST_ATTEMPTS = 500
"""So often a run may be begun in all: storage that is ill would else have it begun for ever. About two hours' worth."""


def resumes_at(run: Run, error: PatchbayError, now: datetime, *, has_come_further: bool) -> datetime | None:
    """When to go on after a fault that passes; None when the run is to fail.

    `has_come_further`: something was done since the run was taken up, so that the platform is not away for good.
    """
    if not isinstance(error, ProviderUnavailable | NetworkError):
        return None
    waits = 0 if has_come_further else run.waits
    since = now if has_come_further or run.stuck_since is None else run.stuck_since
    if now - since >= (LONGEST_UNWATCHED if run.trigger is Trigger.SCHEDULE else LONGEST):
        return None
    pause = PAUSES[min(waits, len(PAUSES) - 1)] * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - spreads runs, guards nothing
    told_s = (error.wait_s or 0.0) if isinstance(error, ProviderUnavailable) else 0.0
    return now + max(pause, timedelta(seconds=min(told_s, LONGEST_UNWATCHED.total_seconds())))
