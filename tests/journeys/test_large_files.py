"""A file of 40 MB on its way to each storage: chunk by chunk, through breaks and kills, and no chunk of it twice.

The long form, 200 MB and what memory it takes, is `bench/large_files.py`.
"""

import contextlib
import hashlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench import large_picture
from tests.journeys.hubs import Hub, Person, eventually

MEGABYTES = 40
CHUNK = 4 * 1024 * 1024
MIB = 1024 * 1024
MOST_GROWTH = 32 * MIB


@dataclass(frozen=True)
class Storage:
    """Where chunks go (as the ledger and faults name it), and what the platform calls its checksum of them."""

    key: str
    path: str
    method: str
    collection: str
    checksum: str

    @property
    def match(self) -> str:
        return f"{self.method} {self.path}"


DRIVE = Storage("google-drive", "www.googleapis.com/upload/", "PUT", "files", "sha256Checksum")
DROPBOX = Storage(
    "dropbox", "content.dropboxapi.com/2/files/upload_session/append_v2", "POST", "entries", "content_hash"
)
TWICE_ASKED = 2
ASKED_AFTER_A_BREAK = {
    ("google-drive", "reset"): 1,
    ("google-drive", "lost_response"): 1,
    ("dropbox", "reset"): 0,  # Dropbox says with each refusal how far it has come
    ("dropbox", "lost_response"): 1,
}
STORAGES = pytest.mark.parametrize("storage", [DRIVE, DROPBOX], ids=lambda storage: storage.key)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The picture."""
    path = tmp_path_factory.mktemp("large") / "noise.png"
    large_picture.write(path, MEGABYTES)
    return path


@pytest.fixture
def picture(hub: Hub, ada: Person, file: Path) -> dict[str, Any]:
    """The same as an asset of Ada's."""
    with file.open("rb") as content:
        shown: dict[str, Any] = ada.asked("POST", "/api/assets", files={"file": ("noise.png", content, "image/png")})
    return shown


def chunks_of(file: Path) -> int:
    return -(-file.stat().st_size // CHUNK)


def sent(hub: Hub, storage: Storage) -> list[dict[str, Any]]:
    """The requests that carried chunks or asked how far they have come, in order."""
    rows = hub.sandbox.received(storage.key, method=storage.method)
    return [row for row in rows if f"{row['host']}{row['path']}".startswith(storage.path)]


def checksums(file: Path) -> set[str]:
    """SHA-256 of the file, and Dropbox's hash over blocks of 4 MiB."""
    content = file.read_bytes()
    blocks = [hashlib.sha256(content[at : at + CHUNK]).digest() for at in range(0, len(content), CHUNK)]
    return {hashlib.sha256(content).hexdigest(), hashlib.sha256(b"".join(blocks)).hexdigest()}


def assert_arrived(hub: Hub, storage: Storage, run: dict[str, Any], file: Path) -> None:
    """The file is there once, byte for byte, and the run tells which it is."""
    assert run["status"] == "succeeded", run
    (told,) = run["data"]["files"]
    there = [entry for entry in hub.sandbox.state(storage.key, storage.collection) if entry.get("name") == told["name"]]
    assert [entry["id"] for entry in there] == [told["id"]]
    assert there[0][storage.checksum] in checksums(file)


@pytest.fixture(autouse=True)
def _fresh_storages(hub: Hub) -> Iterator[None]:
    """Nothing lies there from the test before."""
    yield
    hub.sandbox.reset()


def test_a_large_picture_comes_back_as_it_was_sent(ada: Person, picture: dict[str, Any], file: Path) -> None:
    whole = ada.call("GET", picture["url"].removeprefix(ada.hub.url))
    part = ada.call("GET", picture["url"].removeprefix(ada.hub.url), headers={"Range": "bytes=30000000-30000009"})

    assert hashlib.sha256(whole.content).digest() == hashlib.sha256(file.read_bytes()).digest()
    assert (part.status_code, part.content) == (206, whole.content[30_000_000:30_000_010])


@STORAGES
def test_a_large_file_goes_through_in_little_memory(
    hub: Hub, ada: Person, picture: dict[str, Any], file: Path, storage: Storage
) -> None:
    ada.connect(storage.key)
    hub.sandbox.fault(storage.key, "slow", match=storage.match, times=0, seconds=0.6)
    seen: list[int] = []

    with memory_of_horses(hub, seen):
        run_id = ada.start(storage.key, "upload_file", mockupUrls=[picture["url"]])
        told = ada.run_that(run_id, lambda run: 0 < run["progress"]["done"] < run["progress"]["total"])
        run = ada.ended(run_id)

    assert told["progress"]["total"] == picture["sizeBytes"]
    assert told["progress"]["done"] % CHUNK == 0
    assert_arrived(hub, storage, run, file)
    assert len(sent(hub, storage)) == chunks_of(file) + 1
    assert len(seen) > 10
    assert max(seen) - seen[0] < MOST_GROWTH


@STORAGES
@pytest.mark.parametrize(("kind", "sent_again"), [("reset", 1), ("lost_response", 0)])
def test_a_connection_that_drops_in_the_middle_costs_one_chunk_at_most(
    hub: Hub, ada: Person, picture: dict[str, Any], file: Path, storage: Storage, kind: str, sent_again: int
) -> None:
    ada.connect(storage.key)
    hub.sandbox.fault(storage.key, "slow", match=storage.match, times=5, seconds=0)
    hub.sandbox.fault(storage.key, kind, match=storage.match)

    run = ada.ended(ada.start(storage.key, "upload_file", mockupUrls=[picture["url"]]))

    requests = sent(hub, storage)
    assert [row["fault"] for row in requests[:6]] == ["slow"] * 5 + [kind]
    assert_arrived(hub, storage, run, file)
    assert len(requests) == chunks_of(file) + 1 + ASKED_AFTER_A_BREAK[storage.key, kind] + sent_again


def test_workers_killed_in_the_middle_cost_one_chunk_each(
    hub: Hub, ada: Person, picture: dict[str, Any], file: Path
) -> None:
    run_ids = {}
    for storage in (DRIVE, DROPBOX):
        ada.connect(storage.key)
        hub.sandbox.fault(storage.key, "slow", match=storage.match, times=0, seconds=1)
        run_ids[storage] = ada.start(storage.key, "upload_file", mockupUrls=[picture["url"]])
    for run_id in run_ids.values():
        ada.run_that(run_id, lambda run: run["progress"]["done"] >= 2 * CHUNK)

    kill_all_at_work(hub)
    for storage, run_id in run_ids.items():
        before = len(sent(hub, storage))
        hub.sandbox.clear_faults(storage.key)
        run = ada.ended(run_id)

        assert_arrived(hub, storage, run, file)
        assert 3 <= before < chunks_of(file)
        assert len(sent(hub, storage)) <= chunks_of(file) + TWICE_ASKED + 1


@contextlib.contextmanager
def memory_of_horses(hub: Hub, seen: list[int]) -> Iterator[None]:
    """Note the resident bytes of the process that does the job, again and again while the block runs."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            for horse in hub.horses():
                with contextlib.suppress(psutil.Error):
                    seen.append(horse.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def kill_all_at_work(hub: Hub) -> None:
    """Kill (-9) the workers that have jobs, and the processes that do the jobs."""
    horses = hub.horses()
    for process in [*(psutil.Process(horse.ppid()) for horse in horses), *horses]:
        process.send_signal(signal.SIGKILL)
    assert len(horses) == 2
    assert eventually(lambda: not any(map(is_alive, horses)))


def is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False
