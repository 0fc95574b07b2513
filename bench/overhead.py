"""What keeping to limits and keeping a log cost each request, beside a platform that answers at once.

Compared are exchanges of one client without limits, breakers, statistics and wire log, with the first two, and with all
of it. The entries of the audit log belong to runs, not to requests. The work is done in `overhead_process`.
"""

import json

from bench import figures, installation
from bench.figures import Row, median

MOST_MS = 1.0


def main() -> list[Row]:
    """Measure, keep, compare with the target."""
    began_under = figures.load()
    with installation.home(SANDBOX="on") as env:
        times = json.loads(installation.run(env, "-m", "bench.overhead_process").strip().splitlines()[-1])
    middle = {name: median(measured) for name, measured in times.items()}
    limits, listening = middle["limits"] - middle["bare"], middle["full"] - middle["limits"]
    total = limits + listening + middle["written"]
    figures.keep("overhead", began_under, {"p50_ms": middle, "overhead_ms": total, "requests": len(times["full"])})
    return [
        Row("limits and breakers, each request (p50)", f"{limits:.2f} ms"),
        Row("statistics and wire log, noted and written (p50)", f"{listening + middle['written']:.2f} ms"),
        Row("all together", f"{total:.2f} ms", f"≤ {MOST_MS:.0f} ms", total <= MOST_MS),
    ]
