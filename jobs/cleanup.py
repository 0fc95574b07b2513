"""Forgetting what has served its time."""

from datetime import timedelta

from patchbay import clock, connections, images, runs

LOGS_KEPT = timedelta(days=30)
SMALL_PICTURES_KEPT = timedelta(days=30)


def clean_up() -> None:
    """Drop expired authorisations and their outcomes, log lines of old runs and old small pictures; in small steps."""
    connections.forget_expired()
    while runs.forget_details(clock.now() - LOGS_KEPT):
        pass
    images.forget_old(older_than=SMALL_PICTURES_KEPT)
