"""An app that speaks to the sandbox's Dropbox over plain HTTP, in the styles of its API.

What it should be told is for the tests beside this file to say.
"""

import json
from typing import Any

import requests


class Account:
    """A token of one account; `root` is what paths are relative to (the header Dropbox-API-Path-Root)."""

    def __init__(self, url: str, root: dict[str, str] | None = None, **wanted: str) -> None:
        self.url = url
        self.root = root
        answer = requests.post(f"{url}/_sandbox/dropbox/token", json=wanted, timeout=10)
        assert answer.status_code == 200, answer.text
        self.tokens: dict[str, Any] = answer.json()

    def rpc(self, function: str, argument: Any = None, **headers: str) -> requests.Response:
        """A call with its argument in the body."""
        body = json.dumps(argument)
        return self.post("api", function, body, {"Content-Type": "application/json"} | headers)

    def upload(self, function: str, argument: Any, body: bytes, **headers: str) -> requests.Response:
        """A call with its argument in a header and bytes in the body."""
        said = {"Content-Type": "application/octet-stream", "Dropbox-API-Arg": json.dumps(argument)}
        return self.post("content", function, body, said | headers)

    def download(self, path: str) -> requests.Response:
        """The bytes of a file."""
        return self.post("content", "files/download", None, {"Dropbox-API-Arg": json.dumps({"path": path})})

    def post(self, host: str, function: str, body: Any, headers: dict[str, str]) -> requests.Response:
        """A call in whatever form."""
        own = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        if self.root is not None:
            own["Dropbox-API-Path-Root"] = json.dumps(self.root)
        address = f"{self.url}/{host}.dropboxapi.com/2/{function}"
        return requests.post(address, data=body, headers=own | headers, timeout=20)

    def save(self, path: str, body: bytes, **commit: Any) -> dict[str, Any]:
        """The metadata of a file made by files/upload."""
        answer = self.upload("files/upload", {"path": path, **commit}, body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def paths(self, path: str = "", **wanted: Any) -> list[str]:
        """The display paths of a whole list."""
        page = self.rpc("files/list_folder", {"path": path, **wanted}).json()
        found = [entry["path_display"] for entry in page["entries"]]
        while page["has_more"]:
            page = self.rpc("files/list_folder/continue", {"cursor": page["cursor"]}).json()
            found += [entry["path_display"] for entry in page["entries"]]
        return found


def error_of(answer: requests.Response, status: int = 409) -> Any:
    """The tagged union of an error answer, whose summary must begin with its outermost tag."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Dropbox-Request-Id"]
    body = answer.json()
    assert body["error_summary"].rstrip(".").endswith("/")
    return body["error"]


def tags_of(answer: requests.Response, status: int = 409) -> str:
    """The same, as `path/conflict/folder`."""
    error_of(answer, status)
    return str(answer.json()["error_summary"]).rstrip(".").rstrip("/")
