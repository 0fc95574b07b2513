"""Patchbay as a reader of the pages: the real execution of an import run, one process per run.

Prints JSON: seconds of the execution (and of its processor time), the process's peak of resident memory in MB, the
run's counts.
"""

import json
import sys
import time
from pathlib import Path

from app import create_app
from bench import installation
from bench.pages import SHOP
from patchbay import accounts, clock, runs
from patchbay.models import RunStatus, Trigger, transaction
from patchbay.runs import execution


def connect() -> None:
    """Make the connection; in a process of its own, because hashing a password takes 64 MB for a moment."""
    with create_app().app_context():
        user_id = accounts.demo_user().id
        with transaction() as session:
            session.add(
                installation.connection(
                    user_id, "shopify", clock.now(), settings={"shop": SHOP}, scopes=["read_products", "write_products"]
                )
            )


def read() -> None:
    """Import, say what it took."""
    with create_app().app_context():
        user_id = accounts.demo_user().id
        asked = runs.start(user_id, "shopify", "import_products", {}, Trigger.API)
        started, cpu_started = time.perf_counter(), time.process_time()
        execution.execute(asked.id)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        run = runs.get(user_id, asked.id)
        if run.status is not RunStatus.SUCCEEDED:
            raise RuntimeError(f"the import {run.status}: {run.error_kind} {run.error_detail}")
        measured = {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mb": peak_mb(), "counts": run.counts}
        print(json.dumps(measured))


def peak_mb() -> float:
    """The highest resident memory of this process since its program began."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024


if __name__ == "__main__":
    connect() if sys.argv[1:] == ["connect"] else read()
