"""Shopify: what is special about it. The fixture follows the platform's documents, trimmed and anonymised."""

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from patchbay import runs
from patchbay.errors import UnexpectedShape
from patchbay.models import Run, RunStatus, Trigger, User, db, fresh_view, transaction
from patchbay.providers import shopify
from patchbay.providers.shopify import catalogue, graphql
from patchbay.spec import Answer, Meaning, classify
from tests.providers.sample import Sample, mockup_of
from tests.stage import Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context", "_short_pauses")

RECORDED = json.loads((Path(__file__).parent / "fixtures" / "shopify" / "products.json").read_text(encoding="utf-8"))
DEMO = "demo-shop"


def first_product(sandbox: Sandbox) -> str:
    return str(sandbox.state("shopify", "products", shop=f"{DEMO}.myshopify.com")[0]["id"])


SAMPLE = Sample(
    fields={"shop": DEMO},
    elsewhere={"shop": "northwind"},
    found={"products": 312},
    inputs={
        "publish_mockup": lambda user, sandbox: {"productId": first_product(sandbox), "mockupUrls": [mockup_of(user)]}
    },
    without_scope={"scopes": "read_orders", "expiring": False},
)


class Recorded:
    """An `Api` that gives recorded answers in turn."""

    def __init__(self, *answers: Any) -> None:
        self.settings = {"shop": "northwind.myshopify.com"}
        self.answers = list(answers)
        self.asked: list[Any] = []

    def send(self, request: Any) -> Answer:
        self.asked.append(request)
        return answer(self.answers.pop(0))

    def read(self, given: Answer, shape: Any) -> Any:
        return msgspec.json.decode(given.body, type=shape)


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


def answer(body: Any, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body).encode(), "https://northwind.myshopify.com/")


def run_of(user: User, operation: str, queue: Queue, **values: Any) -> Run:
    run = runs.start(user.id, "shopify", operation, values, Trigger.API)
    queue.run_all()
    fresh_view()
    return db.session.get_one(Run, run.id, populate_existing=True)


# -- what is stored


def test_a_recorded_page_is_stored_as_documented() -> None:
    api = Recorded(RECORDED["answer"], RECORDED["moreVariants"])

    page = catalogue.products_page(api, None, 250)  # type: ignore[arg-type]  # as much of an Api as is needed

    tee, card = (item.data for item in page.items)
    assert (page.next_cursor, page.total) == ("p2", 2)
    assert tee["url"] == "https://northwind.example.org/products/fern-tee"
    assert [variant["sku"] for variant in tee["variants"]] == ["TEE-S", "TEE-M"]
    assert tee["variants"][0] == {
        "id": "gid://shopify/ProductVariant/11", "sku": "TEE-S", "title": "S", "price": "28.00",
        "compareAtPrice": "35.00", "barcode": "4006381333931", "options": {"Size": "S"},
    }  # fmt: skip
    assert tee["images"] == [
        {"id": "gid://shopify/MediaImage/21", "url": "https://cdn.example.org/tee.jpg?v=1", "alt": "A tee on a line"}
    ]
    assert (card["vendor"], card["productType"], card["tags"], card["url"]) == (None, None, [], None)
    assert (card["status"], card["images"]) == ("draft", [])
    assert (card["variants"][0]["price"], card["variants"][0]["barcode"]) == ("10.50", None)


def test_variants_whose_pages_go_round_in_a_circle_end_the_import() -> None:
    info = {"hasNextPage": True, "endCursor": "round"}
    product = RECORDED["moreVariants"]["data"]["product"]
    again = {"data": {"product": {"part": {**product["part"], "pageInfo": info}}}}
    api = Recorded(RECORDED["answer"], *[again] * 9)

    with pytest.raises(UnexpectedShape):
        catalogue.products_page(api, None, 250)  # type: ignore[arg-type]  # as much of an Api as is needed


def test_a_product_that_is_deleted_while_it_is_read_keeps_what_was_read() -> None:
    api = Recorded(RECORDED["answer"], {"data": {"product": None}})

    page = catalogue.products_page(api, None, 250)  # type: ignore[arg-type]  # as much of an Api as is needed

    assert len(page.items[0].data["variants"]) == 1


@pytest.mark.parametrize(
    ("wire", "stored"), [("10", "10.00"), ("10.5", "10.50"), ("10.00", "10.00"), ("0.125", "0.12"), ("1e2", "100.00")]
)
def test_a_price_has_two_places(wire: str, stored: str) -> None:
    assert catalogue.money(wire) == stored


# -- what answers mean


def test_the_budget_is_read_from_every_answer() -> None:
    (budget,) = graphql.read_budget(answer(RECORDED["answer"]))

    assert (budget.available, budget.maximum, budget.per_second, budget.cost) == (1986, 2000, 100, 52)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("THROTTLED", Meaning.THROTTLED),
        ("ACCESS_DENIED", Meaning.SCOPE_MISSING),
        ("INTERNAL_SERVER_ERROR", Meaning.UNAVAILABLE),
    ],
)
def test_errors_in_a_success_are_understood(code: str, meaning: Meaning) -> None:
    given = answer({"errors": [{"message": "no", "extensions": {"code": code}}]})

    fault = classify(shopify.PROVIDER.faults, given)

    assert fault is not None
    assert fault.meaning is meaning
    assert fault.text == "no"


def test_an_answer_with_data_and_no_errors_is_no_fault() -> None:
    assert classify(shopify.PROVIDER.faults, answer(RECORDED["answer"])) is None


def test_a_token_without_the_scope_is_told_so(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connection = connect(ada, "shopify", shop=DEMO)
    weak = requests.post(
        f"{sandbox.url}/_sandbox/shopify/token", json={"scopes": "read_orders", "expiring": False}, timeout=10
    ).json()
    with transaction():
        connection.access_token = weak["access_token"]

    assert run_of(ada, "get_products", queue).error_kind == "ScopeMissing"


# -- reading


def test_products_are_listed_in_pages(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "shopify", shop=DEMO)
    seen: list[str] = []
    cursor: str | None = None

    while True:
        values = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        result = run_of(ada, "get_products", queue, **values).result
        assert result is not None
        seen += [product["id"] for product in result["products"]]
        cursor = result["nextCursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 12


def test_a_product_with_more_variants_than_a_page_arrives_whole(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    rows = "\n".join(f"posters,Posters,Number,{number},4.50" for number in range(230))
    sandbox.fill(
        f"Handle,Title,Option1 Name,Option1 Value,Variant Price\n{rows}".encode(),
        shop=f"{DEMO}.myshopify.com",
        replace="1",
    )
    connect(ada, "shopify", shop=DEMO)

    result = run_of(ada, "get_products", queue).result

    assert result is not None
    assert len(result["products"][0]["variants"]) == 230


# -- publishing


def test_a_mockup_is_published_to_a_product(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "shopify", shop=DEMO)
    product = first_product(sandbox)
    before = images_of(ada, queue, product)

    run = run_of(ada, "publish_mockup", queue, productId=product, mockupUrls=[mockup_of(ada), mockup_of(ada)])

    assert run.status is RunStatus.SUCCEEDED, run.error_detail
    assert run.result is not None
    assert run.result["publishedUrl"].startswith("https://demo-shop.myshopify.com/products/")
    assert images_of(ada, queue, product) == before + 2


def test_a_lost_answer_publishes_no_mockup_twice(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "shopify", shop=DEMO)
    product = first_product(sandbox)
    before = images_of(ada, queue, product)
    sandbox.fault("shopify", "lost_response", match="productUpdate")

    run = run_of(ada, "publish_mockup", queue, productId=product, mockupUrls=[mockup_of(ada)])

    assert run.status is RunStatus.SUCCEEDED, run.error_detail
    assert images_of(ada, queue, product) == before + 1


def test_of_a_picture_that_is_too_large_nothing_is_sent(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(ada, "shopify", shop=DEMO)
    monkeypatch.setattr("patchbay.providers.shopify.publishing.MOST_MB", 0)

    run = run_of(ada, "publish_mockup", queue, productId=first_product(sandbox), mockupUrls=[mockup_of(ada)])

    assert (run.error_kind, run.error_params["most"]) == ("PlatformError", "0")
    assert "is too large" in run.error_params["sentence"]
    assert sandbox.received("shopify", operation="stagedUploadsCreate") == []


def test_a_product_that_is_not_there_is_told_so(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "shopify", shop=DEMO)

    run = run_of(ada, "publish_mockup", queue, productId="1", mockupUrls=[mockup_of(ada)])

    assert run.error_kind == "NotFoundThere"


def images_of(user: User, queue: Queue, product: str) -> int:
    result = run_of(user, "get_products", queue, limit=50).result
    assert result is not None
    return next(len(each["images"]) for each in result["products"] if each["id"].endswith(product.rpartition("/")[2]))


# -- what has changed since


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every time of change may be trusted at once."""
    monkeypatch.setattr("patchbay.providers.shopify.catalogue.SETTLED_AFTER", timedelta(days=-1))


def asked_for(sandbox: Sandbox, since: int) -> list[str]:
    """The root fields of the GraphQL documents behind number `since` of the ledger."""
    return [row["operation"] for row in sandbox.received("shopify") if row["n"] > since and row["operation"]]


def last_number(sandbox: Sandbox) -> int:
    return max(int(row["n"]) for row in sandbox.received("shopify"))


def test_the_second_import_reads_only_what_has_changed(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, settled: None
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    first = run_of(ada, "import_products", queue)
    seen = last_number(sandbox)
    sandbox.remove_product(sandbox.state("shopify", "products")[0]["handle"])

    second = run_of(ada, "import_products", queue)

    assert first.counts["created"] == 12
    assert (second.counts["unchanged"], second.counts["deleted"], second.counts["updated"]) == (11, 1, 0)
    assert asked_for(sandbox, seen).count("nodes") == 1  # whether the one that is missing has really gone


def test_a_changed_and_a_new_product_are_fetched_by_their_ids(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, settled: None
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    run_of(ada, "import_products", queue)
    seen = last_number(sandbox)
    time.sleep(1.1)  # the wire tells times of change in whole seconds
    handle = sandbox.state("shopify", "products")[0]["handle"]
    sandbox.fill(f"Handle,Title,Variant Price\n{handle},Another title,9.00\nquite-new,Quite new,5.00\n".encode())

    second = run_of(ada, "import_products", queue)

    assert {name: second.counts[name] for name in ("created", "updated", "unchanged")} == {
        "created": 1,
        "updated": 1,
        "unchanged": 11,
    }
    assert any("nodes" in operation for operation in asked_for(sandbox, seen))


def test_a_young_time_of_change_is_not_trusted(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "shopify", shop="young-shop")
    sandbox.fill(b"Handle,Title,Variant Price\nmug,Mug,9.00\n", shop="young-shop.myshopify.com")
    run_of(ada, "import_products", queue)
    sandbox.fill(b"Handle,Title,Variant Price\nmug,Cup,9.00\n", shop="young-shop.myshopify.com")

    second = run_of(ada, "import_products", queue)

    assert second.counts["updated"] == 1
