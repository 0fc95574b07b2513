"""Figures as they are taken, kept and shown: medians, a JSON file per bench, one table at the end.

What does not live here: what is measured.
"""

import datetime
import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
RUNS = int(os.environ.get("BENCH_RUNS", "5"))


@dataclass(frozen=True)
class Row:
    """A line of the table; `beside` is the yardstick or the target, `is_met` None where there is nothing to meet."""

    what: str
    figure: str
    beside: str = ""
    is_met: bool | None = None


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def keep(name: str, began_under: float, measured: dict[str, Any]) -> None:
    """Write the raw figures of a bench to results/`name`.json, with where, when and under what load they were taken."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    kept = {
        "command": f"python -m bench {name}",
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "hardware": hardware(),
        "load": {"before": began_under, "after": load()},
        **measured,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def load() -> float:
    """Processes that wanted to run, averaged over the last minute: read before a bench, it tells who else was there."""
    return round(os.getloadavg()[0], 2)


def hardware() -> dict[str, str | int | None]:
    """The machine."""
    return {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()}


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    machine = hardware()
    repeated = f"what is done several times: medians of {RUNS}"
    print(f"\n{machine['processor']}, {machine['cores']} cores, Python {machine['python']}; {repeated}\n")
    for row in rows:
        verdict = {None: "", True: "met", False: "MISSED"}[row.is_met]
        print(f"{row.what:52} {row.figure:>16}   {row.beside:46} {verdict}".rstrip())


def _processor() -> str:
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in described.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()
