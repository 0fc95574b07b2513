"""A plugin of pytest that changes the sandbox's answers, one way after another, and notes which changes a test notices.

`scripts.mutation` starts it, once per platform. What can be changed is in tests/conformance/changes.py.
"""

import json
import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest
from _pytest.runner import runtestprotocol

from tests.conformance.changes import Answered, Change, chosen
from tests.conformance.recording import ALTER, RECORDED, Exchange
from tests.conformance.witness import PLAIN, Reading

PATIENCE_S = 5.0  # beyond twice the time that a test takes while nothing is changed


@dataclass(frozen=True)
class Asked:
    """A test that passes while nothing is changed: what it heard, by operation, and how long it took."""

    item: pytest.Function
    took_s: float
    heard: dict[Answered, list[Exchange]]

    def share_of(self, answered: Answered) -> float:
        """How much of what it hears are these answers."""
        return len(self.heard.get(answered, ())) / sum(len(exchanges) for exchanges in self.heard.values())


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many changes, by which seed, and where the report goes."""
    parser.addoption("--mutants", type=int, default=50)
    parser.addoption("--mutants-seed", default="")
    parser.addoption("--mutants-report")


def pytest_runtestloop(session: pytest.Session) -> bool:
    """In place of running the tests once: run them, then those again that hear what is changed."""
    options = session.config.option
    items = [item for item in session.items if isinstance(item, pytest.Function) and "record" in item.fixturenames]
    with _without_pauses():
        asked = [one for item in items if (one := _asked(item)) is not None]
        answers: dict[Answered, list[Exchange]] = defaultdict(list)
        for one in asked:
            for answered, exchanges in one.heard.items():
                answers[answered] += exchanges
        picked = chosen(answers, options.mutants, options.mutants_seed)
        found = [_verdict(answered, change, asked) for answered, change in picked]
        used = {one.item: None for answered, _ in picked for one in _closest(answered, asked)}
        disturbed = [item.nodeid for item in used if not _passes(item)]
    session._setupstate.teardown_exact(None)
    report = {"mutants": found, "disturbed": disturbed}
    Path(options.mutants_report).write_text(json.dumps(report), encoding="utf-8")
    return True


@contextmanager
def _without_pauses() -> Iterator[None]:
    """Nobody waits between two tries; a test that takes too long has noticed something."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)
        for place in ("patchbay.client", "patchbay.client.exchange"):
            patch.setattr(f"{place}.LONGEST_PAUSE_S", 0.05)
        patch.setattr("patchbay.client.exchange.RETRY_PATIENCE_S", 0.05)
        before = signal.signal(signal.SIGALRM, give_up)
        yield
        signal.signal(signal.SIGALRM, before)


def _asked(item: pytest.Function) -> Asked | None:
    """The test as it is; None for one that hears nothing."""
    began = time.monotonic()
    if not _passes(item):
        raise pytest.UsageError(f"{item.nodeid} fails while nothing is changed")
    heard: dict[Answered, list[Exchange]] = defaultdict(list)
    for exchange in item.stash[RECORDED]:
        heard[Answered.by(exchange, _reading_of(item))].append(exchange)
    return Asked(item, time.monotonic() - began, heard) if heard else None


def _verdict(answered: Answered, change: Change, asked: Iterable[Asked]) -> dict[str, str]:
    """The change in words, and the test that noticed it ("" for none)."""
    hearing = _closest(answered, asked)
    told = next((one.item.name for one in hearing if not _survives(one, answered, change)), "")
    return {"operation": str(answered), "kind": change.kind, "change": str(change), "noticed": told}


def _closest(answered: Answered, asked: Iterable[Asked]) -> list[Asked]:
    """Of each file the test that is most about these answers: they are the largest part of what it hears."""
    by_file: dict[Path, Asked] = {}
    for one in sorted(asked, key=lambda one: (one.share_of(answered), one.item.nodeid)):
        if answered in one.heard:
            by_file[one.item.path] = one
    return list(by_file.values())


def _survives(one: Asked, answered: Answered, change: Change) -> bool:
    return _passes(one.item, answered, change, 2 * one.took_s + PATIENCE_S)


def _passes(
    item: pytest.Function,
    answered: Answered | None = None,
    change: Change | None = None,
    longest_s: float = 0,
) -> bool:
    """Run the test, with a change in every answer of one operation if one is given; 0: it may take its time."""
    reading = _reading_of(item)

    def alter(exchange: Exchange) -> Exchange:
        is_meant = change is not None and Answered.by(exchange, reading) == answered
        return change.applied(exchange) if change is not None and is_meant else exchange

    item.stash[ALTER] = alter
    signal.setitimer(signal.ITIMER_REAL, longest_s)
    try:
        # "next comes the session": it alone keeps its fixtures, so that any test can follow
        reports = runtestprotocol(item, log=False, nextitem=item.session)  # type: ignore[arg-type]  # as said
        return all(report.passed for report in reports)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _reading_of(item: pytest.Function) -> Reading:
    reading: Reading = getattr(item.module, "READING", PLAIN)
    return reading
