"""Putting off a stop (SIGTERM) until something short is over that must not be torn in two.

What a stop does to a process is decided by whoever set the signal's handler (`jobs.worker`).
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def stop_put_off() -> Iterator[None]:
    """Let a SIGTERM that comes inside take effect at the end; raises there what its handler raises.

    Python runs handlers in the main thread alone: in another one there is nothing to put off. Whoever sent it may
    lose patience and kill (`jobs.worker.GRACE_S`).
    """
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[Any, Any]] = []
    signal.signal(signal.SIGTERM, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
        if came:
            handler(*came[0])
