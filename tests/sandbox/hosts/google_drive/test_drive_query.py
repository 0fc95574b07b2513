"""The search language: what matches, what is refused."""

import pytest

from sandbox.hosts.google_drive.query import needed_parent, parse
from sandbox.hosts.google_drive.refusals import DriveRefused

FILE = {
    "name": "Ada's HelloWorld shirt.png",
    "mimeType": "image/png",
    "parents": ["folder"],
    "trashed": False,
    "starred": True,
    "modifiedTime": "2026-03-01T12:00:00.000Z",
    "appProperties": {"run": "7"},
    "owners": [{"emailAddress": "ada@example.org"}],
}


@pytest.mark.parametrize(
    "query",
    [
        "",
        r"name = 'Ada\'s HelloWorld shirt.png'",
        "name != 'x'",
        "name contains 'hello'",
        "name contains 'shirt'",
        "mimeType='image/png'",
        "mimeType contains 'image/'",
        "mimeType != 'application/vnd.google-apps.folder'",
        "'folder' in parents",
        "trashed = false",
        "trashed=false and starred=true",
        "trashed = true or 'folder' in parents",
        "not trashed = true",
        "not (trashed = true or name = 'x')",
        "not not trashed = false",
        "name = 'x' and trashed = true or starred = true",
        "modifiedTime > '2026-03-01T11:59:59'",
        "modifiedTime <= '2026-03-01T13:00:00+01:00'",
        "appProperties has { key='run' and value='7' }",
        "'me' in owners and 'ada@example.org' in writers",
        "  ( ( trashed = false ) )  ",
    ],
)
def test_query_matches(query: str) -> None:
    assert parse(query).matches(FILE)


@pytest.mark.parametrize(
    "query",
    [
        "name = 'hello'",
        "name contains 'World'",
        "mimeType contains 'png'",
        "'elsewhere' in parents",
        "not trashed = false",
        "starred = true and (trashed = true or name = 'x')",
        "modifiedTime < '2026-03-01T12:00:00'",
        "appProperties has { key='run' and value='8' }",
        "'ben@example.org' in owners",
    ],
)
def test_query_does_not_match(query: str) -> None:
    assert not parse(query).matches(FILE)


@pytest.mark.parametrize(
    "query",
    [
        "name",
        "name =",
        "name = shirt",
        'name = "shirt"',
        "name = 'open",
        "name > 'a'",
        "cars = 'x'",
        "trashed = 'false'",
        "trashed contains false",
        "parents in 'x'",
        "'x' in name",
        "'x' in",
        "(trashed = false",
        "trashed = false)",
        "trashed = false and",
        "and",
        "not",
        "trashed = false trashed = false",
        "modifiedTime > 'yesterday'",
        "modifiedTime > '0001-01-01T00:00:00+14:00'",
        "appProperties has { key='a' }",
        "name = 'a'; drop",
        "(" * 3000 + "trashed = false" + ")" * 3000,
        "not " * 3000 + "trashed = false",
    ],
)
def test_garbage_is_refused(query: str) -> None:
    with pytest.raises(DriveRefused) as refused:
        parse(query)

    assert (refused.value.status, refused.value.location) == (400, "q")


def test_needed_parent_is_known_only_where_every_match_lies_in_it() -> None:
    assert needed_parent(parse("trashed=false and 'a' in parents")) == "a"
    assert needed_parent(parse("trashed=false or 'a' in parents")) is None
    assert needed_parent(parse("not 'a' in parents")) is None
