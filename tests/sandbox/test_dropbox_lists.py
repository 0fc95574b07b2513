"""Dropbox's lists over HTTP: pages, cursors and their reset, what changed since, search."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.sandbox.dropbox_account import Account, tags_of

FIRST = ["/Archive", "/Designs", "/Getting Started.txt", "/Mockups", "/Photos"]


@pytest.fixture
def ada(url: str) -> Account:
    return Account(url)


def listed(ada: Account, **wanted: Any) -> Any:
    return ada.rpc("files/list_folder", {"path": "", **wanted}).json()


def going_on(ada: Account, cursor: str) -> requests.Response:
    return ada.rpc("files/list_folder/continue", {"cursor": cursor})


def test_a_list_comes_in_pages(ada: Account) -> None:
    first = listed(ada, limit=3)
    second = going_on(ada, first["cursor"]).json()

    assert [entry["path_display"] for entry in first["entries"]] == FIRST[:3]
    assert [entry["path_display"] for entry in second["entries"]] == FIRST[3:]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert [entry[".tag"] for entry in first["entries"]] == ["folder", "folder", "file"]


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_a_recursive_list_tells_everything_once(ada: Account, limit: int) -> None:
    found = ada.paths(recursive=True, limit=limit)

    assert sorted(found) == sorted([*FIRST, "/Designs/Logos", "/Designs/Patterns", "/Mockups/2026"])
    assert len(found) == len(set(found))


def test_a_cursor_at_the_end_tells_what_changed_since(ada: Account) -> None:
    cursor = listed(ada)["cursor"]
    ada.save("/new.txt", b"x")
    ada.save("/Designs/below.txt", b"x")
    ada.rpc("files/delete_v2", {"path": "/Archive"})

    changed = going_on(ada, cursor).json()
    after = going_on(ada, changed["cursor"]).json()

    assert [(entry[".tag"], entry["name"]) for entry in changed["entries"]] == [
        ("file", "new.txt"),
        ("deleted", "Archive"),
    ]
    assert (after["entries"], after["has_more"]) == ([], False)


def test_the_latest_cursor_skips_what_is_there(ada: Account) -> None:
    cursor = ada.rpc("files/list_folder/get_latest_cursor", {"path": "", "recursive": True}).json()["cursor"]
    ada.save("/Designs/below.txt", b"x")

    assert [entry["name"] for entry in going_on(ada, cursor).json()["entries"]] == ["below.txt"]


def test_deleted_entries_are_listed_when_asked_for(ada: Account) -> None:
    ada.rpc("files/delete_v2", {"path": "/Archive"})

    tags = {entry["name"]: entry[".tag"] for entry in listed(ada, include_deleted=True)["entries"]}

    assert tags["Archive"] == "deleted"


def test_a_reset_cursor_says_so(ada: Account) -> None:
    cursor = listed(ada, limit=1)["cursor"]
    requests.delete(f"{ada.url}/_sandbox/dropbox/cursors", json={}, timeout=10)

    assert tags_of(going_on(ada, cursor)) == "reset"


def test_a_cursor_of_a_folder_that_is_gone_finds_nothing(ada: Account) -> None:
    cursor = listed(ada, path="/Designs", limit=1)["cursor"]
    ada.rpc("files/delete_v2", {"path": "/Designs"})

    assert tags_of(going_on(ada, cursor)) == "path/not_found"


@pytest.mark.parametrize("cursor", ["made up", "AA", "AA" + "x" * 80, "ü"])
def test_an_invented_cursor_is_malformed(ada: Account, cursor: str) -> None:
    answer = going_on(ada, cursor)

    assert answer.status_code == 400
    assert 'Invalid "cursor" parameter' in answer.text


def test_a_page_may_be_empty_though_there_is_more(ada: Account) -> None:
    requests.post(f"{ada.url}/_sandbox/dropbox/empty-pages", json={"count": 1}, timeout=10)

    first = listed(ada)
    second = going_on(ada, first["cursor"]).json()

    assert (first["entries"], first["has_more"]) == ([], True)
    assert [entry["path_display"] for entry in second["entries"]] == FIRST


@pytest.mark.parametrize(
    ("path", "tags"),
    [("/nowhere", "path/not_found"), ("/Getting Started.txt", "path/not_folder"), ("ns:99", "path/not_found")],
)
def test_what_cannot_be_listed_is_told(ada: Account, path: str, tags: str) -> None:
    assert tags_of(ada.rpc("files/list_folder", {"path": path})) == tags


def test_a_long_poll_ends_at_a_change_and_takes_no_token(ada: Account) -> None:
    cursor = listed(ada)["cursor"]
    address = f"{ada.url}/notify.dropboxapi.com/2/files/list_folder/longpoll"

    with ThreadPoolExecutor(1) as threads:
        polled = threads.submit(requests.post, address, json={"cursor": cursor, "timeout": 30}, timeout=20)
        ada.save("/new.txt", b"x")

        assert polled.result().json() == {"changes": True}


def test_a_search_finds_names_page_by_page(ada: Account) -> None:
    for number in range(5):
        ada.rpc("files/create_folder_v2", {"path": f"/Shop/Blue mug {number}"})
    ada.save("/Shop/blue mug.png", b"x")
    options = {"filename_only": True, "file_categories": [{".tag": "folder"}], "max_results": 3}

    first = ada.rpc("files/search_v2", {"query": "MUG blue", "options": options}).json()
    second = ada.rpc("files/search/continue_v2", {"cursor": first["cursor"]}).json()

    found = [match["metadata"]["metadata"]["name"] for match in first["matches"] + second["matches"]]
    assert found == [f"Blue mug {number}" for number in range(5)]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert first["matches"][0]["metadata"][".tag"] == "metadata"


def test_a_search_can_be_kept_to_a_folder(ada: Account) -> None:
    inside = ada.rpc("files/search_v2", {"query": "2026", "options": {"path": "/Mockups"}}).json()
    outside = ada.rpc("files/search_v2", {"query": "2026", "options": {"path": "/Designs"}}).json()
    nowhere = ada.rpc("files/search_v2", {"query": "2026", "options": {"path": "/nowhere"}})

    assert (len(inside["matches"]), len(outside["matches"])) == (1, 0)
    assert tags_of(nowhere) == "path/not_found"
