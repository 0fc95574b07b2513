"""Walking through a list that comes in pages, without going round in circles."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from patchbay.errors import UnexpectedShape
from patchbay.spec.provider import Outline, Page

Some = TypeVar("Some", Page, Outline)


def by_cursor(fetch: Callable[[str | None], Some], start: str | None) -> Iterator[Some]:
    """Pages from `start` (None: the beginning) for as long as each names a next cursor.

    Raises UnexpectedShape when a page names the cursor that it was fetched with: the list would never end.
    """
    cursor = start
    while True:
        page = fetch(cursor)
        yield page
        if page.next_cursor is None:
            return
        if page.next_cursor == cursor:
            raise UnexpectedShape("the page names itself as the next one")
        cursor = page.next_cursor
