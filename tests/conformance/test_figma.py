"""The sandbox's Figma against the OpenAPI document that Figma publishes: answers, errors, scopes, events.

The fixture `record` holds each exchange against the document when a test ends; the tests see to it that there is
something to hold.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests import wire
from tests.conformance import figma_openapi
from tests.conformance.recording import Record
from tests.conformance.transport import session
from tests.conformance.witness import Reading, Witness
from tests.stage import wait_until
from tests.wire import Said, Wire

WITNESS = Witness(
    platform="Figma",
    name="Figma's published OpenAPI",
    package="@figma/rest-api-spec",
    subject="Patchbay's requests, the sandbox's answers to them",
)
UNWITNESSED = (
    "The consent page, and the bodies of the two token addresses: the document names addresses and scopes alone.",
    "The texts that tell a dead token from a lacking scope, both 403: the document knows `err` as text.",
    "How much may be asked, and the four headers of a 429: they are told in prose.",
    "Which nodes cannot be drawn, and how long an address of a picture lives.",
)
READING = Reading(figma_openapi.operations, figma_openapi.misfits)
API = f"https://{figma_openapi.HOST}"
HARBOUR, LIGHTHOUSE = "fKsq1Harbour8RdTz3Wm0x", "mT91LighthouseXs4Ok7Pw"
STUDIO, BRAND, APPAREL = "1204879330016258113", "58210067", "58210044"
CALLS = {
    "getMe": "/v1/me",
    "getFile": f"/v1/files/{HARBOUR}",
    "getFileNodes": f"/v1/files/{HARBOUR}/nodes?ids=1:10,9:9",
    "getImages": f"/v1/images/{HARBOUR}?ids=1:10,9:9",
    "getImageFills": f"/v1/files/{HARBOUR}/images",
    "getFileMeta": f"/v1/files/{HARBOUR}/meta",
    "getTeamProjects": f"/v1/teams/{STUDIO}/projects",
    "getProjectFiles": f"/v1/projects/{APPAREL}/files",
    "getTeamFolders": f"/v2/teams/{STUDIO}/folders",
    "getFolderFolders": f"/v2/folders/{BRAND}/folders",
    "getFolderFiles": f"/v2/folders/{APPAREL}/files",
    "getWebhooks": f"/v2/webhooks?context=file&context_id={HARBOUR}",
}
MISSING = {
    "getFile": "/v1/files/NoSuchFileAnywhere1234",
    "getFileNodes": "/v1/files/NoSuchFileAnywhere1234/nodes?ids=1:2",
    "getImages": "/v1/images/NoSuchFileAnywhere1234?ids=1:2",
    "getFileMeta": "/v1/files/NoSuchFileAnywhere1234/meta",
    "getTeamProjects": "/v1/teams/99/projects",
    "getProjectFiles": "/v1/projects/99/files",
    "getTeamFolders": "/v2/teams/99/folders",
    "getFolderFiles": "/v2/folders/99/files",
    "getWebhook": "/v2/webhooks/99",
}
SENSELESS = {
    "getFile": f"/v1/files/{HARBOUR}?depth=0",
    "getImages": f"/v1/images/{HARBOUR}?ids=,",
    "getTeamProjects": "/v1/teams/studio/projects",
    "getProjectFiles": "/v1/projects/apparel/files",
    "getTeamFolders": "/v2/teams/studio/folders",
    "getWebhooks": "/v2/webhooks",
}
Ask = Callable[..., requests.Response]


def each(calls: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("operation", "path"), calls.items(), ids=calls)


@pytest.fixture
def ask(record: Record) -> Ask:
    """`ask(path, scopes=…)`: a call with a token of these scopes, of all that there are when left out."""

    def call(path: str, scopes: str = "", method: str = "GET", **named: Any) -> requests.Response:
        wanted = scopes or " ".join(figma_openapi.flow()["scopes"])
        token = requests.post(f"{record.url}/_sandbox/figma/token", json={"scopes": wanted}, timeout=10).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        return session(record.url).request(method, API + path, headers=headers, timeout=10, **named)

    return call


def called(record: Record) -> list[str]:
    return [operation for exchange in record.exchanges for operation in figma_openapi.operations(exchange)]


@each(CALLS)
def test_an_answer_fits(ask: Ask, record: Record, operation: str, path: str) -> None:
    assert ask(path).status_code == 200
    assert called(record) == [operation]


def test_a_file_fits_at_any_depth(ask: Ask) -> None:
    for file in (HARBOUR, LIGHTHOUSE):
        for depth in ("1", "2", "3"):
            assert ask(f"/v1/files/{file}?depth={depth}").status_code == 200


@pytest.mark.parametrize("kind", ["png", "jpg", "svg", "pdf"])
def test_every_format_of_the_document_can_be_drawn(ask: Ask, kind: str) -> None:
    declared = figma_openapi.text()["paths"]["/v1/images/{file_key}"]["get"]["parameters"]
    formats = next(one["schema"]["enum"] for one in declared if one["name"] == "format")

    answer = ask(f"/v1/images/{HARBOUR}?ids=1:10&format={kind}&scale=4&use_absolute_bounds=true")

    assert kind in formats
    assert answer.json()["images"]["1:10"]


@each(MISSING)
def test_what_is_not_there_is_said_as_documented(ask: Ask, record: Record, operation: str, path: str) -> None:
    assert ask(path).status_code in {403, 404}
    assert called(record) == [operation]


@each(SENSELESS)
def test_senseless_parameters_are_answered_as_documented(ask: Ask, record: Record, operation: str, path: str) -> None:
    assert ask(path).status_code == 400
    assert called(record) == [operation]


@each(CALLS)
def test_a_dead_token_is_answered_as_documented(record: Record, operation: str, path: str) -> None:
    answer = session(record.url).get(API + path, headers={"Authorization": "Bearer figu_dead"}, timeout=10)

    assert answer.status_code == 403
    assert called(record) == [operation]


@each({name: path for name, path in CALLS.items() if name != "getWebhooks"})
def test_failures_and_limits_are_answered_as_documented(ask: Ask, record: Record, operation: str, path: str) -> None:
    statuses = []
    for kind in ("rate_limit", "server_error"):
        order = {"kind": kind, "match": "api.figma.com"}
        requests.post(f"{record.url}/_sandbox/figma/faults", json=order, timeout=10)
        statuses.append(ask(path).status_code)

    assert statuses == [429, 500]
    assert called(record) == [operation] * 2


@each(CALLS)
def test_each_of_its_scopes_opens_an_operation_and_no_other_does(ask: Ask, operation: str, path: str) -> None:
    all_scopes = set(figma_openapi.flow()["scopes"])
    enough = figma_openapi.scopes()[operation]

    opened = {scope: ask(path, scope).status_code for scope in enough}
    closed = ask(path, " ".join(sorted(all_scopes - enough))).status_code

    assert opened == dict.fromkeys(enough, 200)
    assert closed == 403


def test_the_consent_page_knows_the_scopes_of_the_document(record: Record) -> None:
    terms = {
        "client_id": "sandbox-figma",
        "redirect_uri": "http://127.0.0.1/back",
        "state": "s",
        "response_type": "code",
        "scope": " ".join(figma_openapi.flow()["scopes"]),
    }

    page = session(record.url).get(figma_openapi.flow()["authorizationUrl"], params=terms, timeout=10)

    assert page.status_code == 200


@pytest.fixture
def receiver() -> Iterator[Wire]:
    with wire.listening() as listening:
        listening.say(Said(200))
        yield listening


@pytest.mark.parametrize("event", ["FILE_UPDATE", "FILE_VERSION_UPDATE", "FILE_DELETE"])
def test_webhooks_and_what_they_are_told_fit(ask: Ask, record: Record, receiver: Wire, event: str) -> None:
    body = {
        "event_type": event,
        "context": "file",
        "context_id": HARBOUR,
        "endpoint": f"{receiver.url}/in",
        "passcode": "a passcode",
    }
    made = ask("/v2/webhooks", method="POST", json=body).json()
    wait_until(lambda: len(receiver.received) == 1)
    order = {"event": event, "file": HARBOUR}
    requests.post(f"{record.url}/_sandbox/figma/events", json=order, timeout=10)

    for path in (f"/v2/webhooks/{made['id']}", f"/v2/webhooks/{made['id']}/requests"):
        assert ask(path).status_code == 200
    assert ask(f"/v2/webhooks/{made['id']}", method="DELETE").status_code == 200

    told = [json.loads(received.body) for received in receiver.received]
    assert [one["event_type"] for one in told] == ["PING", event]
    assert [misfit for one in told for misfit in figma_openapi.misfits_of_event(one)] == []
