"""Dropbox: what is special about it. Errors are written as auth.stone and files.stone declare them."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from patchbay import client, connections, quality, runs
from patchbay.client import Client, Unwatched
from patchbay.connections import Caller
from patchbay.errors import Conflict, Invalid, NetworkError, NotFoundThere, PartlyDone, PlatformError, QuotaFull
from patchbay.models import Connection, Run, RunStatus, Trigger, User, db, fresh_view
from patchbay.providers import dropbox
from patchbay.providers.dropbox import calls, folders, uploads
from patchbay.spec import Answer, Meaning, Picture, classify
from tests.providers.sample import Sample, mockup_of
from tests.stage import Queue, Sandbox, Walker

NUMBERS = count(1)  # a folder that is there and bytes that are there are no work at all
SAMPLE = Sample(
    inputs={
        "create_folder": lambda _user, _sandbox: {"folderName": f"Mugs {next(NUMBERS)}"},
        "upload_file": lambda user, _sandbox: {"mockupUrls": [mockup_of(user)], "folderPath": f"/Shop {next(NUMBERS)}"},
    },
    without_scope={"scopes": "account_info.read"},
    exempt={
        quality.DETECTS_DELETES: "Nothing is imported from Dropbox.",
        "test_scopes_that_the_owner_refused_are_named": "Dropbox lets its user allow all scopes or none.",
    },
)
FIXTURE = Path(__file__).parent / "fixtures" / "dropbox" / "list_folder.json"
MEBIBYTE = 1024 * 1024

pytestmark = pytest.mark.usefixtures("context", "_short_pauses")


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


@dataclass
class Hand(Unwatched):
    """The watch of an upload under test: hands out pictures, remembers, and notes the progress."""

    pictures: Mapping[str, Picture] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict)
    steps: list[tuple[int, int | None]] = field(default_factory=list)

    def picture(self, address: str) -> Picture:
        return self.pictures[address]

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self.memo:
            self.memo[name] = make()
        return self.memo[name]

    def forget(self, name: str) -> None:
        self.memo.pop(name, None)

    def progress(self, done: int, total: int | None) -> None:
        self.steps.append((done, total))


@dataclass
class Striped:
    """A large picture that is nowhere whole; notes how much was asked for at once."""

    size: int
    asked: list[int] = field(default_factory=list)

    def picture(self, filename: str = "big.png") -> Picture:
        return Picture(filename, "image/png", filename, self.size, self.read)

    def read(self, start: int, most: int) -> bytes:
        self.asked.append(most)
        end = min(start + most, self.size)
        return b"".join(
            bytes([at // MEBIBYTE % 251]) * (min(at + MEBIBYTE, end) - at) for at in self._stripes(start, end)
        )

    def _stripes(self, start: int, end: int) -> Iterator[int]:
        yield from ([start] if start < end else [])
        yield from range((start // MEBIBYTE + 1) * MEBIBYTE, end, MEBIBYTE)


@pytest.fixture
def connection(ada: User, connect: Walker) -> Connection:
    return connect(ada, "dropbox")


@pytest.fixture
def api(connection: Connection) -> Client:
    return client.of_connection(connection, doing="saving files", watch=Hand())


@pytest.fixture
def member(ada: User, sandbox: Sandbox) -> Connection:
    """Ada's connection to an account that belongs to a team."""
    departure = connections.begin(Caller(ada.id), "dropbox", {})
    connections.come_back(sandbox.consent(departure.url, require_role="work"), Caller(ada.id))
    return connections.connected(ada.id, "dropbox")


def run_of(user: User, operation: str, queue: Queue, **values: Any) -> Run:
    run = runs.start(user.id, "dropbox", operation, values, Trigger.API)
    queue.run_all()
    fresh_view()
    return db.session.get_one(Run, run.id, populate_existing=True)


def done(run: Run) -> dict[str, Any]:
    assert run.status is RunStatus.SUCCEEDED, f"{run.error_kind}: {run.error_detail}"
    assert run.result is not None
    return run.result


def upload(api: Client, *pictures: Picture, **values: Any) -> Any:
    """Save pictures as the operation does; returns its answer."""
    hand = api.watch
    assert isinstance(hand, Hand)
    hand.pictures = {str(number): picture for number, picture in enumerate(pictures)}
    wanted = {"mockupUrls": list(hand.pictures), "folderId": None, "folderPath": ""} | values
    return uploads.upload_file(api, wanted)


def small(content: bytes = b"picture", filename: str = "mug.png") -> Picture:
    return Picture.of(content, filename=filename, content_type="image/png")


def entries(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """All that Dropbox holds of Ada's, by path."""
    state = sandbox.state("dropbox", "entries")
    namespaces = [entry["namespace"] for entry in state if entry["path_display"] == "/Getting Started.txt"]
    return {entry["path_display"]: entry for entry in state if entry["namespace"] in namespaces}


def control(sandbox: Sandbox, call: str, **wanted: Any) -> None:
    sandbox._control("POST", f"dropbox/{call}", json=wanted)


# -- errors


@pytest.mark.parametrize(
    ("status", "error", "meaning"),
    [
        (401, "expired_access_token", Meaning.TOKEN_EXPIRED),
        (401, "invalid_access_token", Meaning.TOKEN_EXPIRED),
        (401, "user_suspended", Meaning.TOKEN_EXPIRED),
        (401, "missing_scope", Meaning.SCOPE_MISSING),
        (401, "route_access_denied", Meaning.REFUSED),
        (403, "invalid_account_type/feature", Meaning.REFUSED),
        (409, "path/insufficient_space", Meaning.FULL),
        (409, "path/not_found", Meaning.NOT_FOUND),
        (409, "path/not_folder", Meaning.NOT_FOUND),
        (409, "path/malformed_path", Meaning.REFUSED),
        (409, "path/disallowed_name", Meaning.REFUSED),
        (409, "path/conflict/file", Meaning.REFUSED),
        (409, "path/no_write_permission", Meaning.REFUSED),
        (409, "too_many_write_operations", Meaning.THROTTLED),
        (409, "path/too_many_write_operations", Meaning.THROTTLED),
        (409, "something_new", Meaning.REFUSED),
        (422, "invalid_root", Meaning.REFUSED),
        (429, "too_many_requests", Meaning.THROTTLED),
    ],
)
@pytest.mark.parametrize("dots", ["", ".", "..."])
def test_the_summary_tells_what_a_refusal_means(status: int, error: str, meaning: Meaning, dots: str) -> None:
    body = {"error_summary": f"{error}/{dots}", "error": {".tag": error.partition("/")[0]}}

    fault = classify(dropbox.PROVIDER.faults, Answer(status, {}, json.dumps(body).encode(), ""))

    assert fault is not None
    assert fault.meaning is meaning
    assert fault.text == f"{error}/{dots}"


def test_a_malformed_call_keeps_no_words_that_could_quote_the_token() -> None:
    text = b'Error in call to API function "files/upload": Invalid authorization value: "Bearer sl.secret"'

    fault = classify(dropbox.PROVIDER.faults, Answer(400, {"content-type": "text/plain"}, text, ""))

    assert fault is not None
    assert (fault.meaning, fault.text) == (Meaning.REFUSED, "")


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({}, {"error": {"reason": {".tag": "too_many_requests"}, "retry_after": 300}}, 300),
        ({"retry-after": "7"}, None, 7),
        ({}, None, None),
    ],
)
def test_the_wait_stands_in_body_or_header(headers: dict[str, str], body: Any, wait: float | None) -> None:
    content = json.dumps(body).encode() if body else b"too_many_requests/"

    fault = classify(dropbox.PROVIDER.faults, Answer(429, headers, content, ""))

    assert fault is not None
    assert (fault.meaning, fault.wait_s) == (Meaning.THROTTLED, wait)


# -- names


@pytest.mark.parametrize(
    ("filename", "kept"),
    [
        ("mug.png", "mug.png"),
        ("Grüße 😀.png", "Grüße 😀.png"),
        ("a/b\\c\x7f\n.png", "a-b-c--.png"),
        (" . ", "picture"),
        ("", "picture"),
        ("end .", "end"),
    ],
)
def test_a_file_name_is_one_that_dropbox_takes(filename: str, kept: str) -> None:
    assert uploads.cleaned(filename) == kept


def test_names_are_tried_in_one_order_and_never_too_long() -> None:
    paths = list(uploads.free_paths("/Shop", small(filename="x" * 300 + ".png")))

    assert paths[:2] == ["/Shop/" + "x" * 251 + ".png", "/Shop/" + "x" * 247 + " (1).png"]
    assert len(set(paths)) == len(paths) == uploads.MOST_NAMES
    assert all(len(path.rpartition("/")[2]) == 255 for path in paths)


@pytest.mark.parametrize(
    ("filename", "first"),
    [
        ("mug", "/mug"),
        (".png", "/png"),
        ("a." + "x" * 300, "/a." + "x" * 253),
        ("x" * 254 + " tail", "/" + "x" * 254),
        ("😀" * 300 + ".png", "/" + "😀" * 251 + ".png"),
    ],
)
def test_a_name_that_is_too_long_keeps_its_extension(filename: str, first: str) -> None:
    assert next(uploads.free_paths("", small(filename=filename))) == first


@pytest.mark.parametrize(
    ("typed", "path"),
    [("", ""), ("/", ""), ("Shop", "/Shop"), ("/Shop/Mugs/", "/Shop/Mugs"), ("//a// b /", "/a/ b ")],
)
def test_a_path_is_written_as_dropbox_writes_it(typed: str, path: str) -> None:
    assert folders.as_path(typed) == path


def test_an_argument_in_a_header_is_pure_ascii(api: Client, sandbox: Sandbox) -> None:
    result = upload(api, small(filename="Grüße 😀 (neu).png"))

    assert result["files"][0]["name"] == "Grüße 😀 (neu).png"
    assert "/Grüße 😀 (neu).png" in entries(sandbox)


def test_a_recorded_list_is_read() -> None:
    recorded = json.loads(FIXTURE.read_text("utf-8"))["answer"]

    class Recorded(Unwatched):
        settings: Mapping[str, Any] = {}

        def send(self, _request: object) -> Answer:
            return Answer(200, {}, json.dumps(recorded).encode(), "")

        def read(self, answer: Answer, shape: Any) -> Any:
            return Client.read(self, answer, shape)  # type: ignore[arg-type]  # reads without the rest of a client

    values = {"folderId": None, "folderPath": "", "search": None, "cursor": None, "limit": 500}
    listed = folders.list_folders(Recorded(), values)  # type: ignore[arg-type]  # it only sends and reads

    assert listed == {
        "folders": [{"id": "id:a4ayc_80_OEAAAAAAAAAXz", "name": "math", "path": "/Homework/math"}],
        "nextCursor": None,
    }


# -- folders


def test_a_folder_is_made_and_found_again(ada: User, connection: Connection, queue: Queue) -> None:
    made = done(run_of(ada, "create_folder", queue, folderName="Ada's 😀 mugs", folderPath="Shop/New"))
    inner = done(run_of(ada, "create_folder", queue, folderName="Inner", folderId=made["folderId"]))

    again = done(run_of(ada, "create_folder", queue, folderName="ADA'S 😀 MUGS", folderPath="/shop/new/"))
    inside = done(run_of(ada, "list_folders", queue, folderId=made["folderId"]))
    searched = done(run_of(ada, "list_folders", queue, search="mugs"))

    assert connection.settings["space"] == "home"
    assert made["folderPath"] == "/Shop/New/Ada's 😀 mugs"
    assert made["url"] == "https://www.dropbox.com/home/Shop/New/Ada%27s%20%F0%9F%98%80%20mugs"
    assert (again["folderId"], again["folderPath"]) == (made["folderId"], made["folderPath"])
    assert inside["folders"] == [{"id": inner["folderId"], "name": "Inner", "path": inner["folderPath"]}]
    assert [folder["id"] for folder in searched["folders"]] == [made["folderId"]]


@pytest.mark.parametrize("name", ["a/b", "a\\b", "x" * 256])
def test_a_folder_name_that_cannot_be_is_noted_beside_its_field(ada: User, connect: Walker, name: str) -> None:
    connect(ada, "dropbox")

    with pytest.raises(Invalid) as refused:
        runs.start(ada.id, "dropbox", "create_folder", {"folderName": name}, Trigger.API)

    assert set(refused.value.fields) == {"folderName"}


def test_a_file_in_the_way_of_a_folder_is_told(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "dropbox")

    run = run_of(ada, "create_folder", queue, folderName="Getting Started.txt")

    assert run.error_kind == "PlatformError"
    assert "path/conflict/file" in str(run.error_detail)


def test_folders_come_in_pages_even_behind_empty_ones(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "dropbox")
    control(sandbox, "empty-pages", count=2)

    first = done(run_of(ada, "list_folders", queue, limit=2))
    second = done(run_of(ada, "list_folders", queue, limit=2, cursor=first["nextCursor"]))
    third = done(run_of(ada, "list_folders", queue, limit=2, cursor=second["nextCursor"]))

    pages = [[folder["name"] for folder in page["folders"]] for page in (first, second, third)]
    assert pages == [["Archive", "Designs"], ["Mockups"], ["Photos"]]
    assert third["nextCursor"] is None


def test_pages_without_folders_are_passed_over(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "dropbox")
    control(sandbox, "empty-pages", count=folders.PAGES_AT_ONCE + 1)

    first = done(run_of(ada, "list_folders", queue, limit=2))
    second = done(run_of(ada, "list_folders", queue, limit=2, cursor=first["nextCursor"]))

    assert first["folders"] == []
    assert [folder["name"] for folder in second["folders"]] == ["Archive", "Designs"]


def test_a_search_comes_in_pages(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "dropbox")
    for number in range(3):
        done(run_of(ada, "create_folder", queue, folderName=f"Mug {number}"))

    first = done(run_of(ada, "list_folders", queue, search="mug", limit=2))
    second = done(run_of(ada, "list_folders", queue, search="mug", limit=2, cursor=first["nextCursor"]))

    assert [folder["name"] for folder in first["folders"] + second["folders"]] == ["Mug 0", "Mug 1", "Mug 2"]
    assert second["nextCursor"] is None


def test_a_list_whose_cursor_was_reset_begins_anew(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "dropbox")
    first = done(run_of(ada, "list_folders", queue, limit=2))
    sandbox._control("DELETE", "dropbox/cursors", json={})

    again = done(run_of(ada, "list_folders", queue, limit=2, cursor=first["nextCursor"]))

    assert again["folders"] == first["folders"]
    assert again["nextCursor"] != first["nextCursor"]


def test_a_folder_that_is_gone_is_told_so(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "dropbox")
    folder = next(entry for entry in done(run_of(ada, "list_folders", queue))["folders"] if entry["name"] == "Designs")
    control(sandbox, "delete", path="/Designs")

    saving = run_of(ada, "upload_file", queue, mockupUrls=[mockup_of(ada)], folderId=folder["id"])
    listing = run_of(ada, "list_folders", queue, folderId=folder["id"])

    assert (saving.error_kind, listing.error_kind) == ("NotFoundThere", "NotFoundThere")


# -- spaces


def test_a_team_offers_its_space_and_waits_for_a_choice(member: Connection, ada: User) -> None:
    offered = connections.offer(member, dropbox.PROVIDER.settings[0].pick)  # type: ignore[arg-type]  # it has one

    assert [option.label for option in offered.options] == ["Ben", "Acme"]
    assert connections.missing_choices(member) == (dropbox.PROVIDER.settings[0],)
    with pytest.raises(Conflict) as refused:
        runs.start(ada.id, "dropbox", "list_folders", {}, Trigger.API)
    assert "Choose first" in refused.value.sentence


@pytest.mark.parametrize(
    ("chosen", "names", "address"),
    [
        (0, {"Archive", "Designs", "Mockups", "Photos"}, "https://www.dropbox.com/home/Ben/New?preview="),
        (1, {"Ben", "Marketing", "Products"}, "https://www.dropbox.com/home/New?preview="),
    ],
)
def test_paths_are_those_of_the_chosen_space(
    member: Connection, ada: User, queue: Queue, chosen: int, names: set[str], address: str
) -> None:
    offered = connections.offer(member, dropbox.PROVIDER.settings[0].pick)  # type: ignore[arg-type]  # it has one
    connections.change_settings(ada.id, "dropbox", {"space": offered.options[chosen].value})

    listed = done(run_of(ada, "list_folders", queue))
    saved = done(run_of(ada, "upload_file", queue, mockupUrls=[mockup_of(ada)], folderPath="/New"))

    assert {folder["name"] for folder in listed["folders"]} == names
    assert saved["fileUrls"][0].startswith(address)


def test_a_space_that_is_no_longer_there_is_told(member: Connection, ada: User, queue: Queue) -> None:
    offered = connections.offer(member, dropbox.PROVIDER.settings[0].pick)  # type: ignore[arg-type]  # it has one
    connections.change_settings(ada.id, "dropbox", {"space": offered.options[1].value})
    api = client.of_connection(connections.connected(ada.id, "dropbox"))
    api.settings = {"space": "12345"}

    with pytest.raises(PlatformError) as refused:
        calls.look(api, "/Products")

    assert refused.value.sentence == dropbox.STALE_SPACE


def test_a_folder_outside_of_the_chosen_space_is_not_written_to(member: Connection, ada: User) -> None:
    offered = connections.offer(member, dropbox.PROVIDER.settings[0].pick)  # type: ignore[arg-type]  # it has one
    api = client.of_connection(member, watch=Hand())
    api.settings = {"space": offered.options[1].value}
    values = {"folderId": None, "folderPath": "", "search": None, "cursor": None, "limit": 500}
    shared = next(each for each in folders.list_folders(api, values)["folders"] if each["name"] == "Products")
    api.settings = {"space": "home"}

    with pytest.raises(NotFoundThere):
        upload(api, small(), folderId=shared["id"])


# -- uploads


def test_a_small_picture_is_saved_in_one_request(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "dropbox")
    folder = done(run_of(ada, "create_folder", queue, folderName="Mugs"))

    result = done(run_of(ada, "upload_file", queue, mockupUrls=[mockup_of(ada)], folderId=folder["folderId"]))

    (file,) = [each for path, each in entries(sandbox).items() if path.startswith("/Mugs/")]
    assert result["files"] == [{"id": file["id"], "name": file["name"]}]
    assert (result["folderId"], result["folderPath"]) == (folder["folderId"], "/Mugs")
    assert result["fileUrls"] == [f"https://www.dropbox.com/home/Mugs?preview={file['name']}"]
    assert len(sandbox.received("dropbox", operation="files/upload")) == 1


def test_other_bytes_of_the_same_name_get_a_number(api: Client, sandbox: Sandbox) -> None:
    first = upload(api, small(b"one"))
    second = upload(api, small(b"two"), small(b"three"))
    again = upload(api, small(b"two"))

    assert [file["name"] for file in first["files"] + second["files"]] == ["mug.png", "mug (1).png", "mug (2).png"]
    assert again["files"] == second["files"][:1]
    assert {entries(sandbox)[f"/{name}"]["size"] for name in ("mug.png", "mug (1).png", "mug (2).png")} == {3, 5}


def test_a_picture_without_a_byte_is_saved(api: Client, sandbox: Sandbox) -> None:
    upload(api, small(b""))

    assert entries(sandbox)["/mug.png"]["size"] == 0


@pytest.mark.parametrize("size", [uploads.AT_ONCE + 1, 5 * uploads.CHUNK, 5 * uploads.CHUNK + 7])
def test_a_large_picture_is_saved_in_chunks_and_never_held_whole(api: Client, sandbox: Sandbox, size: int) -> None:
    striped = Striped(size)

    result = upload(api, striped.picture())

    file = entries(sandbox)["/big.png"]
    assert (file["id"], file["size"]) == (result["files"][0]["id"], size)
    assert file["content_hash"] == uploads.content_hash(striped.picture())
    assert max(striped.asked) == uploads.CHUNK
    assert isinstance(api.watch, Hand)
    assert api.watch.steps[0] == (uploads.CHUNK, size)
    assert api.watch.steps[-2:] == [(size, size), (1, 1)]


@pytest.mark.parametrize("kind", ["lost_response", "server_error", "reset", "truncated"])
@pytest.mark.parametrize("function", ["files/upload", "upload_session/start", "append_v2", "upload_session/finish"])
def test_an_upload_that_is_disturbed_leaves_one_whole_file(
    api: Client, sandbox: Sandbox, kind: str, function: str
) -> None:
    size = 10 if function == "files/upload" else uploads.AT_ONCE + 10
    sandbox.fault("dropbox", kind, match=function, times=2)

    upload(api, Striped(size).picture())

    assert [path for path in entries(sandbox) if "big" in path] == ["/big.png"]
    assert entries(sandbox)["/big.png"]["content_hash"] == uploads.content_hash(Striped(size).picture())


def test_an_upload_goes_on_behind_the_last_confirmed_byte(api: Client, sandbox: Sandbox) -> None:
    striped = Striped(6 * uploads.CHUNK)
    sandbox.fault("dropbox", "reset", match="append_v2", times=0)
    with pytest.raises(NetworkError):
        upload(api, striped.picture())
    sandbox.clear_faults("dropbox")
    session = api.remember("session_0", str)
    for number in range(3):
        uploads.appended(api, session, number * uploads.CHUNK, striped.read(number * uploads.CHUNK, uploads.CHUNK))
    striped.asked.clear()

    upload(api, striped.picture())

    assert striped.asked == [uploads.CHUNK] * 3
    assert entries(sandbox)["/big.png"]["content_hash"] == uploads.content_hash(striped.picture())
    assert len(sandbox.received("dropbox", operation="files/upload_session/start")) == 1


def test_a_session_that_dropbox_lost_is_begun_anew(api: Client, sandbox: Sandbox) -> None:
    api.remember("session_0", lambda: "pid_upload_session:gone")

    with pytest.raises(NetworkError):
        upload(api, Striped(uploads.AT_ONCE + 1).picture())
    upload(api, Striped(uploads.AT_ONCE + 1).picture())

    assert entries(sandbox)["/big.png"]["size"] == uploads.AT_ONCE + 1


def test_a_commit_that_happened_before_a_kill_is_found(api: Client, sandbox: Sandbox) -> None:
    striped = Striped(uploads.AT_ONCE + 1)
    first = upload(api, striped.picture())

    again = upload(api, striped.picture())

    assert again == first
    assert [path for path in entries(sandbox) if "big" in path] == ["/big.png"]


def test_a_large_picture_whose_name_is_taken_is_sent_once(api: Client, sandbox: Sandbox) -> None:
    upload(api, small(b"other", "big.png"))

    result = upload(api, Striped(uploads.AT_ONCE + 1).picture())

    sent = sandbox.received("dropbox", operation="files/upload_session/append_v2")
    assert result["files"][0]["name"] == "big (1).png"
    assert len(sent) == 4  # the question how far it is, and three chunks


def test_a_picture_that_has_lost_bytes_is_not_waited_for(api: Client, sandbox: Sandbox) -> None:
    cut = Picture("big.png", "image/png", "big", uploads.AT_ONCE + 1, Striped(uploads.AT_ONCE).read)

    with pytest.raises(NetworkError):
        upload(api, cut)

    assert "/big.png" not in entries(sandbox)


@pytest.mark.parametrize("size", [100, uploads.AT_ONCE + 1])
def test_a_full_space_is_told(api: Client, sandbox: Sandbox, size: int) -> None:
    control(sandbox, "quota", limit=50)

    with pytest.raises(QuotaFull):
        upload(api, Striped(size).picture())

    assert "/big.png" not in entries(sandbox)


def test_what_was_saved_before_a_refusal_is_named(api: Client, sandbox: Sandbox) -> None:
    control(sandbox, "quota", limit=60)

    with pytest.raises(PartlyDone) as partly:
        upload(api, small(b"1234567890", "one.png"), small(b"x" * 50, "two.png"))

    assert partly.value.params["done"] == "one.png"
    assert "no room left" in partly.value.params["reason"]
    assert "/one.png" in entries(sandbox)


def test_nobody_tries_names_for_ever(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_NAMES", 2)
    upload(api, small(b"one"), small(b"two"))

    with pytest.raises(PlatformError) as refused:
        upload(api, small(b"three"))

    assert refused.value.sentence == uploads.NAME_TAKEN


# -- the grant


def test_disconnecting_revokes_at_dropbox(ada: User, connection: Connection, sandbox: Sandbox) -> None:
    assert connections.disconnect(ada.id, "dropbox")

    (revoked,) = sandbox.received("dropbox", operation="auth/token/revoke")
    assert revoked["status"] == 200


def test_offline_access_is_asked_for(ada: User) -> None:
    departure = connections.begin(Caller(ada.id), "dropbox", {})

    assert "token_access_type=offline" in departure.url
    assert "code_challenge_method=S256" in departure.url
