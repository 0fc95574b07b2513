"""Leaky buckets per app and shop, for the points of GraphQL and the calls of REST.

What a call takes out of them is the business of `cost` and `rest`.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """A leaky bucket: `level` units are in use and drain at `rate` a second. `clock` gives seconds."""

    size: float
    rate: float
    clock: Callable[[], float] = time.monotonic
    level: float = 0.0
    drained_at: float = field(default=0.0)

    def take(self, amount: float) -> bool:
        """Use `amount` units if there is room for them."""
        self._drain()
        if self.level + amount > self.size:
            return False
        self.level += amount
        return True

    def give_back(self, amount: float) -> None:
        """Return units that were set aside and not used."""
        self._drain()
        self.level = max(0.0, self.level - amount)

    @property
    def available(self) -> int:
        """Whole units that can be taken now."""
        self._drain()
        return math.floor(self.size - self.level + 1e-9)

    def _drain(self) -> None:
        now = self.clock()
        if self.drained_at:
            self.level = max(0.0, self.level - (now - self.drained_at) * self.rate)
        self.drained_at = now


class Buckets:
    """One bucket per app and shop; each call is whole under one lock."""

    def __init__(self, size: float, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.size, self.rate = size, rate
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._lock = threading.Lock()

    def take(self, owner: tuple[str, str], amount: float) -> tuple[bool, int]:
        """Whether `amount` was granted, and what is left."""
        with self._lock:
            bucket = self._bucket(owner)
            return bucket.take(amount), bucket.available

    def settle(self, owner: tuple[str, str], refund: float) -> int:
        """Give units back and say what is available now."""
        with self._lock:
            bucket = self._bucket(owner)
            bucket.give_back(refund)
            return bucket.available

    def clear(self) -> None:
        """Forget all use."""
        with self._lock:
            self._buckets.clear()

    def _bucket(self, owner: tuple[str, str]) -> Bucket:
        return self._buckets.setdefault(owner, Bucket(self.size, self.rate, self._clock))
