"""Patchbay at work in a process of its own, for benches: connecting, keeping a picture, the execution of one run.

`connect KEY FIELDS` walks the sandbox's consent; `keep FILE` prints a picture's address; `run KEY OPERATION VALUES`
prints JSON: seconds (and of processor time), resident memory before and at its peak in MB, counts and result.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from app import create_app
from bench import sandboxed
from patchbay import accounts, assets, runs, tenancy
from patchbay.models import Run, RunStatus, Trigger
from patchbay.runs import execution

LOOKS_EVERY_S = 5.0
"""As the clock does, which takes up again what waits for a platform's limit."""


def carried_out(integration_id: str, operation: str, values: dict[str, Any]) -> dict[str, Any]:
    """What the run took; needs an app context. Raises RuntimeError when it does not succeed."""
    user_id = accounts.demo_user().id
    before_mb = memory_mb("VmRSS")
    with tenancy.of(user_id):  # as a worker does it
        asked = runs.start(user_id, integration_id, operation, values, Trigger.API)
        started, cpu_started = time.perf_counter(), time.process_time()
        run = _ended(user_id, asked.id)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    if run.status is not RunStatus.SUCCEEDED:
        raise RuntimeError(f"{operation} {run.status}: {run.error_kind} {run.error_detail}")
    measured = {"seconds": seconds, "cpu_seconds": cpu_seconds, "before_mb": before_mb, "peak_mb": memory_mb("VmHWM")}
    return {**measured, "counts": run.counts, "attempts": run.attempts, "result": run.result}


def memory_mb(name: str) -> float:
    """Of this process now (VmRSS), or at its highest since its program began (VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith(f"{name}:")).split()[1]) / 1024


def _ended(user_id: str, run_id: str) -> Run:
    execution.execute(run_id)
    while (run := runs.get(user_id, run_id)).status is RunStatus.WAITING:
        time.sleep(LOOKS_EVERY_S)
        execution.execute(run_id)
    return run


def _kept(path: Path) -> str:
    with path.open("rb") as file:
        return assets.link(assets.upload_file(accounts.demo_user().id, file, path.name))


def main(words: list[str]) -> None:
    """Do what the command line says."""
    with create_app().app_context(), tenancy.everyone():
        match words:
            case ["connect", integration_id, fields]:
                sandboxed.connect(accounts.demo_user().id, integration_id, json.loads(fields))
            case ["keep", file]:
                print(_kept(Path(file)))
            case ["run", integration_id, operation, values]:
                print(json.dumps(carried_out(integration_id, operation, json.loads(values)), default=str))
            case _:
                raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
