"""Comparisons: what is missing, changed and deleted, whatever the versions say; and the repair."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from jobs.tick import tick
from patchbay import records, runs
from patchbay.errors import Conflict, NotFound
from patchbay.models import (
    Connection,
    DifferenceKind,
    Purpose,
    Record,
    Run,
    RunStatus,
    Trigger,
    User,
    fresh_view,
    transaction,
)
from patchbay.records import reconciling, rules
from patchbay.runs import upkeep
from patchbay.runs.lease import LENGTH
from tests.patchbay.records.stand import Stand, Ways, reread
from tests.stage import FrozenClock, Queue

pytestmark = pytest.mark.usefixtures("context")

BringIn = Callable[[], Run]


class Killed(BaseException):
    """What a SIGKILL comes to: nothing behind this point happens."""


@pytest.fixture
def compare(ada: User, queue: Queue) -> Callable[[], Run]:
    """Carry a comparison out from beginning to end."""

    def compare() -> Run:
        run = upkeep.compare(ada.id, "dropbox", "things", Trigger.PAGE)
        queue.run_all()
        return reread(run)

    return compare


@pytest.fixture
def apart(bring_in: BringIn, stand: Stand, ways: Ways) -> Stand:
    """Records that have fallen out of step: one is missing, one has changed under the same version, one has gone."""
    ways.offer(outline=True)
    bring_in()
    with transaction() as session:
        changed = {"id": "001", "title": "other 001", "note": "other"}
        session.execute(update(Record).where(Record.external_id == "001").values(data=changed, content_hash="other"))
    stand.things["900"] = "new"
    del stand.things["002"]
    return stand


def found(run: Run) -> dict[DifferenceKind, set[str]]:
    comparison = reconciling.get(run.user_id, run.id)
    rows, _ = reconciling.differences(comparison, None, cursor=None, limit=100)
    return {kind: {row.external_id for row in rows if row.kind is kind} for kind in DifferenceKind}


def contents(user: User) -> dict[str, str]:
    rows, _ = records.page(records.Query(user.id), cursor=None, limit=500)
    return {record.external_id: record.data["note"] for record in rows}


def test_what_agrees_is_counted_and_nothing_else_said(bring_in: BringIn, compare: BringIn) -> None:
    bring_in()

    run = compare()

    assert (run.status, run.purpose) == (RunStatus.SUCCEEDED, Purpose.COMPARE)
    assert run.result == {"stream": "things", "same": 40, "missing": 0, "changed": 0, "deleted": 0, "isWhole": True}


def test_a_comparison_finds_each_kind_of_difference_and_changes_nothing(
    apart: Stand, compare: BringIn, ada: User
) -> None:
    before = contents(ada)

    run = compare()

    assert found(run) == {
        DifferenceKind.MISSING: {"900"}, DifferenceKind.CHANGED: {"001"}, DifferenceKind.DELETED: {"002"}
    }  # fmt: skip
    assert contents(ada) == before
    comparison = reconciling.get(ada.id, run.id)
    (changed,), _ = reconciling.differences(comparison, DifferenceKind.CHANGED, cursor=None, limit=9)
    assert changed.fields == ["note", "title"]


def test_a_list_that_cannot_be_trusted_tells_of_no_deletions(bring_in: BringIn, compare: BringIn, stand: Stand) -> None:
    bring_in()
    stand.hidden = {"005"}

    run = compare()

    assert run.result is not None
    assert (run.result["deleted"], run.result["isWhole"]) == (0, False)


def test_a_comparison_that_was_killed_goes_on_and_counts_nothing_twice(
    apart: Stand, compare: BringIn, queue: Queue, frozen_clock: FrozenClock, ada: User
) -> None:
    apart.trouble = {20: Killed()}
    with pytest.raises(Killed):
        compare()
    queue.drop_all()
    frozen_clock.advance(seconds=LENGTH.total_seconds() + 1)

    tick()
    queue.run_all()

    (run,), _ = runs.page(runs.Query(ada.id), cursor=None, limit=1)
    assert reread(run).result == {
        "stream": "things", "same": 38, "missing": 1, "changed": 1, "deleted": 1, "isWhole": True
    }  # fmt: skip


def test_a_repair_brings_everything_in_step_whatever_the_versions_say(
    apart: Stand, compare: BringIn, bring_in: BringIn, queue: Queue, ada: User
) -> None:
    bring_in()
    still_wrong = contents(ada)["001"]
    compared = compare()

    run = upkeep.repair(ada.id, compared.id, Trigger.PAGE)
    queue.run_all()

    assert (still_wrong, contents(ada)) == ("other", apart.things)
    assert reread(run).purpose is Purpose.REPAIR
    assert reconciling.get(ada.id, compared.id).repair_id == run.id
    assert compare().result == {
        "stream": "things",
        "same": 40,
        "missing": 0,
        "changed": 0,
        "deleted": 0,
        "isWhole": True,
    }


def test_an_import_under_way_must_end_before_a_repair(apart: Stand, compare: BringIn, ada: User) -> None:
    compared = compare()
    runs.start(ada.id, "dropbox", "import_things", {}, Trigger.API)

    with pytest.raises(Conflict):
        upkeep.repair(ada.id, compared.id, Trigger.PAGE)


def test_a_comparison_and_an_import_do_not_wait_for_each_other(linked: Connection, ada: User) -> None:
    imported = runs.start(ada.id, "dropbox", "import_things", {}, Trigger.API)

    compared = upkeep.compare(ada.id, "dropbox", "things", Trigger.PAGE)

    assert compared.id != imported.id
    assert upkeep.compare(ada.id, "dropbox", "things", Trigger.PAGE).id == compared.id


def test_comparisons_of_another_user_are_not_found(bring_in: BringIn, compare: BringIn, cleo: User) -> None:
    bring_in()
    run = compare()

    with pytest.raises(NotFound):
        reconciling.get(cleo.id, run.id)
    with pytest.raises(NotFound):
        upkeep.repair(cleo.id, run.id, Trigger.PAGE)


# -- by the clock


def look_after() -> None:
    """As the clock does, in a view of its own."""
    fresh_view()
    upkeep.start_due()


def purposes(user: User) -> list[Purpose]:
    found, _ = runs.page(runs.Query(user.id), cursor=None, limit=50)
    return [run.purpose for run in reversed(found)]


def test_the_clock_compares_every_week(frozen_clock: FrozenClock, bring_in: BringIn, ada: User, queue: Queue) -> None:
    bring_in()
    frozen_clock.advance(days=6)
    look_after()
    at_first = purposes(ada)
    for _ in range(9):
        frozen_clock.advance(days=1, minutes=1)
        look_after()
        queue.run_all()

    assert at_first == [Purpose.USUAL]
    assert purposes(ada) == [Purpose.USUAL, Purpose.COMPARE, Purpose.COMPARE]


def test_the_clock_compares_nothing_that_its_owner_does_not_want(
    frozen_clock: FrozenClock, bring_in: BringIn, linked: Connection, ada: User
) -> None:
    bring_in()
    rules.change(linked, "things", {"comparesWeekly": False})
    frozen_clock.advance(days=8)

    look_after()

    assert purposes(ada) == [Purpose.USUAL]


def test_the_clock_looks_daily_for_deletions_where_ids_can_be_read(
    frozen_clock: FrozenClock, bring_in: BringIn, ways: Ways, ada: User, queue: Queue
) -> None:
    ways.offer(ids=True, present=True)
    bring_in()
    for _ in range(3):
        frozen_clock.advance(days=1, minutes=1)
        look_after()
        queue.run_all()

    assert purposes(ada) == [Purpose.USUAL, Purpose.IDS, Purpose.IDS, Purpose.IDS]
