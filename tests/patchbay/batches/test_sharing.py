"""Batches that share runs, are called off at odd moments, or hold odd things: nothing of others', nothing sticks."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from jobs.tick import tick
from patchbay import assets, batches, net, runs
from patchbay.batches import Part, recipes, stages
from patchbay.errors import Invalid, TooLarge
from patchbay.models import (
    Asset,
    AssetKind,
    Batch,
    BatchPart,
    Connection,
    Run,
    RunStatus,
    Trigger,
    User,
    db,
    fresh_view,
    transaction,
)
from patchbay.net import Net
from patchbay.runs import execution
from tests.stage import FrozenClock, Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context", "_short_pauses")

SHOP_TO_DRIVE = {"shop": "shopify", "templateId": "tpl_mug", "storage": "google-drive", "folderName": "Mugs"}
PRODUCTS = 3
IMPORT = Part("shopify", "import_products", {}, "Shopify")


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


@pytest.fixture
def shop(connect: Walker, ada: User, sandbox: Sandbox) -> Connection:
    """A shop with three products."""
    sandbox.generate("shopify", count=PRODUCTS, seed=1, shop="small.myshopify.com")
    return connect(ada, "shopify", shop="small")


@pytest.fixture
def drive(connect: Walker, ada: User) -> Connection:
    return connect(ada, "google-drive")


def folder(name: str) -> Part:
    return Part("google-drive", "create_folder", {"folderName": name}, name)


def saved(*addresses: str, label: str = "") -> Part:
    return Part("google-drive", "upload_file", {"mockupUrls": list(addresses)}, label)


def picture_of(user: User) -> str:
    drawn = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(drawn, "PNG")
    return assets.link(assets.upload(user.id, drawn.getvalue(), "teal.png"))


def reread(batch: Batch) -> Batch:
    fresh_view()
    return batches.get(batch.user_id, batch.id)


def statuses(batch: Batch) -> list[RunStatus | None]:
    return [part.run.status if part.run else None for part in reread(batch).parts]


def kinds(batch: Batch) -> list[str | None]:
    return [part.error_kind for part in reread(batch).parts]


# -- what is another's


def test_a_part_never_uses_the_connection_of_another(cleo: User, ada: User, drive: Connection, queue: Queue) -> None:
    batch = batches.start(cleo.id, "Theirs", [folder("Stolen")], Trigger.API)
    queue.run_all()

    assert kinds(batch) == ["Conflict"]
    assert db.session.scalar(select(func.count()).select_from(Run)) == 0


def test_a_part_never_takes_the_picture_of_another(ada: User, cleo: User, drive: Connection, queue: Queue) -> None:
    theirs, own = picture_of(cleo), picture_of(ada)

    batch = batches.start(ada.id, "Two", [saved(theirs), saved(own, theirs), saved(own)], Trigger.API)
    queue.run_all()

    assert kinds(batch) == ["Invalid", "Invalid", None]
    assert statuses(batch) == [None, None, RunStatus.SUCCEEDED]


def test_a_recipe_posts_the_mockups_of_its_owner_alone(ada: User, cleo: User, connect: Walker) -> None:
    connect(ada, "facebook")
    design = assets.opened(picture_of(cleo).rpartition("/")[2].rpartition(".")[0])[0]
    assets.make_mockup(cleo.id, design.id, "tpl_mug")

    with pytest.raises(Invalid):
        recipes.begin(ada.id, "mockups-to-feeds", {"caption": "New", "count": 10}, "Posts", Trigger.API)

    assert db.session.scalar(select(func.count()).select_from(Batch)) == 0


# -- runs that are shared


def test_the_same_part_twice_is_one_run(ada: User, drive: Connection, queue: Queue, sandbox: Sandbox) -> None:
    batch = batches.start(ada.id, "Twice", [folder("One"), folder("One")], Trigger.PAGE)
    queue.run_all()

    first, second = reread(batch).parts
    assert first.run_id == second.run_id
    assert statuses(batch) == [RunStatus.SUCCEEDED] * 2
    assert [file["name"] for file in sandbox.state("google-drive", "files")].count("One") == 1


def test_both_batches_end_when_a_run_that_they_share_has_ended(ada: User, shop: Connection, queue: Queue) -> None:
    one, other = (batches.start(ada.id, name, [IMPORT], Trigger.PAGE) for name in ("One", "Other"))

    queue.run_all()

    assert reread(one).parts[0].run_id == reread(other).parts[0].run_id
    assert reread(one).ended_at is not None
    assert reread(other).ended_at is not None


def test_a_batch_does_not_wait_for_a_decision_about_deletions(
    ada: User, shop: Connection, drive: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.generate("shopify", count=24, seed=1, shop="small.myshopify.com")
    runs.start(ada.id, "shopify", "import_products", {}, Trigger.PAGE)
    queue.run_all()
    sandbox.generate("shopify", count=2, seed=1, shop="small.myshopify.com")
    batch = batches.start(ada.id, "Both", [IMPORT, folder("One")], Trigger.PAGE)

    for part in reread(batch).parts:
        execution.execute(part.run_id or "")
    offered = batches.due()
    tick()
    queue.run_all()

    assert offered == [batch.id]
    assert statuses(batch) == [RunStatus.WAITING, RunStatus.SUCCEEDED]
    assert reread(batch).ended_at is not None


def test_a_run_that_another_batch_waits_for_is_not_cancelled(ada: User, shop: Connection, queue: Queue) -> None:
    one, other = (batches.start(ada.id, name, [IMPORT], Trigger.PAGE) for name in ("One", "Other"))

    for batch in (one, other):
        batches.cancel(ada.id, batch.id)
        if batch is one:
            still_open = reread(other).parts[0].run
            assert still_open is not None
            assert still_open.is_open
    queue.run_all()

    assert statuses(one) == statuses(other) == [RunStatus.CANCELLED]
    assert reread(one).ended_at is not None
    assert reread(other).ended_at is not None


def test_a_cancelled_batch_ends_although_a_run_that_it_shared_goes_on(
    ada: User, shop: Connection, queue: Queue
) -> None:
    one, other = (batches.start(ada.id, name, [IMPORT], Trigger.PAGE) for name in ("One", "Other"))
    batches.cancel(ada.id, one.id)

    stages.advance(one.id)

    assert reread(one).ended_at is not None
    assert reread(other).ended_at is None
    assert statuses(other) == [RunStatus.QUEUED]


def test_a_run_that_was_there_before_is_not_cancelled_with_the_batch(
    ada: User, shop: Connection, queue: Queue, frozen_clock: FrozenClock
) -> None:
    run = runs.start(ada.id, "shopify", "import_products", {}, Trigger.PAGE)
    frozen_clock.advance(seconds=1)
    batch = batches.start(ada.id, "Joined", [IMPORT], Trigger.PAGE)

    batches.cancel(ada.id, batch.id)
    queue.run_all()

    assert reread(batch).ended_at is not None
    assert runs.get(ada.id, run.id).status is RunStatus.SUCCEEDED


# -- called off while a stage is planned


@pytest.fixture
def called_off(
    ada: User, shop: Connection, drive: Connection, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], Batch]:
    """Carry a recipe out, and call it off while its n-th mockup is drawn."""

    def carry_out(number: int) -> Batch:
        batch = recipes.begin(ada.id, "new-products-to-folder", SHOP_TO_DRIVE, "New products", Trigger.PAGE)
        draw = assets.make_mockup
        drawn: list[str] = []

        def draw_and_cancel(user_id: str, design_id: str, template_id: str, *, asset_id: str) -> Asset:
            drawn.append(design_id)
            made = draw(user_id, design_id, template_id, asset_id=asset_id)
            if len(drawn) == number:
                batches.cancel(ada.id, batch.id)
            return made

        monkeypatch.setattr(assets, "make_mockup", draw_and_cancel)
        queue.run_all()
        return reread(batch)

    return carry_out


@pytest.mark.parametrize("number", [1, PRODUCTS])
def test_a_batch_that_is_called_off_while_a_stage_is_planned_starts_nothing_more(
    called_off: Callable[[int], Batch], sandbox: Sandbox, ada: User, number: int
) -> None:
    batch = called_off(number)

    mockups, _ = assets.page(ada.id, kind=AssetKind.MOCKUP, cursor=None, limit=100)
    uploaded = [part for part in batch.parts if part.operation == "upload_file"]
    assert uploaded == []
    assert (batch.stage, batch.error_kind) == (1, None)
    assert batch.ended_at is not None
    assert len(mockups) == number


def test_a_batch_that_is_taken_over_while_it_is_planned_is_left_alone(
    ada: User, shop: Connection, drive: Connection, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = recipes.begin(ada.id, "new-products-to-folder", SHOP_TO_DRIVE, "New products", Trigger.PAGE)
    draw = assets.make_mockup

    def lose_the_lease(user_id: str, design_id: str, template_id: str, *, asset_id: str) -> Asset:
        with transaction():
            reread(batch).lease_token = "another"
        return draw(user_id, design_id, template_id, asset_id=asset_id)

    monkeypatch.setattr(assets, "make_mockup", lose_the_lease)
    queue.run_all()

    kept = reread(batch)
    assert (kept.stage, kept.lease_token, kept.ended_at) == (1, "another", None)


@pytest.mark.parametrize("error", [TooLarge(limit="50 megapixels"), ZeroDivisionError("of ours")])
def test_what_cannot_be_drawn_fails_by_itself_or_ends_the_batch_with_a_word(
    ada: User,
    shop: Connection,
    drive: Connection,
    queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    batch = recipes.begin(ada.id, "new-products-to-folder", SHOP_TO_DRIVE, "New products", Trigger.PAGE)
    draw = assets.make_mockup
    failed: list[str] = []

    def draw_all_but_one(user_id: str, design_id: str, template_id: str, *, asset_id: str) -> Asset:
        if not failed:
            failed.append(design_id)
            raise error
        return draw(user_id, design_id, template_id, asset_id=asset_id)

    monkeypatch.setattr(assets, "make_mockup", draw_all_but_one)
    queue.run_all()

    done = reread(batch)
    assert done.ended_at is not None
    if isinstance(error, TooLarge):
        assert kinds(batch)[2:] == ["TooLarge", None, None]
        assert statuses(batch)[3:] == [RunStatus.SUCCEEDED] * 2
    else:
        assert done.error_kind == "SyncFailed"


# -- odd things


@pytest.mark.parametrize("text", ["x" * 5_000, "a\x00b", "\ud800", "Ключ 🔑", ""])
def test_labels_and_titles_are_kept_as_the_database_takes_them(
    ada: User, drive: Connection, queue: Queue, text: str
) -> None:
    batch = batches.start(
        ada.id, text, [Part("google-drive", "create_folder", {"folderName": "One"}, text)], Trigger.API
    )
    queue.run_all()

    kept = reread(batch)
    assert len(kept.parts[0].label) <= 255
    assert len(kept.title) <= 200
    assert "\x00" not in kept.title + kept.parts[0].label
    assert statuses(batch) == [RunStatus.SUCCEEDED]


def test_a_hundred_parts_are_carried_out(ada: User, drive: Connection, queue: Queue) -> None:
    batch = batches.start(ada.id, "Many", [folder(f"Folder {number}") for number in range(100)], Trigger.API)

    assert len(reread(batch).parts) == 100
    assert [part.label for part in reread(batch).parts][::99] == ["Folder 0", "Folder 99"]
    assert len({part.run_id for part in reread(batch).parts}) == 100


def test_names_are_looked_up_before_the_database_is_held(
    app: Flask, ada: User, drive: Connection, queue: Queue
) -> None:
    looked_up: list[str] = []

    def resolve(host: str, _timeout_s: float) -> list[str]:
        looked_up.append(host)
        with app.app_context(), transaction() as session:  # fails while another writer holds the database
            session.execute(select(func.count()).select_from(BatchPart))
        return ["93.184.216.34"]

    net.use(Net(None, "Patchbay", resolve=resolve))
    address = "https://pictures.example.org/a.png"

    batch = batches.start(ada.id, "Two", [saved(address), saved(address, label="Again")], Trigger.API)

    assert kinds(batch) == [None, None]
    assert set(looked_up) == {"pictures.example.org"}


def test_a_batch_with_nothing_that_could_be_started_ends(ada: User, queue: Queue) -> None:
    batch = batches.start(ada.id, "Nothing", [folder("One"), Part("nowhere", "x"), Part("shopify", "y")], Trigger.API)
    queue.run_all()

    assert kinds(batch) == ["Conflict", "NotFound", "Invalid"]
    assert reread(batch).ended_at is not None


def test_a_batch_that_ended_is_not_planned_again(ada: User, drive: Connection, queue: Queue) -> None:
    batch = batches.start(ada.id, "One", [folder("One")], Trigger.PAGE)
    queue.run_all()
    version = reread(batch).version

    tick()
    stages.advance(batch.id)
    batches.cancel(ada.id, batch.id)
    queue.run_all()

    assert reread(batch).version == version
    assert reread(batch).cancelled_at is None


def test_a_batch_that_was_called_off_ends_although_its_hint_was_lost(ada: User, shop: Connection, queue: Queue) -> None:
    one, _other = (batches.start(ada.id, name, [IMPORT], Trigger.PAGE) for name in ("One", "Other"))
    batches.cancel(ada.id, one.id)
    queue.drop_all()

    assert batches.due() == [one.id]
