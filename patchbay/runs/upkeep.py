"""Keeping streams in step: comparisons, repairs and sweeps of ids, asked for by a person or by the clock.

How a comparison is carried out lives in `runs.comparing`; the others are imports (`runs.execution`).
"""

import structlog

from patchbay import connections, runs
from patchbay.errors import N_, Conflict, NotFound, PatchbayError
from patchbay.models import Connection, Purpose, Run, Trigger, db, transaction
from patchbay.records import reconciling, rules

log = structlog.get_logger()


def compare(user_id: str, integration_id: str, stream: str, trigger: Trigger) -> Run:
    """Ask for a comparison; an open one of the same stream is returned instead. Raises what `runs.order` raises."""
    operation = rules.import_of(integration_id, stream)
    return runs.place(runs.order(user_id, integration_id, operation.name, {}), trigger, Purpose.COMPARE)


def record(user_id: str, run_id: str, trigger: Trigger) -> Run:
    """Ask once more for what a run has read, to be recorded for a replay.

    Raises NotFound, Conflict for a run that changes something, and what `runs.order` raises.
    """
    old = runs.get(user_id, run_id)
    again = runs.order(user_id, old.integration_id, old.operation, old.input)
    if runs.changes_something(again.operation):
        raise Conflict(
            sentence=N_("What changes something at a platform is recorded when it is done. It is not done again.")
        )
    return runs.place(again, trigger, keeps_answers=True)


def repair(user_id: str, run_id: str, trigger: Trigger) -> Run:
    """Ask for an import that reads everything anew, whatever the versions say, because of what a comparison has found.

    Raises NotFound, Conflict while the comparison or another import is under way, and what `runs.order` raises.
    """
    comparison = reconciling.get(user_id, run_id)
    if comparison.ended_at is None:
        raise Conflict(sentence=N_("The comparison is still under way. Repair when it has ended."))
    operation = rules.import_of(comparison.integration_id, comparison.stream)
    order = runs.order(user_id, comparison.integration_id, operation.name, {})
    with transaction():
        run = runs.place(order, trigger, Purpose.REPAIR)
        if run.purpose is not Purpose.REPAIR:
            raise Conflict(sentence=N_("An import is under way. Wait for its end, then repair."))
        reconciling.get(user_id, run_id).repair_id = run.id
    return run


def sweep_ids(user_id: str, integration_id: str, stream: str, trigger: Trigger) -> Run:
    """Ask for a sweep that reads nothing but ids. Raises NotFound where there is none, and what `runs.order` raises."""
    operation = rules.import_of(integration_id, stream)
    if operation.ids is None:
        raise NotFound(stream)
    return runs.place(runs.order(user_id, integration_id, operation.name, {}), trigger, Purpose.IDS)


def start_due() -> int:
    """For the clock: compare what is due weekly, and look for deletions where ids can be read by themselves."""
    started = 0
    for purpose, due in ((Purpose.COMPARE, reconciling.due_weekly), (Purpose.IDS, reconciling.due_for_ids)):
        for connection_id, stream in due():
            started += _start(connection_id, stream, purpose)
    return started


def _start(connection_id: str, stream: str, purpose: Purpose) -> int:
    connection = db.session.get(Connection, connection_id)
    if connection is None or connections.missing_choices(connection):
        return 0
    ask = compare if purpose is Purpose.COMPARE else sweep_ids
    try:
        ask(connection.user_id, connection.integration_id, stream, Trigger.SCHEDULE)
    except NotFound:
        return 0  # no sweep of ids at this platform, or no such stream any more
    except PatchbayError as error:
        log.info("A stream could not be looked after now.", connection=connection_id, reason=error.kind)
        return 0
    return 1
