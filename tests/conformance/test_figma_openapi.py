"""The reading of Figma's document: that it finds what does not fit, and lets pass what does."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.conformance import figma_openapi
from tests.conformance.recording import Exchange

JSON = {"content-type": "application/json; charset=utf-8"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
TEAM = {"name": "Studio", "projects": [{"id": "1", "name": "Tees"}]}
NODES = {
    "name": "File",
    "role": "owner",
    "lastModified": "2026-10-04T09:12:31Z",
    "editorType": "figma",
    "thumbnailUrl": "https://example.org/a.png",
    "version": "1",
    "nodes": {"1:2": None},
}


def exchange(path: str, answer: Any, status: int = 200, query: str = "") -> Exchange:
    pairs = tuple((name, text) for name, _, text in (pair.partition("=") for pair in query.split("&") if pair))
    body = json.dumps(answer).encode()
    return Exchange("GET", figma_openapi.HOST, path, pairs, {}, b"", status, JSON, body)


def token_call(path: str, body: bytes) -> Exchange:
    return Exchange("POST", figma_openapi.HOST, path, (), FORM, body, 200, JSON, b"{}")


FITTING = exchange("/v1/teams/1/projects", TEAM)


@pytest.mark.parametrize(
    "fitting",
    [
        FITTING,
        exchange("/v1/files/key/nodes", NODES, query="ids=1:2"),
        exchange("/v1/me", {"status": 403, "err": "Invalid token"}, 403),
        token_call("/v1/oauth/token", b"code=c&grant_type=authorization_code"),
        token_call("/v1/oauth/refresh", b"refresh_token=r"),
        replace(FITTING, host="figma-alpha-api.s3.us-west-2.amazonaws.com"),
    ],
    ids=str,
)
def test_what_fits_passes(fitting: Exchange) -> None:
    assert figma_openapi.misfits(fitting) == []


@pytest.mark.parametrize(
    "wrong",
    [
        exchange("/v1/teams/1/projects", {"name": "Studio"}),
        exchange("/v1/teams/1/projects", {**TEAM, "colour": "red"}),
        exchange("/v1/teams/1/projects", {**TEAM, "name": 7}),
        exchange("/v1/teams/1/projects", TEAM, query="page=2"),
        exchange("/v1/teams/1/projects", {"status": 404, "err": "Not found"}, 404),
        exchange("/v1/teams/1/everything", TEAM),
        exchange("/v1/me", {"status": 401, "err": "Invalid token"}, 403),
        replace(FITTING, answer_headers={"content-type": "text/html"}),
        replace(FITTING, method="POST"),
        token_call("/v1/oauth/refresh", b"code=c"),
        replace(token_call("/v1/oauth/token", b"code=c"), headers=JSON),
        replace(token_call("/v1/oauth/token", b"code=c"), method="GET"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_found(wrong: Exchange) -> None:
    assert figma_openapi.misfits(wrong)


def test_every_operation_names_its_scopes() -> None:
    assert figma_openapi.scopes()["getImages"] == {"file_content:read", "files:read"}
    assert figma_openapi.scopes()["getTeamFolders"] == {"folders:read"}


def test_an_event_that_says_too_much_or_too_little_is_found() -> None:
    ping = {"event_type": "PING", "passcode": "p", "timestamp": "2026-10-04T09:12:31Z", "webhook_id": "1"}

    assert figma_openapi.misfits_of_event(ping) == []
    assert figma_openapi.misfits_of_event(ping | {"file_key": "k"})
    assert figma_openapi.misfits_of_event({name: text for name, text in ping.items() if name != "passcode"})
