"""Spaces and folders: listed, searched, made, and where their owner sees them on the web.

What is put into them is in `uploads`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from patchbay.errors import NotFoundThere
from patchbay.providers.dropbox.calls import HOME, Entry, begins, call, current_account
from patchbay.spec import Api

WEB = "https://www.dropbox.com/home"
PAGES_AT_ONCE = 20


class Entries(msgspec.Struct):
    entries: list[Entry]
    cursor: str
    has_more: bool

    @property
    def folders(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.tag == "folder"]


class Created(msgspec.Struct):
    metadata: Entry


class Found(msgspec.Struct):
    metadata: Entry


class Match(msgspec.Struct):
    metadata: Found


class Matches(msgspec.Struct):
    matches: list[Match]
    has_more: bool
    cursor: str | None = None


def list_spaces(api: Api, _values: Mapping[str, Any]) -> dict[str, Any]:
    """Where files can be kept: the account's own space, and the team's where that is another."""
    account = current_account(api)
    spaces = [{"id": HOME, "name": account.name.display_name}]
    if account.root_info.root_namespace_id != account.root_info.home_namespace_id:
        team = account.team.name if account.team else account.root_info.root_namespace_id
        spaces.append({"id": account.root_info.root_namespace_id, "name": team})
    return {"spaces": spaces}


def list_folders(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the folders in a folder (else at the top); with `search`, of those below whose name fits."""
    if values["search"]:
        return search_folders(api, values)
    argument = {"path": values["folderId"] or values["folderPath"] or "", "limit": values["limit"]}
    page = next_entries(api, values["cursor"]) if values["cursor"] else None
    page = page or first_entries(api, argument)
    for _ in range(PAGES_AT_ONCE):
        if page.folders or not page.has_more:
            break  # else the page held files alone, or nothing at all
        page = next_entries(api, page.cursor) or first_entries(api, argument)
    return {"folders": [shown(folder) for folder in page.folders], "nextCursor": page.cursor if page.has_more else None}


def search_folders(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the folders whose name holds the words of `search`."""
    if values["cursor"]:
        answer = call(api, "files/search/continue_v2", {"cursor": values["cursor"]})
    else:
        options = {"filename_only": True, "file_categories": ["folder"], "max_results": min(values["limit"], 1000)}
        above = values["folderId"] or values["folderPath"]
        options |= {"path": above} if above else {}
        answer = call(api, "files/search_v2", {"query": values["search"], "options": options})
    page = api.read(answer, Matches)
    folders = [match.metadata.metadata for match in page.matches]
    return {"folders": [shown(folder) for folder in folders], "nextCursor": page.cursor if page.has_more else None}


def create_folder(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Make a folder, or find the one of that name that is there already."""
    path, top = f"{parent_path(api, values)}/{values['folderName']}", web_top(api)
    answer = call(api, "files/create_folder_v2", {"path": path}, accept_if=begins("path/conflict/folder/"))
    folder = api.read(answer, Created).metadata if answer.status == 200 else entry_at(api, path)
    return {"folderId": folder.id, "folderPath": folder.path_display, "url": top + quote(folder.path_display)}


def parent_path(api: Api, values: Mapping[str, Any]) -> str:
    """The path of the folder that was named by id or by path, "" for the top."""
    if not values["folderId"]:
        return values["folderPath"] or ""
    folder = entry_at(api, values["folderId"])
    if not folder.path_display:
        raise NotFoundThere("the folder is not in the chosen space", provider="Dropbox")
    return folder.path_display


def first_entries(api: Api, argument: Mapping[str, Any]) -> Entries:
    """The beginning of a list."""
    return api.read(call(api, "files/list_folder", argument), Entries)


def next_entries(api: Api, cursor: str) -> Entries | None:
    """How the list goes on; None when Dropbox has reset the cursor and the list must begin anew."""
    answer = call(api, "files/list_folder/continue", {"cursor": cursor}, accept_if=begins("reset/"))
    return api.read(answer, Entries) if answer.status == 200 else None


def entry_at(api: Api, place: str) -> Entry:
    """The entry at a path or with an id."""
    return api.read(call(api, "files/get_metadata", {"path": place}), Entry)


def web_top(api: Api) -> str:
    """The page on which their owner sees files: on the site a member's own space is a folder of the team's."""
    is_home = (api.settings.get("space") or HOME) == HOME
    above = api.remember("home_path", lambda: current_account(api).root_info.home_path) if is_home else ""
    return WEB + quote(above)


def web_address(top: str, path: str) -> str:
    """The page that shows a file."""
    folder, _, name = path.rpartition("/")
    return f"{top}{quote(folder)}?preview={quote(name, safe='')}"


def shown(folder: Entry) -> dict[str, str]:
    """A folder as an operation gives it out."""
    return {"id": folder.id, "name": folder.name, "path": folder.path_display}


def as_path(text: str) -> str:
    """What people type, as Dropbox writes a path: a slash in front, none behind; nothing for the top."""
    path = "/".join(part for part in text.strip().split("/") if part)
    return f"/{path}" if path else ""
