"""A Patchbay of the bench's own: a fresh home, a migrated database, a Redis, and rows made without the consent.

What does not live here: what is measured on it.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from launch.commands import redis_command
from launch.readiness import answers_ping
from patchbay import queue
from patchbay.models import Connection, ConnectionState, new_id
from patchbay.settings import ROOT, Settings, load, redis_socket


@contextmanager
def home(**environment: str) -> Iterator[dict[str, str]]:
    """The environment of processes that run on a migrated home with a Redis; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="patchbay-bench-"))
    env = {**os.environ, "PATCHBAY_HOME": str(folder), **environment}
    settings = load(env)
    command = redis_command(settings)
    if command is None:
        raise RuntimeError("no redis-server here")
    redis = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)
    try:
        run(env, "-m", "patchbay.migrations")
        while not answers_ping(redis_socket(settings.home)):
            time.sleep(0.02)
        yield env
    finally:
        redis.kill()
        redis.wait()
        queue.redis.cache_clear()  # the next home of this process has another one
        shutil.rmtree(folder)


def run(env: dict[str, str], *arguments: str, python: str | None = None) -> str:
    """What a Python process on that home prints. Raises RuntimeError with its last words when it fails."""
    command = [python or str(ROOT / ".venv" / "bin" / "python"), *arguments]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {done.stderr[-2000:]}")
    return done.stdout


def settings_of(env: dict[str, str]) -> Settings:
    """The settings that processes on that home have."""
    return load(env)


def connection(user_id: str, integration_id: str, now: datetime, **values: object) -> Connection:
    """A connected row with a token that is good for a year; the caller adds it to a session."""
    row = Connection(
        id=new_id("con"),
        user_id=user_id,
        integration_id=integration_id,
        state=ConnectionState.CONNECTED,
        token_expires_at=now + timedelta(days=365),
        account_id="bench",
        account_label="bench",
        is_sandbox=True,
        connected_at=now,
        created_at=now,
        updated_at=now,
        **values,
    )
    row.access_token = "bench-token"
    return row
