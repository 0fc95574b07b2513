"""The fixtures of all tests: an installation of their own on real SQLite, PostgreSQL and Redis, people, the sandbox.

Tests under `tests/patchbay` and `tests/jobs` that touch the database run on SQLite and on PostgreSQL, unless their
module says `DATABASES`; the others on SQLite. PATCHBAY_TEST_DATABASE=sqlite or =postgresql runs all
that may on that one.
"""

import errno
import gc
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextvars import ContextVar
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, sync_playwright
from werkzeug.routing import Rule

import sandbox as platforms
from app import create_app
from patchbay import accounts, catalog, clock, limits, migrations, queue, settings, tenancy
from patchbay.accounts import brakes
from patchbay.errors import storable
from patchbay.models import User, db
from patchbay.settings import Settings, is_loopback
from tests import order, stage
from tests.compiled import Templates, remembering
from tests.kept import Kept
from tests.servers import PostgreSQLServer, RedisServer, folder_in_memory
from tests.stage import CAST, PASSWORD, FrozenClock, Queue, Sandbox, Walker

ON_BOTH_DATABASES = ("patchbay", "jobs")
KEYS = {
    "SECRET_KEY": "the same secret key in every test",
    "VAULT_KEYS": Fernet.generate_key().decode(),
    "DEMO_PASSWORD": "a password for the demo",
}
_numbers = count(1)
_templates = Templates()
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def pytest_configure(config: pytest.Config) -> None:
    """Compare documents in the one process that hears of every test. Keep what tests write in memory, if there is room.

    SQLite waits for the disk at each commit.
    """
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Kept())
    if "TMPDIR" not in os.environ and (folder := folder_in_memory()):
        os.environ["TMPDIR"] = tempfile.tempdir = folder


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, hand them out in an order in which they end together."""
    if hasattr(config, "workerinput"):
        items[:] = order.spread(items)


def pytest_collection_finish() -> None:
    """Look for garbage rarely, and never among what is there to stay: it took a third of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reports travel between processes as UTF-8: what a test logged on purpose may hold halves of characters."""
    report = yield
    report.sections = [(title, storable(text)) for title, text in report.sections]
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Say on which databases a test runs, when it touches one."""
    if "database" not in metafunc.fixturenames:
        return
    only = os.environ.get("PATCHBAY_TEST_DATABASE")
    folder = metafunc.definition.path.relative_to(Path(__file__).parent).parts[0]
    both = ("sqlite", "postgresql") if folder in ON_BOTH_DATABASES else ("sqlite",)
    wanted = getattr(metafunc.module, "DATABASES", both)
    is_free = not hasattr(metafunc.module, "DATABASES") or only in wanted
    metafunc.parametrize("database", (only,) if only and is_free else wanted, indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _no_way_out() -> Iterator[None]:
    """Refuse connections to anything but this machine."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not is_loopback(str(address[0])):
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"a test reached for the network: {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


@pytest.fixture(scope="session", autouse=True)
def _sees_everything() -> Iterator[None]:
    """Where the code under test does not say whose rows it sees, tests and their threads see everybody's.

    Outside of tests it is nobody's (`tests/patchbay/tenancy`); processes that a test starts are outside.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tenancy, "_present", ContextVar("tenancy", default=tenancy.EVERYONE))
        yield


@pytest.fixture(scope="session", autouse=True)
def _waits_for_redis() -> Iterator[None]:
    """Limits do without a Redis that is late by a quarter of a second, as it is where many processes run.

    Tests of that take the patience back (`tests/patchbay/limits/test_budgets`, `tests/faults/test_slow_redis`).
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits.store, "TIMEOUT_S", 5.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiles_routes_once() -> Iterator[None]:
    """Of the many applications that a process of the tests makes, all but the first find their routes compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", remembering(Rule._compile_builder))
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, one per process of the tests: Playwright's loop cannot run twice in a thread."""
    path = os.environ.get("PATCHBAY_CHROMIUM") or shutil.which("chromium")
    assert path, "no Chromium: set PATCHBAY_CHROMIUM to the path of one"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def _redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def _sandbox_url() -> Iterator[str]:
    with platforms.running() as url:
        yield url


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


@pytest.fixture(scope="session")
def _postgresql(_postgresql_server: PostgreSQLServer) -> str:
    return _postgresql_server.folder


@pytest.fixture
def postgresql_server(_postgresql_server: PostgreSQLServer) -> Iterator[PostgreSQLServer]:
    """The server of `database`; a test may stop it."""
    yield _postgresql_server
    _postgresql_server.start()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file with the catalogue and the cast in it, copied for each test."""
    path = tmp_path_factory.mktemp("template") / "patchbay.sqlite3"
    _fill(f"sqlite:///{path}", tmp_path_factory.mktemp("template-home"))
    return path


@pytest.fixture(scope="session")
def _postgresql_template(_postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same as a database that others are made from."""
    _tell(_postgresql, "CREATE DATABASE template")
    _fill(_postgresql_url(_postgresql, "template"), tmp_path_factory.mktemp("template-home"))
    return "template"


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the test's own: migrated, with the catalogue and the cast in it."""
    if request.param == "sqlite":
        path = tmp_path / "patchbay.sqlite3"
        shutil.copy(request.getfixturevalue("_sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    folder, template = request.getfixturevalue("_postgresql"), request.getfixturevalue("_postgresql_template")
    name = f"test_{next(_numbers)}"
    _tell(folder, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield _postgresql_url(folder, name)
    _tell(folder, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def blank_postgresql(_postgresql: str) -> Iterator[str]:
    """The address of a PostgreSQL database in which there is nothing yet."""
    name = f"blank_{next(_numbers)}"
    _tell(_postgresql, f"CREATE DATABASE {name}")
    yield _postgresql_url(_postgresql, name)
    _tell(_postgresql, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_server(_redis: RedisServer) -> Iterator[RedisServer]:
    """The Redis of `settings`, empty; a test may stop it."""
    _redis.start()
    _redis.wipe()
    yield _redis
    _redis.start()


@pytest.fixture
def settings_for(
    tmp_path: Path, redis_server: RedisServer, _sandbox_url: str, database: str
) -> Callable[..., Settings]:
    """Settings with a home of their own and the sandbox on: `settings_for(SHOPIFY_CLIENT_ID="live")`."""

    def load(**environment: str) -> Settings:
        here = {
            "PATCHBAY_HOME": str(tmp_path / "home"),
            "PUBLIC_URL": "http://localhost",
            "DATABASE_URL": database,
            "REDIS_URL": redis_server.url,
            "SANDBOX": "on",
            "SANDBOX_URL": _sandbox_url,
        }
        return settings.load(here | KEYS | environment)

    return load


@pytest.fixture(name="settings")
def _settings(settings_for: Callable[..., Settings]) -> Settings:
    """What `app` is made with."""
    return settings_for()


@pytest.fixture
def app_for() -> Iterator[Callable[[Settings], Flask]]:
    """Make an application; its connections are closed at the end."""
    made: list[Flask] = []

    def make(here: Settings) -> Flask:
        queue.redis.cache_clear()
        brakes._limiter.cache_clear()
        limits.forget_here()
        app = create_app(here)
        app.testing = True
        app.jinja_env.bytecode_cache = _templates
        made.append(app)
        return app

    yield make
    for app in made:
        _close(app)
    if made and queue.redis.cache_info().currsize:
        queue.redis().close()


@pytest.fixture
def app(app_for: Callable[[Settings], Flask], settings: Settings) -> Flask:
    """An installation: migrated, with the catalogue and the cast in it, and nothing else."""
    return app_for(settings)


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An app context around the test, for tests of the domain; requests of `client` have their own without it."""
    with app.app_context():
        yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a session."""
    return app.test_client()


@pytest.fixture
def ada(app: Flask) -> User:
    """Owns things, and is an administrator."""
    return _of_the_cast(app, "ada@example.org")


@pytest.fixture
def ben(app: Flask) -> User:
    """A member."""
    return _of_the_cast(app, "ben@example.org")


@pytest.fixture
def cleo(app: Flask) -> User:
    """A stranger to whatever Ada and Ben own."""
    return _of_the_cast(app, "cleo@example.org")


@pytest.fixture
def login() -> Callable[[FlaskClient, User], str]:
    """`login(client, ada)` begins a session without the form, and answers its CSRF token."""
    return stage.sign_in


@pytest.fixture
def key_for(app: Flask) -> Callable[..., Mapping[str, str]]:
    """`key_for(ada, "runs:read")` answers the headers of a new API key; without scopes it may do everything."""
    return partial(stage.key_for, app)


@pytest.fixture
def sandbox(_sandbox_url: str) -> Iterator[Sandbox]:
    """The live sandbox in its first state."""
    stage_door = Sandbox(_sandbox_url)
    stage_door.reset()
    yield stage_door
    stage_door.reset()


@pytest.fixture
def let_go(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """What a fault of the sandbox makes slow or hang is held until the test calls this, however long it orders."""
    is_over = threading.Event()
    held = SimpleNamespace(sleep=lambda seconds: is_over.wait(60) if seconds else None)
    monkeypatch.setattr("sandbox.faults.time", held)
    yield is_over.set
    is_over.set()


@pytest.fixture(name="queue")
def _queue(app: Flask) -> Queue:
    """The hints to the workers; `queue.run_all()` carries them out."""
    return Queue(app)


@pytest.fixture
def frozen_clock(monkeypatch: pytest.MonkeyPatch) -> FrozenClock:
    """Patchbay's clock, standing still."""
    frozen = FrozenClock()
    monkeypatch.setattr(clock, "now", frozen.now)
    return frozen


@pytest.fixture
def connect(app: Flask, sandbox: Sandbox) -> Walker:
    """`connect(ada, "shopify", shop="demo-shop")` walks the real consent and answers the connection."""
    return Walker(app, sandbox)


def _fill(database_url: str, home: Path) -> None:
    here = settings.load({"PATCHBAY_HOME": str(home), "DATABASE_URL": database_url} | KEYS)
    migrations.migrate(here)
    app = create_app(here)
    with app.app_context(), tenancy.everyone():
        catalog.publish()
        for email, role in CAST.items():
            accounts.create_user(email, PASSWORD, role)
    _close(app)


def _close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


def _of_the_cast(app: Flask, email: str) -> User:
    with stage.in_context(app):
        user = accounts.by_email(email)
    assert user is not None
    return user


def _postgresql_url(folder: str, name: str) -> str:
    return f"postgresql://postgres@/{name}?host={folder}"


def _tell(folder: str, command: str) -> None:
    with psycopg.connect(host=folder, user="postgres", autocommit=True) as connection:
        connection.execute(command.encode())
