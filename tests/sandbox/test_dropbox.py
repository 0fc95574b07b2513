"""Dropbox's files and folders over HTTP: styles of calls, paths, conflicts, roots, errors, controls."""

import hashlib
import json
from typing import Any

import pytest
import requests

from tests.sandbox.dropbox_account import Account, error_of, tags_of

BLOCK = 4 * 1024 * 1024


@pytest.fixture
def ada(url: str) -> Account:
    return Account(url)


def member(url: str) -> Account:
    return Account(url, account="ben@acme.example")


def control(url: str, call: str, **wanted: Any) -> requests.Response:
    return requests.post(f"{url}/_sandbox/dropbox/{call}", json=wanted, timeout=20)


def test_an_account_tells_who_it_is(ada: Account) -> None:
    account = ada.rpc("users/get_current_account").json()

    assert account["email"] == "ada@example.org"
    assert account["account_id"] == ada.tokens["account_id"]
    assert len(account["account_id"]) == 40
    assert account["root_info"][".tag"] == "user"
    assert account["root_info"]["root_namespace_id"] == account["root_info"]["home_namespace_id"]


def test_a_function_without_argument_takes_no_body_too(ada: Account) -> None:
    answer = ada.post("api", "users/get_current_account", None, {})

    assert answer.status_code == 200


def test_every_call_is_a_post_on_its_own_host(ada: Account) -> None:
    headers = {"Authorization": f"Bearer {ada.tokens['access_token']}"}
    got = requests.get(f"{ada.url}/api.dropboxapi.com/2/files/list_folder", headers=headers, timeout=10)
    elsewhere = ada.post("content", "files/list_folder", '{"path": ""}', {"Content-Type": "application/json"})

    assert got.status_code == 405
    assert elsewhere.status_code == 400
    assert elsewhere.text == 'Unknown API function: "files/list_folder"'


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ({"Content-Type": "text/plain"}, "{}", 'Bad HTTP "Content-Type" header: "text/plain".'),
        ({"Content-Type": "application/json"}, "{", "request body: could not decode input as JSON"),
        ({"Content-Type": "application/json"}, "[]", "request body: expected object"),
        ({"Content-Type": "application/json"}, "{}", "missing required field `path`"),
        ({"Content-Type": "application/json"}, '{"path": "", "x": 1}', "unknown field `x`"),
        ({"Content-Type": "application/json"}, '{"path": "x"}', "matching regex"),
        ({"Content-Type": "application/json"}, '{"path": "/"}', 'Specify the root folder as an empty string'),
        ({"Content-Type": "application/json"}, '{"path": "", "limit": 2001}', "<= 2000"),
    ],
)  # fmt: skip
def test_a_malformed_call_is_refused_in_plain_text(ada: Account, headers: dict[str, str], body: str, said: str) -> None:
    answer = ada.post("api", "files/list_folder", body, headers)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith('Error in call to API function "files/list_folder": ')
    assert said in answer.text


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Content-Type": "application/octet-stream"}, 'Must provide HTTP header "Dropbox-API-Arg"'),
        ({"Content-Type": "application/json", "Dropbox-API-Arg": '{"path": "/a"}'}, 'Bad HTTP "Content-Type" header'),
        ({"Content-Type": "application/octet-stream", "Dropbox-API-Arg": '{"path": "/ü"}'}, "could not decode input"),
    ],
)
def test_an_upload_wants_an_escaped_argument_and_bytes(ada: Account, headers: dict[str, str], said: str) -> None:
    encoded = {name: value.encode("utf-8") for name, value in headers.items()}
    own = {"Authorization": f"Bearer {ada.tokens['access_token']}".encode()}
    address = f"{ada.url}/content.dropboxapi.com/2/files/upload"
    answer = requests.post(address, data=b"x", headers=own | encoded, timeout=10)

    assert answer.status_code == 400
    assert said in answer.text


@pytest.mark.parametrize(
    ("header", "status", "said"),
    [
        (None, 400, 'Must provide HTTP header "Authorization"'),
        ("Bearer", 400, 'Invalid authorization value in HTTP header "Authorization"'),
        ("Bearer short", 400, "The given OAuth 2 access token is malformed."),
        ("Bearer sl." + "x" * 60, 401, "invalid_access_token"),
    ],
)
def test_a_token_must_be_there_and_good(url: str, header: str | None, status: int, said: str) -> None:
    headers = {"Content-Type": "application/json"} | ({"Authorization": header} if header else {})
    address = f"{url}/api.dropboxapi.com/2/files/list_folder"
    answer = requests.post(address, data='{"path": ""}', headers=headers, timeout=10)

    assert answer.status_code == status
    assert said in answer.text


def test_a_missing_scope_is_named_under_401(url: str) -> None:
    looker = Account(url, scopes="files.metadata.read")

    error = error_of(looker.upload("files/upload", {"path": "/a.txt"}, b"x"), 401)

    assert error == {".tag": "missing_scope", "required_scope": "files.content.write"}


def test_an_expired_token_is_told_from_a_revoked_one(url: str) -> None:
    ada = Account(url)
    control(url, "faults", kind="expired_token")
    expired = tags_of(ada.rpc("users/get_current_account"), 401)
    control(url, "faults", kind="revoked_grant")
    revoked = tags_of(ada.rpc("users/get_current_account"), 401)

    assert (expired, revoked) == ("expired_access_token", "invalid_access_token")


def test_names_keep_their_case_and_are_found_without_it(ada: Account) -> None:
    made = ada.save("/Grüße/Mug 😀.PNG", b"picture")
    other = ada.rpc("files/get_metadata", {"path": "/GRÜSSE/Mug 😀.PNG"})
    again = ada.rpc("files/get_metadata", {"path": "/grüße/mug 😀.png"}).json()

    assert made["path_display"] == "/Grüße/Mug 😀.PNG"
    assert made["path_lower"] == "/grüße/mug 😀.png"
    assert again == {".tag": "file", **made}
    assert tags_of(other) == "path/not_found"


def test_a_file_is_hashed_in_blocks_and_read_again(ada: Account) -> None:
    body = b"a" * BLOCK + b"b" * 10
    digests = hashlib.sha256(body[:BLOCK]).digest() + hashlib.sha256(body[BLOCK:]).digest()

    made = ada.save("/blocks.bin", body)
    read = ada.download(made["id"])

    assert made["content_hash"] == hashlib.sha256(digests).hexdigest()
    assert read.content == body
    assert json.loads(read.headers["Dropbox-API-Result"])["rev"] == made["rev"]


def test_a_wrong_content_hash_is_noticed(ada: Account) -> None:
    answer = ada.upload("files/upload", {"path": "/a.txt", "content_hash": "0" * 64}, b"x")

    assert tags_of(answer) == "content_hash_mismatch"


def test_an_empty_file_is_a_file(ada: Account) -> None:
    made = ada.save("/empty.png", b"")

    assert made["size"] == 0
    assert made["content_hash"] == hashlib.sha256(b"").hexdigest()
    assert ada.download("/empty.png").content == b""


def test_the_same_bytes_are_not_written_twice(ada: Account) -> None:
    first = ada.save("/mug.png", b"one")

    again = ada.save("/mug.png", b"one")

    assert again == first


@pytest.mark.parametrize(
    ("commit", "name"),
    [
        ({}, None),
        ({"mode": "overwrite"}, "mug.png"),
        ({"mode": {".tag": "overwrite"}}, "mug.png"),
        ({"autorename": True}, "mug (1).png"),
        ({"mode": {".tag": "update", "update": "0123456789abc"}}, None),
        ({"mode": {".tag": "update", "update": "0123456789abc"}, "autorename": True}, "mug (conflicted copy).png"),
    ],
)
def test_other_bytes_at_the_same_path_follow_the_write_mode(
    ada: Account, commit: dict[str, Any], name: str | None
) -> None:
    ada.save("/mug.png", b"one")

    answer = ada.upload("files/upload", {"path": "/mug.png", **commit}, b"two")

    if name is None:
        assert tags_of(answer) == "path/conflict/file"
    else:
        assert (answer.status_code, answer.json()["name"]) == (200, name)


def test_a_refused_upload_waits_in_a_session_for_another_path(ada: Account) -> None:
    ada.save("/mug.png", b"one")
    error = error_of(ada.upload("files/upload", {"path": "/mug.png"}, b"two"))

    cursor = {"session_id": error["upload_session_id"], "offset": 3}
    finished = ada.upload("files/upload_session/finish", {"cursor": cursor, "commit": {"path": "/mug 2.png"}}, b"")

    assert error["reason"] == {".tag": "conflict", "conflict": {".tag": "file"}}
    assert finished.json()["path_display"] == "/mug 2.png"
    assert ada.download("/mug 2.png").content == b"two"


@pytest.mark.parametrize(
    ("path", "tags"),
    [
        ("/" + "x" * 256, "path/malformed_path"),
        ("/a//b", "path/malformed_path"),
        ("/a/", "path/malformed_path"),
        ("/a\\b", "path/malformed_path"),
        ("/..", "path/malformed_path"),
        ("/end ", "path/malformed_path"),
        ("/desktop.ini", "path/disallowed_name"),
        ("/Getting Started.txt/inside", "path/conflict/file_ancestor"),
        ("/Designs", "path/conflict/folder"),
        ("id:nothing/a.txt", "path/not_found"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(ada: Account, path: str, tags: str) -> None:
    uploaded = ada.upload("files/upload", {"path": path}, b"x")

    assert tags_of(uploaded) == tags


def test_a_name_of_255_characters_is_kept(ada: Account) -> None:
    made = ada.save("/" + "é" * 251 + ".png", b"x")

    assert len(made["name"]) == 255


def test_a_folder_that_exists_is_a_conflict(ada: Account) -> None:
    made = ada.rpc("files/create_folder_v2", {"path": "/New/Deep"}).json()
    again = ada.rpc("files/create_folder_v2", {"path": "/new/deep"})
    renamed = ada.rpc("files/create_folder_v2", {"path": "/New/Deep", "autorename": True}).json()
    in_the_way = ada.rpc("files/create_folder_v2", {"path": "/Getting Started.txt"})

    assert set(made["metadata"]) == {"name", "id", "path_lower", "path_display"}
    assert tags_of(again) == "path/conflict/folder"
    assert renamed["metadata"]["name"] == "Deep (1)"
    assert tags_of(in_the_way) == "path/conflict/file"


def test_a_full_space_takes_nothing_more(ada: Account, url: str) -> None:
    control(url, "quota", limit=10)

    answer = ada.upload("files/upload", {"path": "/a.bin"}, b"x" * 11)

    assert tags_of(answer) == "path/insufficient_space"
    assert "/a.bin" not in ada.paths()


def test_what_is_deleted_is_gone_and_remembered(ada: Account) -> None:
    ada.save("/Old/a.txt", b"x")

    removed = ada.rpc("files/delete_v2", {"path": "/Old"}).json()
    looked = ada.rpc("files/get_metadata", {"path": "/Old/a.txt"})
    past = ada.rpc("files/get_metadata", {"path": "/old", "include_deleted": True}).json()

    assert removed["metadata"][".tag"] == "folder"
    assert tags_of(looked) == "path/not_found"
    assert past == {".tag": "deleted", "name": "Old", "path_lower": "/old", "path_display": "/Old"}
    assert tags_of(ada.rpc("files/delete_v2", {"path": "/Old"})) == "path_lookup/not_found"


def test_a_member_sees_home_or_the_team_by_the_header(url: str) -> None:
    ben = member(url)
    info = ben.rpc("users/get_current_account").json()["root_info"]
    root = Account(url, {".tag": "root", "root": info["root_namespace_id"]}, account="ben@acme.example")
    ben.save("/mine.txt", b"x")

    assert info["root_namespace_id"] != info["home_namespace_id"]
    assert "/mine.txt" in ben.paths()
    assert root.paths() == ["/Ben", "/Marketing", "/Products"]
    assert "/Ben/mine.txt" in root.paths("/Ben")


def test_what_is_not_mounted_in_the_root_has_no_path(url: str) -> None:
    ben = member(url)
    info = ben.rpc("users/get_current_account").json()["root_info"]

    listed = ben.rpc("files/list_folder", {"path": f"ns:{info['root_namespace_id']}"}).json()["entries"]

    assert {entry["name"]: "path_display" in entry for entry in listed} == {
        "Ben": True,
        "Marketing": False,
        "Products": False,
    }


def test_a_stale_or_foreign_root_is_refused_with_422(url: str) -> None:
    ben = member(url)
    info = ben.rpc("users/get_current_account").json()["root_info"]
    ben.root = {".tag": "root", "root": "12345"}
    stale = error_of(ben.rpc("files/list_folder", {"path": ""}), 422)
    ben.root = {".tag": "namespace_id", "namespace_id": "12345"}
    foreign = error_of(ben.rpc("files/list_folder", {"path": ""}), 422)

    assert stale == {".tag": "invalid_root", "invalid_root": info}
    assert foreign == {".tag": "no_permission"}


def test_a_throttle_says_how_long_in_header_and_body(ada: Account, url: str) -> None:
    control(url, "faults", kind="rate_limit", seconds=7, times=2)

    spoken = ada.rpc("files/list_folder", {"path": ""})
    plain = ada.upload("files/upload", {"path": "/a.txt"}, b"x", Accept="*/*")

    assert error_of(spoken, 429) == {"reason": {".tag": "too_many_requests"}, "retry_after": 7}
    assert (spoken.headers["Retry-After"], plain.headers["Retry-After"]) == ("7", "7")
    assert plain.headers["Content-Type"].startswith("text/plain")


def test_generated_files_are_the_same_for_the_same_seed(ada: Account, url: str) -> None:
    assert control(url, "generate", count=120, seed=3).json() == {"files": 120}
    first, used = ada.paths(recursive=True, limit=50), ada.rpc("users/get_space_usage").json()["used"]
    control(url, "generate", count=120, seed=3)

    assert len(first) == len(set(first)) == 120 + 8
    assert ada.paths(recursive=True) == first
    assert ada.rpc("users/get_space_usage").json()["used"] == used


def test_the_state_shows_entries_in_dropboxs_words(ada: Account, url: str) -> None:
    ada.save("/New/a.txt", b"abc")

    state = requests.get(f"{url}/_sandbox/dropbox/state?collection=entries&limit=500", timeout=10).json()

    (entry,) = [each for each in state["data"] if each["name"] == "a.txt"]
    assert (entry[".tag"], entry["size"], entry["path_display"]) == ("file", 3, "/New/a.txt")


def test_a_deleted_folder_can_be_ordered(ada: Account, url: str) -> None:
    deleted = control(url, "delete", path="/Designs")
    unknown = control(url, "delete", path="/Designs")

    assert (deleted.status_code, unknown.status_code) == (200, 404)
    assert "/Designs" not in ada.paths()


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        ("quota", {"limit": "many"}),
        ("delete", {"path": "no slash"}),
        ("empty-pages", {"count": -1}),
        ("generate", {"count": "x"}),
        ("token", {"scopes": "everything"}),
        ("token", {"account": "nobody"}),
    ],
)
def test_a_control_call_that_makes_no_sense_is_refused(url: str, call: str, wanted: dict[str, Any]) -> None:
    assert control(url, call, **wanted).status_code == 422
