"""Each request that Patchbay sends to Figma against the OpenAPI document that Figma publishes.

The fixture `record` holds all exchanges against the document when a test ends; the tests see to it that there is
something to hold.
"""

from collections.abc import Callable

import pytest

from patchbay import providers
from patchbay.spec import OAuth2
from tests.conformance import figma_openapi
from tests.conformance.conftest import Patchbay
from tests.conformance.recording import Record
from tests.conformance.test_figma import HARBOUR, LIGHTHOUSE, STUDIO, UNWITNESSED, WITNESS
from tests.conformance.witness import Reading

__all__ = ["UNWITNESSED", "WITNESS"]
READING = Reading(figma_openapi.operations, figma_openapi.misfits)
OPERATIONS = {
    "list_files": "test_listing_files_fits",
    "list_frames": "test_listing_frames_fits",
    "import_design": "test_importing_a_frame_fits",
    "export_design": "test_exporting_frames_fits",
}


@pytest.fixture
def hub(patchbay: Callable[..., Patchbay]) -> Patchbay:
    return patchbay("figma", team=STUDIO)


def called(record: Record) -> list[str]:
    """The operations of the document that were called, in order."""
    return [operation for exchange in record.exchanges for operation in figma_openapi.operations(exchange)]


def declared() -> OAuth2:
    auth = providers.get("figma").auth
    assert isinstance(auth, OAuth2)
    return auth


def test_connecting_uses_the_addresses_of_the_document(hub: Patchbay, record: Record) -> None:
    flow = figma_openapi.flow()

    assert called(record) == ["tokenUrl", "getMe"]
    assert (declared().authorize_url, declared().token_url) == (flow["authorizationUrl"], flow["tokenUrl"])
    assert declared().refresh_url == flow["refreshUrl"]


def test_refreshing_uses_the_address_of_the_document(hub: Patchbay, record: Record) -> None:
    hub.sandbox.fault("figma", "expired_token")

    hub.run("list_frames", fileId=HARBOUR)

    assert called(record)[2:] == ["getFile", "refreshUrl", "getFile"]


def test_listing_files_fits(hub: Patchbay, record: Record) -> None:
    hub.api.settings = {**hub.api.settings, "links": f"https://www.figma.com/design/{HARBOUR}/x"}

    found = hub.run("list_files")

    assert found["files"][0]["key"] == HARBOUR
    assert called(record)[2:] == ["getFileMeta", "getTeamProjects", *["getProjectFiles"] * 3]


def test_listing_frames_fits(hub: Patchbay, record: Record) -> None:
    assert hub.run("list_frames", fileId=LIGHTHOUSE)["frames"]

    assert called(record)[2:] == ["getFile", "getFileNodes"]


def test_importing_a_frame_fits(hub: Patchbay, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[bytes, str]] = []

    def keep(content: bytes, filename: str) -> dict[str, object]:
        kept.append((content, filename))
        return {"id": "ast_1", "name": filename, "url": "/assets/ast_1", "width": 1, "height": 1}

    monkeypatch.setattr("tests.conformance.conftest.Pictured.keep", lambda _self, *given: keep(*given), raising=False)

    made = hub.run("import_design", fileId=HARBOUR, nodeId="1-10")

    assert made["assetId"] == "ast_1"
    assert [(content[:4], filename) for content, filename in kept] == [(b"\x89PNG", "Harbour sun.png")]
    assert called(record)[2:] == ["getFileNodes", "getImages"]


@pytest.mark.parametrize("kind", ["png", "jpg", "svg", "pdf"])
def test_exporting_frames_fits(hub: Patchbay, record: Record, kind: str) -> None:
    answer = hub.run("export_design", fileId=HARBOUR, nodeId="1:10,2:10", format=kind, scale="0.5")

    assert len(answer["fileUrls"]) == 2
    assert called(record)[2:] == ["getImages"]


def test_what_is_asked_for_is_in_the_document_and_opens_what_is_called(hub: Patchbay) -> None:
    asked = {scope.name for scope in declared().scopes}
    used = {"getMe", "getFile", "getFileNodes", "getImages", "getFileMeta", "getTeamProjects", "getProjectFiles"}

    assert asked <= set(figma_openapi.flow()["scopes"])
    assert {operation for operation in used if not figma_openapi.scopes()[operation] & asked} == set()
    assert {scope for scope in asked if not any(scope in figma_openapi.scopes()[one] for one in used)} == set()


def test_every_operation_has_been_held_against_the_document() -> None:
    assert {operation.name for operation in providers.get("figma").operations} == set(OPERATIONS)
    assert set(OPERATIONS.values()) <= set(globals())
