"""Which tries of a long run the wire log keeps, and that none of them holds a secret at any time."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from patchbay import net, runs
from patchbay.client import Exchange
from patchbay.models import Run, RunStatus, Trigger, User, WireEntry, db, transaction
from patchbay.wire import WireLog
from patchbay.wire.recording import FAILED_KEPT, FIRST_KEPT, LAST_KEPT
from tests.stage import Walker

DATABASES = ("sqlite",)  # rows of one table
pytestmark = pytest.mark.usefixtures("context")

TOKEN = "a-token-that-looks-like-nothing-special"


@pytest.fixture
def run(ada: User, connect: Walker) -> Run:
    connect(ada, "shopify", shop="demo-shop")
    return runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)


def tried(number: int, error: str = "") -> Exchange:
    """A try whose answer repeats the token it was sent."""
    outgoing = net.Outgoing("GET", f"https://api.example.com/{number}", headers={"Authorization": f"Bearer {TOKEN}"})
    answer = b'{"message": "the token ' + TOKEN.encode() + b' is fine"}'
    kind = {"content-type": "application/json"}
    return Exchange(outgoing, 500 if error else 200, kind, answer, error, 12, datetime.now(UTC), 1)


def written(log: WireLog, run: Run) -> list[WireEntry]:
    """What the log has written when the run has ended."""
    with transaction() as session:
        session.get_one(Run, run.id).status = RunStatus.SUCCEEDED
    with transaction():
        log.write(run)
    return list(db.session.scalars(select(WireEntry).order_by(WireEntry.number)))


def test_of_a_long_run_the_beginning_the_failures_and_the_end_are_kept(run: Run) -> None:
    log, tries = WireLog(run), FIRST_KEPT + LAST_KEPT + 20
    for number in range(1, tries + 1):
        log.exchanged(tried(number, "ProviderUnavailable" if number == FIRST_KEPT + 10 else ""))

    entries = written(log, run)

    kept = [*range(1, FIRST_KEPT + 1), FIRST_KEPT + 10, *range(tries - LAST_KEPT + 1, tries + 1)]
    assert [entry.number for entry in entries] == kept
    assert [entry.url.rpartition("/")[2] for entry in entries] == [str(number) for number in kept]
    assert not any(TOKEN in f"{entry.request_headers}{entry.response_body}" for entry in entries)


def test_of_many_failures_a_part_is_kept(run: Run) -> None:
    log = WireLog(run)
    for number in range(FIRST_KEPT + FAILED_KEPT + LAST_KEPT + 20):
        log.exchanged(tried(number, "ProviderUnavailable"))

    assert len(written(log, run)) == FIRST_KEPT + FAILED_KEPT + LAST_KEPT


def test_what_is_not_masked_yet_stands_in_no_crash_report(run: Run) -> None:
    log = WireLog(run)
    for number in range(FIRST_KEPT + 1):
        log.exchanged(tried(number))

    assert TOKEN not in repr(vars(log))


def test_a_note_leaves_no_transaction_open(run: Run) -> None:
    log = WireLog(run)
    db.session.commit()

    log.exchanged(tried(1))

    assert not db.session().in_transaction()
