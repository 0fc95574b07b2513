"""Forgetting what has served its time."""

from datetime import timedelta

from patchbay import clock, connections, images, runs, settings, wire
from patchbay.accounts import exports
from patchbay.audit import chain
from patchbay.records import deletions

LOGS_KEPT = timedelta(days=30)
SMALL_PICTURES_KEPT = timedelta(days=30)


def clean_up() -> None:
    """Drop expired authorisations with their outcomes, old runs' log lines, old small pictures, audit
    entries, and records that vanished a month ago."""
    connections.forget_expired()
    while runs.forget_details(clock.now() - LOGS_KEPT):
        pass
    while deletions.purge(clock.now() - deletions.UNDO_FOR):
        pass
    exports.forget_expired()
    images.forget_old(older_than=SMALL_PICTURES_KEPT)
    while wire.forget(clock.now() - timedelta(days=settings.current().wire_log_days)):
        pass
    while chain.end(clock.now() - timedelta(days=settings.current().audit_days)):
        pass
