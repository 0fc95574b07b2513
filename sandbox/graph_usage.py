"""How Meta counts calls and tells about it: percentages as JSON in a header, and codes in place of HTTP 429.

Sources: Graph API "Rate Limits" (read 2026-11-21). What is counted for whom is said by the hosts.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable

import msgspec
from werkzeug.wrappers import Response

from sandbox.graph_api import GraphRefused

ALLOWANCE = 4800
_WINDOW_S = 3600.0


class Meter:
    """Calls of the last hour by owner (an account, a page, an app) against one allowance; kept in memory only."""

    def __init__(self, allowance: int = ALLOWANCE, clock: Callable[[], float] = time.time) -> None:
        self._allowance = allowance
        self._clock = clock
        self._calls: dict[str, deque[float]] = {}
        self._filled: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def note(self, owner: str) -> None:
        """Count a call."""
        with self._lock:
            self._recent(owner).append(self._clock())

    def fill(self, owner: str, percent: int, minutes: int) -> None:
        """Say for so many minutes that so much is used."""
        with self._lock:
            self._filled[owner] = (percent, self._clock() + minutes * 60)

    def clear(self) -> None:
        """Forget all use."""
        with self._lock:
            self._calls.clear()
            self._filled.clear()

    def percent(self, owner: str) -> int:
        """How much of the allowance is used."""
        with self._lock:
            counted = len(self._recent(owner)) * 100 // self._allowance
            told, until = self._filled.get(owner, (0, 0.0))
            return max(counted, told if until > self._clock() else 0)

    def minutes_left(self, owner: str) -> int:
        """Minutes until there is something to use again, 0 while there is."""
        if self.percent(owner) < 100:
            return 0
        with self._lock:
            recent = self._recent(owner)
            counted_until = recent[0] + _WINDOW_S if len(recent) >= self._allowance else 0.0
            until = max(self._filled.get(owner, (0, 0.0))[1], counted_until)
            return max(1, math.ceil((until - self._clock()) / 60))

    def _recent(self, owner: str) -> deque[float]:
        calls = self._calls.setdefault(owner, deque())
        while calls and calls[0] <= self._clock() - _WINDOW_S:
            calls.popleft()
        return calls


def business_usage(response: Response, owner: str, kind: str, percent: int, minutes: int) -> Response:
    """Add X-Business-Use-Case-Usage; nothing is said of next to no use."""
    if percent > 0:
        row = {"type": kind, "call_count": percent, "total_cputime": percent // 2, "total_time": percent // 2}
        usage = {owner: [row | {"estimated_time_to_regain_access": minutes}]}
        response.headers["X-Business-Use-Case-Usage"] = msgspec.json.encode(usage).decode()
    return response


def app_usage(response: Response, percent: int) -> Response:
    """Add X-App-Usage; nothing is said of next to no use."""
    if percent > 0:
        usage = {"call_count": percent, "total_cputime": percent // 2, "total_time": percent // 2}
        response.headers["X-App-Usage"] = msgspec.json.encode(usage).decode()
    return response


def too_many(code: int, message: str) -> GraphRefused:
    """The throttle answer: 403, transient, no Retry-After."""
    return GraphRefused(code, f"(#{code}) {message}", status=403, is_transient=True)
