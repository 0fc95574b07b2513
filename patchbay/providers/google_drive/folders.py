"""Folders that Patchbay has made: listed, searched and made."""

from collections.abc import Mapping
from typing import Any

from patchbay.providers.google_drive.calls import API, FILE_FIELDS, FileList, made, new_file_id, placed
from patchbay.spec import Api, Request

FOLDER = "application/vnd.google-apps.folder"


def list_folders(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the folders that Patchbay has made, by name; inside `folderId` where that is given."""
    query = f"mimeType='{FOLDER}' and trashed=false"
    if values["folderId"]:
        query += f" and '{quoted(values['folderId'])}' in parents"
    if values["search"]:
        query += f" and name contains '{quoted(values['search'])}'"
    params = {
        "q": query,
        "pageSize": str(values["limit"]),
        "orderBy": "name",
        "fields": f"nextPageToken,files({FILE_FIELDS})",
    }
    if values["cursor"]:
        params["pageToken"] = values["cursor"]
    found = api.read(api.send(Request("GET", f"{API}/files", params=params)), FileList)
    folders = [{"id": folder.id, "name": folder.name, "url": folder.web_view_link} for folder in found.files]
    return {"folders": folders, "nextCursor": found.next_page_token}


def create_folder(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Make a folder. Names need not be unique at Drive, so its id is fetched first: a repeat then finds it made."""
    folder_id = new_file_id(api, "folder_id")
    body = {"id": folder_id, "name": values["folderName"], "mimeType": FOLDER, **placed(values)}
    request = Request(
        "POST", f"{API}/files", params={"fields": FILE_FIELDS}, json=body, is_repeatable=True, accept=(409,)
    )
    folder = made(api, api.send(request), folder_id)
    return {"folderId": folder.id, "folderPath": folder.name, "url": folder.web_view_link}


def folder_id(text: str) -> str:
    """The id in the address of a folder's page; anything else as it is."""
    return text.partition("?")[0].rpartition("/folders/")[2] if text.startswith("https://") else text


def quoted(text: str) -> str:
    """Text inside a `q` string."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
