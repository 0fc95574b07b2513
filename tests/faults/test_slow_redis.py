"""Redis answers late, or takes connections and says nothing: pages and requests go on, at the price of a moment.

A proxy on a real socket stands in front of the real Redis and holds every answer back.
"""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient

from jobs.tick import tick
from patchbay import runs
from patchbay.models import Connection, RunStatus, Trigger, User
from patchbay.runs import execution
from patchbay.settings import Settings
from tests.faults.conftest import reread
from tests.servers import RedisServer
from tests.stage import PASSWORD, FrozenClock, Queue, Walker

CHUNK = 65_536


@dataclass
class Proxy:
    """Passes everything on; what Redis says comes `late_s` later, and never while that is None."""

    redis_path: str
    late_s: float | None = 0.0
    _listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        """As REDIS_URL takes it."""
        return f"redis://127.0.0.1:{self._listening.getsockname()[1]}"

    def run(self) -> None:
        """Until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                redis = socket.socket(socket.AF_UNIX)
                redis.connect(self.redis_path)
                for source, target, is_answer in ((client, redis, False), (redis, client, True)):
                    threading.Thread(target=self._pass_on, args=(source, target, is_answer), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with suppress(OSError), source, target:
            while part := source.recv(CHUNK):
                while is_answer and self.late_s is None:
                    time.sleep(0.05)
                time.sleep((self.late_s or 0.0) if is_answer else 0.0)
                target.sendall(part)


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[Proxy]:
    made = Proxy(redis_server.url.removeprefix("unix://"))
    threading.Thread(target=made.run, daemon=True).start()
    yield made
    made.late_s = 0.0
    made.close()


@pytest.fixture
def app(
    proxy: Proxy,
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
    monkeypatch: pytest.MonkeyPatch,
) -> Flask:
    """An installation that reaches its Redis through the proxy, and has no more patience with it than others."""
    monkeypatch.setattr("patchbay.limits.store.TIMEOUT_S", 0.25)
    return app_for(settings_for(REDIS_URL=proxy.url))


def taken_s(call: Callable[[], int], expected: int) -> float:
    """How long a call takes that ends with this status."""
    began = time.monotonic()
    assert call() == expected
    return time.monotonic() - began


@pytest.mark.parametrize("late_s", [0.05, 0.5, None], ids=["50 ms", "500 ms", "hanging"])
def test_pages_are_shown_and_runs_taken(
    proxy: Proxy,
    client: FlaskClient,
    shelved: Connection,
    ada: User,
    key_for: Callable[..., dict[str, str]],
    late_s: float | None,
) -> None:
    headers, asked = key_for(ada), {"integrationId": "dropbox", "operation": "import_things", "wait": 0}
    client.get("/integrations", headers=headers)  # templates and the like are made at first use

    proxy.late_s = late_s
    page_s = taken_s(lambda: client.get("/integrations", headers=headers).status_code, 200)
    order_s = taken_s(lambda: client.post("/api/integrations/sync", json=asked, headers=headers).status_code, 202)
    (run,), _ = runs.page(runs.Query(ada.id), cursor=None, limit=1)

    assert run.status is RunStatus.QUEUED
    assert page_s < 10
    assert order_s < 20


@pytest.mark.parametrize("late_s", [0.05, None], ids=["50 ms", "hanging"])
def test_requests_to_platforms_go_on(
    proxy: Proxy, context: None, ada: User, connect: Walker, late_s: float | None
) -> None:
    connect(ada, "google-drive")
    values = ({"folderName": "One"}, {"folderName": "Two"})
    ordered = [runs.start(ada.id, "google-drive", "create_folder", each, Trigger.API) for each in values]

    proxy.late_s = late_s
    began = time.monotonic()
    for run in ordered:
        execution.execute(run.id)

    assert [reread(run).status for run in ordered] == [RunStatus.SUCCEEDED] * 2
    assert time.monotonic() - began < 30


def test_a_run_whose_hint_hung_is_offered_again(
    proxy: Proxy, shelved: Connection, ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    proxy.late_s = None
    run = runs.start(ada.id, "dropbox", "import_things", {}, Trigger.API)
    proxy.late_s = 0.0

    frozen_clock.advance(seconds=5)
    tick()
    queue.run_all()

    assert reread(run).status is RunStatus.SUCCEEDED


def test_people_can_sign_in_though_attempts_cannot_be_counted(proxy: Proxy, client: FlaskClient, ada: User) -> None:
    page = client.get("/login").get_data(as_text=True)
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token is not None
    form = {"email": ada.email, "password": PASSWORD, "csrf_token": token[1]}

    proxy.late_s = None

    assert taken_s(lambda: client.post("/login", data=form).status_code, 303) < 20
