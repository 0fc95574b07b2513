"""Deletions: only of what has provably gone, held when they are many, decided once, undone for a month."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from jobs.cleanup import clean_up
from patchbay import connections, records, runs
from patchbay.errors import Conflict, NotFound, PlatformError
from patchbay.models import (
    Alert,
    AlertKind,
    Connection,
    Deletion,
    DeletionState,
    Purpose,
    Run,
    RunStatus,
    Trigger,
    User,
    WaitReason,
    db,
)
from patchbay.records import deletions, rules
from patchbay.runs import deciding, upkeep
from tests.patchbay.records.stand import Stand, Ways, reread
from tests.stage import FrozenClock, Queue

pytestmark = pytest.mark.usefixtures("context")

BringIn = Callable[[], Run]
ON_THE_SECOND_PAGE = 10


def kept(user: User, deleted: str = "without") -> set[str]:
    found, _ = records.page(records.Query(user.id, deleted=deleted), cursor=None, limit=500)
    return {record.external_id for record in found}


def messages(run: Run) -> list[str]:
    return [line.message for line in runs.logs(run.id)]


def take_away(stand: Stand, count: int) -> set[str]:
    """The first things go."""
    gone = set(sorted(stand.things)[:count])
    stand.things = {one: content for one, content in stand.things.items() if one not in gone}
    return gone


def open_alerts(user: User) -> list[Alert]:
    statement = select(Alert).where(Alert.user_id == user.id, Alert.kind == AlertKind.DELETIONS_HELD, Alert.is_open)
    return list(db.session.scalars(statement))


# -- what counts as a proof


def test_what_is_not_listed_but_there_by_its_id_stays(bring_in: BringIn, stand: Stand, ways: Ways, ada: User) -> None:
    ways.offer(present=True)
    bring_in()
    stand.hidden, stand.tells_total = {"003", "017"}, False

    run = bring_in()

    assert run.counts["deleted"] == 0
    assert kept(ada) == set(stand.things)
    assert "Not listed, but still there: %(count)s. They stay." in messages(run)


@pytest.mark.parametrize(("count", "sweeps"), [(50, 1), (51, 2)])
def test_where_each_id_takes_a_request_many_are_looked_for_by_reading_again(
    count: int, sweeps: int, bring_in: BringIn, stand: Stand, ways: Ways, ada: User, linked: Connection
) -> None:
    ways.offer(present=True, singly=True)
    stand.stock(120)
    bring_in()
    rules.change(linked, "things", {"deletionPercent": 100})
    gone, stand.sweeps = take_away(stand, count), 0

    run = bring_in()

    assert stand.sweeps == sweeps
    assert run.counts["deleted"] == count
    assert kept(ada, "only") == gone


def test_what_a_list_left_out_once_stays(bring_in: BringIn, stand: Stand, ada: User) -> None:
    stand.tells_total = False
    bring_in()
    stand.hidden, stand.hides, stand.sweeps = {"003"}, 1, 0

    run = bring_in()

    assert stand.sweeps == 2
    assert (run.status, run.counts["deleted"], run.counts["read"]) == (RunStatus.SUCCEEDED, 0, 39)
    assert kept(ada) == set(stand.things)


def test_a_list_that_is_shorter_than_its_total_deletes_nothing_and_says_so(
    bring_in: BringIn, stand: Stand, ada: User
) -> None:
    bring_in()
    stand.hidden = {"003"}

    run = bring_in()

    assert run.counts["deleted"] == 0
    assert kept(ada) == set(stand.things)
    assert any("was not whole" in message for message in messages(run))


@pytest.mark.parametrize("outline", [True, False])
def test_what_has_gone_is_deleted(outline: bool, bring_in: BringIn, stand: Stand, ways: Ways, ada: User) -> None:
    ways.offer(outline=outline)
    bring_in()
    gone = take_away(stand, 3)

    run = bring_in()

    assert run.counts["deleted"] == 3
    assert kept(ada, "only") == gone


def test_a_sweep_of_ids_deletes_and_brings_nothing_in(
    bring_in: BringIn, stand: Stand, ways: Ways, ada: User, queue: Queue, linked: Connection
) -> None:
    ways.offer(ids=True, present=True)
    bring_in()
    gone = take_away(stand, 2)
    stand.things |= {"900": "new", "039": "changed"}

    run = upkeep.sweep_ids(ada.id, "dropbox", "things", Trigger.API)
    queue.run_all()

    assert reread(run).purpose is Purpose.IDS
    assert reread(run).counts == {
        "read": 38, "created": 0, "updated": 0, "unchanged": 38, "deleted": 2, "failed": 0
    }  # fmt: skip
    assert kept(ada, "only") == gone
    assert "900" not in kept(ada)


# -- the brake


@pytest.fixture
def held(bring_in: BringIn, stand: Stand) -> Run:
    """A run that missed 25 of 40."""
    bring_in()
    take_away(stand, 25)
    return bring_in()


def test_when_much_would_vanish_the_run_waits_and_its_owner_is_told(held: Run, ada: User) -> None:
    told = open_alerts(ada)

    assert (held.status, held.wait_reason, held.resumes_at) == (
        RunStatus.WAITING, WaitReason.CONFIRM_DELETIONS, None
    )  # fmt: skip
    assert len(kept(ada)) == 40
    assert [(alert.params["count"], alert.params["known"]) for alert in told] == [("25", "40")]


def test_as_much_as_the_owner_allows_vanishes_without_a_question(
    bring_in: BringIn, stand: Stand, linked: Connection, ada: User
) -> None:
    rules.change(linked, "things", {"deletionPercent": 70})
    bring_in()
    take_away(stand, 25)

    run = bring_in()

    assert (run.status, run.counts["deleted"]) == (RunStatus.SUCCEEDED, 25)
    assert len(kept(ada)) == 15


@pytest.mark.parametrize(
    ("vanished", "known", "percent", "asked"),
    [(19, 19, 10, False), (20, 20, 10, True), (20, 200, 10, False), (21, 200, 10, True), (500, 500, 100, False)],
)
def test_a_question_needs_both_a_number_and_a_share(vanished: int, known: int, percent: int, asked: bool) -> None:
    assert deletions.is_braked(vanished, known, percent) is asked


def test_confirmed_deletions_are_carried_out_once(held: Run, ada: User) -> None:
    run = deciding.confirm(ada.id, held.id)

    assert (run.status, run.counts["deleted"], len(kept(ada, "only"))) == (RunStatus.SUCCEEDED, 25, 25)
    assert run.result is not None
    assert run.result["counts"]["deleted"] == 25
    assert open_alerts(ada) == []
    with pytest.raises(Conflict):
        deciding.confirm(ada.id, held.id)


def test_what_was_met_since_is_not_deleted(held: Run, stand: Stand, bring_in: BringIn, ada: User) -> None:
    stand.things |= {f"{number:03}": "first" for number in range(10)}
    stand.trouble = {ON_THE_SECOND_PAGE: PlatformError("no", provider="Dropbox")}
    bring_in()  # meets the first ten again, and fails

    run = deciding.confirm(ada.id, held.id)

    assert run.counts["deleted"] == 15
    assert {f"{number:03}" for number in range(10)} <= kept(ada)


def test_what_is_kept_stays_whatever_later_imports_miss(held: Run, bring_in: BringIn, ada: User) -> None:
    deciding.keep(ada.id, held.id)

    later = bring_in()

    assert (later.status, later.counts["deleted"], len(kept(ada))) == (RunStatus.SUCCEEDED, 0, 40)
    assert deletions.get(ada.id, held.id).state is DeletionState.KEPT


def test_what_was_kept_and_comes_back_is_as_before(held: Run, bring_in: BringIn, stand: Stand, ada: User) -> None:
    deciding.keep(ada.id, held.id)
    stand.stock(40)
    bring_in()
    del stand.things["000"]

    run = bring_in()

    assert run.counts["deleted"] == 1


def test_a_later_import_replaces_the_question(held: Run, bring_in: BringIn, stand: Stand, ada: User) -> None:
    stand.stock(40)

    later = bring_in()

    assert (later.status, later.counts["deleted"]) == (RunStatus.SUCCEEDED, 0)
    assert reread(held).status is RunStatus.SUCCEEDED
    assert deletions.get(ada.id, held.id).state is DeletionState.REPLACED
    assert open_alerts(ada) == []


def test_a_later_import_that_misses_as_much_asks_anew(held: Run, bring_in: BringIn, ada: User) -> None:
    later = bring_in()

    assert later.wait_reason is WaitReason.CONFIRM_DELETIONS
    assert [alert.subject_id for alert in open_alerts(ada)] == [later.id]
    assert len(deletions.page(deletions.get(ada.id, later.id), cursor=None, limit=100)[0]) == 25


def test_a_question_that_is_called_off_deletes_nothing(held: Run, ada: User) -> None:
    run = runs.cancel(ada.id, held.id)

    assert run.status is RunStatus.CANCELLED
    assert (len(kept(ada)), open_alerts(ada)) == (40, [])
    with pytest.raises(Conflict):
        deciding.confirm(ada.id, held.id)


def test_a_question_ends_with_its_connection(held: Run, ada: User) -> None:
    connections.disconnect(ada.id, "dropbox")

    deletion = deletions.get(ada.id, held.id)
    assert (reread(held).status, deletion.state) == (RunStatus.CANCELLED, DeletionState.REPLACED)
    assert (len(kept(ada)), deletions.remaining(deletion), open_alerts(ada)) == (40, 0, [])


def test_the_question_of_another_user_is_not_found(held: Run, cleo: User) -> None:
    for decide in (deciding.confirm, deciding.keep, deletions.undo, deletions.get):
        with pytest.raises(NotFound):
            decide(cleo.id, held.id)


def test_the_preview_comes_in_pages(held: Run, ada: User) -> None:
    deletion = deletions.get(ada.id, held.id)

    first, cursor = deletions.page(deletion, cursor=None, limit=20)
    second, end = deletions.page(deletion, cursor=cursor, limit=20)

    assert (len(first), len(second), end) == (20, 5, None)
    assert len({record.id for record in [*first, *second]}) == 25


# -- the way back


@pytest.fixture
def deleting(bring_in: BringIn, stand: Stand) -> Run:
    """A run that deleted three."""
    bring_in()
    take_away(stand, 3)
    return bring_in()


def test_deletions_are_undone_as_a_whole_and_stay_undone(deleting: Run, bring_in: BringIn, ada: User) -> None:
    count = deletions.undo(ada.id, deleting.id)

    later = bring_in()

    assert (count, later.counts["deleted"], len(kept(ada))) == (3, 0, 40)
    with pytest.raises(Conflict):
        deletions.undo(ada.id, deleting.id)


def test_after_a_month_they_are_forgotten(deleting: Run, ada: User, frozen_clock: FrozenClock) -> None:
    deletion = db.session.get_one(Deletion, deletions.get(ada.id, deleting.id).id)
    frozen_clock.moment = deletion.created_at + deletions.UNDO_FOR - timedelta(minutes=1)
    clean_up()
    just_before = len(kept(ada, "only"))

    frozen_clock.advance(minutes=2)
    clean_up()

    assert (just_before, kept(ada, "only"), len(kept(ada))) == (3, set(), 37)
    with pytest.raises(Conflict):
        deletions.undo(ada.id, deleting.id)


def test_what_comes_back_by_itself_is_not_brought_back_twice(
    deleting: Run, bring_in: BringIn, stand: Stand, ada: User
) -> None:
    stand.stock(40)
    bring_in()

    assert deletions.undo(ada.id, deleting.id) == 0
    assert len(kept(ada)) == 40
