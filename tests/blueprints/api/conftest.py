"""What tests of the JSON API share: a worker beside them, so that a call can wait for its run."""

import threading
from collections.abc import Iterator

import pytest

from tests.stage import Queue


@pytest.fixture
def worker(queue: Queue) -> Iterator[None]:
    """A worker that takes up every run within a few milliseconds, in a thread of its own."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(0.01):
            queue.run_all()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    yield
    is_over.set()
    thread.join(timeout=30)
