"""The database locked or full, and no room left for files: requests are told so, runs wait, nothing is half done.

A lock is held by another process; SQLite waits 0.2 s for it here in place of five. A database is full at its
`max_page_count`, a file system at the size that the kernel lets this process write (RLIMIT_FSIZE).
"""

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from jobs.tick import tick
from patchbay import assets, backup, runs
from patchbay.accounts import exports
from patchbay.errors import BackupError
from patchbay.models import ExportState, Record, Run, RunStatus, User, WaitReason, db, fresh_view
from patchbay.runs.lease import LENGTH
from patchbay.runs.patience import STORAGE_PAUSE
from patchbay.settings import Settings
from tests.faults.conftest import Shelf, reread
from tests.stage import FrozenClock, Queue, Walker

WAITS_MS = 200
ROOM = 10**9
KB = 1024
LITTLE = 400 * KB
"""Less than `noisy_png(390)`, which is small enough to be received in memory; more than SQLite writes beside it."""

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@dataclass
class Database:
    """The file, of which every connection learns at its next use how many pages it may have."""

    app: Flask
    path: Path
    most_pages: int = ROOM
    holder: "subprocess.Popen[str] | None" = None

    def lock(self) -> None:
        """Another process begins to write, and does not end."""
        self.holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(self.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.holder.stdout
        assert self.holder.stdout.readline() == "held\n"

    def unlock(self) -> None:
        """It ends."""
        if self.holder is not None:
            self.holder.communicate()
            self.holder = None

    def fill(self) -> None:
        """Not one page more than there are."""
        with closing(sqlite3.connect(self.path)) as connection:
            (self.most_pages,) = connection.execute("PRAGMA page_count").fetchone()

    def make_room(self) -> None:
        """As many as it wants."""
        self.most_pages = ROOM

    def tell(self, connection: Any, *_: object) -> None:
        """What a connection that is taken out of the pool is told."""
        connection.execute(f"PRAGMA busy_timeout={WAITS_MS}")
        connection.execute(f"PRAGMA max_page_count={self.most_pages}")


@pytest.fixture
def storage(app: Flask, settings: Settings) -> Iterator[Database]:
    """The database of the app."""
    made = Database(app, Path(settings.database_url.removeprefix("sqlite:///")))
    with app.app_context():
        event.listen(db.engine, "checkout", made.tell)
    yield made
    made.unlock()


@contextmanager
def no_file_larger_than(size_bytes: int) -> Iterator[None]:
    """What is written beyond that fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def noisy_png(side: int) -> bytes:
    """A picture that no compression makes small: about three bytes a pixel."""
    from PIL import Image

    content = BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(content, "PNG")
    return content.getvalue()


def kept() -> dict[str, str]:
    fresh_view()
    return {record.external_id: record.data["content"] for record in db.session.scalars(select(Record))}


def gone_on(run: Run, clock: FrozenClock, queue: Queue, **lapse: float) -> Run:
    """The run when the clock has looked for what is due."""
    clock.advance(**lapse)
    tick()
    queue.run_all()
    return reread(run)


def said(run: Run) -> list[str]:
    return [line.message for line in runs.logs(run.id)]


# -- a locked database


def test_while_somebody_holds_the_lock_pages_are_read_and_who_writes_is_told_when_to_come_back(
    storage: Database,
    client: FlaskClient,
    ada: User,
    connect: Walker,
    key_for: Callable[..., dict[str, str]],
    frozen_clock: FrozenClock,
) -> None:
    connect(ada, "google-drive")
    headers, asked = key_for(ada), {"integrationId": "google-drive", "operation": "list_folders", "wait": 0}
    client.get("/integrations", headers=headers)
    frozen_clock.advance(minutes=2)  # after which the key's use would be noted again

    storage.lock()
    refused = client.post("/api/integrations/sync", json=asked, headers=headers)
    read = client.get("/integrations", headers=headers)
    storage.unlock()
    taken = client.post("/api/integrations/sync", json=asked, headers=headers)

    assert (refused.status_code, refused.get_json()["type"]) == (503, "STORAGE_UNAVAILABLE")
    assert (refused.headers["Retry-After"], refused.get_json()["retryable"]) == ("5", True)
    assert "locked" not in refused.get_data(as_text=True)
    assert read.status_code == 200
    assert taken.status_code == 202


def test_a_browser_gets_a_page_in_words(
    storage: Database, client: FlaskClient, ada: User, connect: Walker, login: Callable[[FlaskClient, User], str]
) -> None:
    connect(ada, "google-drive")
    token = login(client, ada)

    storage.lock()
    page = client.post("/account/exports", data={"csrf_token": token})

    assert page.status_code == 503
    assert "Back in a moment" in page.get_data(as_text=True)
    assert "Traceback" not in page.get_data(as_text=True)


def test_a_run_that_meets_a_lock_goes_on_where_it_was_when_its_lease_has_lapsed(
    storage: Database, shelf: Shelf, ordered: Callable[..., Run], queue: Queue, frozen_clock: FrozenClock
) -> None:
    shelf.before[1] = storage.lock

    left = ordered()
    status, stored = left.status, set(kept())
    storage.unlock()
    run = gone_on(left, frozen_clock, queue, seconds=LENGTH.total_seconds() + 1)

    assert (status, stored) == (RunStatus.RUNNING, {"a", "b"})  # there was nowhere to write more
    assert run.status is RunStatus.SUCCEEDED
    assert shelf.read == [0, 1, 1, 2]
    assert (run.count_created, set(kept())) == (6, set("abcdef"))


# -- a full database


def test_a_run_for_whose_records_there_is_no_room_waits_and_goes_on_by_itself(
    storage: Database, shelf: Shelf, ordered: Callable[..., Run], queue: Queue, frozen_clock: FrozenClock
) -> None:
    shelf.things = dict.fromkeys("abcdef", "large" * 20 * KB)
    shelf.before[1] = storage.fill

    left = ordered()
    told, stored = left.status, set(kept())
    in_vain = gone_on(left, frozen_clock, queue, seconds=STORAGE_PAUSE.total_seconds() + 1)
    status_in_vain, stored_in_vain = in_vain.status, set(kept())
    storage.make_room()
    run = gone_on(left, frozen_clock, queue, seconds=STORAGE_PAUSE.total_seconds() + 1)

    assert told in {RunStatus.WAITING, RunStatus.QUEUED}  # a line that says so wants room too
    assert status_in_vain in {RunStatus.WAITING, RunStatus.QUEUED}
    assert stored == stored_in_vain == {"a", "b"}
    assert run.status is RunStatus.SUCCEEDED
    assert shelf.read == [0, 1, 1, 1, 2]
    assert (run.count_created, set(kept())) == (6, set("abcdef"))


def test_what_there_is_no_room_for_is_refused_in_words_and_leaves_nothing_behind(
    storage: Database, client: FlaskClient, ada: User, connect: Walker, key_for: Callable[..., dict[str, str]]
) -> None:
    connect(ada, "google-drive")
    headers = key_for(ada)

    def ask(number: int) -> Any:
        values = {"folderName": f"Folder {number} {'x' * 100}"}
        body = {"integrationId": "google-drive", "operation": "create_folder", "data": values, "wait": 0}
        return client.post("/api/integrations/sync", json=body, headers=headers)

    storage.fill()
    answers = [ask(number) for number in range(30)]
    page = client.get("/runs", headers=headers)
    storage.make_room()
    afterwards = ask(99)

    assert {answer.status_code for answer in answers} == {202, 507}
    refused = next(answer for answer in answers if answer.status_code == 507).get_json()
    assert (refused["type"], refused["retryable"]) == ("STORAGE_FULL", True)
    assert "disk is full" in refused["userMessage"]
    assert page.status_code == 200
    assert afterwards.status_code == 202
    with storage.app.app_context():
        taken = sum(answer.status_code == 202 for answer in answers)
        assert db.session.scalar(select(func.count()).select_from(Run)) == taken + 1


# -- no room for files


def test_a_picture_that_does_not_fit_is_refused_and_leaves_no_file(
    app: Flask, settings: Settings, client: FlaskClient, ada: User, key_for: Callable[..., dict[str, str]]
) -> None:
    headers, picture = key_for(ada), noisy_png(390)

    part = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="rose.png"\r\n\r\n'
    body = part + picture + b"\r\n--cut--\r\n"

    def send() -> Any:
        return client.post("/api/assets", data=body, content_type="multipart/form-data; boundary=cut", headers=headers)

    with no_file_larger_than(LITTLE):
        refused = send()
    left = [path for path in (settings.home / "assets").rglob("*") if path.is_file()]
    taken = send()

    assert (refused.status_code, refused.get_json()["type"]) == (507, "STORAGE_FULL")
    assert left == []
    assert taken.status_code == 201


def test_a_run_that_cannot_keep_a_picture_says_so_waits_and_keeps_it_once_there_is_room(
    app: Flask, ada: User, shelf: Shelf, ordered: Callable[..., Run], queue: Queue, frozen_clock: FrozenClock
) -> None:
    picture = noisy_png(390)
    shelf.act = lambda api: {"asset": dict(api.keep(picture, "rose.png"))}

    with no_file_larger_than(LITTLE):
        waiting = ordered("act")
        told = (waiting.status, waiting.wait_reason, said(waiting)[-1])
    run = gone_on(waiting, frozen_clock, queue, seconds=STORAGE_PAUSE.total_seconds() + 1)

    assert told == (
        RunStatus.WAITING,
        WaitReason.STORAGE,
        "Patchbay's database is away or its disk full. Going on at %(time)s.",
    )
    assert run.status is RunStatus.SUCCEEDED
    assert len(assets.page(ada.id, cursor=None, limit=10)[0]) == 1


def test_an_archive_that_does_not_fit_is_given_up_and_leaves_no_file(
    app: Flask, settings: Settings, ada: User, context: None, queue: Queue
) -> None:
    assets.upload(ada.id, noisy_png(390), "rose.png")

    export = exports.ask(ada.id)
    with no_file_larger_than(LITTLE):
        queue.run_all()
    fresh_view()
    failed = exports.get(ada.id, export.id).state
    left = list((settings.home / "exports").iterdir())
    again = exports.ask(ada.id)
    queue.run_all()
    fresh_view()

    assert failed is ExportState.FAILED
    assert left == []
    assert exports.get(ada.id, again.id).state is ExportState.READY


def test_a_backup_that_does_not_fit_says_so_in_one_line_and_leaves_no_file(
    app: Flask, settings: Settings, ada: User, context: None, tmp_path: Path
) -> None:
    assets.upload(ada.id, noisy_png(390), "rose.png")
    target = tmp_path / "all.backup"

    with no_file_larger_than(LITTLE), pytest.raises(BackupError, match="could not be written") as refused:
        backup.create(settings, target)

    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == []
