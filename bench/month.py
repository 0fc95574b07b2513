"""A month of schedules in simulated time: starts against the calendar, records and alerts against the platform.

The hub is real (database, clock's offers, jobs); time stands still but when it is moved, and the platform is imaginary.
On the way a login ends, a platform is away, the hub stands still, the clock is put back. A short form is in the suite.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pkgutil import resolve_name
from typing import Any
from unittest import mock

from flask import Flask
from sqlalchemy import func, select

from app import create_app
from bench import figures, imaginary, installation
from bench.almanac import (
    AWAY,
    CALM,
    CHANGES_EVERY,
    DAYS,
    DESERTED,
    LATE,
    LOCKED,
    LOCKED_OUT,
    LOOK_EVERY,
    PUT_BACK_AT,
    RATE,
    SEED,
    STANDSTILL,
    START,
    STEP,
    STILL,
    collapsed,
    moments,
    rhythm,
)
from bench.figures import Row
from bench.imaginary import Killed, Platform
from jobs.tick import OFFERS
from patchbay import clock, oauth, providers, schedules, tenancy, tokens
from patchbay.alerts import rules
from patchbay.models import (
    Alert,
    AlertKind,
    Connection,
    ConnectionState,
    Record,
    Role,
    Run,
    RunStatus,
    Schedule,
    Trigger,
    User,
    db,
    new_id,
    transaction,
)

CONNECTIONS = 200


@dataclass
class Month:
    """What happened. `problems` are the differences to what should have happened, in words."""

    schedules: int = 0
    expected: int = 0
    started: int = 0
    made_up: int = 0
    records: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    alerts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Life:
    """A hub with so many connections, lived through step by step."""

    def __init__(self, app: Flask, connections: int) -> None:
        self.app, self.moment, self.is_put_back = app, START, False
        self.end = START + timedelta(days=DAYS)
        self.platform = Platform(self.now, SEED, RATE)
        self.connections = [str(number) for number in range(connections)]
        self.looked_at = self.changed_at = START
        self.is_locked = False

    def go(self) -> Month:
        """The month."""
        began = time.perf_counter()
        with mock.patch.object(clock, "now", self.now), self._platform_in_place():
            with self._in_context():
                for account in self.connections:
                    self._connect(account)
            while self.moment < self.end:
                self._step()
            with self._in_context():
                month = Judge(self).judge()
        month.seconds = time.perf_counter() - began
        return month

    def now(self) -> datetime:
        """The simulated moment."""
        return self.moment

    @contextmanager
    def _platform_in_place(self) -> Iterator[None]:
        with mock.patch.dict(providers._by_key(), {imaginary.KEY: self.platform.provider()}):
            yield

    @contextmanager
    def _in_context(self) -> Iterator[None]:
        with self.app.app_context(), tenancy.everyone():
            yield

    def _connect(self, account: str) -> None:
        """A user with one connection and one schedule."""
        self.platform.open_account(account)
        user = User(id=new_id("usr"), email=f"{account}@month.example", role=Role.MEMBER, created_at=START)
        values: dict[str, Any] = {"scopes": [], "settings": {}, "setting_labels": {}, "token_version": 1}
        connection = installation.connection(user.id, imaginary.KEY, START, **values)
        connection.account_id = account
        connection.token_expires_at = None
        with transaction() as session:
            session.add(user)
            session.flush()  # the connection names it
            session.add(connection)
        schedules.make(user.id, imaginary.KEY, imaginary.OPERATION, rhythm(account)[0])

    def _step(self) -> None:
        """To the next moment at which something is due, and all that is due then."""
        with self._in_context():
            self.moment = max(_next_event(self.moment, self.end), self.moment + STEP)
        self._happen()
        if self.moment - self.looked_at >= LOOK_EVERY:
            self.looked_at = self.moment
            with self._in_context():
                rules.look()
        with self._in_context():
            offered = [(job.function, row_id) for job, due in OFFERS for row_id in due()]
        for function, row_id in offered:
            self._carry_out(function, row_id)

    def _carry_out(self, function: str, row_id: str) -> None:
        """Twice, as a hint may come twice; no hint but the clock's own arrives."""
        for _ in range(2):
            try:
                with self._in_context():
                    resolve_name(function)(row_id)
            except Killed:
                return

    def _happen(self) -> None:
        """What the month has in store."""
        if STANDSTILL[0] <= self.moment < STANDSTILL[1]:
            self.moment = STANDSTILL[1]
        if self.moment >= PUT_BACK_AT and not self.is_put_back:
            self.moment, self.is_put_back = self.moment - timedelta(hours=1), True
        if self.moment > self.end - STILL:
            self.platform.rate = 0.0
        if self.moment < self.end - CALM and self.moment - self.changed_at >= CHANGES_EVERY:
            self.changed_at = self.moment
            self.platform.change()
        self.platform.away = {DESERTED} if AWAY[0] <= self.moment < AWAY[1] else set()
        if self.is_locked != (LOCKED[0] <= self.moment < LOCKED[1]):
            self.is_locked = not self.is_locked
            with self._in_context():
                _lock(self.is_locked)


class Judge:
    """Compares what happened with what should have."""

    def __init__(self, life: Life) -> None:
        self.life, self.platform = life, life.platform
        self.month = Month(schedules=len(life.connections), faults=life.platform.faults())

    def judge(self) -> Month:
        """Starts, records, ends of runs, alerts."""
        rows = db.session.execute(select(Schedule, Connection.account_id).join(Schedule.connection)).all()
        for schedule, account in rows:
            self._starts(schedule, account)
            self._records(schedule.connection_id, account)
            self._alerts(schedule, account)
        statuses = db.session.execute(select(Run.status, func.count()).group_by(Run.status)).all()
        self.month.runs = Counter({status.value: count for status, count in statuses})
        open_runs = [status for status in self.month.runs if status not in {"succeeded", "failed"}]
        self._expect("all", "ends of runs", open_runs, [])
        return self.month

    def _starts(self, schedule: Schedule, account: str) -> None:
        """Each moment of the calendar has its run, those of a pause have one together; none has two."""
        mine = select(Run.created_at).where(Run.connection_id == schedule.connection_id).order_by(Run.id)
        started = list(db.session.scalars(mine.where(Run.trigger == Trigger.SCHEDULE)))
        told = list(moments(rhythm(account)[0], self.life.end - LATE))
        expected = collapsed(told, [STANDSTILL, LOCKED] if account == LOCKED_OUT else [STANDSTILL])
        self.month.expected += len(told)
        self.month.started += len(started)
        self.month.made_up += len(told) - len(expected)
        if account == DESERTED:  # where runs wait for a day, moments are left out
            inside = [at for at in started if AWAY[0] <= at < AWAY[1]]
            started = [at for at in started if at not in inside]
            expected = [at for at in expected if not AWAY[0] <= at < AWAY[1]]
            self._expect(account, "started while away", 1 <= len(inside) <= 5, True)
        self._expect(account, "number of starts", len(started), len(expected))
        late = [at.isoformat() for at, due in zip(started, expected, strict=False) if not due <= at <= due + LATE]
        self._expect(account, "starts at another time", late, [])

    def _records(self, connection_id: str, account: str) -> None:
        """What is kept is what the platform has, and nothing twice."""
        mine = select(Record.external_id, Record.data).where(Record.connection_id == connection_id)
        kept = db.session.execute(mine.where(Record.deleted_at.is_(None))).all()
        self.month.records += len(kept)
        found = sorted((external_id, data["content"]) for external_id, data in kept)
        self._expect(account, "records", found, sorted(self.platform.things[account].items()))

    def _alerts(self, schedule: Schedule, account: str) -> None:
        """One alert for each row of misshapen answers and for the login; of absent success only where it was absent."""
        mine = select(Run.status, Run.ended_at).where(Run.connection_id == schedule.connection_id).order_by(Run.id)
        ended = db.session.execute(mine).all()
        failed = [status is RunStatus.FAILED for status, _ in ended]
        misshapen = [entry for entry in self.platform.ledger if (entry.account, entry.what) == (account, "misshapen")]
        self._expect(account, "failed runs", sum(failed), len(misshapen))
        found = list(db.session.scalars(select(Alert).where(Alert.user_id == schedule.user_id)))
        kinds = Counter(alert.kind.value for alert in found)
        self.month.alerts.update(kinds)
        opened = [alert.kind for alert in found if alert.is_open and alert.kind is not AlertKind.NO_SUCCESS]
        self._expect(account, "open alerts", opened, [AlertKind.UNEXPECTED_SHAPE] if failed[-1] else [])
        silent = kinds.pop(AlertKind.NO_SUCCESS.value, 0)
        rows = sum(has_failed and not before for before, has_failed in pairwise([False, *failed]))
        should = Counter({AlertKind.UNEXPECTED_SHAPE.value: rows, AlertKind.AUTH_FAILED.value: account == LOCKED_OUT})
        self._expect(account, "alerts", dict(kinds), dict(+should))
        self._silence(account, silent, [at for status, at in ended if status is RunStatus.SUCCEEDED and at])

    def _silence(self, account: str, alerts: int, succeeded: list[datetime]) -> None:
        """Absence of success is told where it lasted too long, but for a login whose end was told already."""
        ends = [START, *succeeded, self.life.end]
        longest, interval = max(later - before for before, later in pairwise(ends)), rhythm(account)[1]
        patience = min(3 * interval, interval + timedelta(days=1))
        if alerts and longest <= patience:
            self.month.problems.append(f"{account}: an alert of silence after {longest}")
        if not alerts and longest > patience + 2 * LOOK_EVERY and account != LOCKED_OUT:
            self.month.problems.append(f"{account}: no alert of silence after {longest}")
        if account == DESERTED:
            self._expect(account, "alerts of silence", alerts, 1)

    def _expect(self, account: str, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.month.problems.append(f"{account}: {what}: {found}, not {expected}")


def main() -> list[Row]:
    """Live through the month with many connections; every problem is a target missed."""
    began_under = figures.load()
    with installation.home(SANDBOX="on") as env:
        lived = Life(create_app(installation.settings_of(env)), CONNECTIONS).go()
    figures.keep("month", began_under, {"connections": CONNECTIONS, "days": DAYS, "rate": RATE, **vars(lived)})
    what = f"a month of {lived.schedules} schedules, {lived.faults.total()} faults"
    return [
        Row(f"{what}: moments", f"{lived.expected:,}", f"{lived.started:,} started, {lived.made_up} made up for"),
        Row(f"{what}: lost, doubled, late, false alarms", str(len(lived.problems)), "0", not lived.problems),
    ]


def _next_event(now: datetime, end: datetime) -> datetime:
    """When something is due next."""
    waiting = select(func.min(Run.resumes_at)).where(Run.status == RunStatus.WAITING)
    left = select(func.min(Run.lease_until)).where(Run.status == RunStatus.RUNNING)
    queued = select(func.count()).where(Run.status == RunStatus.QUEUED)
    if db.session.scalar(queued):
        return now
    found = [db.session.scalar(statement) for statement in (select(func.min(Schedule.next_at)), waiting, left)]
    planned = [at for at in (*LOCKED, *AWAY) if at > now]
    return min([at for at in found if at is not None] + planned + [now + LOOK_EVERY, end])


def _lock(is_locked: bool) -> None:
    """The login of one account ends; or its owner connects again."""
    row = db.session.scalars(select(Connection).where(Connection.account_id == LOCKED_OUT)).one()
    if is_locked:
        tokens.mark_reconnect_needed(row.id, "the owner took the access back")
        return
    with transaction():
        tokens.keep(row, oauth.Grant("another-token", None, None, None, None))
        row.state, row.connected_at = ConnectionState.CONNECTED, clock.now()
        tokens.login_works(row)
