"""Importing at a platform's limit: how much of what it permits is used, and how often it has to refuse.

One worker, and eight processes on one account, against the sandbox: Etsy's calls in a second, set so low that the limit
is what holds them up, and Shopify's points. What one worker does is in `sustained_worker`.
"""

import json
import os
import subprocess
from dataclasses import dataclass

from bench import figures, installation, sandboxed
from bench.figures import Row
from patchbay.settings import ROOT

SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
WARM_S = 5.0
"""Not counted: what stands full at the beginning, and what the first answers teach."""

LEAST_USED = 0.95
PER_SECOND = 5
POINTS_BACK = 100


@dataclass(frozen=True)
class Request:
    """One request of a worker: when it was sent and answered (Unix times), what it cost, whether it was refused."""

    at: float
    answered_at: float
    cost: float
    is_refused: bool


Sent = list[Request]


@dataclass(frozen=True)
class Course:
    """What is read, at what rate (requests or points a second) after what stands there in the beginning (`burst`), how
    it is filled and connected."""

    key: str
    operation: str
    rate: float
    burst: float
    fields: dict[str, str]
    order: dict[str, object]


COURSES = (
    Course("etsy", "import_listings", PER_SECOND, 0.0, {}, {}),
    Course("shopify", "import_products", POINTS_BACK, 2000.0, {"shop": "bench"}, {"shop": "bench.myshopify.com"}),
)


def main() -> list[Row]:
    """Measure, keep, compare with the target."""
    began_under, measured = figures.load(), {}
    rows: list[Row] = []
    for course in COURSES:
        for workers in (1, 8):
            name = f"{course.key}, {workers} worker{'s' if workers > 1 else ''}"
            measured[name] = found = measure(course, workers, SECONDS)
            beside = f"≥ {LEAST_USED}; {found['refused']:.0f} refused after the first, 0"
            is_met = found["used"] >= LEAST_USED and found["refused"] <= 1
            rows.append(Row(f"{name}: part of the permitted rate", f"{found['used']:.3f}", beside, is_met))
    figures.keep("sustained_rate", began_under, {"seconds": SECONDS, "measured": measured})
    return rows


def measure(course: Course, workers: int, seconds: float) -> dict[str, float]:
    """`used`: the part of the permitted rate; `refused`: how many requests were after the first refusal was known."""
    with sandboxed.serving() as url:
        sandboxed.order(url, f"{course.key}/generate", count=5_000, seed=7, **course.order)
        if course.key == "etsy":
            sandboxed.order(url, "etsy/limits", perSecond=PER_SECOND)
        with installation.home(SANDBOX="on", SANDBOX_URL=url) as env:
            installation.run(env, "-m", "bench.one_run", "connect", course.key, json.dumps(course.fields))
            sent = _worked(env, course, workers, seconds)
    return judged(course, sent)


def judged(course: Course, sent: Sent) -> dict[str, float]:
    """Counted from a few seconds after the first request to the last one."""
    first_known = min((each.answered_at for each in sent if each.is_refused), default=sent[0].at)
    later = sum(each.is_refused and each.at > first_known for each in sent)
    used = _taken(course, sent) if course.burst else _sent(course, sent)
    return {"used": used, "refused": later, "refused_at_first": sum(each.is_refused for each in sent) - later}


def _sent(course: Course, sent: Sent) -> float:
    """Of a window: what is not used in its time is lost."""
    steady = [each for each in sent if each.at > sent[0].at + WARM_S]
    return sum(each.cost for each in steady[:-1]) / ((steady[-1].at - steady[0].at) * course.rate)


def _taken(course: Course, sent: Sent) -> float:
    """Of a bucket: lost is only what flows back while it is full."""
    level, at, lost = course.burst, sent[0].at, 0.0
    for each in sent:
        level += (each.at - at) * course.rate
        lost += max(0.0, level - course.burst)
        level, at = min(level, course.burst) - each.cost, each.at
    return 1 - lost / ((sent[-1].at - sent[0].at) * course.rate)


def _worked(env: dict[str, str], course: Course, workers: int, seconds: float) -> Sent:
    """What all workers sent, in the order of time."""
    words = ("-m", "bench.sustained_worker", course.key, course.operation)
    command, pipe = [str(ROOT / ".venv" / "bin" / "python"), *words], subprocess.PIPE
    processes = [
        subprocess.Popen(command, env=env, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(workers)
    ]
    for process in processes:
        while process.stdout and process.stdout.readline() not in ("ready\n", ""):
            continue
    for process in processes:
        if process.stdin:
            process.stdin.write(f"{WARM_S + seconds}\n")
            process.stdin.flush()
    printed = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError("a worker failed")
    found = [Request(*each) for text in printed for each in json.loads(text.strip().splitlines()[-1])]
    return sorted(found, key=lambda each: each.at)
