"""A file of 200 MB to each storage, through the sandbox: how long it takes, and what memory the worker needs for it.

Each upload is a run executed in a process of its own, on which nothing else is done; the file's way in, which draws it
once, is not measured here. The platform's own checksum says whether all has arrived.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from bench import figures, installation, large_picture, sandboxed
from bench.figures import RUNS, Row, median

MEGABYTES = 200
GROWTH_MB = 32.0
STORAGES = {"google-drive": "files", "dropbox": "entries"}
BLOCK = 4 * 1024 * 1024


def main() -> list[Row]:
    """Measure, keep, compare with the target."""
    began_under = figures.load()
    sent: dict[str, list[dict[str, Any]]] = {storage: [] for storage in STORAGES}
    with tempfile.TemporaryDirectory() as folder, sandboxed.serving() as url:
        picture = Path(folder) / "large.png"
        large_picture.write(picture, MEGABYTES)
        for _ in range(RUNS):
            for storage in STORAGES:
                sent[storage].append(_sent(url, storage, picture))
    figures.keep("large_files", began_under, {"megabytes": MEGABYTES, "sent": sent})
    return [row for storage in STORAGES for row in _rows(storage, sent[storage])]


def _sent(url: str, storage: str, picture: Path) -> dict[str, Any]:
    sandboxed.order(url, "reset", provider=storage)
    with installation.home(SANDBOX="on", SANDBOX_URL=url) as env:
        installation.run(env, "-m", "bench.one_run", "connect", storage, "{}")
        address = installation.run(env, "-m", "bench.one_run", "keep", str(picture)).split()[-1]
        values = json.dumps({"mockupUrls": [address]})
        printed = installation.run(env, "-m", "bench.one_run", "run", storage, "upload_file", values)
    measured: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    _check(sandboxed.held(url, storage, STORAGES[storage]), measured.pop("result"), picture)
    return measured


def _check(there: list[dict[str, Any]], result: dict[str, Any], picture: Path) -> None:
    """Raises RuntimeError unless the platform holds the picture, byte for byte."""
    (made,) = [entry for entry in there if entry["id"] == result["files"][0]["id"]]
    content = picture.read_bytes()
    blocks = [hashlib.sha256(content[at : at + BLOCK]).digest() for at in range(0, len(content), BLOCK)]
    whole = {hashlib.sha256(content).hexdigest(), hashlib.sha256(b"".join(blocks)).hexdigest()}
    if made.get("sha256Checksum", made.get("content_hash")) not in whole:
        raise RuntimeError(f"{made['name']} did not arrive as it was sent")


def _rows(storage: str, sent: list[dict[str, Any]]) -> list[Row]:
    seconds = median([one["seconds"] for one in sent])
    growth = max(one["peak_mb"] - one["before_mb"] for one in sent)
    what = f"{MEGABYTES} MB to {storage}"
    return [
        Row(f"{what}: time", f"{seconds:.1f} s, {MEGABYTES / seconds:.0f} MB/s"),
        Row(f"{what}: most growth of memory", f"{growth:.1f} MB", f"< {GROWTH_MB:.0f} MB", growth < GROWTH_MB),
    ]
