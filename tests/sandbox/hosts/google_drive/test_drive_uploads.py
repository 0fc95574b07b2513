"""Uploads on the wire: ranges, chunk sizes, sessions, and bodies in two parts."""

from datetime import timedelta

import pytest
import requests
import time_machine

CHUNK = 256 * 1024
UPLOAD = "/www.googleapis.com/upload/drive/v3/files"
API = "/www.googleapis.com/drive/v3"


def begin(ada: requests.Session, url: str, total: int | None = None, **metadata: str) -> str:
    """The session's address in the sandbox."""
    headers = {"X-Upload-Content-Type": "image/png"} | ({"X-Upload-Content-Length": str(total)} if total else {})
    answer = ada.post(
        f"{url}{UPLOAD}?uploadType=resumable&fields=id,name,size,mimeType", json=metadata, headers=headers, timeout=10
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["Location"].startswith(
        "https://www.googleapis.com/upload/drive/v3/files?uploadType=resumable&"
    )
    return answer.headers["Location"].replace("https://", f"{url}/")


def put(address: str, content: bytes, content_range: str | None = None) -> requests.Response:
    headers = {"Content-Range": content_range} if content_range else {}
    return requests.put(address, data=content, headers=headers, allow_redirects=False, timeout=10)


def test_chunks_are_acknowledged_with_what_is_stored(ada: requests.Session, url: str) -> None:
    total = CHUNK + 100
    address = begin(ada, url, total, name="mockup.png")

    first = put(address, b"a" * CHUNK, f"bytes 0-{CHUNK - 1}/{total}")
    last = put(address, b"b" * 100, f"bytes {CHUNK}-{total - 1}/{total}")

    assert (first.status_code, first.headers["Range"]) == (308, f"bytes=0-{CHUNK - 1}")
    assert "Location" not in first.headers
    assert last.status_code == 200
    assert last.json()["size"] == str(total)
    assert last.json()["mimeType"] == "image/png"


def test_status_of_a_fresh_session_has_no_range(ada: requests.Session, url: str) -> None:
    answer = put(begin(ada, url, 100), b"", "bytes */100")

    assert answer.status_code == 308
    assert "Range" not in answer.headers


def test_status_query_tells_where_to_go_on(ada: requests.Session, url: str) -> None:
    address = begin(ada, url)
    put(address, b"a" * CHUNK, f"bytes 0-{CHUNK - 1}/*")

    answer = put(address, b"", "bytes */*")

    assert (answer.status_code, answer.headers["Range"]) == (308, f"bytes=0-{CHUNK - 1}")


def test_status_of_a_finished_upload_is_the_file(ada: requests.Session, url: str) -> None:
    address = begin(ada, url)
    made = put(address, b"abc").json()

    answer = put(address, b"", "bytes */3")

    assert (answer.status_code, answer.json()) == (200, made)
    assert len(ada.get(f"{url}{API}/files", timeout=10).json()["files"]) == 1


def test_a_chunk_sent_twice_is_stored_once(ada: requests.Session, url: str) -> None:
    total = 2 * CHUNK
    address = begin(ada, url, total)
    put(address, b"a" * CHUNK, f"bytes 0-{CHUNK - 1}/{total}")

    made = put(address, b"a" * CHUNK + b"b" * CHUNK, f"bytes 0-{total - 1}/{total}").json()

    content = ada.get(f"{url}{API}/files/{made['id']}?alt=media", timeout=10).content
    assert content == b"a" * CHUNK + b"b" * CHUNK


@pytest.mark.parametrize(
    ("size", "content_range"),
    [
        (1000, "bytes 0-999/5000"),
        (CHUNK + 1, f"bytes 0-{CHUNK}/*"),
        (CHUNK, f"bytes 5-{CHUNK + 4}/{2 * CHUNK}"),
        (100, "bytes 0-98/99"),
        (100, "bytes 0-99/50"),
        (100, "bytes 99-0/100"),
        (100, "bytes zero"),
        (0, "bytes 0-0/1"),
    ],
)
def test_range_that_cannot_be_is_refused(ada: requests.Session, url: str, size: int, content_range: str) -> None:
    address = begin(ada, url)

    answer = put(address, b"x" * size, content_range)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)
    assert put(address, b"", "bytes */*").status_code == 308


def test_total_must_be_the_announced_one(ada: requests.Session, url: str) -> None:
    assert put(begin(ada, url, 50), b"x" * 20, "bytes 0-19/20").status_code == 400


def test_session_lives_for_a_week(ada: requests.Session, url: str) -> None:
    with time_machine.travel(0, tick=True) as clock:
        session = requests.post(f"{url}/_sandbox/google-drive/token", json={}, timeout=10).json()
        ada.headers["Authorization"] = f"Bearer {session['access_token']}"
        address = begin(ada, url)
        clock.shift(timedelta(days=6))
        before = put(address, b"", "bytes */*").status_code
        clock.shift(timedelta(days=2))
        after = put(address, b"", "bytes */*").status_code

    assert (before, after) == (308, 404)


def test_lost_session_is_not_found(ada: requests.Session, url: str) -> None:
    address = begin(ada, url)

    requests.delete(f"{url}/_sandbox/google-drive/uploads", timeout=10)

    assert put(address, b"abc").status_code == 404


def test_deleted_session_is_not_found(ada: requests.Session, url: str) -> None:
    address = begin(ada, url)

    assert requests.delete(address, timeout=10).status_code == 499

    assert put(address, b"abc").status_code == 404


def test_guessed_session_is_not_found(ada: requests.Session, url: str) -> None:
    assert put(begin(ada, url) + "x", b"abc").status_code == 404


def test_session_address_needs_no_token(ada: requests.Session, url: str) -> None:
    address = begin(ada, url, name="mine")
    requests.post(f"{url}/_sandbox/google-drive/faults", json={"kind": "expired_token"}, timeout=10)

    assert put(address, b"abc").json()["name"] == "mine"


def test_announced_size_that_does_not_fit_is_refused_at_once(ada: requests.Session, url: str) -> None:
    headers = {"X-Upload-Content-Length": str(16 * 1024**3)}

    answer = ada.post(f"{url}{UPLOAD}?uploadType=resumable", json={}, headers=headers, timeout=10)

    assert answer.status_code == 403
    assert answer.json()["error"]["errors"][0]["reason"] == "storageQuotaExceeded"


def test_bytes_alone_make_an_untitled_file(ada: requests.Session, url: str) -> None:
    answer = ada.post(
        f"{url}{UPLOAD}?uploadType=media", data=b"abc", headers={"Content-Type": "text/plain"}, timeout=10
    )

    assert (answer.json()["name"], answer.json()["mimeType"]) == ("Untitled", "text/plain")


@pytest.mark.parametrize("kind", ["media", "multipart"])
def test_large_simple_upload_is_refused(ada: requests.Session, url: str, kind: str) -> None:
    content = b"x" * (5 * 1024 * 1024 + 1)
    body, media_type = (content, "text/plain") if kind == "media" else (related(b"{}", content), RELATED)

    answer = ada.post(f"{url}{UPLOAD}?uploadType={kind}", data=body, headers={"Content-Type": media_type}, timeout=10)

    assert answer.status_code == 413


RELATED = "multipart/related; boundary=edge"


def related(about: bytes, content: bytes, newline: bytes = b"\r\n") -> bytes:
    return newline.join(
        [
            b"--edge",
            b"Content-Type: application/json; charset=UTF-8",
            b"",
            about,
            b"--edge",
            b"Content-Type: image/png",
            b"",
            content,
            b"--edge--",
            b"",
        ]
    )


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize("content", [b"", b"\r\n", b"\n\n", b"\r", bytes(range(256)), b"--edg\r\n\r\n--"])
def test_every_byte_of_a_part_is_kept(ada: requests.Session, url: str, newline: bytes, content: bytes) -> None:
    answer = ada.post(
        f"{url}{UPLOAD}?uploadType=multipart",
        data=related(b'{"name": "x.png"}', content, newline),
        headers={"Content-Type": RELATED},
        timeout=10,
    )

    assert (answer.status_code, answer.json()["name"]) == (200, "x.png")
    assert ada.get(f"{url}{API}/files/{answer.json()['id']}?alt=media", timeout=10).content == content


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (related(b"{}", b"x"), "multipart/related"),
        (related(b"{}", b"x"), "multipart/form-data; boundary=edge"),
        (related(b"{}", b"x"), "multipart/related; boundary=other"),
        (related(b"{}", b"x")[:-12], RELATED),
        (b"--edge\r\n\r\n{}\r\n--edge--", RELATED),
        (b"", RELATED),
        (related(b"no json", b"x"), RELATED),
    ],
)
def test_malformed_multipart_is_refused(ada: requests.Session, url: str, body: bytes, media_type: str) -> None:
    answer = ada.post(
        f"{url}{UPLOAD}?uploadType=multipart", data=body, headers={"Content-Type": media_type}, timeout=10
    )

    assert answer.status_code == 400


@pytest.mark.parametrize("kind", ["", "car"])
def test_unknown_kind_of_upload_is_refused(ada: requests.Session, url: str, kind: str) -> None:
    assert ada.post(f"{url}{UPLOAD}?uploadType={kind}", data=b"x", timeout=10).status_code == 400


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 9),
        (f"bytes={CHUNK - 5}-{CHUNK + 4}", 206, CHUNK - 5, CHUNK + 4),
        (f"bytes={2 * CHUNK}-", 206, 2 * CHUNK, 2 * CHUNK + 99),
        ("bytes=-1", 206, 2 * CHUNK + 99, 2 * CHUNK + 99),
    ],
)
def test_a_part_of_a_file_that_came_in_chunks_can_be_read(
    ada: requests.Session, url: str, asked: str, status: int, first: int, last: int
) -> None:
    content = b"a" * CHUNK + b"b" * CHUNK + bytes(range(100))
    address, total = begin(ada, url, len(content)), len(content)
    for start in range(0, total, CHUNK):
        chunk = content[start : start + CHUNK]
        answer = put(address, chunk, f"bytes {start}-{start + len(chunk) - 1}/{total}")

    part = ada.get(f"{url}{API}/files/{answer.json()['id']}?alt=media", headers={"Range": asked}, timeout=10)

    assert (part.status_code, part.content) == (status, content[first : last + 1])
    assert part.headers["Content-Range"] == f"bytes {first}-{last}/{total}"


def test_a_part_behind_the_end_is_refused(ada: requests.Session, url: str) -> None:
    made = put(begin(ada, url, 3), b"abc", "bytes 0-2/3").json()

    answer = ada.get(f"{url}{API}/files/{made['id']}?alt=media", headers={"Range": "bytes=3-"}, timeout=10)

    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */3")


def test_sessions_that_are_lost_take_no_finished_file_along(ada: requests.Session, url: str) -> None:
    made, half = put(begin(ada, url, 3), b"abc", "bytes 0-2/3").json(), begin(ada, url, 2 * CHUNK)
    put(half, b"a" * CHUNK, f"bytes 0-{CHUNK - 1}/{2 * CHUNK}")

    lost = requests.delete(f"{url}/_sandbox/google-drive/uploads", json={}, timeout=10).json()

    assert lost == {"lost": 2}
    assert put(half, b"", f"bytes */{2 * CHUNK}").status_code == 404
    assert ada.get(f"{url}{API}/files/{made['id']}?alt=media", timeout=10).content == b"abc"


def test_new_bytes_of_a_file_take_the_place_of_the_old_ones(ada: requests.Session, url: str) -> None:
    made = put(begin(ada, url, 3), b"abc", "bytes 0-2/3").json()

    changed = ada.patch(f"{url}{UPLOAD}/{made['id']}?uploadType=media&fields=id,size", data=b"de", timeout=10).json()

    assert changed == {"id": made["id"], "size": "2"}
    assert ada.get(f"{url}{API}/files/{made['id']}?alt=media", timeout=10).content == b"de"
