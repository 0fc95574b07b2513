"""Google's own Python client, with the discovery document it brings along, against the sandbox.

Nothing of the sandbox is imported but its server: what the client understands is the proof.
"""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError, ResumableUploadError
from googleapiclient.http import MediaInMemoryUpload, MediaIoBaseDownload, MediaIoBaseUpload

from tests.conformance import discovery
from tests.conformance.recording import Record
from tests.conformance.transport import SandboxHttp, session
from tests.conformance.witness import Reading, Witness

WITNESS = Witness(
    platform="Google Drive",
    name="Google's Python client and the discovery document it brings",
    package="google-api-python-client",
    subject="the sandbox's answers",
)
UNWITNESSED = (
    "The consent page, its redirect and PKCE: no installed client walks them. The client does refresh tokens.",
    "Revocation (`/revoke`), and the errors of the token endpoint.",
    "Bodies of errors: the discovery document has no schema for them. The client reads status and reason.",
    "When Drive throttles.",
)
READING = Reading(discovery.drive().operations, discovery.drive().misfits)
FOLDER = "application/vnd.google-apps.folder"
TOKEN_URI = "https://oauth2.googleapis.com/token"
CHUNK = 256 * 1024


@pytest.fixture
def drive(url: str) -> Iterator[Any]:
    with client(url) as made:
        yield made


def client(url: str, **token: str) -> Any:
    answer = requests.post(f"{url}/_sandbox/google-drive/token", json=token, timeout=10).json()
    credentials = Credentials(  # type: ignore[no-untyped-call] # ships no types for it
        answer["access_token"],
        answer["refresh_token"],
        token_uri=TOKEN_URI,
        client_id="sandbox-google-drive",
        client_secret="sandbox-secret-google-drive",
    )
    http = AuthorizedHttp(credentials, http=SandboxHttp(url))
    return build("drive", "v3", http=http, static_discovery=True, cache_discovery=False)


def reason_of(error: HttpError) -> str:
    return str(json.loads(error.content)["error"]["errors"][0]["reason"])


def make(drive: Any, name: str, **metadata: Any) -> Any:
    return drive.files().create(body={"name": name, **metadata}, fields="*").execute()


def test_about_tells_user_and_quota(drive: Any) -> None:
    about = drive.about().get(fields="user(emailAddress,permissionId),storageQuota").execute()

    assert about["user"]["emailAddress"] == "ada@example.org"
    assert about["user"]["permissionId"].isdigit()
    assert int(about["storageQuota"]["limit"]) > int(about["storageQuota"]["usage"])


def test_about_without_fields_is_refused(drive: Any) -> None:
    with pytest.raises(HttpError) as refused:
        drive.about().get().execute()

    assert refused.value.status_code == 400
    assert reason_of(refused.value) == "required"


def test_folder_is_made_and_found_again(drive: Any) -> None:
    folder = make(drive, "Mockups", mimeType=FOLDER)

    found = drive.files().list(q=f"mimeType='{FOLDER}' and 'root' in parents and trashed=false").execute()

    assert [file["id"] for file in found["files"]] == [folder["id"]]
    assert set(found["files"][0]) == {"kind", "id", "name", "mimeType"}


def test_two_folders_may_bear_one_name(drive: Any) -> None:
    ids = {make(drive, "Same", mimeType=FOLDER)["id"] for _ in range(2)}

    found = drive.files().list(q="name = 'Same'").execute()

    assert {file["id"] for file in found["files"]} == ids


def test_a_quote_in_a_name_is_found_when_escaped(drive: Any) -> None:
    made = make(drive, "Ada's shirt")

    found = drive.files().list(q=r"name = 'Ada\'s shirt'").execute()

    assert [file["id"] for file in found["files"]] == [made["id"]]


def test_multipart_upload_keeps_every_byte(drive: Any) -> None:
    content = bytes(range(256)) * 40 + b"\r\n--x\r\n\n"
    media = MediaInMemoryUpload(content, mimetype="image/png")

    made = drive.files().create(body={"name": "mockup.png"}, media_body=media, fields="id,size,mimeType").execute()

    assert made["size"] == str(len(content))
    assert made["mimeType"] == "image/png"
    assert drive.files().get_media(fileId=made["id"]).execute() == content


def test_resumable_upload_goes_chunk_by_chunk(drive: Any) -> None:
    content = bytes(range(256)) * 3000
    media = MediaInMemoryUpload(content, mimetype="image/jpeg", chunksize=CHUNK, resumable=True)
    request = drive.files().create(body={"name": "big.jpg"}, media_body=media, fields="id,size,md5Checksum")
    progress: list[int] = []
    made = None

    while made is None:
        status, made = request.next_chunk()
        if status:
            progress.append(status.resumable_progress)

    assert progress == [CHUNK, 2 * CHUNK]
    assert made["size"] == str(len(content))
    assert drive.files().get_media(fileId=made["id"]).execute() == content


def test_resumable_upload_of_unknown_length_ends_well(drive: Any) -> None:
    class StreamUpload(MediaIoBaseUpload):  # type: ignore[misc] # the package ships no types
        def size(self) -> None:
            return None

        def has_stream(self) -> bool:
            return False

    media = StreamUpload(io.BytesIO(b"z" * (CHUNK + 10)), mimetype="text/plain", chunksize=CHUNK, resumable=True)

    made = drive.files().create(body={"name": "stream"}, media_body=media, fields="size").execute()

    assert made == {"size": str(CHUNK + 10)}


def test_empty_file_is_uploaded_resumably(drive: Any) -> None:
    media = MediaInMemoryUpload(b"", mimetype="text/plain", resumable=True)

    made = drive.files().create(body={"name": "empty"}, media_body=media, fields="size").execute()

    assert made == {"size": "0"}


def test_lost_session_is_an_error_for_the_client(drive: Any, url: str) -> None:
    media = MediaInMemoryUpload(b"a" * 2 * CHUNK, mimetype="text/plain", chunksize=CHUNK, resumable=True)
    request = drive.files().create(body={"name": "lost"}, media_body=media)
    request.next_chunk()
    requests.delete(f"{url}/_sandbox/google-drive/uploads", timeout=10)

    with pytest.raises((HttpError, ResumableUploadError)) as lost:
        request.next_chunk()

    assert lost.value.status_code == 404


def test_download_in_parts_gives_the_whole(drive: Any) -> None:
    content = bytes(range(256)) * 50
    media = MediaInMemoryUpload(content, mimetype="text/plain")
    made = drive.files().create(body={"name": "parts"}, media_body=media).execute()
    received = io.BytesIO()
    download = MediaIoBaseDownload(received, drive.files().get_media(fileId=made["id"]), chunksize=5000)
    done = False

    while not done:
        _, done = download.next_chunk()

    assert received.getvalue() == content


def test_listing_pages_to_the_end(drive: Any) -> None:
    names = {make(drive, f"file {number}")["name"] for number in range(7)}
    files = drive.files()
    request = files.list(pageSize=3, orderBy="name desc", fields="nextPageToken,files(name)")
    pages: list[list[str]] = []

    while request is not None:
        answer = request.execute()
        pages.append([file["name"] for file in answer["files"]])
        request = files.list_next(request, answer)

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [name for page in pages for name in page] == sorted(names, reverse=True)


def test_update_renames_and_moves(drive: Any) -> None:
    folder = make(drive, "Target", mimeType=FOLDER)
    file = make(drive, "draft")

    changed = (
        drive.files()
        .update(
            fileId=file["id"],
            body={"name": "final"},
            addParents=folder["id"],
            removeParents="root",
            fields="name,parents",
        )
        .execute()
    )

    assert changed == {"name": "final", "parents": [folder["id"]]}


def test_update_replaces_the_bytes(drive: Any) -> None:
    made = drive.files().create(body={"name": "v"}, media_body=MediaInMemoryUpload(b"one", "text/plain")).execute()

    drive.files().update(fileId=made["id"], media_body=MediaInMemoryUpload(b"second", "text/plain")).execute()

    assert drive.files().get_media(fileId=made["id"]).execute() == b"second"


def test_deleted_file_is_not_found(drive: Any) -> None:
    made = make(drive, "gone")
    drive.files().delete(fileId=made["id"]).execute()

    with pytest.raises(HttpError) as refused:
        drive.files().get(fileId=made["id"]).execute()

    assert refused.value.status_code == 404
    assert reason_of(refused.value) == "notFound"


def test_repeated_create_with_an_id_made_before_is_a_conflict(drive: Any) -> None:
    file_id = drive.files().generateIds(count=1).execute()["ids"][0]
    make(drive, "once", id=file_id)

    with pytest.raises(HttpError) as refused:
        make(drive, "once", id=file_id)

    assert refused.value.status_code == 409


def test_changes_tell_what_came_and_went(drive: Any) -> None:
    token = drive.changes().getStartPageToken().execute()["startPageToken"]
    kept, gone = make(drive, "kept"), make(drive, "gone")
    drive.files().delete(fileId=gone["id"]).execute()

    answer = drive.changes().list(pageToken=token).execute()

    assert [(change["fileId"], change["removed"]) for change in answer["changes"]] == [
        (kept["id"], False),
        (gone["id"], True),
    ]
    assert drive.changes().list(pageToken=answer["newStartPageToken"]).execute()["changes"] == []


def test_garbage_in_a_query_is_refused(drive: Any) -> None:
    with pytest.raises(HttpError) as refused:
        drive.files().list(q="name is great").execute()

    assert refused.value.status_code == 400
    assert reason_of(refused.value) == "invalid"


def test_client_refreshes_an_expired_token_by_itself(drive: Any, url: str) -> None:
    requests.post(f"{url}/_sandbox/google-drive/faults", json={"kind": "expired_token"}, timeout=10)

    about = drive.about().get(fields="user").execute()

    assert about["user"]["emailAddress"] == "ada@example.org"


def test_client_retries_a_throttled_call(drive: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("googleapiclient.http.LOGGER.warning", lambda *_: None)
    requests.post(f"{url}/_sandbox/google-drive/faults", json={"kind": "rate_limit"}, timeout=10)

    about = drive.about().get(fields="user").execute(num_retries=3)

    assert about["user"]["emailAddress"] == "ada@example.org"


def test_token_without_drive_scope_is_refused(url: str) -> None:
    with client(url, scopes="openid") as signed_in_only, pytest.raises(HttpError) as refused:
        signed_in_only.files().list().execute()

    assert refused.value.status_code == 403
    assert reason_of(refused.value) == "insufficientPermissions"


@pytest.mark.parametrize(
    "ask",
    [
        lambda drive, file_id: drive.files().get(fileId=file_id, fields="*"),
        lambda drive, _: drive.files().list(fields="*", pageSize=1),
        lambda drive, _: drive.changes().list(pageToken="1", fields="*"),
        lambda drive, _: drive.about().get(fields="*"),
        lambda drive, _: drive.files().generateIds(count=3),
        lambda drive, _: drive.changes().getStartPageToken(),
    ],
    ids=["files.get", "files.list", "changes.list", "about.get", "generateIds", "getStartPageToken"],
)
def test_whole_answers_fit_the_discovery_document(drive: Any, ask: Any, record: Record) -> None:
    media = MediaInMemoryUpload(b"content", mimetype="text/plain")
    body = {"name": "a.tar.gz", "description": "d", "properties": {"a": "b"}, "appProperties": {"c": "d"}}
    made = drive.files().create(body=body, media_body=media).execute()
    make(drive, "folder", mimeType=FOLDER)

    ask(drive, made["id"]).execute()

    assert discovery.drive().misfits(record.exchanges[-1]) == []


def test_unknown_token_is_refused(url: str) -> None:
    with session(url) as http:
        answer = http.get(
            "https://www.googleapis.com/drive/v3/files", headers={"Authorization": "Bearer ya29.nobody"}, timeout=10
        )

    assert answer.status_code == 401
    assert answer.json()["error"]["errors"][0]["reason"] == "authError"
