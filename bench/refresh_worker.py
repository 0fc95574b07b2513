"""A worker process of the benches of refreshing: uses connections' tokens as runs do, until told to stop or killed.

Its order is a JSON object on the command line. Forked children use all connections in turn, and one after another of
them is killed.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from app import create_app
from patchbay import client, tenancy
from patchbay.errors import PatchbayError
from patchbay.models import Connection, db
from patchbay.spec import Request
from patchbay.tokens import lease

ASK = {
    "shopify": Request("POST", "https://{shop}/admin/api/2026-10/graphql.json", json={"query": "{ shop { id } }"}),
    "canva": Request("GET", "https://api.canva.com/rest/v1/users/me/profile"),
}


def use(app: Flask, connection_id: str) -> str:
    """One call with the connection's token, in an app context of its own; "ok" or the error's name."""
    with app.app_context(), tenancy.everyone():
        connection = db.session.get_one(Connection, connection_id)
        try:
            return "ok" if client.of_connection(connection).send(ASK[connection.integration_id]).status == 200 else "?"
        except PatchbayError as error:
            return error.kind


def churn(app: Flask, order: dict[str, Any]) -> dict[str, Any]:
    """Children use what there is for so many seconds; one after another is killed -9 and replaced."""
    lease.LEASE, lease.LONGEST_EXCHANGE_S = timedelta(seconds=order["lease_s"]), order["exchange_s"]
    lease.LONGEST_ANSWER_S = order["answer_s"]
    until, kills = time.monotonic() + order["seconds"], 0
    children = [_child(app, order) for _ in range(order["processes"])]
    while time.monotonic() < until:
        time.sleep(random.uniform(0.5, 1.5) * order["kill_every_s"])  # noqa: S311 - guards nothing
        victim = random.randrange(len(children))  # noqa: S311 - guards nothing
        _end(children[victim])
        children[victim], kills = _child(app, order), kills + 1
    for child in children:
        _end(child)
    return {"kills": kills, **_told(Path(order["diary"]))}


def _child(app: Flask, order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    random.seed()
    with app.app_context():
        db.engine.dispose(close=False)
    diary = os.open(order["diary"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    while True:
        connection_id = random.choice(order["connections"])  # noqa: S311 - guards nothing
        os.write(diary, f"{os.getpid()} {connection_id} begun\n".encode())
        os.write(diary, f"{os.getpid()} {connection_id} {use(app, connection_id)}\n".encode())


def _told(diary: Path) -> dict[str, Any]:
    """What came of all uses, which had no answer, and which their worker was killed in."""
    outcomes, unanswered = Counter[str](), set[str]()
    at_work: dict[str, str] = {}
    for line in diary.read_text(encoding="ascii").splitlines():
        pid, connection_id, outcome = line.split()
        if outcome == "begun":
            at_work[pid] = connection_id
            continue
        del at_work[pid]
        outcomes[outcome] += 1
        if outcome == "NetworkError":
            unanswered.add(connection_id)
    return {"outcomes": dict(outcomes), "unanswered": sorted(unanswered), "killed": sorted(set(at_work.values()))}


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def main() -> None:
    """Read the order, wait for a line, work, and say what came of it."""
    order = json.loads(sys.argv[1])
    app = create_app()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(churn(app, order)), flush=True)


if __name__ == "__main__":
    main()
