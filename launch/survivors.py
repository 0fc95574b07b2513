"""See to it that no process of a run outlives it, whatever happens to the launcher.

Every process of a run carries a mark in its environment, which its own children inherit, in other sessions too. When
the launcher is killed, the kernel signals its children, and a keeper ends all that carries the mark; the next start on
the same home ends what even that missed. In which order a run stops by itself lives in `group`.
"""

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

MARK = "PATCHBAY_RUN"
PR_SET_PDEATHSIG = 1
GRACE_S = 2.0
SIGINT_BIT = 1 << (signal.SIGINT - 1)

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def mark_of(home: Path) -> str:
    """The beginning of the marks of all runs on `home`."""
    return hashlib.sha256(str(home).encode()).hexdigest()[:16] + "."


def end_all(mark: str, grace_s: float = 0.0) -> None:
    """Kill every process whose mark begins with `mark`, those first left alone for `grace_s` that end by themselves."""
    patient_until = time.monotonic() + grace_s
    give_up_at = patient_until + 5.0
    while (left := _marked(mark)) and time.monotonic() < give_up_at:
        if time.monotonic() >= patient_until:
            for process in left:
                _kill(process)
        time.sleep(0.02)


def dying_with(parent: int) -> Callable[[], None]:
    """What a child calls before it becomes its program: SIGTERM from the kernel when `parent` is gone."""

    def ask() -> None:
        if _libc:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask


class Keeper:
    """A fork of the launcher that sleeps until the launcher ends, however that happens, and then ends what is left."""

    def __init__(self, mark: str) -> None:
        reading, self._writing = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            _keep(reading, mark)
        os.close(reading)

    def dismiss(self) -> None:
        """Let it go, once all is stopped."""
        os.close(self._writing)
        os.waitpid(self._process, 0)


class Parent:
    """The process that started the launcher (make), whose end ends the run. None: nobody is watched."""

    def __init__(self, process: int | None) -> None:
        self._process = process
        self._caught_interrupts = process is not None and _catches_interrupts(process)
        if process is not None and _libc:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    @property
    def wants_stop(self) -> bool:
        """Whether it is gone, or was interrupted.

        GNU make hands a SIGTERM on to its children, but not a SIGINT that was sent to make alone: it takes its own
        handler off (commands.c, `fatal_error_signal`) and waits for them. That it has none is what can be seen.
        """
        if self._process is None:
            return False
        return os.getppid() != self._process or (self._caught_interrupts and not _catches_interrupts(self._process))


def _keep(reading: int, mark: str) -> None:
    """The keeper's whole life. Of the launcher's files it keeps only the pipe that closes when the launcher ends."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.closerange(3, reading)
    os.closerange(reading + 1, 1024)
    try:
        os.read(reading, 1)
        end_all(mark, GRACE_S)
    finally:
        os._exit(0)


def _marked(mark: str) -> list[int]:
    """The living processes of this user, but this one, whose mark begins with `mark`."""
    wanted = f"{MARK}={mark}".encode()
    found = _marked_in_proc(wanted) if Path("/proc/self/environ").exists() else _marked_by_ps(wanted)
    return [process for process in found if process != os.getpid()]


def _marked_in_proc(wanted: bytes) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            environment = Path("/proc", entry, "environ").read_bytes()
        except OSError:  # gone meanwhile, or another user's
            continue
        if any(line.startswith(wanted) for line in environment.split(b"\0")):
            found.append(int(entry))
    return found


def _marked_by_ps(wanted: bytes) -> list[int]:
    """For systems without /proc: `e` shows each process's environment behind its command."""
    listing = subprocess.run(["ps", "xeww", "-o", "pid=,command="], capture_output=True, check=False).stdout  # noqa: S607 - ps has no one home
    return [int(line.split()[0]) for line in listing.splitlines() if wanted in line]


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _catches_interrupts(process: int) -> bool:
    """Whether `process` has a handler for SIGINT; False where /proc does not tell."""
    try:
        status = Path("/proc", str(process), "status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    masks = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(masks) and bool(int(masks[0], 16) & SIGINT_BIT)
