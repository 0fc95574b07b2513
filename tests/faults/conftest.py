"""A platform whose things stand on a shelf, and where something may happen before a page is read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from patchbay import providers, runs
from patchbay.models import Connection, Run, Trigger, User, fresh_view
from patchbay.spec import Action, Api, Import, Item, Page
from tests.stage import Queue, linked_to_dropbox

ON_A_PAGE = 2


@dataclass
class Shelf:
    """Things by their ids. `before` says what happens, once, before the page with that number is handed over."""

    things: dict[str, str] = field(default_factory=lambda: dict.fromkeys("abcdef", "small"))
    before: dict[int, Callable[[], object]] = field(default_factory=dict)
    act: Callable[[Api], Mapping[str, Any]] = lambda _api: {}
    read: list[int] = field(default_factory=list)

    def pages(self, _api: Api, cursor: str | None) -> Iterator[Page]:
        """Two on a page."""
        ids = sorted(self.things)
        for number in range(int(cursor or 0), -(-len(ids) // ON_A_PAGE)):
            self.read.append(number)
            self.before.pop(number, lambda: None)()
            items = tuple(
                Item(one, f"Thing {one}", {"id": one, "content": self.things[one]})
                for one in ids[number * ON_A_PAGE : (number + 1) * ON_A_PAGE]
            )
            following = str(number + 1) if (number + 1) * ON_A_PAGE < len(ids) else None
            yield Page(items, following, len(ids))

    def carry_out(self, api: Api, _values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Whatever a test wants of an action."""
        return self.act(api)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, ada: User) -> Shelf:
    """Ada is connected to it; it is known as Dropbox."""
    made = Shelf()
    operations = (
        Import("import_things", "Import", "things", made.pages),
        Action("act", "Act", made.carry_out, (), doing="acting"),
    )
    monkeypatch.setitem(
        providers._by_key(), "dropbox", replace(providers.get("dropbox"), settings=(), operations=operations)
    )
    return made


@pytest.fixture
def shelved(shelf: Shelf, app: object, ada: User, context: None) -> Connection:
    """Ada's connection to the shelf."""
    return linked_to_dropbox(ada)


@pytest.fixture
def ordered(shelved: Connection, queue: Queue) -> Callable[..., Run]:
    """`ordered("import_things")` asks for it and carries it out as far as it comes."""

    def order(operation: str = "import_things", trigger: Trigger = Trigger.API) -> Run:
        run = runs.start(shelved.user_id, "dropbox", operation, {}, trigger)
        queue.run_all()
        return reread(run)

    return order


def reread(run: Run) -> Run:
    """The run as it is now."""
    fresh_view()
    return runs.get(run.user_id, run.id)
