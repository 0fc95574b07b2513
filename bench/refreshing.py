"""Many connections whose tokens have to be refreshed, and the processes that use them, for the benches of refreshing.

What does not live here: what is measured of it (`refresh_once`, `refresh_churn`, `refresh_sweep`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import requests
from sqlalchemy import insert

from bench import sandboxed
from patchbay import accounts, clock, credentials, providers, tokens
from patchbay.models import Connection, ConnectionState, User, new_id, transaction
from patchbay.oauth import Grant
from patchbay.settings import ROOT, Settings

SHOP = "{name}.myshopify.com"
ACCOUNT = {
    "shopify": ("shop", SHOP),
    "canva": ("account", "{name}@example.org"),
    "google-drive": ("account", ""),
    "dropbox": ("account", ""),
}


def connect(sandbox_url: str, integration_id: str, count: int) -> list[str]:
    """So many connections, each of a user and an account of its own, with tokens that the sandbox gave; their ids.

    Where a refresh token may be shared (Google, Dropbox) they all have the same one. Needs an app context and
    everyone's scope.
    """
    users = [_user(f"{integration_id}-{number}") for number in range(count)]
    field, pattern = ACCOUNT[integration_id]
    made, shared = [], None
    for number, user in enumerate(users):
        name = pattern.format(name=f"bench-{number:05}")
        if shared is None or pattern:
            shared = sandboxed.order(sandbox_url, f"{integration_id}/token", **({field: name} if name else {}))
        made.append(_connection(user["id"], integration_id, name or f"bench-{number}", shared))
    with transaction() as session:
        session.execute(insert(User), users)
        session.add_all(made)
    return [connection.id for connection in made]


def environment_of(settings: Settings) -> dict[str, str]:
    """What a process needs to be part of the same installation."""
    return {
        **os.environ,
        "PATCHBAY_HOME": str(settings.home),
        "PUBLIC_URL": settings.public_url,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SANDBOX": "on",
        "SANDBOX_URL": settings.sandbox_url,
        "SECRET_KEY": settings.secret_key,
        "VAULT_KEYS": ",".join(settings.vault_keys),
        "DEMO_PASSWORD": "of no use in a bench",
    }


@contextmanager
def worker(environment: Mapping[str, str], **order: Any) -> Iterator[subprocess.Popen[str]]:
    """A process of `refresh_worker`, which gets ready for its order and then waits for `begin`; killed at the end."""
    command = [sys.executable, "-m", "bench.refresh_worker", json.dumps(order)]
    with subprocess.Popen(
        command, env=dict(environment), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def begin(*processes: subprocess.Popen[str]) -> None:
    """Let them go as soon as all are ready. Raises RuntimeError when one did not start."""
    for process in processes:
        if process.stdout is None or "ready\n" not in iter(process.stdout.readline, ""):
            raise RuntimeError("a worker of the bench did not start")
    for process in processes:
        if process.stdin is not None:
            process.stdin.write("go\n")
            process.stdin.flush()


def outcome(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What it says at its end. Raises RuntimeError when it says nothing."""
    line = process.stdout.readlines()[-1:] if process.stdout else []
    if not line:
        raise RuntimeError("a worker of the bench ended without a word")
    told: dict[str, Any] = json.loads(line[0])
    return told


class Ledger:
    """The refresh calls that a platform received; to be read now and then, as a sandbox keeps the last requests."""

    def __init__(self, sandbox_url: str, integration_id: str) -> None:
        self.calls: list[dict[str, Any]] = []
        self._address, self._since = f"{sandbox_url}/_sandbox/{integration_id}/requests", 0

    def read(self) -> "Ledger":
        """Read on, up to the first request that is still being answered."""
        while rows := self._following():
            for row in rows:
                if row["status"] is None and row["fault"] is None:
                    return self
                self._since = row["n"]
                if row["grantType"] == "refresh_token":
                    self.calls.append(row)
        return self

    def _following(self) -> list[dict[str, Any]]:
        params = {"since": str(self._since), "limit": "1000"}
        rows: list[dict[str, Any]] = requests.get(self._address, params=params, timeout=60).json()["requests"]
        return rows


def refreshes(sandbox_url: str, integration_id: str) -> int:
    """How many refresh calls the platform received."""
    return len(Ledger(sandbox_url, integration_id).read().calls)


def _user(name: str) -> dict[str, Any]:
    row = accounts.demo_user()
    kept = {column.key: getattr(row, column.key) for column in User.__table__.columns}
    return {**kept, "id": new_id("usr"), "email": f"{name}@bench.example"}


def _connection(user_id: str, integration_id: str, account: str, given: Mapping[str, Any]) -> Connection:
    now, provider = clock.now(), providers.get(integration_id)
    app = credentials.find(provider, {})
    connection = Connection(
        id=new_id("con"),
        user_id=user_id,
        integration_id=integration_id,
        state=ConnectionState.CONNECTED,
        account_id=account,
        account_label=account,
        settings={"shop": account},
        setting_labels={},
        scopes=[],
        is_sandbox=app is not None and app.is_sandbox,
        connected_at=now,
        created_at=now,
    )
    ends_at = now + timedelta(seconds=float(given["expires_in"]))
    tokens.keep(connection, Grant(given["access_token"], given["refresh_token"], ends_at))
    return connection
