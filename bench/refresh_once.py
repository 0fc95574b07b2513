"""A thousand jobs at once on one connection whose one-use token has ended, and eight workers: one refresh, no failure.

The jobs are runs, started as a click starts them and carried out by the product's own workers from its queue. On
SQLite, and on the PostgreSQL that the tests bring along.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import func, select

from app import create_app
from bench import figures, installation, refreshing, sandboxed, working
from bench.figures import Row
from patchbay import accounts, runs, tenancy
from patchbay.models import OPEN, Run, RunStatus, Trigger, db, fresh_view
from patchbay.settings import Settings
from tests.servers import postgresql

JOBS, WORKERS = 1000, 8
PROVIDER, OPERATION = "etsy", "get_listings"


def measure(app: Flask, settings: Settings, *, jobs: int, workers: int) -> dict[str, Any]:
    """Put so many jobs into the queue, then let the workers begin; the token has ended, and nobody here knows."""
    url = settings.sandbox_url
    sandboxed.order(url, f"{PROVIDER}/lifetimes", oneUse=True)
    with app.app_context():
        user_id = _connected()
        sandboxed.order(url, f"{PROVIDER}/faults", kind="expired_token")
        before = refreshing.refreshes(url, PROVIDER)
        with tenancy.of(user_id):
            ids = [runs.start(user_id, PROVIDER, OPERATION, {"cursor": str(n)}, Trigger.API).id for n in range(jobs)]
        began = time.perf_counter()
        with working.workers(settings, workers):
            working.wait_for(lambda: not set(OPEN) & _counted(ids).keys())
            seconds = time.perf_counter() - began
            working.wait_for(working.is_idle)
            broken = working.broken_jobs()
        ended = _counted(ids)
        return {
            "refreshes": refreshing.refreshes(url, PROVIDER) - before,
            "succeeded": ended.get(RunStatus.SUCCEEDED, 0),
            "failed": jobs - ended.get(RunStatus.SUCCEEDED, 0) + broken,
            "seconds": round(seconds, 1),
        }


def _connected() -> str:
    with tenancy.everyone():
        user_id = accounts.demo_user().id
    with tenancy.of(user_id):
        sandboxed.connect(user_id, PROVIDER, {})
    return user_id


def _counted(ids: list[str]) -> dict[RunStatus, int]:
    """How many of the runs are in which state."""
    fresh_view()
    with tenancy.everyone():
        counted = select(Run.status, func.count().label("number")).where(Run.id.in_(ids)).group_by(Run.status)
        return {row.status: row.number for row in db.session.execute(counted)}


def main() -> list[Row]:
    """The table's lines; the raw figures are kept."""
    began_under = figures.load()
    measured = {name: _on(name) for name in ("sqlite", "postgresql")}
    figures.keep("refresh_once", began_under, {"jobs": JOBS, "workers": WORKERS, **measured})
    return [
        Row(
            f"{JOBS} jobs on one expired connection, {name}",
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
            return measure(create_app(settings), settings, jobs=JOBS, workers=WORKERS)


@contextmanager
def _address(database: str) -> Iterator[str]:
    if database == "sqlite":
        yield ""
        return
    with postgresql() as folder:
        with psycopg.connect(host=folder, user="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        yield f"postgresql://postgres@/bench?host={folder}"
