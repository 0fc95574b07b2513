"""Walking through pages by cursor."""

from itertools import islice

import pytest

from patchbay.errors import UnexpectedShape
from patchbay.spec import Item, Page, by_cursor

PAGES = {None: "a", "a": "b", "b": None}


def fetch(cursor: str | None) -> Page:
    return Page((Item(str(cursor), "", {}),), PAGES[cursor])


def test_pages_follow_one_another_to_the_last() -> None:
    assert [page.items[0].external_id for page in by_cursor(fetch, None)] == ["None", "a", "b"]


def test_a_walk_may_begin_in_the_middle() -> None:
    assert [page.items[0].external_id for page in by_cursor(fetch, "b")] == ["b"]


def test_a_page_that_names_itself_as_the_next_ends_the_walk() -> None:
    with pytest.raises(UnexpectedShape):
        list(by_cursor(lambda _: Page((), "a"), None))


def test_a_circle_of_pages_ends_the_walk() -> None:
    circle = {None: "a", "a": "b", "b": "c", "c": "d", "d": "e", "e": "c"}

    with pytest.raises(UnexpectedShape):
        list(islice(by_cursor(lambda cursor: Page((), circle[cursor]), None), 50))
