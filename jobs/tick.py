"""The clock: offers what is due and what a crash has left. All of it may be offered twice without harm."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from jobs.cleanup import clean_up
from patchbay import batches, health, queue, runs, schedules, tenancy, tokens
from patchbay.accounts import exports, leaving
from patchbay.alerts import delivery, inbox, rules
from patchbay.audit import chain
from patchbay.limits import alarms
from patchbay.models import db
from patchbay.runs import upkeep

log = structlog.get_logger()

PERIOD_S = 5.0


@dataclass(frozen=True)
class Chore:
    """Something short that the clock itself does every so often, and may do twice."""

    every_s: float
    do: Callable[[], object]


OFFERS: tuple[tuple[queue.Job, Callable[[], list[str]]], ...] = (
    (queue.RUN, runs.due),
    (queue.BATCH, batches.due),
    (queue.SCHEDULE, schedules.due),
    (queue.REFRESH, tokens.due),
    (queue.EXPORT, exports.due),
    (queue.LEAVE, leaving.due),
    (queue.ALERT, delivery.due),
)
"""What the workers are offered, and the ids of the rows that are due."""

CHORES = (
    Chore(60, rules.look),
    Chore(30, alarms.look),
    Chore(60, chain.seal_all),
    Chore(3600, clean_up),
    Chore(3600, upkeep.start_due),
    Chore(3600, tokens.watch_logins),
    Chore(3600, health.age),
    Chore(3600, inbox.forget_old),
)


def tick() -> None:
    """Offer to the workers what is due, and leave a sign of life."""
    health.beat("clock")
    found = [(job, due()) for job, due in OFFERS]
    db.session.commit()  # nothing stays open while they are offered
    for job, row_ids in found:
        queue.offer(job, row_ids)


def run_clock(app: Flask, should_stop: Callable[[], bool]) -> None:
    """Tick every five seconds until told to stop; a database that is away for a while is waited for."""
    next_at = {chore: time.monotonic() + chore.every_s for chore in CHORES}
    while not should_stop():
        with app.app_context(), tenancy.everyone():
            try:
                tick()
                for chore in [chore for chore, at in next_at.items() if at <= time.monotonic()]:
                    next_at[chore] = time.monotonic() + chore.every_s
                    chore.do()
            except SQLAlchemyError as error:
                log.warning("The clock missed a beat.", error=type(error).__name__)
        _sleep(should_stop)


def _sleep(should_stop: Callable[[], bool]) -> None:
    until = time.monotonic() + PERIOD_S
    while time.monotonic() < until and not should_stop():
        time.sleep(0.2)
