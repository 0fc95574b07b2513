"""Leaving: all that is a user's goes along in an archive, and goes away for good, whoever is killed in between."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from limits import parse
from sqlalchemy import func, select

from patchbay import accounts, assets, connections, runs, settings, tenancy
from patchbay.accounts import brakes, exports, leaving
from patchbay.accounts.lease import Lease, LeaseLost
from patchbay.errors import Conflict, Invalid, NotFound, TooManyRequests, Unauthenticated
from patchbay.models import (
    Asset,
    AuditEntry,
    Base,
    Connection,
    Export,
    ExportState,
    Leaving,
    Record,
    Trigger,
    User,
    db,
    fresh_view,
    transaction,
)
from tests.journeys.pictures import design
from tests.stage import PASSWORD, FrozenClock, Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")

LATER = pytest.mark.parametrize(
    "lapse", [timedelta(minutes=6), timedelta(hours=-1)], ids=["lapsed", "the clock was set back"]
)
"""Moments at which nobody holds a lease any more whose holder died."""


@pytest.fixture
def busy(ben: User, connect: Walker, queue: Queue) -> User:
    """Ben, with two connections, records and a picture."""
    connect(ben, "shopify", shop="demo-shop")
    connect(ben, "google-drive")
    runs.start(ben.id, "shopify", "import_products", {}, Trigger.API)
    queue.run_all()
    assets.upload(ben.id, design(), "design.png")
    return ben


def rows_of(user: User) -> dict[str, int]:
    """How many rows of each table are a user's, by the scope that holds them."""
    found = {}
    with tenancy.of(user.id):
        for mapper in Base.registry.mappers:
            table = Base.metadata.tables[mapper.local_table.description]
            if tenancy.belonging(table) is not None:
                found[table.name] = db.session.scalar(select(func.count()).select_from(mapper.class_)) or 0
    return {name: count for name, count in found.items() if count and name != "audit_entries"}


def file_of(user: User) -> Path:
    asset = db.session.scalars(select(Asset).where(Asset.user_id == user.id)).one()
    return assets.file_of(asset)


def test_whoever_leaves_leaves_nothing_but_the_log(busy: User, queue: Queue, sandbox: Sandbox) -> None:
    path = file_of(busy)

    leaving.ask_for_oneself(busy, PASSWORD)
    queue.run_all()

    assert rows_of(busy) == {}
    assert not path.exists()
    entries = select(AuditEntry.action).where(AuditEntry.user_id == busy.id).order_by(AuditEntry.id.desc())
    assert db.session.scalars(entries).first() == "account_deleted"
    assert sandbox.received("google-drive", path="/revoke")


def test_others_keep_what_is_theirs_and_a_picture_that_both_have(busy: User, cleo: User, queue: Queue) -> None:
    assets.upload(cleo.id, design(), "the same.png")
    before = rows_of(cleo)

    leaving.ask_for_oneself(busy, PASSWORD)
    queue.run_all()

    assert rows_of(cleo) == before
    assert file_of(cleo).exists()


def test_the_account_is_locked_before_anything_is_deleted(busy: User) -> None:
    key = accounts.create_key(busy, "a script", ["runs:read"])

    leaving.ask_for_oneself(busy, PASSWORD)

    assert not accounts.may_enter(db.session.get_one(User, busy.id, populate_existing=True))
    with pytest.raises(Unauthenticated):
        accounts.authenticate_key(key.text, "192.0.2.1")
    assert db.session.scalar(select(func.count()).select_from(Record)) or 0


@LATER
def test_a_deletion_that_was_killed_goes_on(
    busy: User, queue: Queue, frozen_clock: FrozenClock, lapse: timedelta
) -> None:
    leaving.ask_for_oneself(busy, PASSWORD)
    queue.drop_all()
    (leaving_id,) = leaving.due()
    Lease.claim(Leaving, leaving_id, leaving.LEASE)
    connections.disconnect(busy.id, "shopify")

    assert leaving.due() == []
    frozen_clock.moment += lapse
    for each in leaving.due():
        leaving.carry_out(each)

    assert rows_of(busy) == {}


def test_the_wrong_password_changes_nothing(busy: User) -> None:
    with pytest.raises(Invalid) as refused:
        leaving.ask_for_oneself(busy, "not the password")

    assert set(refused.value.fields) == {"password"}
    assert db.session.scalars(select(Leaving)).all() == []
    assert accounts.may_enter(busy)


def test_guessing_the_password_is_braked(busy: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brakes, "PER_ACCOUNT", parse("1 per 15 minutes"))
    with pytest.raises(Invalid):
        leaving.ask_for_oneself(busy, "not the password")

    with pytest.raises(TooManyRequests):
        leaving.ask_for_oneself(busy, "nor this")


def test_the_last_administrator_stays(ada: User) -> None:
    with pytest.raises(Conflict):
        leaving.ask(ada.id, asked_by=ada.id)


def test_an_archive_holds_all_rows_and_pictures_and_no_secret(
    busy: User, ada: User, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 5)
    connection = db.session.scalars(select(Connection).where(Connection.integration_id == "shopify")).one()
    secrets = (connection.access_token or "", busy.password_hash or "")
    export = exports.ask(busy.id)
    rows_before = rows_of(busy)
    queue.run_all()
    fresh_view()

    with zipfile.ZipFile(exports.file_of(exports.get(busy.id, export.id))) as archive:
        names = archive.namelist()
        told = {name: archive.read(name).decode() for name in names if name.endswith(".jsonl")}
    assert len(set(told["records.jsonl"].splitlines())) == 12
    lines = {name.removesuffix(".jsonl"): len(text.splitlines()) for name, text in told.items() if text}
    assert lines.pop("audit_entries") > 5
    assert lines == rows_before
    assert json.loads(told["user_integrations.jsonl"].splitlines()[0])["user_id"] == busy.id
    assert sum(name.startswith("assets/") for name in names) == 1
    everything = "".join(told.values())
    assert ada.id not in everything
    assert not any(secret in everything for secret in secrets)
    assert "_sealed" not in everything


def test_one_archive_is_made_at_a_time(busy: User) -> None:
    assert exports.ask(busy.id).id == exports.ask(busy.id).id


def test_an_archive_that_was_called_off_is_not_made(busy: User, queue: Queue) -> None:
    export = exports.ask(busy.id)

    exports.withdraw(busy.id, export.id)
    queue.run_all()

    assert list((settings.current().home / "exports").glob("*")) == []


@LATER
def test_an_archive_whose_maker_was_killed_is_made_by_another(
    ben: User, queue: Queue, frozen_clock: FrozenClock, lapse: timedelta
) -> None:
    export = exports.ask(ben.id)
    queue.drop_all()
    Lease.claim(Export, export.id, exports.LEASE)

    frozen_clock.moment += lapse
    for each in exports.due():
        exports.make(each)

    assert exports.get(ben.id, export.id).state is ExportState.READY


def test_an_archive_is_not_taken_from_its_maker_by_a_clock_that_is_a_little_behind(
    ben: User, frozen_clock: FrozenClock
) -> None:
    export = exports.ask(ben.id)
    Lease.claim(Export, export.id, exports.LEASE)

    frozen_clock.advance(seconds=-10)

    assert exports.due() == []
    assert Lease.claim(Export, export.id, exports.LEASE) is None


@LATER
def test_a_maker_that_was_given_up_for_dead_writes_nothing_more(
    ben: User, frozen_clock: FrozenClock, lapse: timedelta
) -> None:
    export = exports.ask(ben.id)
    late = Lease.claim(Export, export.id, exports.LEASE)
    assert late is not None
    frozen_clock.moment += lapse
    exports.make(export.id)
    made = exports.file_of(exports.get(ben.id, export.id)).read_bytes()

    with pytest.raises(LeaseLost), late.step(state=ExportState.FAILED):
        exports.file_of(export).unlink()

    done = exports.get(ben.id, export.id)
    assert (done.state, exports.file_of(done).read_bytes()) == (ExportState.READY, made)


def test_strangers_get_no_archive(busy: User, cleo: User, queue: Queue) -> None:
    export = exports.ask(busy.id)
    queue.run_all()

    with pytest.raises(NotFound):
        exports.get(cleo.id, export.id)


def test_archives_end_after_a_week(busy: User, queue: Queue, frozen_clock: FrozenClock) -> None:
    export = exports.ask(busy.id)
    queue.run_all()
    path = exports.file_of(exports.get(busy.id, export.id))

    frozen_clock.advance(days=8)
    exports.forget_expired()

    assert not path.exists()
    assert db.session.get(Export, export.id) is None


def test_an_account_that_is_leaving_cannot_be_let_in_again(busy: User, ada: User) -> None:
    leaving.ask_for_oneself(busy, PASSWORD)

    with pytest.raises(Conflict), transaction():
        accounts.set_active(ada, busy.id, active=True)
