"""A platform of one small import, known as Dropbox, and a connection of Ada's to it; nothing leaves the process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from patchbay import providers
from patchbay.models import Connection, User
from patchbay.spec import Action, Api, Import, Item, Page
from tests.stage import FrozenClock, linked_to_dropbox


@dataclass
class Shelf:
    """What the platform holds; `trouble` is what it answers the next question with."""

    things: tuple[str, ...] = ("a", "b")
    trouble: BaseException | None = None

    def pages(self, _api: Api, _cursor: str | None) -> Iterator[Page]:
        trouble, self.trouble = self.trouble, None
        if trouble is not None:
            raise trouble
        yield Page(tuple(Item(one, f"Thing {one}", {"id": one}) for one in self.things), None)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """The platform, with two imports and an action."""
    made = Shelf()
    operations = (
        Import("import_things", "Import things", "things", made.pages),
        Import("import_other_things", "Import other things", "others", made.pages),
        Action("do_something", "Do something", lambda _api, _values: {}),
    )
    provider = replace(providers.get("dropbox"), settings=(), operations=operations)
    monkeypatch.setitem(providers._by_key(), "dropbox", provider)
    return made


@pytest.fixture
def connect_to_shelf(shelf: Shelf, frozen_clock: FrozenClock) -> Callable[[User], Connection]:
    """`connect_to_shelf(ada)` answers a connection that works."""

    return linked_to_dropbox


@pytest.fixture
def connection(connect_to_shelf: Callable[[User], Connection], ada: User) -> Connection:
    """Ada's."""
    return connect_to_shelf(ada)
