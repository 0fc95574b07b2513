"""A thousand uses at once of one connection whose one-use token has ended, by eight processes: one refresh, no failure.

On SQLite, and on the PostgreSQL that the tests bring along.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

from app import create_app
from bench import figures, installation, refreshing, sandboxed
from bench.figures import Row
from patchbay import tenancy
from patchbay.settings import Settings
from tests.servers import postgresql

JOBS, PROCESSES, THREADS = 1000, 8, 12


def measure(settings: Settings, connection_id: str, *, jobs: int, processes: int, threads: int) -> dict[str, Any]:
    """Use the connection so many times at once; its token has ended at the platform, and nobody knows."""
    url = settings.sandbox_url
    sandboxed.order(url, "shopify/faults", kind="expired_token")
    before = refreshing.refreshes(url, "shopify")
    order = {"kind": "once", "connection": connection_id, "jobs": jobs // processes, "threads": threads}
    with ExitStack() as stack:
        environment = refreshing.environment_of(settings)
        workers = [stack.enter_context(refreshing.worker(environment, **order)) for _ in range(processes)]
        refreshing.begin(*workers)
        began = time.perf_counter()
        told = [refreshing.outcome(worker) for worker in workers]
        seconds = time.perf_counter() - began
    outcomes = sum((Counter(one["outcomes"]) for one in told), Counter[str]())
    return {
        "refreshes": refreshing.refreshes(url, "shopify") - before,
        "outcomes": dict(outcomes),
        "failed": outcomes.total() - outcomes["ok"],
        "seconds": round(seconds, 1),
    }


def main() -> list[Row]:
    """The table's lines; the raw figures are kept."""
    began_under = figures.load()
    measured = {name: _on(name) for name in ("sqlite", "postgresql")}
    figures.keep("refresh_once", began_under, {"jobs": JOBS, "processes": PROCESSES, "threads": THREADS, **measured})
    return [
        Row(
            f"{JOBS} uses of one expired connection, {name}",
            f"{one['refreshes']} refresh, {one['failed']} failed",
            "exactly 1, 0",
            (one["refreshes"], one["failed"]) == (1, 0),
        )
        for name, one in measured.items()
    ]


def _on(database: str) -> dict[str, Any]:
    with sandboxed.serving() as url, _address(database) as address:
        environment = {"SANDBOX": "on", "SANDBOX_URL": url} | ({"DATABASE_URL": address} if address else {})
        with installation.home(**environment) as env:
            settings = installation.settings_of(env)
            sandboxed.order(url, "shopify/lifetimes", oneUse=True)
            with create_app(settings).app_context(), tenancy.everyone():
                (connection_id,) = refreshing.connect(url, "shopify", 1)
            return measure(settings, connection_id, jobs=JOBS, processes=PROCESSES, threads=THREADS)


@contextmanager
def _address(database: str) -> Iterator[str]:
    if database == "sqlite":
        yield ""
        return
    with postgresql() as folder:
        with psycopg.connect(host=folder, user="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        yield f"postgresql://postgres@/bench?host={folder}"
