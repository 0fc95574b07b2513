"""Dropbox's upload sessions over HTTP: in order, in any order, interrupted, refused."""

from typing import Any

import pytest
import requests

from tests.sandbox.dropbox_account import Account, error_of, tags_of

STEP = 4 * 1024 * 1024
TOO_MUCH = 150 * 1024 * 1024 + 1
SESSION = "files/upload_session"


@pytest.fixture
def ada(url: str) -> Account:
    return Account(url)


def begin(ada: Account, body: bytes = b"", **wanted: Any) -> str:
    answer = ada.upload(f"{SESSION}/start", wanted, body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["session_id"])


def append(ada: Account, session: str, offset: int, body: bytes, **wanted: Any) -> requests.Response:
    return ada.upload(
        f"{SESSION}/append_v2", {"cursor": {"session_id": session, "offset": offset}, **wanted}, body
    )  # fmt: skip


def finish(ada: Account, session: str, offset: int, body: bytes = b"", **commit: Any) -> requests.Response:
    argument = {"cursor": {"session_id": session, "offset": offset}, "commit": {"path": "/big.bin", **commit}}
    return ada.upload(f"{SESSION}/finish", argument, body)


def test_chunks_in_order_make_a_file(ada: Account) -> None:
    session = begin(ada, b"one")
    appended = append(ada, session, 3, b"two")
    made = finish(ada, session, 6, b"three").json()

    assert (appended.status_code, appended.json()) == (200, None)
    assert made["size"] == 11
    assert ada.download("/big.bin").content == b"onetwothree"


@pytest.mark.parametrize("offset", [0, 2, 99])
def test_a_wrong_offset_is_corrected(ada: Account, offset: int) -> None:
    session = begin(ada, b"one")

    appended = error_of(append(ada, session, offset, b"x"))
    finished = error_of(finish(ada, session, offset))

    assert appended == {".tag": "incorrect_offset", "correct_offset": 3}
    assert finished == {".tag": "lookup_failed", "lookup_failed": appended}


def test_a_chunk_whose_answer_was_lost_has_arrived(ada: Account) -> None:
    session = begin(ada)
    wanted = {"kind": "lost_response", "match": "append_v2"}
    requests.post(f"{ada.url}/_sandbox/dropbox/faults", json=wanted, timeout=10)
    with pytest.raises(requests.ConnectionError):
        append(ada, session, 0, b"chunk")

    assert error_of(append(ada, session, 0, b"chunk"))["correct_offset"] == 5


def test_chunks_in_any_order_make_the_same_file(ada: Account) -> None:
    session = begin(ada, session_type={".tag": "concurrent"})
    append(ada, session, STEP, b"end", close=True)
    late = append(ada, session, 0, b"a" * STEP)
    other = begin(ada, session_type="concurrent")
    append(ada, other, 0, b"a" * STEP)
    append(ada, other, STEP, b"end", close=True)

    assert tags_of(late) == "closed"
    assert finish(ada, other, STEP + 3).json()["size"] == STEP + 3
    assert ada.download("/big.bin").content == b"a" * STEP + b"end"


def test_concurrent_sessions_keep_their_rules(ada: Account) -> None:
    session = begin(ada, session_type="concurrent")

    assert tags_of(append(ada, session, 5, b"a" * STEP)) == "concurrent_session_invalid_offset"
    assert tags_of(append(ada, session, 0, b"odd")) == "concurrent_session_invalid_data_size"
    assert tags_of(finish(ada, session, 0)) == "concurrent_session_not_closed"
    assert tags_of(finish(ada, session, 0, b"x")) == "concurrent_session_data_not_allowed"


def test_a_closed_session_takes_no_more(ada: Account) -> None:
    session = begin(ada, b"all", close=True)

    assert tags_of(append(ada, session, 3, b"more")) == "closed"
    assert finish(ada, session, 3).status_code == 200


def test_a_finished_session_is_over(ada: Account) -> None:
    session = begin(ada, b"all")
    finish(ada, session, 3)

    assert tags_of(finish(ada, session, 3)) == "lookup_failed/closed"


def test_a_refused_commit_can_be_tried_again(ada: Account) -> None:
    ada.save("/big.bin", b"other")
    session = begin(ada, b"all")

    refused = finish(ada, session, 3)
    again = finish(ada, session, 3, path="/big 2.bin")

    assert tags_of(refused) == "path/conflict/file"
    assert again.json()["name"] == "big 2.bin"


def test_a_lost_or_foreign_session_is_not_found(ada: Account, url: str) -> None:
    session = begin(ada, b"all")
    cleo = Account(url, account="cleo@example.org")
    foreign = append(cleo, session, 3, b"x")
    requests.delete(f"{url}/_sandbox/dropbox/uploads", json={}, timeout=10)

    assert tags_of(foreign) == "not_found"
    assert tags_of(append(ada, session, 3, b"x")) == "not_found"
    assert tags_of(finish(ada, session, 3)) == "lookup_failed/not_found"


def test_no_request_carries_more_than_150_mebibytes(ada: Account) -> None:
    answer = ada.upload("files/upload", {"path": "/too.bin"}, b"\0" * TOO_MUCH)

    assert tags_of(answer) == "payload_too_large"
