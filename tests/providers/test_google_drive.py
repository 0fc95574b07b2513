"""Google Drive: what is special about it. Errors are written as Google's page "Resolve errors" shows them."""

import json
import random
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
import requests
from PIL import Image

from patchbay import assets, quality, runs
from patchbay.client import Unwatched
from patchbay.errors import NetworkError
from patchbay.models import Run, RunStatus, Trigger, User, db, fresh_view
from patchbay.providers.google_drive import PROVIDER, folders, uploads
from patchbay.spec import Answer, Meaning, Picture, classify
from tests.providers.sample import Sample, mockup_of
from tests.stage import Queue, Sandbox, Walker

CHUNKS = "PUT www.googleapis.com/upload/"

SAMPLE = Sample(
    inputs={
        "create_folder": lambda _user, _sandbox: {"folderName": "Mugs"},
        "upload_file": lambda user, _sandbox: {"mockupUrls": [mockup_of(user)]},
    },
    without_scope={"scopes": "openid"},
    exempt={
        quality.DETECTS_DELETES: "Nothing is imported from Drive.",
        "test_scopes_that_the_owner_refused_are_named": "One scope is asked for: to refuse it is to deny all.",
    },
)

pytestmark = pytest.mark.usefixtures("context", "_short_pauses")


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


def run_of(user: User, operation: str, queue: Queue, **values: Any) -> Run:
    run = runs.start(user.id, "google-drive", operation, values, Trigger.API)
    queue.run_all()
    fresh_view()
    return db.session.get_one(Run, run.id, populate_existing=True)


def done(run: Run) -> dict[str, Any]:
    assert run.status is RunStatus.SUCCEEDED, f"{run.error_kind}: {run.error_detail}"
    assert run.result is not None
    return run.result


def picture_of(user: User, side: int = 40) -> tuple[str, int]:
    """The address and size of a picture of the user's own; noise, so that it stays large."""
    noise = random.Random(7).randbytes(side * side * 3)  # noqa: S311 - a picture, not a secret
    buffer = BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(buffer, "PNG")
    asset = assets.upload(user.id, buffer.getvalue(), "noise.png")
    return assets.link(asset), asset.size_bytes


def files_named(sandbox: Sandbox, name: str) -> list[dict[str, Any]]:
    return [file for file in sandbox.state("google-drive", "files") if file["name"] == name]


@pytest.mark.parametrize(
    ("status", "reason", "meaning"),
    [
        (403, "userRateLimitExceeded", Meaning.THROTTLED),
        (403, "rateLimitExceeded", Meaning.THROTTLED),
        (429, "rateLimitExceeded", Meaning.THROTTLED),
        (403, "insufficientPermissions", Meaning.SCOPE_MISSING),
        (403, "storageQuotaExceeded", Meaning.FULL),
        (401, "authError", Meaning.TOKEN_EXPIRED),
        (404, "notFound", Meaning.NOT_FOUND),
        (500, "backendError", Meaning.UNAVAILABLE),
        (503, "internalError", Meaning.UNAVAILABLE),
    ],
)
def test_the_reason_tells_what_a_refusal_means(status: int, reason: str, meaning: Meaning) -> None:
    body = {
        "error": {"errors": [{"domain": "global", "reason": reason, "message": "no"}], "code": status, "message": "no"}
    }

    fault = classify(PROVIDER.faults, Answer(status, {}, json.dumps(body).encode(), ""))

    assert fault is not None
    assert (fault.meaning, fault.text) == (meaning, "no")


def test_only_files_of_patchbays_own_are_asked_for() -> None:
    auth = PROVIDER.auth

    assert auth is not None
    assert [scope.name for scope in auth.scopes] == ["https://www.googleapis.com/auth/drive.file"]


@pytest.mark.parametrize(
    ("text", "inside"), [("mugs", "mugs"), ("Ada's", r"Ada\'s"), ("a\\b", r"a\\b"), ("\\'", "\\\\\\'"), ("", "")]
)
def test_text_in_a_query_is_quoted(text: str, inside: str) -> None:
    assert folders.quoted(text) == inside


@pytest.mark.parametrize(
    ("header", "first"), [("bytes=0-4194303", 4194304), ("0-0", 1), ("", 0), ("bytes=0-", 0), ("nonsense", 0)]
)
def test_an_upload_goes_on_behind_the_last_confirmed_byte(header: str, first: int) -> None:
    assert uploads.confirmed(Answer(308, {"range": header} if header else {}, b"", "")) == first


def test_a_folder_is_made_and_found_again(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "google-drive")
    made = done(run_of(ada, "create_folder", queue, folderName="Ada's mugs"))
    inner = done(run_of(ada, "create_folder", queue, folderName="Inner", folderId=made["folderId"]))

    everything = done(run_of(ada, "list_folders", queue))
    searched = done(run_of(ada, "list_folders", queue, search="Ada's"))
    inside = done(run_of(ada, "list_folders", queue, folderId=made["folderId"]))

    assert {folder["name"] for folder in everything["folders"]} >= {"Ada's mugs", "Inner"}
    assert [folder["id"] for folder in searched["folders"]] == [made["folderId"]]
    assert [folder["id"] for folder in inside["folders"]] == [inner["folderId"]]


def test_folders_come_in_pages(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "google-drive")
    for number in range(5):
        done(run_of(ada, "create_folder", queue, folderName=f"Folder {number}"))

    first = done(run_of(ada, "list_folders", queue, limit=3))
    second = done(run_of(ada, "list_folders", queue, limit=3, cursor=first["nextCursor"]))

    names = [folder["name"] for folder in first["folders"] + second["folders"]]
    assert names == [f"Folder {number}" for number in range(5)]
    assert second["nextCursor"] is None


def test_a_small_picture_is_saved_in_one_request(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "google-drive")
    folder = done(run_of(ada, "create_folder", queue, folderName="Mugs"))["folderId"]
    address, size = picture_of(ada)

    result = done(run_of(ada, "upload_file", queue, mockupUrls=[address], folderId=folder))

    (file,) = files_named(sandbox, "noise-png.png") or files_named(sandbox, "noise.png")
    assert result["files"] == [{"id": file["id"], "name": file["name"]}]
    assert result["folderId"] == folder
    assert int(file["size"]) == size
    assert file["parents"] == [folder]


def test_a_large_picture_is_saved_in_chunks(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "google-drive")
    address, size = picture_of(ada, 1500)

    result = done(run_of(ada, "upload_file", queue, mockupUrls=[address]))

    (file,) = [each for each in sandbox.state("google-drive", "files") if each["id"] == result["files"][0]["id"]]
    assert size > uploads.MULTIPART_LIMIT
    assert int(file["size"]) == size


@pytest.mark.parametrize("side", [40, 1500])
@pytest.mark.parametrize("kind", ["lost_response", "server_error", "reset"])
def test_an_upload_that_is_disturbed_leaves_one_whole_file(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, side: int, kind: str
) -> None:
    connect(ada, "google-drive")
    address, size = picture_of(ada, side)
    sandbox.fault("google-drive", kind, match="/upload/drive/v3/files")

    result = done(run_of(ada, "upload_file", queue, mockupUrls=[address]))

    name = result["files"][0]["name"]
    assert [int(file["size"]) for file in files_named(sandbox, name)] == [size]


def test_what_has_arrived_is_not_sent_again(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    """The answer to the second chunk is lost: Drive is asked, and the third follows."""
    connect(ada, "google-drive")
    address, size = picture_of(ada, 2000)
    sandbox.fault("google-drive", "slow", match=CHUNKS, times=2, seconds=0)
    sandbox.fault("google-drive", "lost_response", match=CHUNKS)

    run = run_of(ada, "upload_file", queue, mockupUrls=[address])

    sent = sandbox.received("google-drive", method="PUT")
    chunks = -(-size // uploads.CHUNK)
    assert run.status is RunStatus.SUCCEEDED
    assert [row["fault"] for row in sent] == ["slow", "slow", "lost_response", None, *[None] * (chunks - 2)]
    assert [row["status"] for row in sent][-1] == 200


def test_an_upload_that_gets_no_further_ends() -> None:
    class Standing(Unwatched):
        def send(self, _request: object) -> Answer:
            return Answer(308, {"range": "bytes=0-1048575"}, b"", "")

        def log(self, *_words: object, **_params: object) -> None:
            """Nobody reads it."""

    picture = Picture.of(bytes(9_000_000), filename="noise.png", content_type="image/png")

    with pytest.raises(NetworkError, match="breaks off at byte 1048576"):
        uploads.sent(Standing(), "https://www.googleapis.com/upload", picture)  # type: ignore[arg-type]  # it only sends


def test_of_a_large_picture_no_more_than_a_chunk_is_read_at_a_time(
    ada: User, connect: Walker, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(ada, "google-drive")
    address, size = picture_of(ada, 1500)
    reads: list[tuple[int, int]] = []
    read_picture = assets.read_picture

    def watched(user_id: str, address: str) -> Picture:
        picture = read_picture(user_id, address)

        def read(start: int, count: int) -> bytes:
            reads.append((start, count))
            return picture.read(start, count)

        return replace(picture, read=read)

    monkeypatch.setattr(assets, "read_picture", watched)

    done(run_of(ada, "upload_file", queue, mockupUrls=[address]))

    assert reads == [(start, uploads.CHUNK) for start in range(0, size, uploads.CHUNK)]


def test_a_drive_that_is_full_says_so_and_names_what_was_saved(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "google-drive")
    (small, size), (large, _) = picture_of(ada), picture_of(ada, 1500)
    limit = {"limit": size + 1000}
    requests.post(f"{sandbox.url}/_sandbox/google-drive/quota", json=limit, timeout=10).raise_for_status()

    nothing = run_of(ada, "upload_file", queue, mockupUrls=[large])
    half = run_of(ada, "upload_file", queue, mockupUrls=[small, large])

    assert nothing.error_kind == "QuotaFull"
    assert half.error_kind == "PartlyDone"
    assert half.error_params["done"] == "noise-png.png"
    assert "no room left" in half.error_params["reason"]


def test_a_folder_that_is_not_there_is_told_so(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "google-drive")

    run = run_of(ada, "upload_file", queue, mockupUrls=[picture_of(ada)[0]], folderId="nowhere")

    assert run.error_kind == "NotFoundThere"
