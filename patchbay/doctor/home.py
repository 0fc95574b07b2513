"""The home: whether it can be written, who may read its keys, how much room is left."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from patchbay.doctor.finding import Finding, broken, doubtful, well
from patchbay.settings import Settings

GIB = 2**30
LITTLE_BYTES, TOO_LITTLE_BYTES = 2 * GIB, GIB // 4
FOLDERS = ("keys", "run", "assets", "logs")


def folder(here: Settings) -> Iterator[Finding]:
    """The home and its folders: there, writable, and nobody else's to read."""
    for path in (here.home, *(here.home / name for name in FOLDERS)):
        if not os.access(path, os.W_OK | os.X_OK):
            yield broken(f"{path} cannot be written", "give it to the user that runs Patchbay")
            return
    if _is_open(here.home):
        yield doubtful(f"{here.home} can be read by others", f"chmod 700 {here.home}")
        return
    yield well(f"{here.home} can be written, and read by its owner alone")


def keys(here: Settings) -> Iterator[Finding]:
    """Every file of keys: its owner's alone, and not empty."""
    files = sorted(path for path in (here.home / "keys").iterdir() if path.is_file())
    opened, empty = [path for path in files if _is_open(path)], [path for path in files if not path.stat().st_size]
    for path in opened:
        yield broken(f"{path} can be read by others", f"chmod 600 {path}; if somebody may have read it, change the key")
    for path in empty:
        yield broken(f"{path} is empty", "put it back from your backup")
    if not (opened or empty):
        yield well(f"{len(files)} files, read by their owner alone; keep a copy of them elsewhere")


def room(here: Settings) -> Iterator[Finding]:
    """Room on the disk of the home."""
    free = shutil.disk_usage(here.home).free
    text = f"{free / GIB:.1f} GiB free on the disk of the home"
    if free < TOO_LITTLE_BYTES:
        yield broken(text, "make room, or move the home (PATCHBAY_HOME): a full disk stops everything")
    elif free < LITTLE_BYTES:
        yield doubtful(text, "make room before it is gone")
    else:
        yield well(text)


def _is_open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
