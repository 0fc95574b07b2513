"""Pictures on their way in: small ones at once, larger ones in chunks that go on behind the last confirmed byte.

Source: "Upload file data" in Drive's guide (read 2026-11-21).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from patchbay.errors import N_, NetworkError, OutcomeUnknown, ProviderUnavailable
from patchbay.providers.google_drive.calls import FILE_FIELDS, File, made, new_file_id, placed
from patchbay.spec import Answer, Api, Picture, Request, one_of_several

UPLOAD = "https://www.googleapis.com/upload/drive/v3/files"
MULTIPART_LIMIT = 5 * 1024 * 1024
CHUNK = 4 * 1024 * 1024  # a multiple of 256 KiB, as the resumable protocol asks
MOST_BREAKS = 4
"""So often an upload may break off at the same byte."""


def upload_file(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Save pictures to a folder (without one: to the top); those that were saved stay when a later one is refused."""
    files: list[File] = []
    for number, address in enumerate(values["mockupUrls"]):
        with one_of_several("Google Drive", ", ".join(file.name for file in files)):
            files.append(saved(api, api.picture(address), placed(values), number))
        api.progress(number + 1, len(values["mockupUrls"]))
    return {
        "fileUrls": [file.web_view_link for file in files],
        "files": [{"id": file.id, "name": file.name} for file in files],
        "folderId": values["folderId"],
    }


def saved(api: Api, picture: Picture, place: Mapping[str, Any], number: int) -> File:
    """The file that the picture has become."""
    if picture.size_bytes <= MULTIPART_LIMIT:
        return upload_at_once(api, picture, place, number)
    return upload_in_chunks(api, picture, place, number)


def upload_at_once(api: Api, picture: Picture, place: Mapping[str, Any], number: int) -> File:
    """Metadata and bytes in one `multipart/related` request (RFC 2387), made repeatable by an id fetched first."""
    file_id = new_file_id(api, f"file_id_{number}")
    metadata = msgspec.json.encode({"id": file_id, "name": picture.filename, **place})
    boundary = f"patchbay-{file_id}"
    head = f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n".encode()
    middle = f"\r\n--{boundary}\r\nContent-Type: {picture.content_type}\r\n\r\n".encode()
    request = Request(
        "POST",
        UPLOAD,
        params={"uploadType": "multipart", "fields": FILE_FIELDS},
        headers={"Content-Type": f"multipart/related; boundary={boundary}"},
        content=head + metadata + middle + picture.content + f"\r\n--{boundary}--".encode(),
        is_repeatable=True,
        accept=(409,),
    )
    return made(api, api.send(request), file_id)


def upload_in_chunks(api: Api, picture: Picture, place: Mapping[str, Any], number: int) -> File:
    """The resumable protocol: a session that outlives breaks and kills, and chunks until Drive has all."""
    name = f"session_{number}"
    session = api.remember(name, lambda: begin_session(api, picture, place))
    answer = sent(api, session, picture)
    if answer.status in {404, 410}:
        api.forget(name)
        raise NetworkError("Drive has dropped the upload session", provider="Google Drive")
    return api.read(answer, File)


def begin_session(api: Api, picture: Picture, place: Mapping[str, Any]) -> str:
    """Announce the upload; the session's address carries its own authority and lives for a week."""
    request = Request(
        "POST",
        UPLOAD,
        params={"uploadType": "resumable", "fields": FILE_FIELDS},
        headers={"X-Upload-Content-Type": picture.content_type, "X-Upload-Content-Length": str(picture.size_bytes)},
        json={"name": picture.filename, **place},
        is_repeatable=True,
    )
    return api.send(request).headers.get("location", "")


def sent(api: Api, session: str, picture: Picture) -> Answer:
    """Send what Drive does not have yet; the answer to the last byte. After a break Drive is asked what has arrived."""
    total, start, breaks = picture.size_bytes, 0, 0
    answer = how_far(api, session, total)
    while answer.status == 308:
        if confirmed(answer) > start:
            start, breaks = confirmed(answer), 0
        elif breaks == MOST_BREAKS:
            raise NetworkError(f"the upload breaks off at byte {start}", provider="Google Drive")
        api.progress(start, total)
        try:
            answer = put_chunk(api, session, picture, start)
        except (OutcomeUnknown, ProviderUnavailable):
            api.log(N_("The upload broke off; going on behind what has arrived."))
            api.pause(breaks)
            answer = how_far(api, session, total)
        breaks += 1
    return answer


def how_far(api: Api, session: str, total: int) -> Answer:
    """Ask how much has arrived."""
    return put(api, session, f"bytes */{total}", b"", is_repeatable=True)


def put_chunk(api: Api, session: str, picture: Picture, start: int) -> Answer:
    """Send one chunk, once: how much of it arrived when the answer is lost, Drive knows better than we."""
    chunk = picture.read(start, CHUNK)
    content_range = f"bytes {start}-{start + len(chunk) - 1}/{picture.size_bytes}"
    return put(api, session, content_range, chunk, is_repeatable=False)


def put(api: Api, session: str, content_range: str, content: bytes, *, is_repeatable: bool) -> Answer:
    """A request of the session, whose address carries its own authority."""
    return api.send(
        Request(
            "PUT",
            session,
            headers={"Content-Range": content_range},
            content=content,
            with_token=False,
            is_repeatable=is_repeatable,
            accept=(308, 404, 410),
        )
    )


def confirmed(answer: Answer) -> int:
    """The first byte that Drive does not have yet; without a Range header it has none."""
    _, _, last = answer.headers.get("range", "").rpartition("-")
    return int(last) + 1 if last.isdigit() else 0
