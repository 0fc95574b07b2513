"""Imports of a small platform whose list can be made to lie."""

from collections.abc import Callable

import pytest

from patchbay import clock, runs
from patchbay.models import Connection, ConnectionState, Run, Trigger, User, new_id, transaction
from tests.patchbay.records.stand import Stand, Ways, reread
from tests.stage import Queue


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
    now = clock.now()
    made = Connection(
        id=new_id("con"), user_id=ada.id, integration_id="dropbox", state=ConnectionState.CONNECTED,
        account_id="1", account_label="ada", scopes=[], is_sandbox=True, settings={}, setting_labels={},
        token_version=1, connected_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    made.access_token = "a-token"
    with transaction() as session:
        session.add(made)
    return made


@pytest.fixture
def bring_in(linked: Connection, ada: User, queue: Queue) -> Callable[[], Run]:
    """Carry an import out from beginning to end."""

    def bring_in() -> Run:
        run = runs.start(ada.id, "dropbox", "import_things", {}, Trigger.API)
        queue.run_all()
        return reread(run)

    return bring_in
