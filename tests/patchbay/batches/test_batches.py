"""Batches: a result for each part, one failure not stopping the others, stages that survive a kill."""

import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import update

from jobs.tick import tick
from patchbay import assets, batches, connections, runs
from patchbay.batches import Part, recipes
from patchbay.errors import Conflict, Invalid, NotFound
from patchbay.models import Asset, AssetKind, Batch, Connection, RunStatus, Trigger, User, db, fresh_view, transaction
from tests.stage import FrozenClock, Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context", "frozen_clock", "_short_pauses")

PRODUCTS = 4
SHOP_TO_DRIVE = {"shop": "shopify", "templateId": "tpl_mug", "storage": "google-drive", "folderName": "Mugs"}


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


@pytest.fixture
def shop(connect: Walker, ada: User, sandbox: Sandbox) -> Connection:
    sandbox.generate("shopify", count=PRODUCTS, seed=1, shop="small.myshopify.com")
    return connect(ada, "shopify", shop="small")


@pytest.fixture
def drive(connect: Walker, ada: User) -> Connection:
    return connect(ada, "google-drive")


@pytest.fixture
def design(ada: User) -> Asset:
    drawn = io.BytesIO()
    Image.new("RGB", (80, 80), "teal").save(drawn, "PNG")
    return assets.upload(ada.id, drawn.getvalue(), "teal.png")


def folder(name: str, integration: str = "google-drive") -> Part:
    return Part(integration, "create_folder", {"folderName": name}, name)


def reread(batch: Batch, user: User) -> Batch:
    fresh_view()
    return batches.get(user.id, batch.id)


def statuses(batch: Batch) -> list[RunStatus | None]:
    return [part.run.status if part.run else None for part in batch.parts]


# -- parts


def test_each_part_has_a_result_of_its_own(ada: User, drive: Connection, queue: Queue) -> None:
    batch = batches.start(ada.id, "Two folders", [folder("One"), folder("Two")], Trigger.PAGE)

    queue.run_all()

    done = reread(batch, ada)
    assert statuses(done) == [RunStatus.SUCCEEDED, RunStatus.SUCCEEDED]
    assert [part.label for part in done.parts] == ["One", "Two"]
    assert done.ended_at is not None


def test_what_cannot_be_started_does_not_stop_the_others(ada: User, drive: Connection, queue: Queue) -> None:
    parts = [folder("Nowhere", "dropbox"), Part("google-drive", "create_folder", {}, "Nameless"), folder("Here")]

    batch = batches.start(ada.id, "Three", parts, Trigger.PAGE)
    queue.run_all()

    done = reread(batch, ada)
    assert statuses(done) == [None, None, RunStatus.SUCCEEDED]
    assert [part.error_kind for part in done.parts] == ["Conflict", "Invalid", None]
    assert done.parts[0].error_params["provider"] == "Dropbox"
    assert done.ended_at is not None


def test_a_part_that_fails_there_does_not_stop_the_others(
    ada: User, drive: Connection, shop: Connection, design: Asset, queue: Queue
) -> None:
    gone = {"productId": "gid://shopify/Product/1", "mockupUrls": [assets.link(design)]}
    parts = [
        Part("shopify", "publish_mockup", gone, "A product that was deleted"),
        folder("Here"),
    ]

    batch = batches.start(ada.id, "Two", parts, Trigger.PAGE)
    queue.run_all()

    assert statuses(reread(batch, ada)) == [RunStatus.FAILED, RunStatus.SUCCEEDED]


def test_a_part_whose_outcome_nobody_knows_does_not_stop_the_others_and_is_done_once(
    ada: User, shop: Connection, design: Asset, queue: Queue, sandbox: Sandbox
) -> None:
    products = sandbox.state("shopify", "products", shop="small.myshopify.com")[:2]
    ids = [f"gid://shopify/Product/{product['id']}" for product in products]
    parts = [
        Part("shopify", "publish_mockup", {"productId": one, "mockupUrls": [assets.link(design)]}, one) for one in ids
    ]
    before = len(sandbox.state("shopify", "media", shop="small.myshopify.com"))
    sandbox.fault("shopify", "reset", match="productUpdate")

    batch = batches.start(ada.id, "Two", parts, Trigger.PAGE)
    queue.run_all()
    ended = reread(batch, ada)
    (unknown,) = [part.run for part in ended.parts if part.run and part.run.error_kind]
    stands, kind, is_over = set(statuses(ended)), unknown.error_kind, ended.ended_at is not None
    again = runs.retry(ada.id, unknown.id)
    queue.run_all()

    fresh_view()
    assert (stands, kind, is_over) == ({RunStatus.SUCCEEDED, RunStatus.FAILED}, "OutcomeUnknown", True)
    assert runs.get(ada.id, again.id).status is RunStatus.SUCCEEDED
    assert len(sandbox.state("shopify", "media", shop="small.myshopify.com")) == before + 2


@pytest.mark.parametrize("count", [0, batches.MOST_PARTS + 1])
def test_a_batch_has_some_parts_and_not_too_many(ada: User, count: int) -> None:
    with pytest.raises(Invalid):
        batches.start(ada.id, "None", [folder(str(number)) for number in range(count)], Trigger.PAGE)


def test_cancelling_ends_what_is_open_and_keeps_what_is_done(ada: User, drive: Connection, queue: Queue) -> None:
    batch = batches.start(ada.id, "Two folders", [folder("One"), folder("Two")], Trigger.PAGE)

    batches.cancel(ada.id, batch.id)
    queue.run_all()

    done = reread(batch, ada)
    assert statuses(done) == [RunStatus.CANCELLED, RunStatus.CANCELLED]
    assert done.ended_at is not None


def test_a_batch_is_its_owners_alone(ada: User, ben: User, drive: Connection) -> None:
    batch = batches.start(ada.id, "One", [folder("One")], Trigger.PAGE)

    with pytest.raises(NotFound):
        batches.get(ben.id, batch.id)
    with pytest.raises(NotFound):
        batches.cancel(ben.id, batch.id)
    assert batches.page(ben.id, cursor=None, limit=10) == ([], None)


def test_batches_come_in_pages_newest_first(ada: User, drive: Connection) -> None:
    made = [batches.start(ada.id, str(number), [folder(str(number))], Trigger.PAGE).id for number in range(3)]

    first, cursor = batches.page(ada.id, cursor=None, limit=2)
    rest, end = batches.page(ada.id, cursor=cursor, limit=2)

    assert [batch.id for batch in first + rest] == made[::-1]
    assert end is None


# -- stages


def test_a_recipe_goes_through_its_stages_to_the_end(
    ada: User, shop: Connection, drive: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    batch = recipes.begin(ada.id, "new-products-to-folder", SHOP_TO_DRIVE, "New products", Trigger.PAGE)

    queue.run_all()

    done = reread(batch, ada)
    files = sandbox.state("google-drive", "files")
    made = next(file for file in files if file["name"] == "Mugs")
    saved = [file for file in files if file.get("parents") == [made["id"]]]
    assert (done.stage, done.error_kind) == (2, None)
    assert set(statuses(done)) == {RunStatus.SUCCEEDED}
    assert done.ended_at is not None
    assert len(saved) == len(done.parts) - 2 == PRODUCTS


@pytest.mark.parametrize(
    ("moment", "lapse"),
    [
        ("before it is kept", batches.LEASE + timedelta(seconds=1)),
        ("after it is kept", batches.LEASE + timedelta(seconds=1)),
        ("after it is kept, and the clock is set back", timedelta(hours=-1)),
    ],
)
def test_a_stage_whose_worker_died_is_planned_again_and_nothing_is_made_twice(
    moment: str,
    lapse: timedelta,
    ada: User,
    shop: Connection,
    drive: Connection,
    queue: Queue,
    frozen_clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        """What no handler of ours catches."""

    drawn: list[str] = []
    draw = assets.make_mockup

    def die_at_the_third(user_id: str, design_id: str, template_id: str, *, asset_id: str) -> Asset:
        drawn.append(design_id)
        if len(drawn) == 3 and moment == "before it is kept":
            raise Killed
        made = draw(user_id, design_id, template_id, asset_id=asset_id)
        if len(drawn) == 3:
            raise Killed
        return made

    monkeypatch.setattr(assets, "make_mockup", die_at_the_third)
    batch = recipes.begin(ada.id, "new-products-to-folder", SHOP_TO_DRIVE, "New products", Trigger.PAGE)
    with pytest.raises(Killed):
        queue.run_all()
    fresh_view()
    queue.drop_all()

    frozen_clock.moment += lapse
    tick()
    queue.run_all()

    done = reread(batch, ada)
    mockups, _ = assets.page(ada.id, kind=AssetKind.MOCKUP, cursor=None, limit=100)
    assert done.ended_at is not None
    assert len(mockups) == PRODUCTS
    assert len(done.parts) == PRODUCTS + 2


def test_a_batch_whose_hint_was_lost_is_offered_again(ada: User, drive: Connection, queue: Queue) -> None:
    batch = batches.start(ada.id, "One", [folder("One")], Trigger.PAGE)
    queue.run_all()
    with transaction() as session:
        session.execute(update(Batch).values(ended_at=None))

    tick()
    queue.run_all()

    assert reread(batch, ada).ended_at is not None


def test_a_batch_that_another_worker_plans_is_left_alone(
    ada: User, drive: Connection, queue: Queue, frozen_clock: FrozenClock
) -> None:
    batch = batches.start(ada.id, "One", [folder("One")], Trigger.PAGE)
    with transaction() as session:
        session.execute(
            update(Batch).values(lease_token="another", lease_until=frozen_clock.now() + timedelta(minutes=1))
        )

    queue.run_all()

    assert reread(batch, ada).ended_at is None


def test_a_stage_in_which_everything_failed_is_the_last(
    ada: User, shop: Connection, drive: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "malformed", times=0)

    batch = recipes.begin(ada.id, "new-products-to-folder", SHOP_TO_DRIVE, "New products", Trigger.PAGE)
    queue.run_all()

    done = reread(batch, ada)
    assert (done.stage, statuses(done)) == (0, [RunStatus.FAILED])
    assert done.ended_at is not None


# -- forms


def test_a_recipe_needs_what_it_names(ada: User, shop: Connection) -> None:
    one = recipes.recipe("new-products-to-folder")

    assert not recipes.is_possible(one, connections.of_user(ada.id))
    with pytest.raises(Conflict):
        recipes.begin(ada.id, one.key, SHOP_TO_DRIVE, "New products", Trigger.PAGE)


def test_a_form_that_is_filled_in_wrongly_starts_nothing(ada: User, shop: Connection, drive: Connection) -> None:
    with pytest.raises(Invalid) as refusal:
        recipes.begin(ada.id, "new-products-to-folder", {"shop": "ebay", "templateId": "tpl_mug"}, "New", Trigger.PAGE)

    assert set(refusal.value.fields) == {"shop"}
    assert batches.page(ada.id, cursor=None, limit=10) == ([], None)
    assert db.session.query(Asset).count() == 0
