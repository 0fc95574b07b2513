"""The `fields` language: what is picked, what is refused."""

import pytest

from sandbox.hosts.google_drive.fields import FILE, FILE_LIST, select
from sandbox.hosts.google_drive.refusals import DriveRefused

FILES = {
    "kind": "drive#fileList",
    "nextPageToken": "t",
    "files": [
        {"id": "1", "name": "a", "owners": [{"me": True, "emailAddress": "ada@example.org"}], "capabilities": {"x": 1}},
        {"id": "2", "name": "b", "owners": [], "capabilities": {"x": 2}},
    ],
}
NAMED_1, NAMED_2 = {"id": "1", "name": "a"}, {"id": "2", "name": "b"}


@pytest.mark.parametrize(
    ("fields", "picked"),
    [
        ("kind", {"kind": "drive#fileList"}),
        ("*", FILES),
        ("files(id)", {"files": [{"id": "1"}, {"id": "2"}]}),
        ("files/id", {"files": [{"id": "1"}, {"id": "2"}]}),
        ("nextPageToken, files( id , name )", {"nextPageToken": "t", "files": [NAMED_1, NAMED_2]}),
        ("files(id,owners/me)", {"files": [{"id": "1", "owners": [{"me": True}]}, {"id": "2", "owners": []}]}),
        ("files(capabilities(x))", {"files": [{"capabilities": {"x": 1}}, {"capabilities": {"x": 2}}]}),
        ("files/id,files/name", {"files": [NAMED_1, NAMED_2]}),
        ("files(id),files", {"files": FILES["files"]}),
        ("*/id", {"files": [{"id": "1"}, {"id": "2"}]}),
        ("incompleteSearch", {}),
    ],
)  # fmt: skip
def test_fields_pick_what_they_name(fields: str, picked: dict[str, object]) -> None:
    assert select(FILES, fields, FILE_LIST) == picked


@pytest.mark.parametrize(
    "fields",
    ["cars", "files(cars)", "files/cars", "files(", "files(id", "files)", ",", "files,", "a b", "id;", "", "()"],
)
def test_what_is_no_selection_is_refused(fields: str) -> None:
    with pytest.raises(DriveRefused) as refused:
        select(FILES, fields, FILE_LIST)

    assert (refused.value.status, refused.value.location) == (400, "fields")


@pytest.mark.parametrize("fields", ["id(" * 500 + ")" * 500, "id/" * 5000 + "id"])
def test_endless_nesting_is_refused(fields: str) -> None:
    with pytest.raises(DriveRefused):
        select({}, fields, FILE)
