"""The clock: offers what is due and what a crash has left. All of it may be offered twice without harm."""

import time
from collections.abc import Callable

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from jobs.cleanup import clean_up
from patchbay import batches, health, queue, runs, tokens
from patchbay.models import db

log = structlog.get_logger()

PERIOD_S = 5.0
CLEAN_UP_EVERY_S = 3600.0


def tick() -> None:
    """Offer due runs, batches and token refreshes to the workers, and leave a sign of life."""
    health.beat("clock")
    for run_id in runs.due():
        queue.enqueue(queue.RUN, run_id)
    for batch_id in batches.due():
        queue.enqueue(queue.BATCH, batch_id)
    for connection_id in tokens.due():
        queue.enqueue(queue.REFRESH, connection_id)
    db.session.commit()  # the hints go out with it


def run_clock(app: Flask, should_stop: Callable[[], bool]) -> None:
    """Tick every five seconds until told to stop; a database that is away for a while is waited for."""
    cleaned_at = time.monotonic()
    while not should_stop():
        with app.app_context():
            try:
                tick()
                if time.monotonic() - cleaned_at > CLEAN_UP_EVERY_S:
                    cleaned_at = time.monotonic()
                    clean_up()
            except SQLAlchemyError as error:
                log.warning("The clock missed a beat.", error=type(error).__name__)
        _sleep(should_stop)


def _sleep(should_stop: Callable[[], bool]) -> None:
    until = time.monotonic() + PERIOD_S
    while time.monotonic() < until and not should_stop():
        time.sleep(0.2)
