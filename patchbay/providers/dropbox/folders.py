"""Spaces and folders: listed, searched, made, and where their owner sees them on the web.

What is put into them is in `uploads`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from patchbay.errors import NotFoundThere
from patchbay.providers.dropbox.calls import HOME, Entry, begins, call, current_account, look
from patchbay.spec import Api

WEB = "https://www.dropbox.com/home"
PAGES_AT_ONCE = 20


class Entries(msgspec.Struct):
    entries: list[Entry]
    cursor: str
    has_more: bool


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
    folders: list[Entry] = []
    for _ in range(PAGES_AT_ONCE):  # a page may hold no folder at all
        folders += [entry for entry in page.entries if entry.tag == "folder"]
        following = next_entries(api, page.cursor) if page.has_more and not folders else None
        if following is None:
            break
        page = following
    return {"folders": [shown(folder) for folder in folders], "nextCursor": page.cursor if page.has_more else None}


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
    path = f"{parent_path(api, values)}/{values['folderName']}"
    answer = call(api, "files/create_folder_v2", {"path": path}, accept_if=begins("path/conflict/folder/"))
    is_there = answer.status == 409
    folder = look(api, path) if is_there else api.read(answer, Created).metadata
    folder = folder or Entry(values["folderName"], path_display=path)
    return {
        "folderId": folder.id,
        "folderPath": folder.path_display,
        "url": web_address(api, folder.path_display, is_file=False),
    }


def parent_path(api: Api, values: Mapping[str, Any]) -> str:
    """The path of the folder that was named by id or by path, "" for the top."""
    if not values["folderId"]:
        return values["folderPath"] or ""
    folder = api.read(call(api, "files/get_metadata", {"path": values["folderId"]}), Entry)
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


def web_address(api: Api, path: str, *, is_file: bool) -> str:
    """Where its owner sees it: on the site a member's own space is a folder of the team's."""
    at_home = (api.settings.get("space") or HOME) == HOME
    above = api.remember("home_path", lambda: current_account(api).root_info.home_path) if at_home else ""
    folder, _, name = f"{above}{path}".rpartition("/") if is_file else (f"{above}{path}", "", "")
    return f"{WEB}{quote(folder)}" + (f"?preview={quote(name, safe='')}" if is_file else "")


def shown(folder: Entry) -> dict[str, str]:
    """A folder as an operation gives it out."""
    return {"id": folder.id, "name": folder.name, "path": folder.path_display}


def as_path(text: str) -> str:
    """What people type, as Dropbox writes a path: a slash in front, none behind; nothing for the top."""
    path = "/".join(part for part in text.strip().split("/") if part)
    return f"/{path}" if path else ""
