"""Forgetting what has served its time."""

from datetime import timedelta

from patchbay import clock, connections, runs

LOGS_KEPT = timedelta(days=30)


def clean_up() -> None:
    """Drop expired authorisations and their outcomes, and the log lines of old runs; in small steps."""
    connections.forget_expired()
    while runs.forget_details(clock.now() - LOGS_KEPT):
        pass
