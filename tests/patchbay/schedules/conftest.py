"""A platform of one small import, known as Dropbox, and a connection of Ada's to it; nothing leaves the process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from patchbay import clock, providers
from patchbay.models import Connection, ConnectionState, User, new_id, transaction
from patchbay.spec import Action, Api, Import, Item, Page
from tests.stage import FrozenClock


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

    def connect(user: User) -> Connection:
        now = clock.now()
        made = Connection(
            id=new_id("con"), user_id=user.id, integration_id="dropbox", state=ConnectionState.CONNECTED,
            account_id="1", account_label="a shelf", scopes=[], is_sandbox=True, settings={}, setting_labels={},
            token_version=1, connected_at=now, created_at=now, updated_at=now,
        )  # fmt: skip
        made.access_token = "a-token"
        with transaction() as session:
            session.add(made)
        return made

    return connect


@pytest.fixture
def connection(connect_to_shelf: Callable[[User], Connection], ada: User) -> Connection:
    """Ada's."""
    return connect_to_shelf(ada)
