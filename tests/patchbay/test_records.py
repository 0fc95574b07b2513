"""Records: brought in by page, kept by content, found again; and whole catalogues compared with their product files."""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from patchbay import clock, connections, records, runs
from patchbay.errors import Invalid, NotFound
from patchbay.models import Checkpoint, Connection, Record, Run, RunStatus, Trigger, User, db, transaction
from patchbay.records import deletions, sweeps
from patchbay.runs import execution
from patchbay.spec import Item
from tests.stage import FrozenClock, Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")

OWN = Path(__file__).parent.parent / "data" / "products.csv"
SHARED = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "shopify-csv"
FILES = [OWN, *sorted(SHARED.glob("*.csv"))]


@pytest.fixture
def shop(connect: Walker, ada: User) -> Connection:
    return connect(ada, "shopify", shop="demo-shop")


def item(number: int, **data: Any) -> Item:
    return Item(str(number), f"Mug {number}", {"id": str(number), **data})


def bring(connection: Connection, *items: Item, run: str = "run_1") -> records.Tally:
    with transaction():
        return records.upsert(connection, "products", run, items)


def settle(connection: Connection, run_id: str) -> int:
    """The end of a whole sweep by that run; how many records it missed."""
    with transaction() as session:
        session.add(
            Run(
                id=run_id, user_id=connection.user_id, connection_id=connection.id, integration_id="shopify",
                operation="import_products", trigger=Trigger.API, status=RunStatus.RUNNING, input={}, memo={},
                error_params={}, created_at=clock.now(),
            )
        )  # fmt: skip
        session.flush()
        stands = sweeps.standing(connection.id, "products", run_id)
        deletion = deletions.settle(connection, "products", run_id, stands)
    return deletion.count if deletion else 0


def titles(user: User, **narrowed: Any) -> list[str]:
    found, _ = records.page(records.Query(user.id, **narrowed), cursor=None, limit=500)
    return [record.title for record in found]


# -- bringing in


def test_new_changed_and_unchanged_objects_are_told_apart(shop: Connection) -> None:
    bring(shop, item(1), item(2), item(3))

    assert bring(shop, item(1), item(2, price="4.50"), item(4), run="run_2") == records.Tally(3, 1, 1, 1)


def test_the_order_of_keys_is_no_change(shop: Connection) -> None:
    bring(shop, Item("1", "Mug", {"a": 1, "b": [1, 2]}))

    assert bring(shop, Item("1", "Mug", {"b": [1, 2], "a": 1})).unchanged == 1


def test_the_order_in_a_list_is_a_change(shop: Connection) -> None:
    bring(shop, Item("1", "Mug", {"b": [1, 2]}))

    assert bring(shop, Item("1", "Mug", {"b": [2, 1]})).updated == 1


def test_an_object_twice_in_a_page_counts_once_as_it_was_last(shop: Connection, ada: User) -> None:
    tally = bring(shop, item(1, price="1"), item(1, price="2"))

    found, _ = records.page(records.Query(ada.id), cursor=None, limit=10)
    assert tally == records.Tally(1, 1, 0, 0)
    assert found[0].data["price"] == "2"


def test_a_change_keeps_when_it_was_first_seen(shop: Connection, ada: User, frozen_clock: FrozenClock) -> None:
    bring(shop, item(1))
    first = frozen_clock.now()
    frozen_clock.advance(hours=1)

    bring(shop, item(1, price="2"))

    found, _ = records.page(records.Query(ada.id), cursor=None, limit=10)
    db.session.refresh(found[0])
    assert (found[0].first_seen_at, found[0].updated_at) == (first, frozen_clock.now())


def test_what_a_sweep_did_not_meet_is_deleted_and_may_come_back(shop: Connection, ada: User) -> None:
    bring(shop, item(1), item(2))
    bring(shop, item(1), run="run_2")
    gone = settle(shop, "run_2")
    without, only = titles(ada), titles(ada, deleted="only")

    back = bring(shop, item(2), run="run_3")

    assert (gone, without, only) == (1, ["Mug 1"], ["Mug 2"])
    assert back.updated == 1
    assert titles(ada, deleted="with") == titles(ada) == ["Mug 1", "Mug 2"]


def test_a_sweep_leaves_other_streams_and_connections_alone(
    shop: Connection, ben: User, connect: Walker, ada: User
) -> None:
    other = connect(ben, "shopify", shop="other")
    bring(shop, item(1))
    bring(other, item(1))
    with transaction():
        records.upsert(shop, "orders", "run_1", [item(1)])

    gone = settle(shop, "run_2")

    assert gone == 1
    assert titles(ben) == ["Mug 1"]
    assert titles(ada, stream="orders") == ["Mug 1"]


@pytest.mark.parametrize("title", ["", "Ключ 🔑", "<script>", "a\x00b", "x" * 5000])
def test_whatever_a_platform_calls_things_is_kept(shop: Connection, ada: User, title: str) -> None:
    bring(shop, Item("1", title, {"id": "1", "title": title}))

    assert titles(ada)[0].replace("\ufffd", "\x00") == title


def test_a_page_and_its_checkpoint_are_written_together_or_not_at_all(shop: Connection) -> None:
    def fail() -> None:
        with transaction():
            records.upsert(shop, "products", "run_1", [item(1)])
            records.advance(shop.id, "products", "run_1", "next")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert db.session.scalar(select(func.count()).select_from(Record)) == 0
    assert db.session.scalar(select(func.count()).select_from(Checkpoint)) == 0


def test_a_checkpoint_belongs_to_its_run(shop: Connection) -> None:
    records.advance(shop.id, "products", "run_1", "next")

    mine, other = (records.checkpoint(shop.id, "products", run) for run in ("run_1", "run_2"))

    assert mine is not None
    assert mine.cursor == "next"
    assert other is None


def test_a_finished_import_is_not_handed_over(shop: Connection) -> None:
    records.advance(shop.id, "products", "run_1", None)

    records.hand_over(shop.id, "products", "run_1", "run_2")

    assert records.checkpoint(shop.id, "products", "run_2") is None


# -- reading


def test_records_come_in_pages_by_id_none_twice(shop: Connection, ada: User) -> None:
    bring(shop, *(item(number) for number in range(7)))
    seen: list[str] = []
    cursor: str | None = None

    while True:
        found, cursor = records.page(records.Query(ada.id), cursor=cursor, limit=3)
        seen += [record.id for record in found]
        if cursor is None:
            break

    assert len(seen) == 7
    assert seen == sorted(set(seen))


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("mug 1", ["Mug 1"]), ("MUG", ["Mug 1", "Mug 2"]), ("%", []), ("_", []), ("\\", []), ("nothing", []),
        ("ug 2", ["Mug 2"]), ("'", []),
    ],
)  # fmt: skip
def test_titles_are_searched_for_a_text(shop: Connection, ada: User, search: str, found: list[str]) -> None:
    bring(shop, item(1), item(2))

    assert titles(ada, search=search) == found


def test_an_unknown_choice_of_deleted_is_refused(ada: User) -> None:
    with pytest.raises(Invalid):
        records.page(records.Query(ada.id, deleted="maybe"), cursor=None, limit=1)


def test_records_of_others_are_not_found(shop: Connection, ada: User, cleo: User) -> None:
    bring(shop, item(1))
    record = db.session.scalars(select(Record)).one()

    with pytest.raises(NotFound):
        records.get(cleo.id, record.id)
    assert records.get(ada.id, record.id).external_id == "1"
    assert titles(cleo) == []


# -- whole catalogues


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_product_file_arrives_whole(
    path: Path, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchbay.providers.shopify.catalogue.PAGE", 50)
    content = path.read_bytes()
    sandbox.fill(content, shop="files.myshopify.com", replace="1")
    connect(ada, "shopify", shop="files")

    run = runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    execution.execute(run.id)

    wanted = products_of(content)
    assert runs.get(ada.id, run.id).status is RunStatus.SUCCEEDED
    got = {record.data["handle"]: compared(record.data) for record in db.session.scalars(select(Record))}
    assert sorted(got) == sorted(wanted)
    for handle, product in wanted.items():
        assert got[handle] == product


def test_a_second_import_of_a_product_file_changes_nothing(ada: User, connect: Walker, sandbox: Sandbox) -> None:
    sandbox.fill(OWN.read_bytes(), shop="files.myshopify.com", replace="1")
    connect(ada, "shopify", shop="files")

    counts = []
    for _ in range(2):
        run = runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
        execution.execute(run.id)
        counts.append(runs.get(ada.id, run.id).counts)

    assert counts[0]["created"] == counts[1]["unchanged"] == counts[1]["read"]
    assert connections.connected(ada.id, "shopify").last_synced_at is not None


def compared(data: dict[str, Any]) -> dict[str, Any]:
    """What the file can tell of a stored product."""
    named = [option["name"] for option in data["options"]]
    return {
        "title": data["title"],
        "description": data["description"].strip(),
        "vendor": data["vendor"],
        "productType": data["productType"],
        "tags": set(data["tags"]),
        "status": data["status"],
        "options": named,
        "variants": [
            (
                variant["sku"],
                Decimal(variant["price"]),
                variant["compareAtPrice"] and Decimal(variant["compareAtPrice"]),
                variant["barcode"],
                [variant["options"][name] for name in named],
            )
            for variant in data["variants"]
        ],
        "images": [(image["url"], image["alt"]) for image in data["images"]],
    }


def products_of(content: bytes) -> dict[str, dict[str, Any]]:
    """The products of a file, read with nothing but the rules of the contract."""
    products: dict[str, dict[str, Any]] = {}
    pictures: dict[str, list[tuple[int, str, str | None]]] = {}
    for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")):
        cell = {name: text or "" for name, text in row.items() if name}
        handle = cell["Handle"]
        if handle not in products:
            products[handle] = first_row(cell)
            pictures[handle] = []
        if cell.get("Variant Price"):
            products[handle]["variants"].append(variant_of(cell, len(products[handle]["options"])))
        if cell.get("Image Src"):
            position = int(cell.get("Image Position") or len(pictures[handle]) + 1)
            pictures[handle].append((position, cell["Image Src"], cell.get("Image Alt Text") or None))
    for handle, found in pictures.items():
        products[handle]["images"] = [(url, alt) for _, url, alt in sorted(found, key=lambda picture: picture[0])]
    return products


def first_row(cell: dict[str, str]) -> dict[str, Any]:
    return {
        "title": cell["Title"],
        "description": cell.get("Body (HTML)", "").strip(),
        "vendor": cell.get("Vendor") or None,
        "productType": cell.get("Type") or None,
        "tags": {tag.strip() for tag in re.split(",", cell.get("Tags", "")) if tag.strip()},
        "status": "draft" if cell.get("Published", "").lower() == "false" else "active",
        "options": list(options_of(cell)),
        "variants": [],
        "images": [],
    }


def options_of(cell: dict[str, str]) -> Iterator[str]:
    return (cell[f"Option{number} Name"] for number in (1, 2, 3) if cell.get(f"Option{number} Name"))


def variant_of(cell: dict[str, str], options: int) -> tuple[Any, ...]:
    before = cell.get("Variant Compare At Price")
    return (
        cell.get("Variant SKU") or None,
        Decimal(cell["Variant Price"]).quantize(Decimal("0.01")),
        Decimal(before).quantize(Decimal("0.01")) if before else None,
        cell.get("Variant Barcode") or None,
        [cell.get(f"Option{number} Value", "") for number in range(1, options + 1)],
    )
