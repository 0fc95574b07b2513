"""What the person at the keyboard sees: one prefixed line at a time, coloured on a terminal.

Which lines there are is decided by `group` and by the processes themselves.
"""

import os
import select
import sys

STDOUT = 1
PIPE_BUF = 4096  # a pipe that is ready takes this much without blocking
COLOURS = {"launch": 37, "migrate": 32, "redis": 31, "sandbox": 35, "web": 36, "workers": 33}


class Output:
    """Standard output. A reader that sleeps on a full pipe must not stop Patchbay: lines are dropped and counted."""

    def __init__(self) -> None:
        self._is_coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._dropped = 0

    def say(self, name: str, text: str) -> None:
        """Print `text` behind the name of the process that it comes from."""
        if self._dropped and self._write(self._line("launch", f"{self._dropped} lines were dropped: nobody read them")):
            self._dropped = 0
        if not self._write(self._line(name, text)):
            self._dropped += 1

    def announce(self, text: str) -> None:
        """Print `text` as it is; waits a while for a slow reader."""
        self._write(f"{text}\n", wait_s=5.0)

    def _line(self, name: str, text: str) -> str:
        prefix = f"{name:<7} |"
        return f"\033[{COLOURS[name]}m{prefix}\033[0m {text}\n" if self._is_coloured else f"{prefix} {text}\n"

    def _write(self, text: str, wait_s: float = 0.0) -> bool:
        """Whether all of it was written."""
        rest = text.encode(errors="replace")
        while rest:
            if not select.select([], [STDOUT], [], wait_s)[1]:
                return False
            try:
                rest = rest[os.write(STDOUT, rest[:PIPE_BUF]) :]
            except OSError:  # the reader is gone
                return False
        return True
