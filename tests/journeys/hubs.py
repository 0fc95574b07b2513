"""A real hub for journeys: `python -m launch` on a home and ports of its own, and people who use it over HTTP.

What the hub's own processes are tested for alone is in `tests/test_launch.py`; the sandbox's controls are in `stage`.
"""

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any, TypeVar

import psutil
import requests
from flask import Flask
from redis import Redis

from app import create_app
from patchbay import accounts, catalog, migrations, settings
from patchbay.models import Role, db
from patchbay.settings import ROOT, redis_socket
from tests.servers import free_port
from tests.stage import Sandbox

T = TypeVar("T")

READY_WITHIN_S = 120.0
COMES_TO_BE_WITHIN_S = 180.0  # no test is about these: machines that run tests are busy
ENDED = {"succeeded", "failed", "cancelled"}
_numbers = count(1)


@dataclass
class Person:
    """A user of the hub, with an API key that may do everything."""

    hub: "Hub"
    email: str
    user_id: str
    key: str = field(repr=False)
    password: str = field(repr=False)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any call with the key; redirects are not followed."""
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        return requests.request(
            method, f"{self.hub.url}{path}", headers=headers, allow_redirects=False, timeout=90, **options
        )

    def asked(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of a call that goes well."""
        answer = self.call(method, path, **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:1000]}"
        return answer.json()

    def leave(self, integration: str, **values: str) -> str:
        """Begin a connect; the address that the browser is to open."""
        body = {"integrationId": integration, "settings": values}
        return str(self.asked("POST", "/api/integrations/connect", json=body)["authUrl"])

    def come_back(self, query: dict[str, str]) -> requests.Response:
        """The platform's redirect, as a script takes it."""
        return self.call("GET", "/integrations/callback", params=query, headers={"Accept": "application/json"})

    def connect(self, integration: str, **values: str) -> None:
        """Walk the real flow; the consent is given."""
        returned = self.come_back(self.hub.sandbox.consent(self.leave(integration, **values)))
        assert returned.status_code == 200, returned.text

    def sync(self, integration: str, operation: str, *, wait: int = 60, **values: Any) -> requests.Response:
        """Ask for an operation."""
        body = {"integrationId": integration, "operation": operation, "data": values, "wait": wait}
        return self.call("POST", "/api/integrations/sync", json=body)

    def start(self, integration: str, operation: str, **values: Any) -> str:
        """Ask for an operation without waiting; the run's id."""
        answer = self.sync(integration, operation, wait=0, **values)
        assert answer.status_code in {200, 202}, answer.text
        return str(answer.json()["runId"])

    def run(self, run_id: str) -> dict[str, Any]:
        """A run as it is now."""
        shown: dict[str, Any] = self.asked("GET", f"/api/runs/{run_id}")
        return shown

    def run_that(
        self, run_id: str, is_so: Callable[[dict[str, Any]], bool], within_s: float = COMES_TO_BE_WITHIN_S
    ) -> dict[str, Any]:
        """The run as soon as it is so; fails when it never is."""
        looks: list[dict[str, Any]] = []

        def look() -> bool:
            with contextlib.suppress(requests.ConnectionError):  # the web process may be the one that was killed
                looks.append(self.run(run_id))
            return bool(looks) and is_so(looks[-1])

        assert eventually(look, within_s), f"it never came to be: {looks[-1:]}"
        return looks[-1]

    def ended(self, run_id: str) -> dict[str, Any]:
        """The run once it has ended."""
        return self.run_that(run_id, lambda run: run["status"] in ENDED)

    def records(self, **query: str) -> list[dict[str, Any]]:
        """All of the user's records, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            params = {"limit": "500", **query, **({"cursor": cursor} if cursor else {})}
            page = self.asked("GET", "/api/records", params=params)
            found, cursor = found + page["data"], page["nextCursor"]
        return found

    def card(self, integration: str) -> dict[str, Any]:
        """The integration as the catalogue shows it to this user."""
        listed = self.asked("GET", "/api/integrations/list")["integrations"]
        shown: dict[str, Any] = next(entry for entry in listed if entry["id"] == integration)
        return shown


class Browser(requests.Session):
    """A browser in which somebody has signed in with the form; `csrf` is what its pages carry."""

    def __init__(self, person: Person) -> None:
        super().__init__()
        self.hub = person.hub
        self.csrf = csrf_of(self.get(f"{self.hub.url}/login", timeout=90).text)
        form = {"email": person.email, "password": person.password, "csrf_token": self.csrf}
        self.csrf = csrf_of(self.post(f"{self.hub.url}/login", data=form, timeout=90).text)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any call of a page's own script: with the token; redirects are not followed."""
        headers = {"X-CSRF-Token": self.csrf, **options.pop("headers", {})}
        return self.request(
            method, f"{self.hub.url}{path}", headers=headers, allow_redirects=False, timeout=90, **options
        )


def csrf_of(page: str) -> str:
    """The token that a page carries for its scripts."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


class Hub:
    """One home with its ports; the group of processes on it may be started, killed and started again."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = _environment(home, self.port, self.sandbox_port, environment)
        self.sandbox = Sandbox(f"http://localhost:{self.sandbox_port}")
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.app = _installation(self.environment)

    def start(self, public_url: str = "") -> "Hub":
        """Start the group, and return when it says that it is ready."""
        begun_at = len(self.lines)
        if self.process:
            self.process.wait(60)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "launch", "--with-parent"],  # an aborted test run leaves no hub behind
            cwd=ROOT, env=self.environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self.process.stdout
        threading.Thread(target=_collect, args=(self.process.stdout, self.lines), daemon=True).start()
        ready = f"Patchbay is ready at {public_url or self.url}"
        assert eventually(lambda: ready in self.lines[begun_at:], READY_WITHIN_S), "\n".join(self.lines)
        return self

    def stop(self) -> float:
        """SIGTERM to the launcher; the seconds until it ended."""
        assert self.process
        asked_at = time.monotonic()
        self.process.terminate()
        self.process.wait(60)
        return time.monotonic() - asked_at

    def close(self) -> None:
        """End whatever is left of it."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
                process.kill()
        if self.process:
            self.process.wait(60)
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def newcomer(self, *, is_admin: bool = False) -> Person:
        """Somebody whom the hub has not seen before."""
        email = f"person-{next(_numbers)}@example.org"
        with self.app.app_context():
            password = secrets.token_urlsafe()
            user = accounts.create_user(email, password, Role.ADMIN if is_admin else Role.MEMBER)
            return Person(self, user.email, user.id, accounts.create_key(user, "a journey", ["*"]).text, password)

    def flask(self, *words: str, given: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """A `flask` command in the hub's own environment."""
        command = [sys.executable, "-m", "flask", "--app", "app", *words]
        here = {**self.environment, **environment}
        return subprocess.run(
            command, cwd=ROOT, env=here, input=given or "", capture_output=True, text=True, timeout=180, check=False
        )

    @contextlib.contextmanager
    def unhurried(self, seconds: float = 1.0) -> Iterator[None]:
        """While the block runs each page of a shop takes so long: its import has a middle, whoever is held up."""
        self.sandbox.fault("shopify", "slow", seconds=seconds, times=0, match="products")
        yield
        self.sandbox.clear_faults("shopify")

    def redis(self) -> Redis:
        """The hub's own Redis."""
        return Redis(unix_socket_path=str(redis_socket(self.home)))

    def is_healthy(self) -> bool:
        """Whether /health answers 200."""
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/health", timeout=10).status_code == 200
        return False

    def processes(self) -> list[psutil.Process]:
        """All living processes of this home."""
        return self.living_on(self.home)

    @staticmethod
    def living_on(home: Path) -> list[psutil.Process]:
        """All living processes of a home."""
        return list(_living_on(home))

    def launched(self, word: str) -> psutil.Process:
        """The launcher's own child whose command line holds `word`."""
        assert self.process
        children = psutil.Process(self.process.pid).children()
        (found,) = [child for child in children if word in " ".join(child.cmdline())]
        return found

    def horses(self) -> list[psutil.Process]:
        """The processes that were forked for one job each: grandchildren of the process that runs the workers."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [horse for worker in self.launched("flask").children() for horse in worker.children()]
        return []


def eventually(ask: Callable[[], T], within_s: float = COMES_TO_BE_WITHIN_S) -> T:
    """What `ask` answers, once that is true, else its last answer."""
    deadline = time.monotonic() + within_s
    while not (answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


def at_once(call: Callable[[], T], times: int) -> list[T]:
    """What `call` answers when that many threads make it at the same moment."""
    from concurrent.futures import ThreadPoolExecutor

    ready = threading.Barrier(times)

    def make(_: int) -> T:
        ready.wait(60)
        return call()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(make, range(times)))


def bare_environment() -> dict[str, str]:
    """Nothing of the developer's own settings; an empty value also hides what a .env says."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    hidden = ("PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "SANDBOX", "SANDBOX_URL", "DEMO_PASSWORD", "TRUSTED_PROXIES")
    return {**inherited, **dict.fromkeys((*hidden, "SECRET_KEY", "VAULT_KEYS"), "")}


def _environment(home: Path, port: int, sandbox_port: int, given: dict[str, str]) -> dict[str, str]:
    where = {"HOST": "127.0.0.1", "PORT": str(port), "SANDBOX_PORT": str(sandbox_port), "PATCHBAY_HOME": str(home)}
    return {**bare_environment(), "WORKERS": "2", **where, **given}


def _installation(environment: dict[str, str]) -> Flask:
    """The same installation in this process: for people, and for a look at its rows. Migrated first."""
    here = settings.load(environment)
    migrations.migrate(here)
    app = create_app(here)
    with app.app_context():
        catalog.publish()
    return app


def _living_on(home: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("PATCHBAY_HOME") == str(home):
                yield process


def _collect(stream: IO[str], lines: list[str]) -> None:
    with stream:
        lines.extend(line.rstrip("\n") for line in stream)


def pages_of(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of a shop's ledger the requests for a page of its catalogue."""
    return [row for row in rows if row["operation"] in {"products", "productsCount"}]
