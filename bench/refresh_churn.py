"""Rotating tokens that live for seconds, workers killed at random, answers lost: which connections outlive it.

Half of them are at a platform that takes a refresh token again until its successor is used (Shopify), and must all be
saved. Half are at one that ends everything when a token comes back (Canva): there a pair whose exchange nobody heard of
is lost by the platform's rule. Each loss is named, with its reason from the platform's ledger, and one without such a
reason is a fault of ours. BENCH_SECONDS says how long it goes on.
"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
TOKEN_CALLS = {"shopify": "oauth/access_token", "canva": "oauth/token"}

ANSWER_LOST = "the platform's answer was lost"
KILLED = "the worker was killed between the platform's exchange and the storing"
TOO_LATE = "the answer came later than anybody waited"
UNEXPLAINED = "unexplained"


def measure(app: Flask, url: str, *, count: int, processes: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Make the connections, let it happen, then look at each of them in peace."""
    for key in TOKEN_CALLS:
        sandboxed.order(url, f"{key}/lifetimes", accessSeconds=LIFETIME_S)
    with app.app_context(), tenancy.everyone():
        ids = {key: refreshing.connect(url, key, count // len(TOKEN_CALLS)) for key in TOKEN_CALLS}
    ledgers = {key: refreshing.Ledger(url, key) for key in TOKEN_CALLS}
    order = {
        "connections": [one for each in ids.values() for one in each],
        "processes": processes,
        "seconds": seconds,
        "kill_every_s": KILL_EVERY_S,
        "lease_s": lease.LEASE.total_seconds(),
        "exchange_s": lease.LONGEST_EXCHANGE_S,
        "answer_s": lease.LONGEST_ANSWER_S,
        "diary": str(folder / "diary"),
    }
    with _answers_lost(url):
        told = _churned(order, ledgers)
    killed, unanswered = set(told.pop("killed")), set(told.pop("unanswered"))
    for key, each in ids.items():
        sandboxed.order(url, f"{key}/lifetimes")
        unanswered |= _look_at(app, each)
        calls = ledgers[key].read().calls
        lost = {one: _reason(one, account, calls, killed, unanswered) for one, account in _lost(app, each).items()}
        told[key] = {"lost": lost, "reasons": dict(Counter(lost.values())), "refreshes": len(calls)}
    return told


@contextmanager
def _answers_lost(url: str) -> Iterator[None]:
    lost = {"kind": "lost_response", "times": 0, "rate": LOST_RATE}
    faults = {key: sandboxed.order(url, f"{key}/faults", match=call, **lost)["id"] for key, call in TOKEN_CALLS.items()}
    yield
    for key, fault in faults.items():
        sandboxed.take_back(url, f"{key}/faults/{fault}")


def _churned(order: dict[str, Any], ledgers: dict[str, refreshing.Ledger]) -> dict[str, Any]:
    with refreshing.worker(refreshing.environment_of(settings.current()), **order) as worker:
        refreshing.begin(worker)
        while worker.poll() is None:
            time.sleep(1)
            for ledger in ledgers.values():
                ledger.read()
        return refreshing.outcome(worker)


def _look_at(app: Flask, ids: Sequence[str]) -> set[str]:
    """Use each until it answers, or its owner is asked for; ids of those that did not answer at once."""

    def settled(connection_id: str) -> str | None:
        outcomes = [use(app, connection_id)]
        while outcomes[-1] not in {"ok", "GrantExpired", "CredentialsRefused"} and len(outcomes) < LOOKS:
            outcomes.append(use(app, connection_id))
        return connection_id if "NetworkError" in outcomes else None

    with ThreadPoolExecutor(LOOKS) as threads:
        return {one for one in threads.map(settled, ids) if one}


def _lost(app: Flask, ids: Sequence[str]) -> dict[str, str]:
    """Ids and accounts of those that their owner is asked for."""
    with app.app_context(), tenancy.everyone():
        asked = select(Connection.id, Connection.account_id).where(
            Connection.id.in_(ids), Connection.state != ConnectionState.CONNECTED
        )
        return {row.id: row.account_id for row in db.session.execute(asked)}


def _reason(
    connection_id: str, account: str, calls: Sequence[dict[str, Any]], killed: set[str], unanswered: set[str]
) -> str:
    """Why nobody could save it: how the answer was lost to the call that spent its last refresh token.

    The first refusal tells which that was; the second may be of the token before it, tried for want of a better one.
    """
    own = [call for call in calls if call["account"] == account]
    refused = next((call for call in own if call["status"] not in (None, 200)), None)
    spent = [call for call in own if refused and call["tokenTail"] == refused["tokenTail"] and call["n"] < refused["n"]]
    if any(call["fault"] == "lost_response" for call in spent):
        return ANSWER_LOST
    if any(call["status"] == 200 for call in spent):
        if connection_id in killed:
            return KILLED
        if connection_id in unanswered:
            return TOO_LATE
    return UNEXPLAINED


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
    saved, punished = one["shopify"], one["canva"]
    what = f"{CONNECTIONS // 2} connections, {SECONDS:.0f} s, {one['kills']} kills, {LOST_RATE:.0%} of answers lost"
    unexplained = punished["reasons"].get(UNEXPLAINED, 0)
    return [
        Row(f"{what}: lost where grace is declared", str(len(saved["lost"])), "0", not saved["lost"]),
        Row(
            "the same where repetition is punished",
            f"{len(punished['lost'])}, {unexplained} savable",
            "each named with its reason, 0 savable",
            not unexplained,
        ),
    ]
