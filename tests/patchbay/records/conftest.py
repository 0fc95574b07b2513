"""Imports of a small platform whose list can be made to lie."""

from collections.abc import Callable

import pytest

from patchbay import runs
from patchbay.models import Connection, Run, Trigger, User
from tests.patchbay.records.stand import Stand, Ways, reread
from tests.stage import Queue, linked_to_dropbox


@pytest.fixture
def stand() -> Stand:
    """A platform with forty things."""
    made = Stand()
    made.stock(40)
    return made


@pytest.fixture
def ways(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """The platform can be asked for nothing but its list, until a test says otherwise."""
    made = Ways(stand, monkeypatch)
    made.offer()
    return made


@pytest.fixture
def linked(ways: Ways, ada: User) -> Connection:
    """Ada's connection to the stand."""
    return linked_to_dropbox(ada)


@pytest.fixture
def bring_in(linked: Connection, ada: User, queue: Queue) -> Callable[[], Run]:
    """Carry an import out from beginning to end."""

    def bring_in() -> Run:
        run = runs.start(ada.id, "dropbox", "import_things", {}, Trigger.API)
        queue.run_all()
        return reread(run)

    return bring_in
