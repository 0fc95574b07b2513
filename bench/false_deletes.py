"""Imports of a small stream whose platform fails in every way that lists can fail: is anything deleted that is there?

The platform is a few lines in this process, so that ten thousand imports take minutes; the import itself is the real
one, on a database in a home of the bench's own. What does not live here: how a deletion is proven (`runs.finishing`).
"""

import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from unittest.mock import patch

from sqlalchemy import select, update

from app import create_app
from bench import figures, installation
from bench.figures import Row
from patchbay import accounts, catalog, clock, providers, runs, tenancy
from patchbay.errors import PlatformError
from patchbay.models import Connection, Record, Role, Run, RunStatus, Trigger, db, fresh_view, transaction
from patchbay.records import deletions
from patchbay.runs import deciding, execution
from patchbay.spec import Api, Changes, Import, Item, Outline, Page

IMPORTS = int(os.environ.get("BENCH_IMPORTS", "10000"))
SEED = int(os.environ.get("BENCH_SEED", "1"))
OBJECTS, ON_A_PAGE = 30, 8
FAULT_RATE = 0.3
"""Of pages, each fault alike; a sweep has about five pages, so that nearly every import meets one."""

FAULTS = ("cut", "empty", "repeated", "early_end", "expired", "disorder", "killed", "lying_total")
Way = tuple[bool, bool, bool]
WAYS: tuple[Way, ...] = tuple(
    (has_total, has_present, has_outline)
    for has_total in (True, False)
    for has_present in (True, False)
    for has_outline in (True, False)
    if has_total or has_present
)
"""What a platform offers: a total, an answer for ids, an outline. Without the first two, a list that was cut short
twice cannot be told from one that has become shorter: there, only the brake is left."""


class Killed(BaseException):
    """What a SIGKILL comes to: nothing behind this point happens."""


@dataclass
class Shelf:
    """The platform: what it has, how it fails, and in which ways it can be asked."""

    random: random.Random
    things: dict[str, int] = field(default_factory=dict)
    way: Way = (True, True, True)
    faults: dict[str, int] = field(default_factory=dict)
    made: int = 0
    is_well: bool = False

    def change(self, most: int) -> None:
        """Something comes, something changes, something goes."""
        for _ in range(self.random.randint(0, most)):
            match self.random.choice(("add", "add", "edit", "remove", "remove")):
                case "add" if len(self.things) < OBJECTS * 2:
                    self.add()
                case "remove" if len(self.things) > OBJECTS // 2:
                    del self.things[self.random.choice(list(self.things))]
                case _ if self.things:
                    self.things[self.random.choice(list(self.things))] += 1

    def add(self) -> None:
        """A new thing, under an id that nothing had before; it may stand anywhere in the list."""
        self.made += 1
        self.things[f"{self.random.randint(0, 999):03}-{self.made}"] = 1

    def pages(self, _api: Api, cursor: str | None) -> Iterator[Page]:
        """All things in full."""
        for ids, following, total in self._walk("all", cursor):
            yield Page(tuple(self._item(one) for one in ids if one in self.things), following, total)

    def outlines(self, _api: Api, cursor: str | None) -> Iterator[Outline]:
        """All things by their versions."""
        for ids, following, total in self._walk("outline", cursor):
            yield Outline({one: str(self.things.get(one, 0)) for one in ids}, following, total)

    def fetch(self, _api: Api, ids: Sequence[str]) -> tuple[Item, ...]:
        """Some things in full; now and then one is not to be had for a moment."""
        there = [one for one in ids if one in self.things]
        return tuple(self._item(one) for one in there if not self._goes_wrong("cut"))

    def present(self, _api: Api, ids: Sequence[str]) -> set[str]:
        """Which of the ids exist: a question that is answered right, or not at all."""
        if self._goes_wrong("expired"):
            raise PlatformError("not now", provider="The shelf")
        return {one for one in ids if one in self.things}

    def _walk(self, kind: str, cursor: str | None) -> Iterator[tuple[list[str], str | None, int | None]]:
        read, _, place = (cursor or f"{kind} 0").partition(" ")
        if read != kind:
            raise RuntimeError(f"a cursor of another way of reading: {cursor}")
        start = int(place)
        while True:
            self._stumble(start)
            ids, following = self._page(start)
            yield ids, f"{kind} {following}" if following is not None else None, self._total()
            if following is None:
                self._stumble(0)  # between the last page and what follows from it
                return
            start = following
            if self.random.random() < 0.1 and not self.is_well:
                self.change(1)  # while it is being read

    def _stumble(self, start: int) -> None:
        if start and self._goes_wrong("expired"):
            raise PlatformError("this cursor has expired", provider="The shelf")
        if self._goes_wrong("killed"):
            raise Killed

    def _page(self, start: int) -> tuple[list[str], int | None]:
        listed = sorted(self.things)
        if self._goes_wrong("disorder"):
            self.random.shuffle(listed)
        ids, following = listed[start : start + ON_A_PAGE], start + ON_A_PAGE
        if self._goes_wrong("cut"):
            ids = ids[: len(ids) // 2]
        if self._goes_wrong("empty"):
            ids = []
        if self._goes_wrong("repeated"):
            ids = listed[max(0, start - ON_A_PAGE) : start]
        if self._goes_wrong("early_end"):
            return ids, None
        return ids, following if following < len(listed) else None

    def _total(self) -> int | None:
        if not self.way[0]:
            return None
        return len(self.things) // 2 if self.way[1] and self._goes_wrong("lying_total") else len(self.things)

    def _goes_wrong(self, fault: str) -> bool:
        if self.is_well or self.random.random() >= FAULT_RATE / len(FAULTS):
            return False
        self.faults[fault] = self.faults.get(fault, 0) + 1
        return True

    def _item(self, one: str) -> Item:
        return Item(one, f"Thing {one}", {"id": one, "content": self.things[one]}, str(self.things[one]))


@dataclass
class Outcome:
    """What came of the imports: how they ended, what they deleted, and what of it was there all the same.

    `deleted` is without questions, `confirmed` after the owner was asked; `false_questions` were asked about what was
    there.
    """

    ended: dict[str, int] = field(default_factory=dict)
    deleted: int = 0
    confirmed: int = 0
    kills: int = 0
    false_deletes: list[str] = field(default_factory=list)
    false_questions: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    not_in_step: list[str] = field(default_factory=list)


def import_often(connection: Connection, count: int, seed: int) -> Outcome:
    """So many imports of one connection, whose platform changes and fails; in the end all is well and must be in step.

    Needs an app context. For the time of each import, the platform stands in place of the connection's own.
    """
    shelf = Shelf(random.Random(seed))  # noqa: S311 - the same faults for the same seed
    outcome = Outcome(faults=shelf.faults)
    for _ in range(OBJECTS):
        shelf.add()
    for number in range(count):
        if number % 20 == 0:
            shelf.way = shelf.random.choice(WAYS)
            deletions.purge(clock.now())  # as after a month, so that they do not pile up
        shelf.change(3)
        run = _carried_out(connection, shelf, outcome)
        outcome.ended[run.status.value] = outcome.ended.get(run.status.value, 0) + 1
        outcome.deleted += run.count_deleted
        _answer(run, shelf, outcome)
        outcome.false_deletes += [one for one in _deleted(connection) if one in shelf.things]
    shelf.is_well = True
    _answer(_carried_out(connection, shelf, outcome), shelf, outcome)
    outcome.not_in_step = sorted(_kept(connection) ^ set(shelf.things))
    return outcome


def main() -> list[Row]:
    """Measure, keep, and say how it compares."""
    began_under, started = figures.load(), time.perf_counter()
    with installation.home(SANDBOX="on") as env, create_app(installation.settings_of(env)).app_context():
        with tenancy.everyone():
            catalog.publish()
            user_id = accounts.create_user("bench@example.org", "a password for the bench", Role.MEMBER).id
        connection = installation.connection(user_id, "dropbox", clock.now(), settings={}, setting_labels={}, scopes=[])
        with tenancy.of(user_id):
            with transaction() as session:
                session.add(connection)
            outcome = import_often(connection, IMPORTS, seed=SEED)
    seconds = time.perf_counter() - started
    figures.keep(
        "false_deletes", began_under, {"imports": IMPORTS, "seed": SEED, "seconds": seconds, **asdict(outcome)}
    )
    wrong = len(outcome.false_deletes) + len(outcome.false_questions)
    what = f"{IMPORTS:,} imports, {sum(outcome.faults.values()):,} faults, {outcome.kills:,} kills"
    return [
        Row(f"{what}: deleted", f"{outcome.deleted:,} and {outcome.confirmed:,} confirmed"),
        Row("of these still there", str(wrong), "0", wrong == 0),
        Row(
            "kept, or not, against the platform at the end", str(len(outcome.not_in_step)), "0", not outcome.not_in_step
        ),
    ]


def _carried_out(connection: Connection, shelf: Shelf, outcome: Outcome) -> Run:
    """One import: taken up again after each kill, tried again now and then after a failure, as its owner would."""
    with _in_place_of(connection.integration_id, shelf):
        run = runs.start(connection.user_id, connection.integration_id, "import_things", {}, Trigger.API)
        while True:
            _executed(run.id, outcome)
            fresh_view()
            run = runs.get(connection.user_id, run.id)
            if run.status is RunStatus.FAILED and (shelf.is_well or shelf.random.random() < 0.5):
                run = runs.retry(connection.user_id, run.id)
            elif run.status is not RunStatus.RUNNING:
                return run


def _answer(run: Run, shelf: Shelf, outcome: Outcome) -> None:
    """The owner of a question looks at the platform, and confirms what is truly gone."""
    if not run.is_asking:
        return
    asked, _ = deletions.page(deletions.get(run.user_id, run.id), cursor=None, limit=shelf.made)
    still_there = [record.external_id for record in asked if record.external_id in shelf.things]
    outcome.false_questions += still_there
    if not still_there:
        outcome.confirmed += deciding.confirm(run.user_id, run.id).count_deleted


def _executed(run_id: str, outcome: Outcome) -> None:
    """Until somebody is killed; then the lease has lapsed, as if the time had passed."""
    try:
        execution.execute(run_id)
    except Killed:
        outcome.kills += 1
        db.session.rollback()
        with transaction() as session:
            session.execute(update(Run).where(Run.id == run_id).values(lease_until=clock.now() - timedelta(seconds=1)))


@contextmanager
def _in_place_of(integration_id: str, shelf: Shelf) -> Iterator[None]:
    """The shelf is the platform that the integration stands for."""
    _, has_present, has_outline = shelf.way
    operation = Import(
        "import_things",
        "Import",
        "things",
        shelf.pages,
        changes=Changes(shelf.outlines, shelf.fetch) if has_outline else None,
        present=shelf.present if has_present else None,
    )
    platform = replace(providers.get(integration_id), settings=(), operations=(operation,))
    with patch.dict(providers._by_key(), {integration_id: platform}):
        yield


def _deleted(connection: Connection) -> list[str]:
    gone = select(Record.external_id).where(Record.connection_id == connection.id, Record.deleted_at.is_not(None))
    return list(db.session.scalars(gone))


def _kept(connection: Connection) -> set[str]:
    kept = select(Record.external_id).where(Record.connection_id == connection.id, Record.deleted_at.is_(None))
    return set(db.session.scalars(kept))
