"""Ten thousand connections that fall due within an hour: what it takes to keep all of them alive.

They are refreshed as fast as the work allows, by one process; its processor time is set against the hour. A tenth of
them are then left to the product's own clock and workers, which fork a process for each: theirs is the figure that
counts. BENCH_CONNECTIONS takes fewer, for a quick look: the share of a core is then what ten thousand would take.
"""

import os
import resource
import time
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event, func, select, update

from app import create_app
from bench import figures, installation, refreshing, sandboxed, working
from bench.figures import Row
from patchbay import clock, tenancy, tokens
from patchbay.models import Connection, ConnectionState, db, fresh_view, transaction
from patchbay.settings import Settings

DUE_WITHIN_AN_HOUR, BATCH, WORKERS = 10_000, 100, 2
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", DUE_WITHIN_AN_HOUR))
HOUR = timedelta(hours=1)


def measure(app: Flask, url: str, *, count: int) -> dict[str, Any]:
    """Refresh all that falls due within an hour, batch after batch; the questions asked to find one are counted."""
    with app.app_context(), tenancy.everyone():
        ids = refreshing.connect(url, "google-drive", count)
        start = clock.now()
        _spread(ids)
        asked: list[int] = []
        statements = _counted()
        began, cpu_began, sent_before = (
            time.perf_counter(),
            time.process_time(),
            refreshing.refreshes(url, "google-drive"),
        )
        refreshed = 0
        while True:
            before = len(statements)
            due = tokens.due(BATCH)
            asked.append(len(statements) - before)
            if not due:
                break
            for connection_id in due:
                tokens.refresh_if_due(connection_id)
            refreshed += len(due)
        cpu_seconds, seconds = time.process_time() - cpu_began, time.perf_counter() - began
        alive = select(func.count()).where(
            Connection.state == ConnectionState.CONNECTED,
            Connection.token_version > 1,
            Connection.refresh_due_at > start,
        )
        return {
            "connections": count,
            "refreshed": refreshed,
            "alive": db.session.scalar(alive),
            "refreshes": refreshing.refreshes(url, "google-drive") - sent_before,
            "queries_per_batch": sorted(set(asked)),
            "statements_per_refresh": round(len(statements) / max(refreshed, 1), 2),
            "cpu_seconds": round(cpu_seconds, 2),
            "seconds": round(seconds, 1),
            "share_of_a_core": round(cpu_seconds / HOUR.total_seconds() * (DUE_WITHIN_AN_HOUR / count), 4),
        }


def swept(app: Flask, settings: Settings, *, count: int) -> dict[str, Any]:
    """The same by the clock and the workers, whose processor time is counted from their start to their end."""
    with app.app_context(), tenancy.everyone():
        ids = refreshing.connect(settings.sandbox_url, "dropbox", count)
        _spread(ids)
        began, used = time.perf_counter(), _used_by_children()
        with working.workers(settings, WORKERS):
            working.wait_for(lambda: _refreshed(ids) == count)
            seconds = time.perf_counter() - began
        cpu_seconds = _used_by_children() - used
    return {
        "connections": count,
        "workers": WORKERS,
        "cpu_seconds": round(cpu_seconds, 1),
        "seconds": round(seconds, 1),
        "share_of_a_core": round(cpu_seconds / HOUR.total_seconds() * (DUE_WITHIN_AN_HOUR / count), 4),
    }


def _refreshed(ids: list[str]) -> int:
    fresh_view()
    refreshed = select(func.count()).where(Connection.id.in_(ids), Connection.token_version > 1)
    return db.session.scalar(refreshed) or 0


def _used_by_children() -> float:
    """Seconds of the processor, of children that have ended and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _spread(ids: list[str]) -> None:
    """Let them fall due one after another in the hour before now, as they would have."""
    now = clock.now()
    with transaction() as session:
        for number, connection_id in enumerate(ids):
            due_at = now - HOUR * (len(ids) - number) / len(ids)
            session.execute(update(Connection).where(Connection.id == connection_id).values(refresh_due_at=due_at))


def _counted() -> list[str]:
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: sent.append(told[2]))
    return sent


def main() -> list[Row]:
    """The table's lines; the raw figures are kept."""
    began_under = figures.load()
    with sandboxed.serving() as url, installation.home(SANDBOX="on", SANDBOX_URL=url) as env:
        settings = installation.settings_of(env)
        app = create_app(settings)
        one = measure(app, url, count=CONNECTIONS)
        by_workers = swept(app, settings, count=max(CONNECTIONS // 10, 1))
    figures.keep("refresh_sweep", began_under, {**one, "by_workers": by_workers})
    kept = f"{one['alive']} alive, {one['share_of_a_core']:.1%} of a core"
    per_batch = "/".join(str(number) for number in one["queries_per_batch"])
    return [
        Row(
            f"{CONNECTIONS} connections due within an hour",
            kept,
            "all, under one core",
            one["alive"] == CONNECTIONS and one["share_of_a_core"] < 1,
        ),
        Row(
            f"the same by the clock and {WORKERS} workers",
            f"{by_workers['share_of_a_core']:.1%} of a core",
            "under one core",
            by_workers["share_of_a_core"] < 1,
        ),
        Row(f"queries to find a batch of {BATCH}", per_batch, "constant", len(one["queries_per_batch"]) == 1),
    ]
