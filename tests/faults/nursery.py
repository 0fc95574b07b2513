"""Started once for a module: forks a real worker for each line of orders, so that none has to be imported anew.

A line is JSON: `environment` for the settings, `place` (of PLACES, "" for none) where the work stands still, `sign` (a
file that appears when it does). It answers `started <pid>` and, when that worker has ended, `ended <exit code>`. A
worker or job that gets SIGUSR1 says on stderr where it stands.
"""

import faulthandler
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import app
from jobs.worker import work
from patchbay import settings

STANDS_S = 20.0

PLACES = {
    "before it is taken up": ("patchbay.runs.lease", "Lease.claim", "before"),
    "in the transaction of a page": ("patchbay.records", "upsert", "after"),
    "between two pages": ("patchbay.runs.importing", "_save", "after"),
    "in the transaction that deletes": ("patchbay.records.deletions", "settle", "after"),
    "in the last transaction": ("patchbay.runs.execution", "_Execution._audit_end", "after"),
    "when all is written": ("patchbay.runs.lease", "Lease.release", "before"),
    "between receipt and request": ("patchbay.runs.watching", "Watching.sending", "after"),
    "between answer and receipt": ("patchbay.runs.watching", "Watching.settle", "before"),
}


def main() -> None:
    """Until the input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _be_worker(order)
        _say(f"started {pid}")
        _, status = os.waitpid(pid, 0)
        _say(f"ended {os.waitstatus_to_exitcode(status)}")


def _say(answer: str) -> None:
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


def _be_worker(order: dict[str, Any]) -> None:
    code = 1
    os.dup2(2, 1)  # its log lines are no answers
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    try:
        if order["place"]:
            _stand_still(*PLACES[order["place"]], Path(order["sign"]))
        work(app.create_app(settings.load(order["environment"])), "worker-1")
        code = 0
    except SystemExit as left:
        code = int(left.code or 0)
    finally:
        os._exit(code)


def _stand_still(module: str, path: str, when: str, sign: Path) -> None:
    """Let the function do its work and wait for the end, or the other way round."""
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    act, is_bound = getattr(owner, name), isinstance(vars(owner)[name], classmethod)

    def held(*args: Any, **options: Any) -> Any:
        if when == "before":
            _wait_there(sign)
        done = act(*args[1:] if is_bound else args, **options)
        if when == "after":
            _wait_there(sign)
        return done

    setattr(owner, name, classmethod(held) if is_bound else held)


def _wait_there(sign: Path) -> None:
    sign.touch()
    time.sleep(STANDS_S)


if __name__ == "__main__":
    main()
