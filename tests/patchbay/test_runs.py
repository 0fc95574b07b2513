"""Runs: asked for once, carried out under a lease, resumed from their checkpoint, and honest about how they ended."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobs.tick import tick
from patchbay import connections, runs
from patchbay.errors import Conflict, Invalid, NotFound
from patchbay.models import (
    AuditEntry,
    Connection,
    ConnectionState,
    LogLevel,
    Record,
    Run,
    RunStatus,
    Trigger,
    User,
    db,
    fresh_view,
    transaction,
)
from patchbay.runs import execution
from patchbay.runs.lease import Interrupted, Lease
from tests.servers import RedisServer
from tests.stage import FrozenClock, Queue, Sandbox, Walker, at_once, wait_until

pytestmark = pytest.mark.usefixtures("context")

PRODUCTS = 12  # in the demo shop
PAGE = 5


@pytest.fixture(autouse=True)
def _small_pages_and_short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.providers.shopify.catalogue.PAGE", PAGE)
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


@pytest.fixture
def shop(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    return connect(ada, "shopify", shop="demo-shop")


@pytest.fixture
def drive(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    return connect(ada, "google-drive")


def start(user: User, operation: str = "import_products", integration: str = "shopify", **values: object) -> Run:
    return runs.start(user.id, integration, operation, values, Trigger.API)


def reread(run: Run) -> Run:
    fresh_view()
    return db.session.get_one(Run, run.id, populate_existing=True)


def stored(*, deleted: str = "without") -> list[Record]:
    fresh_view()
    statement = select(Record).order_by(Record.external_id).execution_options(populate_existing=True)
    found = list(db.session.scalars(statement))
    return [record for record in found if (record.deleted_at is None) == (deleted == "without")]


def carry_out(run: Run, queue: Queue) -> Run:
    queue.run_all()
    return reread(run)


def imported(user: User, queue: Queue) -> Run:
    return carry_out(start(user), queue)


def pages_asked_for(sandbox: Sandbox) -> int:
    return len([row for row in sandbox.received("shopify") if "products" in (row["operation"] or "")])


def deeds(subject_id: str) -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == subject_id)))


# -- asking


def test_a_run_is_queued_and_offered_to_the_workers(ada: User, shop: Connection, queue: Queue) -> None:
    run = start(ada)

    assert run.status is RunStatus.QUEUED
    assert queue.hints() == [("jobs.run.execute", run.id)]
    assert deeds(shop.id)[-1] == "run_started"


def test_a_run_whose_transaction_is_undone_is_not_offered(ada: User, shop: Connection, queue: Queue) -> None:
    def fail() -> None:
        with transaction():
            start(ada)
            raise Interrupted

    with pytest.raises(Interrupted):
        fail()

    assert queue.hints() == []
    assert db.session.scalar(select(func.count()).select_from(Run)) == 0


def test_the_open_run_of_an_import_is_returned(ada: User, shop: Connection, queue: Queue) -> None:
    first = start(ada)

    assert start(ada).id == first.id
    assert len(queue.hints()) == 1


def test_many_clicks_at_once_make_one_run(ada: User, shop: Connection, app: Flask) -> None:
    db.session.commit()

    ids = at_once(app, [lambda: start(ada).id] * 8)

    assert len(set(ids)) == 1
    assert db.session.scalar(select(func.count()).select_from(Run)) == 1


def test_after_its_end_an_import_may_run_again(ada: User, shop: Connection, queue: Queue) -> None:
    first = imported(ada, queue)

    assert start(ada).id != first.id


def test_actions_with_other_values_run_side_by_side(ada: User, drive: Connection) -> None:
    one = start(ada, "create_folder", "google-drive", folderName="Mugs")
    same = start(ada, "create_folder", "google-drive", folderName="Mugs")
    other = start(ada, "create_folder", "google-drive", folderName="Shirts")

    assert one.id == same.id
    assert one.id != other.id


def test_an_unknown_operation_is_refused(ada: User, shop: Connection) -> None:
    with pytest.raises(Invalid) as refused:
        start(ada, "mine_bitcoin")

    assert list(refused.value.fields) == ["operation"]


def test_values_that_do_not_fit_are_refused(ada: User, drive: Connection) -> None:
    with pytest.raises(Invalid) as refused:
        start(ada, "create_folder", "google-drive", folderName="", surprise=1)

    assert set(refused.value.fields) == {"folderName", "surprise"}


@pytest.mark.parametrize(
    "address",
    ["http://example.org/a.png", "https://localhost/a.png", "https://10.0.0.1/a.png", "ftp://example.org/a", "x", ""],
)
def test_pictures_from_places_that_may_not_be_asked_are_refused(ada: User, drive: Connection, address: str) -> None:
    with pytest.raises(Invalid) as refused:
        start(ada, "upload_file", "google-drive", mockupUrls=[address])

    assert list(refused.value.fields) == ["mockupUrls"]


def test_an_unknown_integration_is_not_found(ada: User) -> None:
    with pytest.raises(NotFound):
        start(ada, integration="nowhere")


def test_what_is_not_connected_cannot_run(ada: User) -> None:
    with pytest.raises(Conflict):
        start(ada)


def test_what_waits_for_its_owner_cannot_run(ada: User, shop: Connection) -> None:
    with transaction():
        shop.state = ConnectionState.RECONNECT_NEEDED

    with pytest.raises(Conflict):
        start(ada)


def test_the_connection_of_another_cannot_be_used(cleo: User, shop: Connection) -> None:
    with pytest.raises(Conflict):
        start(cleo)


# -- an import


def test_an_import_brings_everything_in(ada: User, shop: Connection, queue: Queue) -> None:
    run = imported(ada, queue)

    assert run.status is RunStatus.SUCCEEDED
    assert run.counts == {"read": 12, "created": 12, "updated": 0, "unchanged": 0, "deleted": 0, "failed": 0}
    assert (run.progress_done, run.progress_total) == (PRODUCTS, PRODUCTS)
    assert len(stored()) == PRODUCTS
    assert db.session.get_one(Connection, shop.id, populate_existing=True).last_synced_at == run.ended_at
    assert deeds(shop.id)[-1] == "run_ended"


def test_the_answer_of_an_import_shows_what_came(ada: User, shop: Connection, queue: Queue) -> None:
    result = imported(ada, queue).result

    assert result is not None
    assert result["stream"] == "products"
    assert result["counts"]["created"] == PRODUCTS
    assert len(result["products"]) == PRODUCTS
    assert result["nextCursor"] is None
    assert all(isinstance(image, str) for product in result["products"] for image in product["images"])


def test_a_second_import_changes_nothing(ada: User, shop: Connection, queue: Queue) -> None:
    imported(ada, queue)
    before = [(record.id, record.updated_at, record.content_hash) for record in stored()]

    run = imported(ada, queue)

    assert run.counts == {"read": 12, "created": 0, "updated": 0, "unchanged": 12, "deleted": 0, "failed": 0}
    assert [(record.id, record.updated_at, record.content_hash) for record in stored()] == before


def test_what_was_removed_from_the_shop_is_marked_deleted(
    ada: User, shop: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    imported(ada, queue)
    gone = stored()[3]
    sandbox.remove_product(str(gone.data["handle"]))

    run = imported(ada, queue)

    assert run.counts["deleted"] == 1
    assert [record.id for record in stored(deleted="only")] == [gone.id]
    assert len(stored()) == PRODUCTS - 1


def test_progress_is_told_line_by_line(ada: User, shop: Connection, queue: Queue) -> None:
    run = imported(ada, queue)

    lines = [line.message % line.params for line in runs.logs(run.id)]
    assert lines == ["Started.", "5 of 12 saved.", "10 of 12 saved.", "12 of 12 saved.", "Finished."]


def test_each_change_that_a_page_would_show_raises_the_version(ada: User, shop: Connection, queue: Queue) -> None:
    run = start(ada)
    before = run.version

    assert carry_out(run, queue).version > before + 3


def test_a_hint_that_comes_twice_does_nothing_the_second_time(ada: User, shop: Connection, queue: Queue) -> None:
    run = imported(ada, queue)

    execution.execute(run.id)
    execution.execute("run_that_never_was")

    assert reread(run).counts["read"] == PRODUCTS


def test_two_workers_with_the_same_hint_do_the_work_once(
    ada: User, shop: Connection, app: Flask, sandbox: Sandbox
) -> None:
    run_id = start(ada).id

    at_once(app, [lambda: execution.execute(run_id)] * 4)

    fresh_view()
    run = db.session.get_one(Run, run_id, populate_existing=True)
    assert run.status is RunStatus.SUCCEEDED
    assert run.attempts == 1
    assert pages_asked_for(sandbox) == 3


# -- a worker that goes


def test_a_run_that_a_worker_left_goes_on_from_its_checkpoint(
    ada: User,
    shop: Connection,
    queue: Queue,
    sandbox: Sandbox,
    frozen_clock: FrozenClock,
    app: Flask,
    let_go: Callable[[], None],
) -> None:
    run, stuck = held_behind_a_page(ada, app, queue, sandbox, "hang")

    tick()
    early = queue.hints()
    frozen_clock.advance(seconds=31)
    tick()
    run = carry_out(run, queue)
    let_go()
    stuck.join()

    assert early == []
    assert run.status is RunStatus.SUCCEEDED
    assert run.counts == {"read": 12, "created": 12, "updated": 0, "unchanged": 0, "deleted": 0, "failed": 0}
    assert len(stored()) == PRODUCTS
    assert "Resumed from the last checkpoint." in [line.message for line in runs.logs(run.id)]


def test_an_orphan_stops_at_its_next_page_and_doubles_nothing(
    ada: User,
    shop: Connection,
    queue: Queue,
    sandbox: Sandbox,
    frozen_clock: FrozenClock,
    app: Flask,
    let_go: Callable[[], None],
) -> None:
    run, orphan = held_behind_a_page(ada, app, queue, sandbox, "slow")
    frozen_clock.advance(seconds=31)

    tick()
    run = carry_out(run, queue)
    let_go()
    orphan.join()

    assert run.status is RunStatus.SUCCEEDED
    assert reread(run).counts["created"] == PRODUCTS
    assert reread(run).attempts == 2
    assert len(stored()) == PRODUCTS
    assert [line.message for line in runs.logs(run.id)].count("Finished.") == 1


def test_a_worker_told_to_end_gives_its_run_back(
    ada: User, shop: Connection, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(ada)
    queue.drop_all()

    def interrupt(*_: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr("patchbay.runs.finishing.settle", interrupt)
        with pytest.raises(Interrupted):
            execution.execute(run.id)
    given_back = reread(run).status
    execution.execute(run.id)

    assert given_back is RunStatus.QUEUED
    assert reread(run).status is RunStatus.SUCCEEDED
    assert reread(run).counts["created"] == PRODUCTS
    assert reread(run).counts["read"] == PRODUCTS


def test_a_claimed_run_is_not_claimed_twice(ada: User, shop: Connection) -> None:
    run = start(ada)

    first, second = Lease.claim(run.id), Lease.claim(run.id)
    assert first is not None
    first.release()

    assert second is None


def test_the_heartbeat_keeps_a_lease(
    ada: User, shop: Connection, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchbay.runs.lease.BEAT_S", 0.05)
    run = start(ada)
    lease = Lease.claim(run.id)
    assert lease is not None
    frozen_clock.advance(seconds=20)

    wait_until(lambda: reread(run).lease_until == frozen_clock.now() + timedelta(seconds=30))
    lease.release()

    assert runs.due() == []


# -- the queue is lost


def test_a_run_asked_for_without_redis_is_carried_out_all_the_same(
    ada: User, shop: Connection, queue: Queue, redis_server: RedisServer, frozen_clock: FrozenClock
) -> None:
    redis_server.stop()
    run = start(ada)
    tick()
    redis_server.start()
    frozen_clock.advance(seconds=5)

    tick()

    assert carry_out(run, queue).status is RunStatus.SUCCEEDED


def test_an_import_needs_no_redis_on_its_way(ada: User, shop: Connection, redis_server: RedisServer) -> None:
    run = start(ada)
    redis_server.stop()

    execution.execute(run.id)

    assert reread(run).status is RunStatus.SUCCEEDED


def test_a_lost_hint_is_offered_again(ada: User, shop: Connection, queue: Queue, frozen_clock: FrozenClock) -> None:
    run = start(ada)
    queue.drop_all()

    tick()
    early = queue.hints()
    frozen_clock.advance(seconds=4)
    tick()

    assert early == []
    assert queue.hints() == [("jobs.run.execute", run.id)]


# -- the platform asks to wait


def test_a_long_wait_frees_the_worker_until_the_time_comes(
    ada: User, shop: Connection, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    sandbox.fault("shopify", "rate_limit", match="products", seconds=120)
    run = carry_out(start(ada), queue)

    assert run.status is RunStatus.WAITING
    assert run.resumes_at is not None
    assert run.lease_token is None
    tick()
    assert queue.hints() == []

    frozen_clock.moment = run.resumes_at
    tick()
    run = carry_out(run, queue)

    assert run.status is RunStatus.SUCCEEDED
    assert run.resumes_at is None
    assert run.counts["created"] == PRODUCTS


def test_a_waiting_run_is_still_the_open_one(ada: User, shop: Connection, queue: Queue, sandbox: Sandbox) -> None:
    sandbox.fault("shopify", "rate_limit", match="products", seconds=120)
    run = carry_out(start(ada), queue)

    assert start(ada).id == run.id


def test_a_short_wait_is_waited_for(ada: User, shop: Connection, queue: Queue, sandbox: Sandbox) -> None:
    sandbox.fault("shopify", "rate_limit", match="products", seconds=0.2)

    assert imported(ada, queue).status is RunStatus.SUCCEEDED


# -- tokens on the way


def test_a_token_that_ends_in_the_middle_is_replaced(
    ada: User, shop: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "expired_token")

    run = imported(ada, queue)

    assert run.status is RunStatus.SUCCEEDED
    assert len(sandbox.received("shopify", grantType="refresh_token")) == 1


def test_a_grant_that_dies_in_the_middle_fails_the_run_and_asks_the_owner(
    ada: User, shop: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "revoked_grant")

    run = imported(ada, queue)

    assert run.status is RunStatus.FAILED
    assert run.error_kind == "GrantExpired"
    assert db.session.get_one(Connection, shop.id, populate_existing=True).state is ConnectionState.RECONNECT_NEEDED
    assert deeds(shop.id).count("reconnect_needed") == 1


# -- failures


@pytest.mark.parametrize(
    ("kind", "error"),
    [("server_error", "ProviderUnavailable"), ("reset", "NetworkError"), ("malformed", "UnexpectedShape")],
)
def test_a_lasting_fault_fails_the_run_with_its_cause(
    ada: User,
    shop: Connection,
    queue: Queue,
    sandbox: Sandbox,
    kind: str,
    error: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("patchbay.client.exchange.RETRY_PATIENCE_S", 0.0)
    sandbox.fault("shopify", kind, match="products", times=0)

    run = imported(ada, queue)

    assert run.status is RunStatus.FAILED
    assert run.error_kind == error
    assert run.error_params["provider"] == "Shopify"
    assert run.open_key is None
    assert runs.logs(run.id)[-1].level is LogLevel.ERROR


def test_an_unexpected_shape_names_provider_stream_and_place(
    ada: User, shop: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "malformed", match="products", times=0)

    assert str(imported(ada, queue).error_detail).startswith("shopify/products: ")


@pytest.mark.parametrize("kind", ["server_error", "reset", "truncated"])
def test_a_passing_fault_is_survived(ada: User, shop: Connection, queue: Queue, sandbox: Sandbox, kind: str) -> None:
    sandbox.fault("shopify", kind, match="products")

    run = imported(ada, queue)

    assert run.status is RunStatus.SUCCEEDED
    assert any(line.level is LogLevel.WARNING for line in runs.logs(run.id))


def test_a_failed_import_deletes_nothing(ada: User, shop: Connection, queue: Queue, sandbox: Sandbox) -> None:
    imported(ada, queue)
    sandbox.fault("shopify", "malformed", match="products", times=0)

    imported(ada, queue)

    assert len(stored()) == PRODUCTS


def test_a_retried_import_goes_on_from_its_checkpoint_and_deletes_only_what_vanished(
    ada: User, shop: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    imported(ada, queue)
    gone = stored()[-1]
    sandbox.remove_product(str(gone.data["handle"]))
    failed = failed_after(1, start(ada), sandbox)
    queue.drop_all()
    before = pages_asked_for(sandbox)

    run = carry_out(runs.retry(ada.id, failed.id), queue)

    assert failed.status is RunStatus.FAILED
    assert run.id != failed.id
    assert run.trigger is Trigger.RETRY
    assert run.status is RunStatus.SUCCEEDED
    assert pages_asked_for(sandbox) - before == 2
    assert [record.id for record in stored(deleted="only")] == [gone.id]
    assert run.progress_done == PRODUCTS - 1


def test_an_open_run_is_not_retried(ada: User, shop: Connection) -> None:
    run = start(ada)

    assert runs.retry(ada.id, run.id).id == run.id


def test_a_new_import_after_a_failed_one_begins_at_the_beginning(
    ada: User, shop: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    failed_after(1, start(ada), sandbox)
    queue.drop_all()

    run = imported(ada, queue)

    assert run.counts["read"] == PRODUCTS
    assert len(stored()) == PRODUCTS


# -- cancelling


def test_a_queued_run_is_cancelled_at_once(ada: User, shop: Connection, queue: Queue, sandbox: Sandbox) -> None:
    run = runs.cancel(ada.id, start(ada).id)
    queue.run_all()

    assert reread(run).status is RunStatus.CANCELLED
    assert run.ended_at is not None
    assert pages_asked_for(sandbox) == 0


def test_a_waiting_run_is_cancelled_at_once(ada: User, shop: Connection, queue: Queue, sandbox: Sandbox) -> None:
    sandbox.fault("shopify", "rate_limit", match="products", seconds=120)
    run = carry_out(start(ada), queue)

    assert runs.cancel(ada.id, run.id).status is RunStatus.CANCELLED


def test_a_working_run_is_cancelled_at_its_next_step(
    ada: User, shop: Connection, app: Flask, sandbox: Sandbox, let_go: Callable[[], None]
) -> None:
    run = start(ada)
    fault_after(1, sandbox, "slow")
    worker = in_background(run, app)
    wait_until(lambda: reread(run).progress_done == PAGE)

    asked = runs.cancel(ada.id, run.id).status
    let_go()
    worker.join()

    assert asked is RunStatus.RUNNING
    assert reread(run).status is RunStatus.CANCELLED
    assert PAGE <= len(stored()) < PRODUCTS


def test_a_run_whose_worker_has_gone_is_cancelled_at_once(
    ada: User, shop: Connection, frozen_clock: FrozenClock
) -> None:
    run = start(ada)
    lease = Lease.claim(run.id)
    assert lease is not None
    lease.release()
    frozen_clock.advance(seconds=31)

    assert runs.cancel(ada.id, run.id).status is RunStatus.CANCELLED


def test_cancelling_what_has_ended_changes_nothing(ada: User, shop: Connection, queue: Queue) -> None:
    run = imported(ada, queue)

    assert runs.cancel(ada.id, run.id).status is RunStatus.SUCCEEDED


def test_after_a_disconnect_a_worker_writes_nothing_more(
    ada: User, shop: Connection, app: Flask, sandbox: Sandbox, let_go: Callable[[], None]
) -> None:
    run = start(ada)
    fault_after(1, sandbox, "slow")
    worker = in_background(run, app)
    wait_until(lambda: reread(run).progress_done == PAGE)

    connections.disconnect(ada.id, "shopify")
    count = len(stored())
    let_go()
    worker.join()

    assert reread(run).status is RunStatus.CANCELLED
    assert len(stored()) == count


# -- looking


def test_runs_of_others_are_not_found(ada: User, cleo: User, shop: Connection) -> None:
    run = start(ada)

    for look in (runs.get, runs.cancel, runs.retry):
        with pytest.raises(NotFound):
            look(cleo.id, run.id)
    assert runs.page(runs.Query(cleo.id), cursor=None, limit=10) == ([], None)


def test_runs_come_in_pages_newest_first(ada: User, drive: Connection) -> None:
    ids = [start(ada, "create_folder", "google-drive", folderName=f"F{number}").id for number in range(5)]

    first, cursor = runs.page(runs.Query(ada.id), cursor=None, limit=3)
    second, end = runs.page(runs.Query(ada.id), cursor=cursor, limit=3)

    assert [run.id for run in first + second] == ids[::-1]
    assert end is None


def test_runs_are_narrowed_by_integration_and_status(
    ada: User, shop: Connection, drive: Connection, queue: Queue
) -> None:
    done = imported(ada, queue)
    start(ada, "create_folder", "google-drive", folderName="F")

    by_integration, _ = runs.page(runs.Query(ada.id, "shopify"), cursor=None, limit=10)
    by_status, _ = runs.page(runs.Query(ada.id, status=RunStatus.SUCCEEDED), cursor=None, limit=10)

    assert [run.id for run in by_integration] == [done.id]
    assert [run.id for run in by_status] == [done.id]


def test_log_lines_are_read_on_from_a_number(ada: User, shop: Connection, queue: Queue) -> None:
    run = imported(ada, queue)
    lines = runs.logs(run.id)

    assert [line.id for line in runs.logs(run.id, after=lines[1].id)] == [line.id for line in lines[2:]]


def test_log_lines_of_old_runs_are_forgotten(ada: User, shop: Connection, queue: Queue) -> None:
    run = imported(ada, queue)
    assert run.ended_at is not None

    kept = runs.forget_details(run.ended_at)
    gone = runs.forget_details(run.ended_at + timedelta(seconds=1))

    assert (kept, gone) == (0, 1)
    assert runs.logs(run.id) == []
    assert runs.get(ada.id, run.id).status is RunStatus.SUCCEEDED


# -- actions


def test_an_action_leaves_its_result(ada: User, drive: Connection, queue: Queue, sandbox: Sandbox) -> None:
    run = carry_out(start(ada, "create_folder", "google-drive", folderName="Mugs"), queue)

    assert run.status is RunStatus.SUCCEEDED
    assert run.result is not None
    assert run.result["folderPath"] == "Mugs"
    assert [file["name"] for file in sandbox.state("google-drive", "files")].count("Mugs") == 1


def test_an_action_whose_answer_is_lost_is_not_done_twice(
    ada: User, drive: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.fault("google-drive", "lost_response", match="POST www.googleapis.com/drive/v3/files")

    run = carry_out(start(ada, "create_folder", "google-drive", folderName="Mugs"), queue)

    assert run.status is RunStatus.SUCCEEDED
    assert [file["name"] for file in sandbox.state("google-drive", "files")].count("Mugs") == 1


def test_a_folder_that_is_not_there_fails_the_run(ada: User, drive: Connection, queue: Queue) -> None:
    run = carry_out(start(ada, "create_folder", "google-drive", folderName="Mugs", folderId="nowhere"), queue)

    assert run.status is RunStatus.FAILED
    assert run.error_kind == "NotFoundThere"


def in_background(run: Run, app: Flask) -> threading.Thread:
    """A worker on the run, in a thread."""
    run_id = run.id
    db.session.commit()

    def work() -> None:
        with app.app_context():
            execution.execute(run_id)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def held_behind_a_page(
    user: User, app: Flask, queue: Queue, sandbox: Sandbox, kind: str
) -> tuple[Run, threading.Thread]:
    """An import whose worker has stored a page, and gets no answer for the next until the test lets it go."""
    run = start(user)
    queue.drop_all()
    fault_after(1, sandbox, kind)
    worker = in_background(run, app)
    wait_until(lambda: reread(run).progress_done == PAGE)
    return run, worker


def fault_after(pages: int, sandbox: Sandbox, kind: str, **order: object) -> None:
    """Let some pages pass, then strike."""
    sandbox.fault("shopify", "slow", match="products", times=pages, seconds=0)
    sandbox.fault("shopify", kind, match="products", **order)


def failed_after(pages: int, run: Run, sandbox: Sandbox) -> Run:
    """Let a worker do some pages, and fail at the next."""
    fault_after(pages, sandbox, "malformed")
    execution.execute(run.id)
    return reread(run)
