"""The hub is stopped, killed and started again in the middle of an import, which goes on and ends right."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.hubs import Hub, Person, eventually, pages_of
from tests.journeys.test_killed_workers import PAGE, assert_same_products, counts

SOME = 6000


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub of the test's own, since it does not stay alive."""
    hub = Hub(tmp_path / "home")
    try:
        yield hub.start()
    finally:
        hub.close()


def test_an_import_goes_on_after_a_stop_and_after_a_kill_of_the_whole_hub(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="restarted")
    hub.sandbox.generate("shopify", count=SOME, seed=7, shop="restarted")

    with hub.unhurried(0.5):
        run_id = ada.start("shopify", "import_products")
        ada.run_that(run_id, lambda run: run["progress"]["done"] >= 750)
        stopped_after_s = hub.stop()
        left_after_stop = hub.processes()
        hub.start()
    with hub.unhurried(0.5):  # the sandbox that was stopped has forgotten
        done = ada.run(run_id)["progress"]["done"]
        resumed = ada.run_that(run_id, lambda run: run["progress"]["done"] >= done + 2 * PAGE)
        assert hub.process
        os.kill(hub.process.pid, signal.SIGKILL)
        is_gone = eventually(lambda: not hub.processes())
        hub.start()
    run = ada.ended(run_id)

    assert stopped_after_s < 10
    assert left_after_stop == []
    assert resumed["status"] == "running"
    assert is_gone
    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=SOME, created=SOME)
    assert_same_products(hub, ada, "restarted.myshopify.com", SOME)
    asked = pages_of(hub.sandbox.received("shopify", host="restarted.myshopify.com"))
    assert len(asked) <= SOME / PAGE + 2


def test_a_killed_web_process_is_started_again_and_the_import_never_notices(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="web-killed")
    hub.sandbox.generate("shopify", count=3500, seed=8, shop="web-killed")
    run_id = ada.start("shopify", "import_products")
    ada.run_that(run_id, lambda run: run["progress"]["done"] >= 250)

    hub.launched("granian").kill()
    said = eventually(lambda: [line for line in hub.lines if "web was ended by SIGKILL" in line])
    is_back = eventually(hub.is_healthy)
    run = ada.ended(run_id)

    assert said
    assert is_back
    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=3500, created=3500)
