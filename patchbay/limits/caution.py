"""What one process keeps to by itself while Redis is away: its part of each limit, and every pause that it was told.

What all processes share lives in `budgets`.
"""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from patchbay.spec import Budget, Window


@dataclass
class Caution:
    """The memory of this process, by owner of a limit; times are the monotonic clock's."""

    paused: dict[tuple[str, str], float] = field(default_factory=dict)
    sent: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    told: dict[tuple[str, str], tuple[Budget, float]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def pause(self, owner: str, lane: str, seconds: float) -> None:
        """Send nothing in that lane for so long."""
        self.paused[owner, lane] = time.monotonic() + seconds

    def pause_left_s(self, owner: str, lane: str) -> float:
        """How long nothing may be sent there."""
        left = self.paused.get((owner, lane), 0.0) - time.monotonic()
        if left <= 0.0:
            self.paused.pop((owner, lane), None)
        return max(0.0, left)

    def learn(self, owner: str, budget: Budget) -> None:
        """Keep what an answer told."""
        with self.lock:
            self.told[owner, budget.name] = budget, time.monotonic()

    def wait_s(self, owner: str, windows: Iterable[Window], cost: float, processes: int) -> float:
        """0.0 when a request may go, and it is counted; else how long to wait. Budgets give each process its part."""
        with self.lock:
            now = time.monotonic()
            lanes = [(self.sent.setdefault((owner, window.name), deque()), window) for window in windows]
            waits = [_free_in_s(sent, window, processes, now) for sent, window in lanes if window.seconds]
            known = [told for (whose, _), told in self.told.items() if whose == owner]
            wait_s = max([0.0, *waits, *(_filled_in_s(budget, at, cost, processes, now) for budget, at in known)])
            if wait_s == 0.0:
                for sent, _ in lanes:
                    sent.append(now)
            return wait_s

    def clear(self) -> None:
        """Forget everything."""
        for memory in (self.paused, self.sent, self.told):
            memory.clear()


def _free_in_s(sent: deque[float], window: Window, processes: int, now: float) -> float:
    """With less than one request per process and window, one in as many windows as that takes."""
    if not window.most:
        return 0.0
    most = max(1, window.most // processes)
    seconds = window.seconds * max(1.0, processes / window.most)
    while sent and sent[0] <= now - seconds:
        sent.popleft()
    return sent[-most] + seconds - now if len(sent) >= most else 0.0


def _filled_in_s(budget: Budget, at: float, cost: float, processes: int, now: float) -> float:
    if budget.per_second <= 0:
        return 0.0
    available = min(budget.maximum, budget.available + (now - at) * budget.per_second / processes)
    missing = min(cost, budget.maximum - budget.keep) + budget.keep - available
    return max(0.0, missing * processes / budget.per_second)
