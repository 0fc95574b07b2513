"""Each request that Patchbay sends to Dropbox, and each answer of the sandbox, against the routes of Dropbox's client.

The fixture `record` holds all exchanges against the routes when a test ends; the tests see to it that there is
something to hold.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from patchbay import providers
from patchbay.errors import PlatformError
from patchbay.spec import Picture
from tests.conformance import dropbox_routes
from tests.conformance.conftest import Patchbay
from tests.conformance.recording import Record
from tests.conformance.witness import Reading, Witness

WITNESS = Witness(
    platform="Dropbox",
    name="the routes of Dropbox's Python client",
    package="dropbox",
    subject="Patchbay's requests, the sandbox's answers to them",
)
UNWITNESSED = (
    "The two calls of OAuth as Patchbay sends them: Stone does not describe them. The client walks the same calls at "
    "the sandbox.",
    "Which scope a function takes: the Stone files say so, but the client leaves it out of its routes.",
)
READING = Reading(dropbox_routes.operations, dropbox_routes.misfits)
SMALL = Picture.of(bytes(range(256)), filename="Grüße 😀.png", content_type="image/png")
LARGE = Picture.of(bytes(range(256)) * 36_000, filename="mockup.png", content_type="image/png")  # three chunks
LINK = "https://patchbay.example/assets/mockup"
SESSION = ["files/upload_session/start", *["files/upload_session/append_v2"] * 4, "files/upload_session/finish"]
OPERATIONS = {
    "create_folder": "test_making_a_folder_fits",
    "list_folders": "test_listing_folders_page_by_page_fits",
    "list_spaces": "test_asking_whose_dropbox_it_is_and_for_its_spaces_fits",
    "upload_file": "test_uploading_at_once_fits",
}


@pytest.fixture
def hub(patchbay: Callable[..., Patchbay]) -> Patchbay:
    return patchbay("dropbox")


def called(record: Record, but_not: str = "users/get_current_account") -> list[str]:
    """The functions that were called, in order."""
    return [name for each in record.exchanges for name in dropbox_routes.operations(each) if name != but_not]


def argument(record: Record, function: str) -> Any:
    """What the last call of a function said in its header."""
    sent = [exchange for exchange in record.exchanges if exchange.path == f"/2/{function}"]
    return json.loads(sent[-1].headers["dropbox-api-arg"])


def test_asking_whose_dropbox_it_is_and_for_its_spaces_fits(hub: Patchbay, record: Record) -> None:
    spaces = hub.run("list_spaces")["spaces"]

    assert [space["id"] for space in spaces] == ["home"]
    assert set(called(record, "")) == {"users/get_current_account"}


def test_making_a_folder_fits(hub: Patchbay, record: Record) -> None:
    made = hub.run("create_folder", folderName="Mugs 😀", folderPath="/Shop")
    again = hub.run("create_folder", folderName="mugs 😀", folderPath="/shop")
    hub.run("create_folder", folderName="Inner", folderId=made["folderId"])

    assert again["folderId"] == made["folderId"]
    assert called(record) == [
        "files/create_folder_v2",
        *("files/create_folder_v2", "files/get_metadata"),
        *("files/get_metadata", "files/create_folder_v2"),
    ]


def test_listing_folders_page_by_page_fits(hub: Patchbay, record: Record) -> None:
    first = hub.run("list_folders", limit=1)
    rest = hub.run("list_folders", limit=5, cursor=first["nextCursor"])
    found = hub.run("list_folders", search="2026", folderId=first["folders"][0]["id"])

    assert [len(first["folders"]), bool(rest["folders"]), found["folders"]] == [1, True, []]
    assert set(called(record)) == {"files/list_folder", "files/list_folder/continue", "files/search_v2"}


def test_searching_page_by_page_fits(hub: Patchbay, record: Record) -> None:
    for number in range(3):
        hub.run("create_folder", folderName=f"Mug {number}")

    first = hub.run("list_folders", search="mug", limit=2)
    rest = hub.run("list_folders", search="mug", limit=2, cursor=first["nextCursor"])

    assert [len(first["folders"]), len(rest["folders"])] == [2, 1]
    assert called(record)[-2:] == ["files/search_v2", "files/search/continue_v2"]


def test_uploading_at_once_fits(hub: Patchbay, record: Record) -> None:
    saved = hub.run("upload_file", {LINK: SMALL}, mockupUrls=[LINK], folderPath="/Shop")

    assert saved["files"][0]["name"] == "Grüße 😀.png"
    assert called(record) == ["files/upload"]
    assert argument(record, "files/upload") == {"path": "/Shop/Grüße 😀.png"}


def test_uploading_in_chunks_fits(hub: Patchbay, record: Record) -> None:
    saved = hub.run("upload_file", {LINK: LARGE}, mockupUrls=[LINK])

    assert saved["files"][0]["name"] == "mockup.png"
    assert called(record) == SESSION


def test_going_on_after_a_lost_answer_fits(hub: Patchbay, record: Record) -> None:
    hub.sandbox.fault("dropbox", "lost_response", match="append_v2")
    hub.sandbox.fault("dropbox", "lost_response", match="upload_session/finish")

    saved = hub.run("upload_file", {LINK: LARGE}, mockupUrls=[LINK])

    assert saved["files"][0]["name"] == "mockup.png"
    assert [each.status for each in record.exchanges if each.status == 409] == [409]  # the second try to finish


def test_names_that_are_taken_fit(hub: Patchbay, record: Record) -> None:
    other = Picture.of(b"other", filename=SMALL.filename, content_type="image/png")
    hub.run("upload_file", {LINK: SMALL}, mockupUrls=[LINK])

    saved = hub.run("upload_file", {LINK: other}, mockupUrls=[LINK])

    assert saved["files"][0]["name"] == "Grüße 😀 (1).png"
    assert called(record) == ["files/upload"] * 3


def test_what_is_refused_fits(hub: Patchbay, record: Record) -> None:
    with pytest.raises(PlatformError):
        hub.run("list_folders", folderPath="/nowhere")
    with pytest.raises(PlatformError):
        hub.run("create_folder", folderName="Getting Started.txt")

    assert [exchange.status for exchange in record.exchanges if exchange.status >= 400] == [409, 409]


def test_the_space_of_a_team_fits(hub: Patchbay, record: Record) -> None:
    account = json.loads(record.to("api.dropboxapi.com")[-1].answer)
    hub.api.settings = {"space": account["root_info"]["root_namespace_id"]}

    hub.run("list_folders")

    sent = json.loads(record.exchanges[-1].headers["dropbox-api-path-root"])
    assert sent == {".tag": "root", "root": hub.api.settings["space"]}
    assert record.exchanges[-1].status == 200


def test_revoking_fits(hub: Patchbay, record: Record) -> None:
    provider = providers.get("dropbox")
    assert provider.revoke is not None

    provider.revoke(hub.api)

    assert called(record) == ["auth/token/revoke"]


def test_every_operation_has_its_test_here() -> None:
    operations = {operation.name for operation in providers.get("dropbox").operations}

    assert operations == set(OPERATIONS)
    assert set(OPERATIONS.values()) <= set(globals())
