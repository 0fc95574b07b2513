"""Pictures on their way in: at once, or in chunks that go on after a break; never over a file that is there.

Names that are taken by other bytes get a number. The same bytes at the same path are a success to Dropbox (`WriteMode`
in files.stone), and names are tried in the same order each time: so a repeat finds what an earlier try has made.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from patchbay.errors import N_, NetworkError, PlatformError
from patchbay.providers.dropbox.calls import Entry, begins, look, send_bytes
from patchbay.providers.dropbox.folders import parent_path, web_address, web_top
from patchbay.spec import Api, Picture, one_of_several

AT_ONCE = 8 * 1024 * 1024  # Dropbox takes 150 MiB at once; above this a session spares memory and can be resumed
CHUNK = 4 * 1024 * 1024  # the block of the content hash
LONGEST_NAME = 255
LONGEST_EXTENSION = 16
MOST_NAMES = 100
IN_THE_WAY = ("path/conflict/file/", "path/conflict/folder/")
NAME_TAKEN = N_("%(provider)s already has something of that name there. Nothing was replaced; choose another name.")


class Session(msgspec.Struct):
    session_id: str


def upload_file(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Save pictures to a folder (without one: to the top); those that were saved stay when a later one is refused."""
    folder, top, addresses = parent_path(api, values), web_top(api), values["mockupUrls"]
    files: list[Entry] = []
    for number, address in enumerate(addresses):
        with one_of_several("Dropbox", ", ".join(file.name for file in files)):
            files.append(saved(api, api.picture(address), folder, number))
        api.progress(number + 1, len(addresses))
    return {
        "fileUrls": [web_address(top, file.path_display) for file in files],
        "files": [{"id": file.id, "name": file.name} for file in files],
        "folderId": values["folderId"],
        "folderPath": folder or "/",
    }


def saved(api: Api, picture: Picture, folder: str, number: int) -> Entry:
    """The file that the picture has become."""
    if picture.size_bytes > AT_ONCE:
        return uploaded_in_chunks(api, picture, folder, number)
    for path in free_paths(folder, picture):
        answer = send_bytes(api, "files/upload", {"path": path}, picture.content, begins(*IN_THE_WAY))
        if answer.status == 200:
            return api.read(answer, Entry)
    raise all_taken(picture)


def uploaded_in_chunks(api: Api, picture: Picture, folder: str, number: int) -> Entry:
    """An upload session; after a break it goes on behind the last byte that Dropbox has."""
    name, total = f"session_{number}", picture.size_bytes
    session = api.remember(name, lambda: begun(api))
    offset = appended(api, session, 0, b"")  # nothing is sent: the answer says how far it has come
    while offset is not None and offset < total and (chunk := picture.read(offset, CHUNK)):
        offset = appended(api, session, offset, chunk)
        api.progress(min(offset or 0, total), total)
    file = committed(api, session, picture, folder) if offset is not None else None
    file = file or already_there(api, picture, folder)  # a commit whose answer was lost has ended the session
    if file is None:
        api.forget(name)
        raise NetworkError("Dropbox has dropped the upload session", provider="Dropbox")
    return file


def begun(api: Api) -> str:
    """A new session without any byte; it lives for a week."""
    return api.read(send_bytes(api, "files/upload_session/start", {}, b""), Session).session_id


def appended(api: Api, session: str, offset: int, chunk: bytes) -> int | None:
    """Send bytes; the offset to go on at, which Dropbox corrects, or None when the session is over."""
    argument = {"cursor": {"session_id": session, "offset": offset}}
    accepted = begins("incorrect_offset/", "not_found/", "closed/")
    answer = send_bytes(api, "files/upload_session/append_v2", argument, chunk, accepted)
    if answer.status == 200:
        return offset + len(chunk)
    corrected = answer.at("error", "correct_offset")
    return corrected if isinstance(corrected, int) and corrected != offset else None


def committed(api: Api, session: str, picture: Picture, folder: str) -> Entry | None:
    """The file made of a whole session; None when the session is over."""
    cursor = {"session_id": session, "offset": picture.size_bytes}
    for path in free_paths(folder, picture):
        argument = {"cursor": cursor, "commit": {"path": path}}
        accepted = begins(*IN_THE_WAY, "lookup_failed/")
        answer = send_bytes(api, "files/upload_session/finish", argument, b"", accepted)
        if answer.status == 200:
            return api.read(answer, Entry)
        if begins("lookup_failed/")(answer):
            return None
    raise all_taken(picture)


def already_there(api: Api, picture: Picture, folder: str) -> Entry | None:
    """The file with the picture's bytes, where an earlier try has made it."""
    wanted = content_hash(picture)
    for path in free_paths(folder, picture):
        entry = look(api, path)
        if entry is None or entry.content_hash == wanted:
            return entry
    return None


def content_hash(picture: Picture) -> str:
    """Dropbox's hash: SHA-256 over the SHA-256 digests of blocks of 4 MiB."""
    whole = hashlib.sha256()
    for start in range(0, picture.size_bytes, CHUNK):
        whole.update(hashlib.sha256(picture.read(start, CHUNK)).digest())
    return whole.hexdigest()


def free_paths(folder: str, picture: Picture) -> Iterator[str]:
    """The picture's path in the folder, then the same with numbers: always in the same order."""
    name = cleaned(picture.filename)
    stem, dot, extension = name.rpartition(".")
    stem, ending = (stem, dot + extension) if stem and len(extension) <= LONGEST_EXTENSION else (name, "")
    for number in range(MOST_NAMES):
        mark = f" ({number})" if number else ""
        yield f"{folder}/{stem[: LONGEST_NAME - len(mark) - len(ending)].rstrip()}{mark}{ending}"


def cleaned(filename: str) -> str:
    """A name as Dropbox takes it: no slash, no backslash, no control character, no space at the end."""
    name = "".join("-" if letter in "/\\\x7f" or letter < " " else letter for letter in filename)
    return name.strip(" .") or "picture"


def all_taken(picture: Picture) -> PlatformError:
    """Nobody has so many files of one name; better stop than look for ever."""
    return PlatformError(f"{MOST_NAMES} files named {picture.filename}", sentence=NAME_TAKEN, provider="Dropbox")
