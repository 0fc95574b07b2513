"""Each request that Patchbay sends to Drive, and each answer of the sandbox, against Google's discovery document.

The fixture `record` holds all exchanges against the document when a test ends; the tests see to it that there is
something to hold.
"""

from collections.abc import Callable

import pytest

from patchbay import providers
from patchbay.spec import Picture
from tests.conformance.conftest import Patchbay
from tests.conformance.discovery import HOST, drive
from tests.conformance.recording import Record
from tests.conformance.witness import Reading, Witness

WITNESS = Witness(
    platform="Google Drive",
    name="the discovery document drive.v3",
    package="google-api-python-client",
    subject="Patchbay's requests, the sandbox's answers to them",
)
UNWITNESSED = (
    "The chunks of an upload session as Patchbay sends them: the document names their address alone. The sandbox's "
    "side of it is what the client uploads to.",
    "Which values `q` and `orderBy` may have: to the document they are text.",
)
READING = Reading(drive().operations, drive().misfits)
SMALL = Picture.of(b"\r\n--x\r\n" + bytes(range(256)), filename="mockup.png", content_type="image/png")
LARGE = Picture.of(bytes(range(256)) * (9 * 4096), filename="mockup.jpg", content_type="image/jpeg")  # three chunks
LINK = "https://patchbay.example/assets/mockup"
OPERATIONS = {
    "create_folder": "test_making_a_folder_fits",
    "list_folders": "test_listing_folders_page_by_page_fits",
    "upload_file": "test_uploading_at_once_fits",
}


@pytest.fixture
def hub(patchbay: Callable[..., Patchbay]) -> Patchbay:
    return patchbay("google-drive")


def called(record: Record) -> list[str]:
    """The methods of the document that were called, in order."""
    methods = [drive().method_of(exchange) for exchange in record.to(HOST)]
    return [method.id.removeprefix("drive.") if method else "unknown" for method in methods]


def test_asking_whose_drive_it_is_fits(hub: Patchbay, record: Record) -> None:
    assert called(record) == ["about.get"]


def test_making_a_folder_fits(hub: Patchbay, record: Record) -> None:
    parent = hub.run("create_folder", folderName='Ada\'s "Mockups"')["folderId"]

    hub.run("create_folder", folderName="Shirts", folderId=parent)

    assert called(record)[1:] == ["files.generateIds", "files.create"] * 2


def test_listing_folders_page_by_page_fits(hub: Patchbay, record: Record) -> None:
    for name in ("Mugs", "Mug's rest"):
        hub.run("create_folder", folderName=name)

    first = hub.run("list_folders", limit=1)
    rest = hub.run("list_folders", limit=1, cursor=first["nextCursor"])
    found = hub.run("list_folders", search="Mug's", folderId=rest["folders"][0]["id"])

    assert [len(first["folders"]), len(rest["folders"]), len(found["folders"])] == [1, 1, 0]
    assert called(record)[-3:] == ["files.list"] * 3


def test_uploading_at_once_fits(hub: Patchbay, record: Record) -> None:
    hub.run("upload_file", {LINK: SMALL}, mockupUrls=[LINK])

    assert called(record)[1:] == ["files.generateIds", "files.create"]
    assert dict(record.exchanges[-1].query)["uploadType"] == "multipart"


def test_uploading_in_chunks_fits(hub: Patchbay, record: Record) -> None:
    saved = hub.run("upload_file", {LINK: LARGE}, mockupUrls=[LINK])

    (file,) = hub.sandbox.state("google-drive", "files")
    assert (file["id"], file["size"]) == (saved["files"][0]["id"], str(len(LARGE.content)))
    assert called(record)[1:] == ["files.create"] * 5
    assert [exchange.status for exchange in record.to(HOST)[1:]] == [200, 308, 308, 308, 200]


def test_looking_for_what_a_lost_answer_left_fits(hub: Patchbay, record: Record) -> None:
    hub.sandbox.fault("google-drive", "lost_response", match="POST www.googleapis.com/upload/drive/v3/files")

    hub.run("upload_file", {LINK: SMALL}, mockupUrls=[LINK])

    assert called(record)[1:] == ["files.generateIds", "files.create", "files.get"]
    assert [exchange.status for exchange in record.to(HOST)[-2:]] == [409, 200]


def test_the_scope_that_is_asked_for_covers_every_method_called(hub: Patchbay, record: Record) -> None:
    hub.run("create_folder", folderName="Mockups")
    hub.run("list_folders")
    hub.run("upload_file", {LINK: SMALL}, mockupUrls=[LINK])
    auth = providers.get("google-drive").auth
    asked = {scope.name for scope in auth.scopes} if auth else set()

    methods = [drive().method_of(exchange) for exchange in record.to(HOST)]

    assert [method.id for method in methods if method and not asked & set(method.declared["scopes"])] == []


def test_every_operation_has_its_test_here() -> None:
    operations = {operation.name for operation in providers.get("google-drive").operations}

    assert operations == set(OPERATIONS)
    assert set(OPERATIONS.values()) <= set(globals())
