"""Rotating tokens that live for seconds, workers killed at random, answers lost: which connections outlive it.

Half of them are at a platform that takes a refresh token again until its successor is used (Shopify), and must all be
saved; half at one that ends everything when a token comes back (Canva), where what is lost is named and counted.
BENCH_SECONDS says how long it goes on.
"""

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from app import create_app
from bench import figures, installation, refreshing, sandboxed
from bench.figures import Row
from bench.refresh_worker import use
from patchbay import settings, tenancy
from patchbay.models import Connection, ConnectionState, db
from patchbay.tokens import lease

SECONDS = float(os.environ.get("BENCH_SECONDS", "600"))
CONNECTIONS, PROCESSES = 1000, 8
LIFETIME_S, KILL_EVERY_S, LOST_RATE = 5, 2.0, 0.05
LOOKS = 6


def measure(app: Flask, url: str, *, count: int, processes: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Make the connections, let it happen, then look at each of them in peace."""
    for key in ("shopify", "canva"):
        sandboxed.order(url, f"{key}/lifetimes", accessSeconds=LIFETIME_S)
    with app.app_context(), tenancy.everyone():
        ids = {key: refreshing.connect(url, key, count // 2) for key in ("shopify", "canva")}
    faults = {
        key: sandboxed.order(url, f"{key}/faults", kind="lost_response", times=0, rate=LOST_RATE, match=place)["id"]
        for key, place in (("shopify", "oauth/access_token"), ("canva", "oauth/token"))
    }
    order = {
        "kind": "churn",
        "connections": [one for each in ids.values() for one in each],
        "processes": processes,
        "seconds": seconds,
        "kill_every_s": KILL_EVERY_S,
        "lease_s": lease.LEASE.total_seconds(),
        "outcomes": str(folder / "outcomes"),
    }
    with refreshing.worker(refreshing.environment_of(settings.current()), **order) as worker:
        refreshing.begin(worker)
        told = refreshing.outcome(worker)
    for key, fault in faults.items():
        sandboxed.take_back(url, f"{key}/faults/{fault}")
        sandboxed.order(url, f"{key}/lifetimes")
    return {**told, **{key: _looked_at(app, url, key, each) for key, each in ids.items()}}


def _looked_at(app: Flask, url: str, key: str, ids: Sequence[str]) -> dict[str, Any]:
    """Use each until it answers, or its owner is asked for."""
    with ThreadPoolExecutor(LOOKS) as threads:
        list(threads.map(lambda one: _settled(app, one), ids))
    with app.app_context(), tenancy.everyone():
        lost = select(Connection.id).where(Connection.id.in_(ids), Connection.state != ConnectionState.CONNECTED)
        return {"lost": list(db.session.scalars(lost)), "refreshes": refreshing.refreshes(url, key)}


def _settled(app: Flask, connection_id: str) -> None:
    for _look in range(LOOKS):
        if use(app, connection_id) in {"ok", "GrantExpired", "CredentialsRefused"}:
            return


def main() -> list[Row]:
    """The table's lines; the raw figures are kept."""
    began_under = figures.load()
    with sandboxed.serving() as url, installation.home(SANDBOX="on", SANDBOX_URL=url) as env:
        app = create_app(installation.settings_of(env))
        with tempfile.TemporaryDirectory() as folder:
            one = measure(app, url, count=CONNECTIONS, processes=PROCESSES, seconds=SECONDS, folder=Path(folder))
    terms = {"seconds": SECONDS, "connections": CONNECTIONS, "processes": PROCESSES}
    terms |= {"lifetime_s": LIFETIME_S, "kill_every_s": KILL_EVERY_S, "lost_rate": LOST_RATE}
    figures.keep("refresh_churn", began_under, {**terms, **one})
    saved, punished = len(one["shopify"]["lost"]), len(one["canva"]["lost"])
    what = f"{CONNECTIONS // 2} connections, {SECONDS:.0f} s, {one['kills']} kills, {LOST_RATE:.0%} of answers lost"
    return [
        Row(f"{what}: lost where grace is declared", str(saved), "0", saved == 0),
        Row("the same where repetition is punished", str(punished), "named in the JSON"),
    ]
