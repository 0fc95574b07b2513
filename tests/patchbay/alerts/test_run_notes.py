"""What runs notice of their platforms: ends that are announced, answers in another form."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from patchbay import runs
from patchbay.alerts.run_notes import RunNotes
from patchbay.models import Alert, Connection, Run, Trigger, User, db, fresh_view, transaction
from tests.stage import FrozenClock, Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")


@dataclass
class Answer:
    """As much of an exchange as is looked at."""

    response_headers: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture
def shop(connect: Walker, ada: User) -> Connection:
    """Ada's connection to Shopify."""
    return connect(ada, "shopify", shop="demo-shop")


def start(user: User) -> Run:
    return runs.start(user.id, "shopify", "import_products", {}, Trigger.PAGE)


def all_alerts() -> list[Alert]:
    fresh_view()
    return list(db.session.scalars(select(Alert).order_by(Alert.id).execution_options(populate_existing=True)))


def test_an_answer_in_another_form_is_told_until_the_import_succeeds(
    shop: Connection, ada: User, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "malformed", times=0)
    run = start(ada)
    queue.run_all()
    (alert,) = all_alerts()
    assert (alert.kind.value, alert.is_open, alert.connection_id) == ("unexpected_shape", True, shop.id)
    assert (alert.params["run"], alert.params["operation"]) == (run.id, "Import products")

    sandbox.clear_faults("shopify")
    start(ada)
    queue.run_all()

    (alert,) = all_alerts()
    assert not alert.is_open


def test_another_failure_is_not_taken_for_another_form(
    shop: Connection, ada: User, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "revoked_grant", times=0)
    start(ada)

    queue.run_all()

    assert [alert.kind.value for alert in all_alerts() if alert.kind.value == "unexpected_shape"] == []


def test_the_nearest_end_that_headers_announce_is_told_once_a_run(
    shop: Connection, ada: User, frozen_clock: FrozenClock
) -> None:
    run = start(ada)
    notes = RunNotes(run)
    notes.exchanged(Answer({"Sunset": "Wed, 31 Dec 2031 23:59:59 GMT"}))
    notes.exchanged(Answer({"sunset": "Sat, 01 May 2027 00:00:00 GMT", "Deprecation": "@1688169599"}))
    notes.exchanged(Answer())

    with transaction():
        notes.write(run)
        notes.write(run)

    (alert,) = all_alerts()
    assert (alert.kind.value, alert.count) == ("api_ending", 1)
    assert alert.params == {"provider": "Shopify", "until": "2027-05-01T00:00:00.000Z"}


def test_an_end_without_a_day_is_told_too(shop: Connection, ada: User, frozen_clock: FrozenClock) -> None:
    run = start(ada)
    notes = RunNotes(run)
    notes.exchanged(Answer({"Deprecation": "true"}))

    with transaction():
        notes.write(run)

    (alert,) = all_alerts()
    assert alert.params == {"provider": "Shopify", "case": "undated"}
