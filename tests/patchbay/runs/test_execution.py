"""Imports that read only what has changed: which way they read, what they count, and how they go on after a stop."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from jobs.tick import tick
from patchbay import connections, providers, records, runs
from patchbay.errors import CursorExpired, NotFoundThere, PlatformError, ProviderUnavailable, RateLimited
from patchbay.models import (
    Connection,
    LogLevel,
    Run,
    RunStatus,
    Trigger,
    User,
    WaitReason,
    fresh_view,
)
from patchbay.runs.lease import LENGTH
from patchbay.runs.patience import STORAGE_PAUSE
from patchbay.spec import Api, Changes, Import, Item, Outline, Page
from tests.stage import FrozenClock, Queue, linked_to_dropbox, waited_out

pytestmark = pytest.mark.usefixtures("context")

ON_A_PAGE = 2


class Killed(BaseException):
    """What a SIGKILL comes to: nothing behind this point happens."""


@dataclass
class Warehouse:
    """A platform with things in it. Cursors of one way of reading are no use to the other.

    `young` things have versions that cannot be trusted yet; `gone` ones stand in outlines, but cannot be had.
    """

    things: dict[str, int] = field(default_factory=dict)
    young: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    trouble: dict[str, BaseException] = field(default_factory=dict)
    down_from: str = "never"
    odd: dict[str, Item] = field(default_factory=dict)

    def pages(self, _api: Api, cursor: str | None) -> Iterator[Page]:
        for ids, place, following in self._slices("all", cursor):
            self._ask(place)
            yield Page(tuple(self._item(one) for one in ids), following, len(self.things))

    def outlines(self, _api: Api, cursor: str | None) -> Iterator[Outline]:
        for ids, place, following in self._slices("outline", cursor):
            self._ask(place)
            yield Outline({one: str(self.things[one]) for one in ids}, following, len(self.things))

    def fetch(self, _api: Api, ids: Sequence[str]) -> tuple[Item, ...]:
        self._ask(f"fetch {' '.join(ids)}")
        return tuple(self._item(one) for one in ids if one not in self.gone)

    def _slices(self, kind: str, cursor: str | None) -> Iterator[tuple[list[str], str, str | None]]:
        read, _, place = (cursor or f"{kind} 0").partition(" ")
        assert read == kind, f"a cursor of another way of reading: {cursor}"
        ids = sorted(self.things)
        for start in range(int(place), max(len(ids), 1), ON_A_PAGE):
            following = start + ON_A_PAGE
            yield ids[start:following], f"{kind} {start}", f"{kind} {following}" if following < len(ids) else None

    def _item(self, one: str) -> Item:
        if one in self.odd:
            return self.odd[one]
        version = None if one in self.young else str(self.things[one])
        return Item(one, f"Thing {one}", {"id": one, "content": self.things[one]}, version)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.trouble:
            raise self.trouble.pop(what)
        if what == self.down_from:
            raise ProviderUnavailable("503", provider="Dropbox", action="importing")


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A warehouse with five things, known as the platform Dropbox."""
    made = Warehouse(dict.fromkeys("abcde", 1))
    operation = Import("import_things", "Import", "things", made.pages, changes=Changes(made.outlines, made.fetch))
    provider = replace(providers.get("dropbox"), settings=(), operations=(operation,))
    monkeypatch.setitem(providers._by_key(), "dropbox", provider)
    return made


@pytest.fixture
def connection(warehouse: Warehouse, ada: User) -> Connection:
    """Ada's connection to the warehouse."""
    return linked_to_dropbox(ada)


@pytest.fixture
def bring_in(connection: Connection, warehouse: Warehouse, ada: User, queue: Queue) -> Callable[[], Run]:
    """Carry an import out from beginning to end; `warehouse.asked` then holds what this one asked."""

    def bring_in() -> Run:
        warehouse.asked.clear()
        run = runs.start(ada.id, "dropbox", "import_things", {}, Trigger.API)
        queue.run_all()
        return reread(run, ada)

    return bring_in


def reread(run: Run, user: User) -> Run:
    fresh_view()
    return runs.get(user.id, run.id)


def kept(user: User, deleted: str = "without") -> dict[str, Any]:
    found, _ = records.page(records.Query(user.id, deleted=deleted), cursor=None, limit=100)
    return {record.external_id: record.data["content"] for record in found}


def counts(run: Run) -> dict[str, int]:
    return {name: number for name, number in run.counts.items() if number}


# -- which way it reads


def test_the_first_import_reads_everything_and_the_next_one_an_outline(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    first, asked_first = bring_in(), list(warehouse.asked)
    second = bring_in()

    assert asked_first == ["all 0", "all 2", "all 4"]
    assert warehouse.asked == ["outline 0", "outline 2", "outline 4"]
    assert (first.status, counts(first)) == (RunStatus.SUCCEEDED, {"read": 5, "created": 5})
    assert (second.status, counts(second)) == (RunStatus.SUCCEEDED, {"read": 5, "unchanged": 5})
    assert (second.progress_done, second.progress_total) == (5, 5)
    assert kept(ada) == dict.fromkeys("abcde", 1)


def test_what_is_new_changed_gone_or_back_is_found_by_the_outline(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    bring_in()
    del warehouse.things["a"]
    bring_in()
    warehouse.things |= {"a": 1, "b": 2, "f": 1}
    del warehouse.things["c"]

    run = bring_in()

    assert [what for what in warehouse.asked if what.startswith("fetch")] == ["fetch a b", "fetch f"]
    assert counts(run) == {"read": 5, "created": 1, "updated": 2, "unchanged": 2, "deleted": 1}
    assert (run.progress_done, run.progress_total) == (5, 5)
    assert kept(ada) == {"a": 1, "b": 2, "d": 1, "e": 1, "f": 1}
    assert kept(ada, "only") == {"c": 1}


def test_a_new_version_of_the_same_content_is_no_change_and_read_once(
    bring_in: Callable[[], Run], warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in()
    warehouse.things["a"] = 2
    monkeypatch.setattr(
        Warehouse,
        "_item",
        lambda self, one: Item(one, f"Thing {one}", {"id": one, "content": 1}, str(self.things[one])),
    )

    run = bring_in()
    asked = list(warehouse.asked)
    bring_in()

    assert "fetch a" in asked
    assert counts(run) == {"read": 5, "unchanged": 5}
    assert not any(what.startswith("fetch") for what in warehouse.asked)


def test_what_goes_between_outline_and_reading_stays_until_it_is_no_longer_listed(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    bring_in()
    warehouse.things["b"], warehouse.gone = 2, {"b"}

    while_listed, kept_while_listed = bring_in(), set(kept(ada))
    del warehouse.things["b"]
    afterwards = bring_in()

    assert counts(while_listed) == {"read": 4, "unchanged": 4}
    assert kept_while_listed == set("abcde")
    assert counts(afterwards) == {"read": 4, "unchanged": 4, "deleted": 1}
    assert set(kept(ada)) == set("acde")


def test_a_version_that_is_too_young_is_not_trusted(bring_in: Callable[[], Run], warehouse: Warehouse) -> None:
    warehouse.young = {"a", "d"}
    bring_in()
    bring_in()
    while_young = list(warehouse.asked)
    warehouse.young = set()
    bring_in()
    once_more = list(warehouse.asked)
    bring_in()

    assert [what for what in while_young if what.startswith("fetch")] == ["fetch a", "fetch d"]
    assert [what for what in once_more if what.startswith("fetch")] == ["fetch a", "fetch d"]
    assert not any(what.startswith("fetch") for what in warehouse.asked)


def test_without_any_version_everything_is_read_again(bring_in: Callable[[], Run], warehouse: Warehouse) -> None:
    warehouse.young = set("abcde")
    bring_in()

    run = bring_in()

    assert warehouse.asked == ["all 0", "all 2", "all 4"]
    assert counts(run) == {"read": 5, "unchanged": 5}


def test_when_everything_has_gone_everything_is_deleted(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    bring_in()
    warehouse.things.clear()

    run = bring_in()

    assert counts(run) == {"deleted": 5}
    assert kept(ada) == {}


def test_after_its_data_was_deleted_an_import_reads_everything(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    bring_in()
    connections.delete_records(ada.id, "dropbox")

    run = bring_in()

    assert warehouse.asked == ["all 0", "all 2", "all 4"]
    assert counts(run) == {"read": 5, "created": 5}


# -- going on


@pytest.fixture(params=["all", "outline"])
def way(request: pytest.FixtureRequest, bring_in: Callable[[], Run], warehouse: Warehouse) -> str:
    """The way in which the next import reads; in an outline, everything has changed."""
    if request.param == "outline":
        bring_in()
        warehouse.things = dict.fromkeys("abcde", 2)
    return str(request.param)


def expected(way: str) -> dict[str, int]:
    return {"read": 5, "created" if way == "all" else "updated": 5}


def test_a_run_that_was_killed_goes_on_in_its_own_way(
    way: str, bring_in: Callable[[], Run], warehouse: Warehouse, ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    warehouse.trouble = {f"{way} 2": Killed()}
    with pytest.raises(Killed):
        bring_in()
    frozen_clock.advance(seconds=LENGTH.total_seconds() + 1)
    queue.drop_all()
    warehouse.asked.clear()

    tick()
    queue.run_all()

    (run,), _ = runs.page(runs.Query(ada.id, status=RunStatus.SUCCEEDED), cursor=None, limit=1)
    assert [what for what in warehouse.asked if not what.startswith("fetch")] == [f"{way} 2", f"{way} 4"]
    assert counts(run) == expected(way)
    assert (run.progress_done, run.progress_total) == (5, 5)
    assert kept(ada) == warehouse.things


def test_a_run_that_was_killed_while_reading_what_has_changed_reads_it_again(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    bring_in()
    warehouse.things = dict.fromkeys("abcde", 2)
    warehouse.trouble = {"fetch c d": Killed()}
    with pytest.raises(Killed):
        bring_in()
    frozen_clock.advance(seconds=LENGTH.total_seconds() + 1)

    tick()
    queue.run_all()

    (run,), _ = runs.page(runs.Query(ada.id, status=RunStatus.SUCCEEDED), cursor=None, limit=1)
    assert counts(run) == {"read": 5, "updated": 5}
    assert kept(ada) == warehouse.things


def test_a_run_that_has_to_wait_for_days_goes_on_in_its_own_way_when_the_time_has_come(
    way: str, bring_in: Callable[[], Run], warehouse: Warehouse, ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    resumes_at = frozen_clock.now() + timedelta(days=4)
    warehouse.trouble = {f"{way} 2": RateLimited("enough", retry_at=resumes_at, provider="Dropbox")}
    run = bring_in()
    told = [(run.status, run.resumes_at)]
    frozen_clock.advance(days=3, hours=23)
    tick()
    queue.run_all()
    told.append((reread(run, ada).status, run.resumes_at))
    frozen_clock.advance(hours=1)

    tick()
    queue.run_all()

    run = reread(run, ada)
    assert told == [(RunStatus.WAITING, resumes_at)] * 2
    assert any("2027-03-05" in str(line.params.get("time")) for line in runs.logs(run.id))
    assert run.status is RunStatus.SUCCEEDED
    assert counts(run) == expected(way)


def test_a_run_tried_again_goes_on_in_the_way_of_the_one_that_failed(
    way: str, bring_in: Callable[[], Run], warehouse: Warehouse, ada: User, queue: Queue
) -> None:
    warehouse.trouble = {f"{way} 2": PlatformError("no", provider="Dropbox")}
    failed = bring_in()
    warehouse.asked.clear()

    again = runs.retry(ada.id, failed.id)
    queue.run_all()

    run = reread(again, ada)
    assert failed.status is RunStatus.FAILED
    assert [what for what in warehouse.asked if not what.startswith("fetch")] == [f"{way} 2", f"{way} 4"]
    assert (run.progress_done, run.progress_total) == (5, 5)
    assert run.counts["read"] + failed.counts["read"] == 5
    assert run.counts["deleted"] == 0
    assert kept(ada) == warehouse.things


def test_a_run_that_fails_twice_is_tried_again_from_where_it_failed_last(
    way: str, bring_in: Callable[[], Run], warehouse: Warehouse, ada: User, queue: Queue
) -> None:
    warehouse.trouble = {f"{way} {place}": PlatformError("no", provider="Dropbox") for place in (2, 4)}
    run = bring_in()
    for _ in range(2):
        warehouse.asked.clear()
        run = runs.retry(ada.id, run.id)
        queue.run_all()

    done = reread(run, ada)
    assert [what for what in warehouse.asked if not what.startswith("fetch")] == [f"{way} 4"]
    assert (done.status, done.progress_done) == (RunStatus.SUCCEEDED, 5)
    assert kept(ada) == warehouse.things


def test_a_run_tried_again_after_another_has_been_there_begins_at_the_beginning(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User, queue: Queue
) -> None:
    warehouse.trouble = {"all 2": PlatformError("no", provider="Dropbox")}
    failed = bring_in()
    bring_in()
    warehouse.asked.clear()

    again = runs.retry(ada.id, failed.id)
    queue.run_all()

    run = reread(again, ada)
    assert warehouse.asked == ["outline 0", "outline 2", "outline 4"]
    assert (run.progress_done, counts(run)) == (5, {"read": 5, "unchanged": 5})


def test_a_new_import_after_one_that_failed_in_the_middle_misses_nothing(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    warehouse.trouble = {"all 4": PlatformError("no", provider="Dropbox")}
    bring_in()

    run = bring_in()

    assert counts(run) == {"read": 5, "created": 1, "unchanged": 4}
    assert kept(ada) == warehouse.things


# -- a platform that does not answer


def test_a_run_that_has_begun_waits_for_the_platform_and_goes_on(
    way: str, bring_in: Callable[[], Run], warehouse: Warehouse, ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    warehouse.trouble = {f"{way} 2": ProviderUnavailable("503", provider="Dropbox", action="importing")}

    waiting = bring_in()
    told = waiting.status, waiting.wait_reason, waiting.progress_done
    pause_s = (waiting.resumes_at - frozen_clock.now()).total_seconds() if waiting.resumes_at else 0.0
    run = waited_out(waiting, frozen_clock, queue)

    assert told == (RunStatus.WAITING, WaitReason.UNAVAILABLE, ON_A_PAGE)
    assert 25 <= pause_s <= 35
    assert (run.status, counts(run)) == (RunStatus.SUCCEEDED, expected(way))
    assert kept(ada) == warehouse.things


def test_pauses_grow_and_end_after_an_hour_when_somebody_waits(
    bring_in: Callable[[], Run], warehouse: Warehouse, queue: Queue, frozen_clock: FrozenClock
) -> None:
    warehouse.down_from, began_at = "all 2", frozen_clock.now()

    run = waited_out(bring_in(), frozen_clock, queue)

    lapse = frozen_clock.now() - began_at
    assert (run.status, run.error_kind) == (RunStatus.FAILED, "ProviderUnavailable")
    assert timedelta(hours=1) <= lapse <= timedelta(hours=1, minutes=20)
    assert 5 <= run.waits <= 8
    assert run.progress_done == ON_A_PAGE


def test_who_asks_while_the_platform_is_away_is_told_at_once(bring_in: Callable[[], Run], warehouse: Warehouse) -> None:
    warehouse.down_from = "all 0"

    run = bring_in()

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "ProviderUnavailable")


def test_a_run_that_nobody_watches_waits_for_a_day(
    connection: Connection, warehouse: Warehouse, ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    warehouse.down_from, began_at = "all 0", frozen_clock.now()
    run = runs.start(ada.id, "dropbox", "import_things", {}, Trigger.SCHEDULE)
    queue.run_all()

    run = waited_out(run, frozen_clock, queue)

    assert run.status is RunStatus.FAILED
    assert timedelta(hours=24) <= frozen_clock.now() - began_at <= timedelta(hours=25)


@pytest.mark.parametrize(
    ("told_s", "waited"), [(7200.0, timedelta(hours=2)), (1e18, timedelta(days=1)), (float("inf"), timedelta(days=1))]
)
def test_a_platform_that_says_how_long_is_left_alone_for_so_long_but_no_longer_than_a_day(
    bring_in: Callable[[], Run], warehouse: Warehouse, frozen_clock: FrozenClock, told_s: float, waited: timedelta
) -> None:
    error = ProviderUnavailable("503", provider="Dropbox", action="importing")
    error.wait_s = told_s
    warehouse.trouble = {"all 2": error}

    assert bring_in().resumes_at == frozen_clock.now() + waited


def test_a_database_that_is_away_for_a_moment_costs_a_run_nothing(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    warehouse.trouble = {"all 2": OperationalError("COMMIT", {}, Exception("database is locked"))}
    run = bring_in()
    told = run.status, run.wait_reason
    frozen_clock.advance(seconds=STORAGE_PAUSE.total_seconds())

    tick()
    queue.run_all()

    assert told == (RunStatus.WAITING, WaitReason.STORAGE)
    assert warehouse.asked == ["all 0", "all 2", "all 2", "all 4"]
    assert counts(reread(run, ada)) == expected("all")


# -- a list whose place was lost


def test_a_lost_place_in_a_list_is_made_good_from_its_beginning(
    way: str, bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    warehouse.trouble = {f"{way} 2": CursorExpired("Invalid cursor", provider="Dropbox")}

    run = bring_in()

    assert run.status is RunStatus.SUCCEEDED
    assert [what for what in warehouse.asked if not what.startswith("fetch")] == [
        f"{way} {place}" for place in (0, 2, 0, 2, 4)
    ]
    assert run.count_deleted == 0
    assert run.progress_done == 5
    assert kept(ada) == warehouse.things


def test_what_goes_while_a_list_is_read_again_is_not_taken_for_a_deletion_of_all(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    bring_in()
    warehouse.trouble = {"outline 4": CursorExpired("Invalid cursor", provider="Dropbox")}
    del warehouse.things["e"]

    run = bring_in()

    assert run.status is RunStatus.SUCCEEDED
    assert set(kept(ada)) == set("abcd")


def test_a_place_that_is_lost_again_and_again_fails_the_run(
    bring_in: Callable[[], Run], warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(_self: Warehouse, what: str) -> None:
        if what == "all 2":
            raise CursorExpired("Invalid cursor", provider="Dropbox", action="importing")

    monkeypatch.setattr(Warehouse, "_ask", lose)

    assert bring_in().error_kind == "CursorExpired"


def test_one_object_that_the_platform_does_not_know_does_not_hold_up_the_others(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    bring_in()
    warehouse.things |= {"a": 2, "b": 2}
    warehouse.trouble = {what: NotFoundThere("404", provider="Dropbox") for what in ("fetch a b", "fetch a")}

    run = bring_in()

    assert run.status is RunStatus.SUCCEEDED
    assert kept(ada) == {"a": 1, "b": 2, "c": 1, "d": 1, "e": 1}


# -- poisoned records


POISON = {
    "content": Item("b", "A half", {"content": "\ud800"}),
    "no end": Item("b", "No number", {"content": object()}),
    "id": Item("b" * 300, "Long", {"content": 1}),
    "NUL": Item("b\x00", "NUL", {"content": 1}),
    "no id": Item("", "Nobody", {"content": 1}),
}


@pytest.mark.parametrize("kind", POISON)
def test_a_poisoned_record_is_set_aside_and_the_rest_goes_on(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User, kind: str
) -> None:
    warehouse.odd = {"b": POISON[kind]}

    run = bring_in()

    told = [line.params for line in runs.logs(run.id) if line.level is LogLevel.WARNING]
    assert run.status is RunStatus.SUCCEEDED
    assert counts(run) == {"read": 5, "created": 4, "failed": 1}
    assert run.progress_done == 5
    assert set(kept(ada)) == set("acde")
    assert [params["title"] for params in told] == [POISON[kind].title]
    assert told[0]["reason"]


def test_a_record_that_was_kept_before_it_was_poisoned_stays(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    bring_in()
    warehouse.things["b"], warehouse.odd = 2, {"b": POISON["content"]}

    run = bring_in()

    assert counts(run) == {"read": 5, "unchanged": 4, "failed": 1}
    assert kept(ada) == dict.fromkeys("abcde", 1)


def test_a_page_of_which_nothing_can_be_kept_is_no_matter_of_single_records(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    warehouse.odd = {one: replace(POISON["content"], external_id=one) for one in "ab"}

    run = bring_in()

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "SyncFailed")
    assert kept(ada) == {}


def test_a_version_that_is_too_long_is_not_trusted(
    bring_in: Callable[[], Run], warehouse: Warehouse, ada: User
) -> None:
    warehouse.odd = {"b": Item("b", "Thing b", {"content": 1}, "v" * 200)}

    assert counts(bring_in()) == {"read": 5, "created": 5}
    assert set(kept(ada)) == set("abcde")
