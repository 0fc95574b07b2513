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
    elapsed, processor = (
        _added({name: median([one[at] for one in all_of]) for name, all_of in times.items()}) for at in (0, 1)
    )
    figures.keep(
        "overhead", began_under, {"elapsed_ms": elapsed, "processor_ms": processor, "requests": len(times["full"])}
    )
    busy = f"{processor['limits']:.2f} ms of the processor"
    return [
        Row("limits and breakers, each request (p50)", f"{elapsed['limits']:.2f} ms", busy),
        Row("statistics and wire log, each request (p50)", f"{elapsed['logs']:.2f} ms", f"{processor['logs']:.2f} ms"),
        Row("all together", f"{elapsed['all']:.2f} ms", f"≤ {MOST_MS:.0f} ms", elapsed["all"] <= MOST_MS),
    ]


def _added(middle: dict[str, float]) -> dict[str, float]:
    """What each adds to the request without it, from the medians of all ways."""
    limits, logs = middle["limits"] - middle["bare"], middle["full"] - middle["limits"] + middle["written"]
    return {"bare": middle["bare"], "limits": limits, "logs": logs, "all": limits + logs}
