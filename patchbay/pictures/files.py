"""A picture's bytes as it is looked into: in memory up to 20 MB, beyond that mapped from the file where they lie.

What does not live here: what the bytes mean (`containers`, `pixels`) and which files are kept (`patchbay.assets`).
"""

import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from patchbay.errors import TooManyRequests

Content = bytes | mmap.mmap

IN_MEMORY_BYTES = 20 * 1024 * 1024
LONGEST_WAIT_S = 30

_large = threading.Lock()


@contextmanager
def opened(file: IO[bytes]) -> Iterator[Content]:
    """All bytes of a file, while the block runs.

    Of the large ones a process opens one at a time, since the pixels of each may take 200 MB; raises `TooManyRequests`
    when its turn does not come in time.
    """
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(0)
    if size <= IN_MEMORY_BYTES:
        yield file.read()
        return
    if not _large.acquire(timeout=LONGEST_WAIT_S):
        raise TooManyRequests(retry_after_s=LONGEST_WAIT_S)
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield content
    finally:
        _large.release()
