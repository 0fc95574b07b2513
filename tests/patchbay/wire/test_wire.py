"""The wire log of runs: what is kept, how much, for how long, whose it is; and carrying a run out from it again."""

import shlex
from typing import Any

import pytest
from sqlalchemy import func, select, update

from patchbay import clock, runs, wire
from patchbay.errors import Conflict, NotFound
from patchbay.models import Connection, Run, RunStatus, Trigger, User, WireEntry, db, transaction
from patchbay.runs import upkeep
from patchbay.wire import replay
from tests.stage import FrozenClock, Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def run(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> Run:
    """An import of Ada's that met one fault on its way."""
    connect(ada, "shopify", shop="demo-shop")
    sandbox.fault("shopify", "server_error")
    made = runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    queue.run_all()
    return runs.get(ada.id, made.id)


@pytest.fixture
def recorded(run: Run, ada: User, queue: Queue) -> Run:
    """The same import once more, recorded."""
    made = upkeep.record(ada.id, run.id, Trigger.PAGE)
    queue.run_all()
    return runs.get(ada.id, made.id)


def entries_of(run: Run, **narrowed: Any) -> list[WireEntry]:
    return wire.page(wire.Query(run.user_id, run.id, **narrowed), cursor=None, limit=100)[0]


def test_every_try_is_kept_with_what_came_of_it(run: Run) -> None:
    entries = entries_of(run)

    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert (entries[0].status, entries[0].error, entries[0].attempt) == (500, "ProviderUnavailable", 1)
    assert (entries[1].status, entries[1].error, entries[1].attempt) == (200, "", 2)
    assert "products" in entries[1].request_body
    assert all(entry.whole_sealed is None for entry in entries)


def test_no_token_of_the_connection_is_in_it(run: Run) -> None:
    token = db.session.get_one(Connection, run.connection_id).access_token or "none"
    for entry in entries_of(run):
        told = f"{entry.url}{entry.request_headers}{entry.request_body}{entry.response_headers}{entry.response_body}"
        assert token not in told
        assert token not in wire.as_curl(entry)


@pytest.mark.parametrize("cursor", ["²", "9" * 30, "-1", "wir_1"])
def test_a_cursor_that_is_no_place_in_the_run_begins_at_the_first_request(run: Run, cursor: str) -> None:
    found, _ = wire.page(wire.Query(run.user_id, run.id), cursor=cursor, limit=1)

    assert [entry.number for entry in found] == [1]


def test_requests_are_found_by_their_words_and_by_how_they_went(run: Run) -> None:
    assert len(entries_of(run, outcome="5xx")) == 1
    assert all(entry.status == 200 for entry in entries_of(run, outcome="ok"))
    assert entries_of(run, outcome="none") == []
    assert entries_of(run, search="no such words anywhere") == []
    assert entries_of(run, search="graphql")


def test_the_log_comes_in_pages(run: Run) -> None:
    query, seen, cursor = wire.Query(run.user_id, run.id), [], None
    while True:
        found, cursor = wire.page(query, cursor=cursor, limit=1)
        seen += [entry.number for entry in found]
        if cursor is None:
            break

    assert seen == [entry.number for entry in entries_of(run)]


def test_nobody_elses_requests_are_to_be_had(run: Run, cleo: User) -> None:
    entry = entries_of(run)[0]

    assert wire.page(wire.Query(cleo.id, run.id), cursor=None, limit=10) == ([], None)
    with pytest.raises(NotFound):
        wire.get(cleo.id, entry.id)


def test_the_log_ends(run: Run, frozen_clock: FrozenClock) -> None:
    kept = db.session.scalar(select(func.count()).select_from(WireEntry))
    frozen_clock.advance(days=300)

    assert wire.forget(clock.now()) == kept
    assert entries_of(run) == []


def test_a_command_can_be_pasted_into_a_shell(run: Run) -> None:
    entry = entries_of(run)[0]
    entry.request_headers = {**entry.request_headers, "X-Odd": "it's $HOME `id`"}

    words = shlex.split(wire.as_curl(entry))

    assert words[:3] == ["curl", "-X", "POST"]
    assert "X-Odd: it's $HOME `id`" in words
    assert "X-Shopify-Access-Token: $ACCESS_TOKEN" in words
    assert "Content-Type: application/json" in words
    assert entry.request_body in words
    db.session.expire(entry)


def test_a_recorded_run_comes_to_the_same_end_again_and_again(recorded: Run) -> None:
    first, second = replay.replay(recorded), replay.replay(recorded)

    assert first.differs is None
    assert first == second
    assert (first.items, first.error) == (12, "")


def test_a_recorded_failure_fails_in_the_same_way(run: Run, ada: User, queue: Queue, sandbox: Sandbox) -> None:
    sandbox.fault("shopify", "malformed", times=0)
    made = upkeep.record(ada.id, run.id, Trigger.PAGE)
    queue.run_all()

    outcome = replay.replay(runs.get(ada.id, made.id))

    assert (outcome.differs, outcome.error) == (None, "UnexpectedShape")


def test_a_replay_asks_no_platform_and_writes_nothing(recorded: Run, sandbox: Sandbox) -> None:
    before = len(sandbox.received("shopify"))
    kept = db.session.scalar(select(func.count()).select_from(WireEntry))

    replay.replay(recorded)

    assert len(sandbox.received("shopify")) == before
    assert db.session.scalar(select(func.count()).select_from(WireEntry)) == kept


def test_a_replay_says_where_it_first_differs(recorded: Run) -> None:
    with transaction() as session:
        session.execute(
            update(WireEntry).where(WireEntry.run_id == recorded.id, WireEntry.number == 1).values(fingerprint="x")
        )
    db.session.expire_all()

    assert str(replay.replay(recorded).differs).startswith("Request 1 is POST ")


def test_what_was_not_recorded_cannot_be_replayed(run: Run) -> None:
    with pytest.raises(Conflict):
        replay.replay(run)


def test_a_recorded_run_reads_everything(recorded: Run) -> None:
    assert (recorded.status, recorded.counts["read"]) == (RunStatus.SUCCEEDED, 12)
    assert all(entry.whole_sealed for entry in entries_of(recorded))
