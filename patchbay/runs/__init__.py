"""Runs: asking for an operation, looking at it, cancelling it, offering it again.

What does not live here: carrying a run out (`runs.execution`) under a lease (`runs.lease`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.exc import IntegrityError

from patchbay import assets, audit, clock, connections, providers, queue, records
from patchbay.audit import Deed
from patchbay.errors import N_, Conflict, Invalid, NotFound
from patchbay.models import (
    OPEN,
    WITHOUT_CONTENT,
    Connection,
    ConnectionState,
    LogLevel,
    Purpose,
    Run,
    RunLog,
    RunStatus,
    Trigger,
    db,
    new_id,
    transaction,
)
from patchbay.records import deletions
from patchbay.runs import lease, receipts
from patchbay.spec import Action, Import, Kind, Operation, Status, check

UNCLAIMED = timedelta(seconds=3)


@dataclass(frozen=True)
class Query:
    """Which runs to list."""

    user_id: str
    integration_id: str | None = None
    status: RunStatus | None = None


@dataclass(frozen=True)
class Order:
    """An operation that was asked for and may be: checked, and not yet a run."""

    connection: Connection
    operation: Operation
    values: dict[str, Any]


def start(user_id: str, integration_id: str, operation_name: str, values: Mapping[str, Any], trigger: Trigger) -> Run:
    """Ask for an operation. An open run of the same import, or of the same action and values, is returned instead.

    Raises what `order` raises.
    """
    return place(order(user_id, integration_id, operation_name, values), trigger)


def order(user_id: str, integration_id: str, operation_name: str, values: Mapping[str, Any]) -> Order:
    """Check what is asked for; names of pictures' hosts are looked up, so never inside a transaction.

    Raises NotFound (integration), Invalid (operation, its values), Conflict (coming soon, not connected, reconnect
    needed, a permission or a choice is missing).
    """
    provider = providers.get(integration_id)
    if provider.status is Status.COMING_SOON:
        raise Conflict(sentence=N_("%(provider)s is coming soon. It cannot be connected yet."), provider=provider.name)
    operation = provider.operation(operation_name)
    if operation is None:
        raise Invalid({"operation": N_("%(provider)s has no such operation.")}, provider=provider.name)
    connection = connections.connected(user_id, integration_id)
    if connection.state is ConnectionState.RECONNECT_NEEDED:
        raise Conflict(sentence=N_("%(provider)s needs you to reconnect first."), provider=provider.name)
    connections.check_allowed(connection, operation)
    connections.check_chosen(connection, operation.name)
    clean = check(operation.input, values)
    for field in operation.input:
        if field.kind is Kind.PICTURES and clean[field.name]:
            assets.check_addresses(user_id, clean[field.name])
    return Order(connection, operation, clean)


def place(order: Order, trigger: Trigger, purpose: Purpose = Purpose.USUAL, *, keeps_answers: bool = False) -> Run:
    """Make an order a run, in a transaction of its own or the present one; an open run of the same is returned.

    `keeps_answers`: whole, so that the run can be replayed (`wire.replay`); an import then reads everything. Of what
    changes something at the platform they are always kept, for it would have to be done again to be recorded.
    """
    connection, operation, values = order.connection, order.operation, order.values
    key = _open_key(connection, operation, values, purpose)
    run = Run(
        id=new_id("run"),
        user_id=connection.user_id,
        connection_id=connection.id,
        integration_id=connection.integration_id,
        operation=operation.name,
        stream=operation.stream if isinstance(operation, Import) else None,
        trigger=trigger,
        purpose=purpose,
        keeps_answers=keeps_answers or changes_something(operation),
        status=RunStatus.QUEUED,
        open_key=key,
        input=values,
        request_id=audit.actor().request_id,
        created_at=clock.now(),
    )
    with transaction() as session:
        present = _present(key)
        if present is not None:
            return present
        try:
            with session.begin_nested():
                session.add(run)
        except IntegrityError:
            return _expect_present(key)  # two clicks at once: the database let one of them through
        audit.add(Deed.RUN_STARTED, user_id=run.user_id, subject_id=connection.id, run=run.id, what=run.operation)
        queue.enqueue(queue.RUN, run.id)
    return run


def changes_something(operation: Operation) -> bool:
    """Whether a second time would do something a second time at the platform."""
    return isinstance(operation, Action) and not operation.is_read_only


def retry(user_id: str, run_id: str) -> Run:
    """Ask once more for what a failed or cancelled run was to do; an import goes on from its checkpoint.

    Raises NotFound, and what `order` raises.
    """
    old = get(user_id, run_id)
    if old.is_open:
        return old
    again = order(user_id, old.integration_id, old.operation, old.input)
    with transaction():
        run = place(again, Trigger.RETRY, old.purpose)
        if run.status is RunStatus.QUEUED and run.attempts == 0:
            _go_on(old, run)
    return run


def get(user_id: str, run_id: str) -> Run:
    """One run of the user's, as it is now. Raises NotFound."""
    run = db.session.get(Run, run_id, populate_existing=True)
    if run is None or run.user_id != user_id:
        raise NotFound(run_id)
    return run


def page(query: Query, *, cursor: str | None, limit: int) -> tuple[list[Run], str | None]:
    """Runs, newest first, behind `cursor`; and the cursor of the next page."""
    mine = select(Run).where(Run.user_id == query.user_id).options(*WITHOUT_CONTENT)
    statement = mine.order_by(Run.id.desc()).limit(limit + 1)
    if query.integration_id:
        statement = statement.where(Run.integration_id == query.integration_id)
    if query.status:
        statement = statement.where(Run.status == query.status)
    if cursor:
        statement = statement.where(Run.id < cursor)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def logs(run_id: str, *, after: int = 0, level: LogLevel | None = None, limit: int = 500) -> list[RunLog]:
    """The run's log lines behind number `after`, oldest first; of one level, where that is given."""
    statement = select(RunLog).where(RunLog.run_id == run_id, RunLog.id > after).order_by(RunLog.id).limit(limit)
    return list(db.session.scalars(statement if level is None else statement.where(RunLog.level == level)))


def newest_logs(run_id: str, *, before: int | None, level: LogLevel | None = None, limit: int = 200) -> list[RunLog]:
    """The run's last log lines, or the last ones in front of number `before`; oldest first."""
    statement = select(RunLog).where(RunLog.run_id == run_id).order_by(RunLog.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(RunLog.id < before)
    if level is not None:
        statement = statement.where(RunLog.level == level)
    return list(reversed(db.session.scalars(statement).all()))


def cancel(user_id: str, run_id: str) -> Run:
    """Cancel a run: at once when it waits, at its next step when it works. One that has ended stays as it is."""
    now = clock.now()
    with transaction() as session:
        run = get(user_id, run_id)
        if not run.is_open:
            return run
        run.cancel_requested_at = run.cancel_requested_at or now
        run.version += 1
        if run.status is not RunStatus.RUNNING or run.lease_until is None or run.lease_until < now:
            run.status, run.ended_at, run.open_key, run.lease_token = RunStatus.CANCELLED, now, None, None
            session.add(RunLog(run_id=run.id, at=now, level=LogLevel.WARNING, message=N_("Cancelled."), params={}))
        deletions.release(run.id)
        audit.add(Deed.RUN_CANCELLED, user_id=user_id, subject_id=run.id)
    return run


def due(limit: int = 100) -> list[str]:
    """Ids of runs that somebody should take up: queued and not claimed, waiting long enough, or left by a crash.

    One that was queued later than now was queued before the clock was set back.
    """
    lease.doubt_impossible()
    now = clock.now()
    statement = (
        select(Run.id)
        .where(
            or_(
                and_(Run.status == RunStatus.QUEUED, or_(Run.created_at < now - UNCLAIMED, Run.created_at > now)),
                and_(Run.status == RunStatus.WAITING, Run.resumes_at <= now),
                and_(Run.status == RunStatus.RUNNING, Run.lease_until < now),
            )
        )
        .order_by(Run.id)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def forget_details(before: datetime, limit: int = 500) -> int:
    """Delete the log lines of runs that ended before the moment; returns of how many runs, at most `limit`."""
    with transaction() as session:
        has_lines = select(RunLog.id).where(RunLog.run_id == Run.id).exists()
        old = list(session.scalars(select(Run.id).where(Run.ended_at < before, has_lines).limit(limit)))
        session.execute(delete(RunLog).where(RunLog.run_id.in_(old)))
    return len(old)


def _go_on(old: Run, run: Run) -> None:
    """Let the run begin where the old one stopped, with what that remembered: a cursor belongs to a way of reading.

    An action that has not ended well knows what was made and sent already, so that nothing of it is done twice.
    """
    if old.stream is not None:
        if records.hand_over(old.connection_id, old.stream, old.id, run.id):
            run.progress_done, run.progress_total, run.memo = old.progress_done, old.progress_total, dict(old.memo)
    elif old.status is not RunStatus.SUCCEEDED:
        run.memo = dict(old.memo)
        receipts.hand_over(old, run)


def _present(key: str) -> Run | None:
    return db.session.scalar(select(Run).where(Run.open_key == key, Run.status.in_(OPEN)))


def _expect_present(key: str) -> Run:
    return db.session.scalars(select(Run).where(Run.open_key == key)).one()


def _open_key(connection: Connection, operation: Operation, values: Mapping[str, Any], purpose: Purpose) -> str:
    """One open run per connection and import, whatever it is for, because it marks what it meets.

    A comparison marks apart from that; actions with other values run side by side.
    """
    key = f"{connection.id}:{operation.name}"
    if isinstance(operation, Import):
        return f"{key}:compare" if purpose is Purpose.COMPARE else key
    return f"{key}:{hashlib.sha256(msgspec.json.encode(values, order='sorted')).hexdigest()[:32]}"
