"""A thousand jobs at once on one connection whose one-use token has ended, and eight workers: one refresh, no failure.

The jobs are runs, started as a click starts them and carried out by the product's own workers from its queue. On
SQLite, and on the PostgreSQL that the tests bring along.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from flask import Flask
from rq.registry import BaseRegistry, FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from sqlalchemy import func, select

from app import create_app
from bench import figures, installation, refreshing, sandboxed
from bench.figures import Row
from launch.commands import workers_command
from patchbay import accounts, queue, runs, tenancy
from patchbay.models import OPEN, Run, RunStatus, Trigger, db, fresh_view
from patchbay.settings import ROOT, Settings
from tests.servers import postgresql

JOBS, WORKERS = 1000, 8
PROVIDER, OPERATION = "etsy", "get_listings"
AT_MOST_S = 1800


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
        with _working(settings, workers):
            _await(lambda: not set(OPEN) & _counted(ids).keys())
            seconds = time.perf_counter() - began
            _await(lambda: queue.depth() == 0 and not _in_registry(StartedJobRegistry))
            broken = _in_registry(FailedJobRegistry)
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


@contextmanager
def _working(settings: Settings, workers: int) -> Iterator[None]:
    """The product's workers and its clock."""
    env = {**refreshing.environment_of(settings), "WORKERS": str(workers)}
    process = subprocess.Popen(workers_command(), env=env, cwd=ROOT, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _await(is_over: Callable[[], bool]) -> None:
    until = time.monotonic() + AT_MOST_S
    while not is_over():
        if time.monotonic() > until:
            raise RuntimeError("the jobs did not come to an end")
        time.sleep(0.5)


def _counted(ids: list[str]) -> dict[RunStatus, int]:
    """How many of the runs are in which state."""
    fresh_view()
    with tenancy.everyone():
        counted = select(Run.status, func.count().label("number")).where(Run.id.in_(ids)).group_by(Run.status)
        return {row.status: row.number for row in db.session.execute(counted)}


def _in_registry(kind: type[BaseRegistry]) -> int:
    """How many jobs of all queues RQ has there."""
    kinds = [kind(name, connection=queue.redis(), serializer=JSONSerializer) for name in queue.QUEUES]
    return sum(registry.get_job_count(cleanup=False) for registry in kinds)


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
