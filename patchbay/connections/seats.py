"""Seats for web threads that wait, so that there are always some that do not.

What is waited for lives with whoever waits.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Seats:
    """How many threads of this process wait now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.taken = 0

    @contextmanager
    def take(self, most: int) -> Iterator[bool]:
        """Take a seat while inside; False when `most` are taken already."""
        with self._lock:
            is_seated = self.taken < most
            self.taken += is_seated
        try:
            yield is_seated
        finally:
            with self._lock:
                self.taken -= is_seated
