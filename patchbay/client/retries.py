"""How often and how fast a request is sent again: pauses with full jitter, and budgets that keep retries a small share.

What may be sent again at all is said by the request (`spec.Request.may_repeat`) and by the fault (`spec.faults`).

The share is kept twice: for one run in memory, and for a platform by all workers together in Redis. Without Redis each
worker keeps its own.
"""

import random
import threading
from collections import Counter
from dataclasses import dataclass

from redis.exceptions import RedisError

from patchbay import clock, queue

TRIES = 4
FIRST_BACKOFF_S = 0.4
SHARE = 0.1
"""So much of all requests may be retries …"""
RUN_FLOOR = 20
PLATFORM_FLOOR = 60
"""… and so many on top of that: in a run, and at a platform within a window."""
WINDOW_S = 60


def backoff_s(attempt: int) -> float:
    """Full jitter over a doubling ceiling (AWS Architecture Blog, "Exponential Backoff And Jitter")."""
    return random.uniform(0.1, FIRST_BACKOFF_S * 2**attempt)  # noqa: S311 - spreads retries, guards nothing


def jitter_s() -> float:
    """A little on top of a wait that was told to many at once."""
    return random.uniform(0.05, 0.2)  # noqa: S311 - spreads retries, guards nothing


@dataclass
class Budget:
    """The retries of one run at one platform; `key` names the platform, and whether it is the sandbox's."""

    key: str
    requests: int = 0
    retries: int = 0

    def spend_request(self) -> None:
        """A request goes out for the first time."""
        self.requests += 1
        _here.count(self.key)

    def may_retry(self) -> bool:
        """Whether one more retry is within the budgets; it is counted when it is."""
        if self.retries >= RUN_FLOOR + SHARE * self.requests or not _is_left_for_all(self.key):
            return False
        self.retries += 1
        return True


class _Unreported:
    """The requests of this process that Redis has not been told of; they are told along with the next retry."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, key: str) -> None:
        with self._lock:
            self._counts[key] += 1

    def take(self, key: str) -> int:
        with self._lock:
            return self._counts.pop(key, 0)


_here = _Unreported()


def _is_left_for_all(key: str) -> bool:
    window = f"patchbay:retries:{key}:{int(clock.now().timestamp() // WINDOW_S)}"
    try:
        pipe = queue.redis().pipeline(transaction=False)
        pipe.hincrby(window, "requests", _here.take(key))
        pipe.hincrby(window, "retries", 1)
        pipe.expire(window, 2 * WINDOW_S)
        requests, retries, _ = pipe.execute()
    except RedisError:
        return True
    return bool(retries <= PLATFORM_FLOOR + SHARE * requests)
