"""What Drive is asked by, the shapes of its answers, and ids that make a request safe to repeat.

What it is asked for stands in `folders` and `uploads`; what its refusals mean, in the declaration.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from patchbay.spec import Answer, Api, Request

API = "https://www.googleapis.com/drive/v3"
FILE_FIELDS = "id,name,webViewLink"


class File(msgspec.Struct, rename="camel"):
    id: str
    name: str
    web_view_link: str = ""


class FileList(msgspec.Struct, rename="camel"):
    files: list[File]
    next_page_token: str | None = None


class Ids(msgspec.Struct):
    ids: list[str]


def new_file_id(api: Api, name: str) -> str:
    """An id for a file to be made, kept under `name` so that a second try uses the same."""

    def fetch() -> str:
        params = {"count": "1", "fields": "ids"}
        return api.read(api.send(Request("GET", f"{API}/files/generateIds", params=params)), Ids).ids[0]

    return api.remember(name, fetch)


def made(api: Api, answer: Answer, file_id: str) -> File:
    """The file that was made now, or by an earlier try whose answer was lost (409: the id is taken)."""
    if answer.status == 409:
        answer = api.send(Request("GET", f"{API}/files/{file_id}", params={"fields": FILE_FIELDS}))
    return api.read(answer, File)


def placed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that puts a file into the folder."""
    return {"parents": [values["folderId"]]} if values["folderId"] else {}
