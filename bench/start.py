"""How long a second `make run` takes until Patchbay is ready, and how much memory all its processes hold when idle.

Memory is PSS, so that what processes share counts once. What does not live here: the first start, which installs.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench import figures
from bench.crowd import free_port
from bench.figures import RUNS, Row, median
from patchbay.settings import ROOT

READY = "Patchbay is ready at"
IDLE_S = 20.0
START_S, IDLE_MB = 5.0, 400.0


def main() -> list[Row]:
    """Measure, keep, compare with the targets."""
    began_under = figures.load()
    home = tempfile.mkdtemp(prefix="patchbay-bench-")
    try:
        with _running(home) as (_, seconds):
            fresh = seconds
        starts, memory = [], []
        for _ in range(RUNS):
            with _running(home) as (process, seconds):
                starts.append(seconds)
                time.sleep(IDLE_S)
                memory.append(_pss_mb(process))
    finally:
        shutil.rmtree(home)
    kept = {"fresh_home_s": fresh, "second_start_s": starts, "idle_pss_mb": memory}
    figures.keep("start", began_under, kept)
    ready, idle = median(starts), median([sum(processes.values()) for processes in memory])
    return [
        Row("start in a fresh home, installed", f"{fresh:.1f} s"),
        Row("second start", f"{ready:.1f} s", f"< {START_S:.0f} s", ready < START_S),
        Row("all processes idle, PSS", f"{idle:.0f} MB", f"< {IDLE_MB:.0f} MB", idle < IDLE_MB),
    ]


@contextmanager
def _running(home: str) -> Iterator[tuple[psutil.Process, float]]:
    """`make run` on the home, and after how many seconds it was ready; stopped in order at the end."""
    ports = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
    started = time.perf_counter()
    make = subprocess.Popen(
        ["make", "run"],  # noqa: S607 - whichever make the reader of the table would use
        cwd=ROOT,
        env={**os.environ, "PATCHBAY_HOME": home, **ports},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    try:
        for line in make.stdout or ():
            said.append(line)
            if line.startswith(READY):
                break
        else:
            raise RuntimeError(f"Patchbay did not start: {''.join(said)[-2000:]}")
        yield psutil.Process(make.pid), time.perf_counter() - started
    finally:
        make.send_signal(signal.SIGTERM)
        make.communicate()


def _pss_mb(process: psutil.Process) -> dict[str, float]:
    """Megabytes of 1,024 × 1,024 bytes, by process: `make` and everything below it."""
    family = [process, *process.children(recursive=True)]
    return {f"{one.pid} {' '.join(one.cmdline()[:4])}": _pss_of(one.pid) for one in family}


def _pss_of(process: int) -> float:
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    return int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1]) / 1024
