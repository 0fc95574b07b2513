"""`python -m scripts.mutation`: puts mistakes into the sandbox's answers and tells which of them nobody notices.

Fifty changes a platform, the same ones each time, are tried on the tests of its witnesses, by scripts/mutants.py.
`--write` keeps the rates and the survivors in docs/conformance.md; `--platform NAME` and `--count N` narrow it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.conformance import MUTATION, ROOT, NoReport, declared, keep_part

SEED = "1"
COUNT = 50


@dataclass(frozen=True)
class Mutant:
    """A change, in words; `noticed` is the test that failed by it, "" for none."""

    operation: str
    change: str
    noticed: str


@dataclass(frozen=True)
class Trial:
    """What became of a platform's mutants."""

    platform: str
    mutants: tuple[Mutant, ...]

    @property
    def survivors(self) -> list[Mutant]:
        """Those that nobody noticed."""
        return [mutant for mutant in self.mutants if not mutant.noticed]

    @property
    def rate(self) -> str:
        """The share that was noticed, in whole per cent."""
        noticed = len(self.mutants) - len(self.survivors)
        return f"{100 * noticed // len(self.mutants)} %" if self.mutants else "none"


def main(arguments: Sequence[str]) -> int:
    """Try the mutants and print what came out; 1 when the tests cannot be relied on."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--platform", action="append", choices=sorted(_files()))
    parser.add_argument("--count", type=int, default=COUNT)
    asked = parser.parse_args(arguments)
    try:
        with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as threads:  # the tests wait more than they compute
            trials = list(threads.map(lambda name: tried(name, asked.count), asked.platform or sorted(_files())))
    except NoReport as failure:
        print(failure, file=sys.stderr)
        return 1
    print(table(trials))
    if asked.write:
        keep_part(MUTATION, part(trials))
    return 0


def tried(platform: str, count: int) -> Trial:
    """Try so many mutants on one platform. Raises NoReport when pytest does not, or a test fails without a change."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["-p", "scripts.mutants", f"--mutants={count}", f"--mutants-seed={SEED}:{platform}"]
        quiet = ["-p", "no:cacheprovider", "-p", "no:unraisableexception", "-p", "no:threadexception"]
        files = [f"tests/conformance/{name}" for name in _files()[platform]]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *quiet, f"--mutants-report={report}", *files],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if not report.is_file():
            raise NoReport(f"{platform} could not be tried:\n{done.stdout}{done.stderr}")
        found = json.loads(report.read_text("utf-8"))
    if found["disturbed"]:
        raise NoReport(f"{platform}: changes outlive the tests they were made for: {', '.join(found['disturbed'])}")
    return Trial(platform, tuple(Mutant(one["operation"], one["change"], one["noticed"]) for one in found["mutants"]))


def table(trials: Iterable[Trial]) -> str:
    """For a terminal: the rates, then what nobody noticed."""
    trials = list(trials)
    lines = [f"{one.platform:14} {one.rate:>5} of {len(one.mutants)} changes noticed" for one in trials]
    for one in trials:
        lines += ["", f"{one.platform}: what nobody noticed", *_survivors(one)]
    return "\n".join(lines)


def part(trials: Iterable[Trial]) -> str:
    """The part of docs/conformance.md."""
    trials = list(trials)
    rows = [f"| {one.platform} | {len(one.mutants)} | {one.rate} |" for one in trials]
    lists = [line for one in trials for line in ("", f"### {one.platform}: not noticed", "", *_survivors(one))]
    return "\n".join([*_HEAD, *rows, *lists, ""])


_HEAD = (
    MUTATION,
    "",
    "The sandbox's answers are changed on their way, one way at a time: a field is left out or of another type, the",
    "status is another, a header is gone or wrong. Each change befalls every answer of one operation, and the test of",
    "each file that is most about that operation must fail. What nobody noticed is not said by any outside source, or",
    f"read by nobody. The changes are drawn by the seed {SEED}.",
    "",
    "| platform | changes | noticed |",
    "| --- | ---: | ---: |",
)


def _survivors(trial: Trial) -> list[str]:
    return [f"- {mutant.operation}: {mutant.change}" for mutant in trial.survivors]


def _files() -> dict[str, list[str]]:
    """The names of the files of tests, by platform."""
    found: dict[str, list[str]] = {}
    for witness, names in declared().witnesses.items():
        found.setdefault(witness.platform, []).extend(names)
    return found


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
