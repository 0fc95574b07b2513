"""Redis holds hints only: wiped, killed or deaf, at any moment, it loses no run and leaves no hub unwell."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.journeys.hubs import Hub, Person, eventually
from tests.journeys.test_killed_workers import assert_same_products, counts


@pytest.mark.parametrize("loss", ["wiped", "killed"])
def test_a_queued_run_is_executed_though_redis_lost_it(hub: Hub, ada: Person, loss: str) -> None:
    ada.connect("shopify", shop=f"queued-{loss}")
    hub.sandbox.generate("shopify", count=300, seed=5, shop=f"queued-{loss}")

    with _workers_asleep(hub):
        run_id = ada.start("shopify", "import_products")
        _lose(hub, loss)
        status_meanwhile = ada.run(run_id)["status"]
    run = ada.ended(run_id)

    assert status_meanwhile == "queued"
    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=300, created=300)
    assert eventually(hub.is_healthy)


@pytest.mark.parametrize("loss", ["wiped", "killed"])
def test_a_running_import_goes_on_though_redis_lost_everything(hub: Hub, ada: Person, loss: str) -> None:
    shop = f"running-{loss}"
    ada.connect("shopify", shop=shop)
    hub.sandbox.generate("shopify", count=3000, seed=6, shop=shop)
    run_id = ada.start("shopify", "import_products")
    ada.run_that(run_id, lambda run: run["progress"]["done"] >= 500)

    _lose(hub, loss)
    run = ada.ended(run_id)

    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=3000, created=3000)
    assert_same_products(hub, ada, f"{shop}.myshopify.com", 3000)
    assert eventually(hub.is_healthy)
    assert ada.ended(ada.start("shopify", "get_products"))["status"] == "succeeded"


def test_a_run_asked_for_while_redis_is_deaf_is_taken_and_executed(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="deaf")
    redis = hub.launched("redis-server")

    redis.send_signal(signal.SIGSTOP)
    try:
        answer = ada.sync("shopify", "import_products", wait=0)
    finally:
        redis.send_signal(signal.SIGCONT)
    run = ada.ended(answer.json()["runId"])

    assert answer.status_code == 202
    assert run["status"] == "succeeded", run
    assert eventually(hub.is_healthy)


def _lose(hub: Hub, loss: str) -> None:
    if loss == "wiped":
        with hub.redis() as redis:
            redis.flushall()
    else:
        hub.launched("redis-server").kill()


@contextmanager
def _workers_asleep(hub: Hub) -> Iterator[None]:
    """All processes of workers and clock stand still."""
    parent = hub.launched("flask")
    asleep: list[psutil.Process] = parent.children(recursive=True)
    for process in asleep:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in asleep:
            process.send_signal(signal.SIGCONT)
