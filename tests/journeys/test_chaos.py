"""Everything is killed at random while people work: 45 seconds, a kill about every 3 (seed 7), three platforms.

Afterwards nothing is lost or doubled against what the platforms hold, no run is stuck, and no connection has ended.
"""

import contextlib
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import requests

from tests.journeys.hubs import ENDED, Hub, Person, eventually
from tests.journeys.test_killed_workers import assert_same_products

CHAOS_S = 45.0
BETWEEN_KILLS_S = (2.0, 4.0)
PRODUCTS = 2500
MADE = {"google-drive": "files", "dropbox": "entries"}
"""What folders that are made at a platform are found under."""
PLATFORMS = ("shopify", *MADE)


@dataclass(frozen=True)
class Asked:
    """A folder that was to be made, and the run that does it."""

    platform: str
    name: str
    run_id: str


def test_whatever_is_killed_nothing_is_lost_doubled_or_stuck(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="chaos")
    ada.connect("google-drive")
    ada.connect("dropbox")
    hub.sandbox.generate("shopify", count=PRODUCTS, seed=7, shop="chaos")

    asked, killed = _work_under_chaos(hub, ada)
    assert eventually(hub.is_healthy)
    assert eventually(lambda: _open_runs(ada) == []), _open_runs(ada)

    assert set(killed) == set(VICTIMS), killed
    last = ada.ended(ada.start("shopify", "import_products"))
    assert last["status"] == "succeeded", last
    assert_same_products(hub, ada, "chaos.myshopify.com", PRODUCTS)
    _assert_each_folder_is_there_once(hub, ada, asked)
    assert all(ada.card(platform)["isConnected"] for platform in PLATFORMS)
    assert ada.sync("google-drive", "list_folders").status_code == 200
    assert ada.sync("dropbox", "list_folders").status_code == 200


def _work_under_chaos(hub: Hub, ada: Person) -> tuple[list[Asked], Counter[str]]:
    """The folders that were asked for while somebody killed, and how often each kind was killed."""
    asked: list[Asked] = []
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            with contextlib.suppress(requests.RequestException, AssertionError, LookupError):
                ada.start("shopify", "import_products")
            for platform in MADE:
                name = f"Chaos {len(asked)}"
                with contextlib.suppress(requests.RequestException, AssertionError, LookupError):
                    asked.append(Asked(platform, name, ada.start(platform, "create_folder", folderName=name)))
            over.wait(1.0)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        killed = _kill_at_random(hub)
    finally:
        over.set()
        worker.join(120)
    return asked, killed


def _kill_at_random(hub: Hub) -> Counter[str]:
    chance = random.Random(7)  # noqa: S311 - the same order of kills each time
    killed: Counter[str] = Counter()
    ends_at = time.monotonic() + CHAOS_S
    names = list(VICTIMS)
    while time.monotonic() < ends_at or len(killed) < len(VICTIMS):
        missed = [name for name in names if not killed[name]]
        name = chance.choice(missed if missed and chance.random() < 0.5 else names)
        with contextlib.suppress(psutil.Error, ValueError, IndexError):
            VICTIMS[name](hub).send_signal(signal.SIGKILL)
            killed[name] += 1
        with contextlib.suppress(requests.RequestException):
            hub.sandbox.fault(chance.choice(PLATFORMS), chance.choice(("expired_token", "server_error", "reset")))
        time.sleep(chance.uniform(*BETWEEN_KILLS_S))
    for platform in PLATFORMS:
        eventually(lambda platform=platform: _calm(hub, platform))  # type: ignore[misc]  # bound now
    return killed


def _calm(hub: Hub, platform: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        hub.sandbox.clear_faults(platform)
        return True
    return False


def _child(hub: Hub, number: int) -> psutil.Process:
    """One of the processes of the group that works: the workers in their order, the clock last."""
    return sorted(hub.launched("flask").children(), key=lambda process: process.create_time())[number]


VICTIMS: dict[str, Callable[[Hub], psutil.Process]] = {
    "job": lambda hub: hub.horses()[0],
    "worker": lambda hub: _child(hub, 0),
    "clock": lambda hub: _child(hub, -1),
    "workers": lambda hub: hub.launched("flask"),
    "web": lambda hub: hub.launched("granian"),
    "redis": lambda hub: hub.launched("redis-server"),
    "sandbox": lambda hub: hub.launched("sandbox"),
}


def _open_runs(ada: Person) -> list[dict[str, object]]:
    with contextlib.suppress(requests.RequestException):
        runs = ada.asked("GET", "/api/runs", params={"limit": "200"})
        return [run for run in runs["data"] if run["status"] not in ENDED]
    return [{"status": "nobody answers"}]


def _assert_each_folder_is_there_once(hub: Hub, ada: Person, asked: list[Asked]) -> None:
    """What went well is there, and nothing is there twice, under its own name or one that the platform made of it."""
    for platform, collection in MADE.items():
        there = [str(entry["name"]) for entry in hub.sandbox.state(platform, collection)]
        ends = {one.name: ada.run(one.run_id)["status"] for one in asked if one.platform == platform}
        made = Counter(name for name in there if name.startswith("Chaos "))
        assert "succeeded" in ends.values(), ends
        assert {name for name, end in ends.items() if end == "succeeded"} <= set(made), (ends, made)
        assert set(made.values()) == {1}, made
        assert not [name for name in made if "(" in name], made
