"""How Dropbox is spoken to: JSON calls, calls with bytes, the shapes of answers, and what a 409 says.

What is asked of it stands in `folders` and `uploads`; what its refusals mean, in the declaration.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from patchbay.spec import Answer, Api, Request

API = "https://api.dropboxapi.com/2"
CONTENT = "https://content.dropboxapi.com/2"
HOME = "home"


class Named(msgspec.Struct):
    display_name: str


class RootInfo(msgspec.Struct):
    root_namespace_id: str
    home_namespace_id: str
    home_path: str = ""


class Team(msgspec.Struct):
    name: str


class CurrentAccount(msgspec.Struct):
    account_id: str
    email: str
    name: Named
    root_info: RootInfo
    team: Team | None = None


class Entry(msgspec.Struct):
    name: str
    tag: str = msgspec.field(default="file", name=".tag")
    id: str = ""
    path_display: str = ""
    size: int = 0
    content_hash: str = ""


def current_account(api: Api) -> CurrentAccount:
    """The account behind the token."""
    answer = api.send(Request("POST", f"{API}/users/get_current_account", is_repeatable=True))
    return api.read(answer, CurrentAccount)


def look(api: Api, path: str) -> Entry | None:
    """What is at a path."""
    answer = call(api, "files/get_metadata", {"path": path}, accept_if=begins("path/not_found/"))
    return api.read(answer, Entry) if answer.status == 200 else None


def call(api: Api, function: str, argument: Any, *, accept_if: Callable[[Answer], bool] | None = None) -> Answer:
    """A function that takes and gives JSON."""
    return api.send(
        Request(
            "POST", f"{API}/{function}", headers=rooted(api), json=argument, is_repeatable=True, accept_if=accept_if
        )
    )


def send_bytes(
    api: Api,
    function: str,
    argument: Mapping[str, Any],
    content: bytes,
    accept_if: Callable[[Answer], bool] | None = None,
) -> Answer:
    """A function that takes bytes, its argument in a header: pure ASCII, as Dropbox's "JSON encoding" asks."""
    said = json.dumps(argument).replace("\x7f", "\\u007f")
    headers = {"Dropbox-API-Arg": said, "Content-Type": "application/octet-stream", **rooted(api)}
    url = f"{CONTENT}/{function}"
    return api.send(Request("POST", url, headers=headers, content=content, is_repeatable=True, accept_if=accept_if))


def rooted(api: Api) -> dict[str, str]:
    """The header that makes paths relative to the team's space, where that was chosen."""
    space = api.settings.get("space") or HOME
    return {} if space == HOME else {"Dropbox-API-Path-Root": json.dumps({".tag": "root", "root": space})}


def begins(*summaries: str) -> Callable[[Answer], bool]:
    """Whether an answer is the 409 of one of these; only the beginning of a summary is promised."""
    return lambda answer: answer.status == 409 and str(answer.at("error_summary") or "").startswith(summaries)
