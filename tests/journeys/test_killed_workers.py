"""A worker is killed in the middle of a long import: another goes on at the checkpoint, nothing lost or doubled."""

import signal
import time
from collections import Counter

import psutil

from tests.journeys.hubs import Hub, Person, eventually, pages_of
from tests.journeys.pictures import mockup_of

PAGE = 250
MANY = 6000
RESUMED_WITHIN_S = 45.0


def test_a_worker_killed_in_the_middle_of_an_import_loses_and_doubles_nothing(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="long")
    hub.sandbox.generate("shopify", count=MANY, seed=1, shop="long")
    with hub.unhurried(0.5):
        run_id = ada.start("shopify", "import_products")
        ada.run_that(run_id, lambda run: run["progress"]["done"] >= 2000)
        killed_at, done = _kill_worker(hub), ada.run(run_id)["progress"]["done"]

    ada.run_that(run_id, lambda run: run["progress"]["done"] >= done + 2 * PAGE)
    resumed_after_s = time.monotonic() - killed_at
    run = ada.ended(run_id)

    assert resumed_after_s < RESUMED_WITHIN_S
    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=MANY, created=MANY)
    assert run["progress"] == {"done": MANY, "total": MANY}
    assert_same_products(hub, ada, "long.myshopify.com", MANY)
    asked = pages_of(hub.sandbox.received("shopify", host="long.myshopify.com"))
    assert MANY / PAGE <= len(asked) <= MANY / PAGE + 2, "pages from before the kill were fetched again"


def test_two_workers_killed_one_after_the_other_lose_and_double_nothing(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="twice")
    hub.sandbox.generate("shopify", count=4000, seed=2, shop="twice")

    with hub.unhurried(0.5):
        run_id = ada.start("shopify", "import_products")
        for done in (500, 1500):
            ada.run_that(run_id, lambda run, done=done: run["progress"]["done"] >= done)  # type: ignore[misc]  # bound now
            _kill_worker(hub)
    run = ada.ended(run_id)

    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=4000, created=4000)
    assert_same_products(hub, ada, "twice.myshopify.com", 4000)
    assert eventually(hub.is_healthy)


def test_a_worker_killed_in_the_middle_of_a_publication_does_not_double_the_picture(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="publication")
    hub.sandbox.fill(b"Handle,Title,Variant Price\nshirt,A shirt,12.00\n", shop="publication")
    product = ada.sync("shopify", "get_products").json()["data"]["products"][0]
    mockup = mockup_of(ada)
    hub.sandbox.fault("shopify", "slow", seconds=10, match="productUpdate")  # done at once, answered late

    run_id = ada.start("shopify", "publish_mockup", productId=product["id"], mockupUrls=[mockup["url"]])
    arrived = eventually(lambda: hub.sandbox.state("shopify", "media", shop="publication"))
    _kill_worker(hub)
    run = ada.ended(run_id)

    assert len(arrived) == 1
    assert run["status"] == "succeeded", run
    assert len(hub.sandbox.state("shopify", "media", shop="publication")) == 1
    sent = hub.sandbox.received("shopify", host="publication.myshopify.com", operation="productUpdate")
    assert len(sent) == 1


def counts(**named: int) -> dict[str, int]:
    """The counts of a run; what is not named is 0."""
    return {"read": 0, "created": 0, "updated": 0, "unchanged": 0, "deleted": 0, "failed": 0, **named}


def assert_same_products(hub: Hub, person: Person, shop: str, total: int) -> None:
    """What is stored is what the shop holds: each once, none missing, none else."""
    stored = Counter(record["externalId"] for record in person.records(integrationId="shopify", stream="products"))
    there = {
        f"gid://shopify/Product/{product['id']}" for product in hub.sandbox.state("shopify", "products", shop=shop)
    }
    assert len(there) == total
    assert [external_id for external_id, times in stored.items() if times > 1] == []
    assert set(stored) == there


def _kill_worker(hub: Hub) -> float:
    """Kill (-9) the worker that has the job, not the job itself; the moment."""
    (horse,) = hub.horses()
    worker = psutil.Process(horse.ppid())
    worker.send_signal(signal.SIGKILL)
    return time.monotonic()
