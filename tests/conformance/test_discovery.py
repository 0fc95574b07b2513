"""The check by the discovery document: that it finds what does not fit, and lets pass what does."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.conformance.discovery import HOST, drive
from tests.conformance.recording import Exchange

JSON = {"content-type": "application/json"}
CREATED = {"kind": "drive#file", "id": "1", "name": "a"}


def exchange(method: str, path: str, query: str = "", body: Any = None, answer: Any = None) -> Exchange:
    pairs = tuple((name, text) for name, _, text in (pair.partition("=") for pair in query.split("&") if pair))
    return Exchange(
        method=method,
        host=HOST,
        path=path,
        query=pairs,
        headers=JSON if body is not None else {},
        body=json.dumps(body).encode() if body is not None else b"",
        status=200,
        answer_headers=JSON,
        answer=json.dumps(answer).encode() if answer is not None else b"",
    )


def upload(boundary: str, body: bytes) -> Exchange:
    sent = exchange("POST", "/upload/drive/v3/files", "uploadType=multipart", answer=CREATED)
    return replace(sent, headers={"content-type": f"multipart/related; boundary={boundary}"}, body=body)


@pytest.mark.parametrize(
    "fitting",
    [
        exchange("POST", "/drive/v3/files", "fields=id,name", {"name": "a", "parents": ["b"]}, CREATED),
        exchange("GET", "/drive/v3/files", "pageSize=5&fields=nextPageToken,files(id,owners/emailAddress)", None, {}),
        exchange("GET", "/drive/v3/files/abc", "alt=media"),
        exchange("DELETE", "/drive/v3/files/abc"),
        upload("x", b'--x\r\nContent-Type: application/json\r\n\r\n{"name": "a"}\r\n--x\r\n\r\nbytes\r\n--x--'),
        exchange("POST", "/upload/drive/v3/files", "uploadType=resumable", {"name": "a"}),
    ],
    ids=str,
)
def test_what_fits_passes(fitting: Exchange) -> None:
    assert drive().misfits(fitting) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (exchange("GET", "/drive/v3/folders"), "no such method"),
        (exchange("PUT", "/drive/v3/files/abc"), "no such method"),
        (exchange("GET", "/drive/v3/files", "limit=5", None, {}), "limit is unknown"),
        (exchange("GET", "/drive/v3/files", "upload_id=5", None, {}), "upload_id is unknown"),
        (exchange("GET", "/drive/v3/files", "pageSize=5000", None, {}), "pageSize is out of its range"),
        (exchange("GET", "/drive/v3/files", "pageSize=few", None, {}), "pageSize is no whole number"),
        (exchange("GET", "/drive/v3/files", "supportsAllDrives=yes", None, {}), "supportsAllDrives is no boolean"),
        (exchange("GET", "/drive/v3/files", "alt=xml", None, {}), "alt may not be xml"),
        (exchange("GET", "/drive/v3/files", "fields=files(id,link)", None, {}), "fields names files/link"),
        (exchange("GET", "/drive/v3/files", "fields=files(id", None, {}), "fields names files(id"),
        (exchange("GET", "/drive/v3/changes", "", None, {}), "pageToken is missing"),
        (exchange("POST", "/drive/v3/files", "", {"title": "a"}, CREATED), "'title'"),
        (exchange("POST", "/drive/v3/files", "", {"name": 1}, CREATED), "body.name: 1 is not of type 'string'"),
        (exchange("POST", "/drive/v3/files", "", {"size": "1"}, CREATED), "'size'"),
        (replace(exchange("POST", "/drive/v3/files", "", {}, CREATED), headers={}), "not JSON"),
        (exchange("GET", "/drive/v3/about", "fields=user", {}, {}), "takes no body"),
        (exchange("GET", "/drive/v3/files/abc", "", None, {"size": 5}), "answer.size: 5 is not of type 'string'"),
        (exchange("GET", "/drive/v3/files/abc", "", None, {"size": "5 KB"}), "answer.size"),
        (exchange("GET", "/drive/v3/files/abc", "", None, {"createdTime": "today"}), "answer.createdTime"),
        (exchange("GET", "/drive/v3/files/abc", "", None, {"kind": "drive#folder"}), "answer.kind"),
        (exchange("GET", "/drive/v3/files", "", None, {"files": {}}), "answer.files"),
        (exchange("GET", "/drive/v3/files"), "answer is not JSON"),
        (exchange("DELETE", "/drive/v3/files/abc", "", None, {}), "answer without body has one"),
        (upload("x", b'--x\r\nContent-Type: application/json\r\n\r\n{"nom": 1}\r\n--x\r\n\r\nb\r\n--x--'), "'nom'"),
        (upload("x", b'--x\r\nContent-Type: application/json\r\n\r\n{"name": "a"}\r\n--x--'), "has two parts, not 1"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_does_not_fit_is_named(wrong: Exchange, said: str) -> None:
    (misfit,) = drive().misfits(wrong)

    assert said in misfit
