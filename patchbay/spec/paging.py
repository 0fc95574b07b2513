"""Walking through a list that comes in pages, without going round in circles."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeVar

from patchbay.errors import UnexpectedShape
from patchbay.spec.provider import Outline, Page

Some = TypeVar("Some", Page, Outline)


def by_cursor(fetch: Callable[[str | None], Some], start: str | None) -> Iterator[Some]:
    """Pages from `start` (None: the beginning) for as long as each names a next cursor.

    Raises UnexpectedShape when the cursors go round in a circle: the list would never end.
    """
    cursor = marked = start
    for number in count(1):
        page = fetch(cursor)
        yield page
        if page.next_cursor is None:
            return
        if page.next_cursor in {cursor, marked}:
            raise UnexpectedShape("a page names itself or an earlier one as the next")
        cursor = page.next_cursor
        if number.bit_count() == 1:  # marks ever farther apart meet a circle of any length, and remember one cursor
            marked = cursor
