"""The chain over the audit log: whatever is done to a sealed entry or a seal behind Patchbay's back comes to light."""

import pytest
from sqlalchemy import Executable, create_engine, delete, func, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from patchbay import audit, clock, settings
from patchbay.audit import chain
from patchbay.models import (
    AuditEntry,
    AuditLink,
    AuditRetention,
    AuditSeal,
    Base,
    User,
    db,
    fresh_view,
    new_id,
    transaction,
)
from patchbay.signing import Signer
from tests.stage import FrozenClock

pytestmark = pytest.mark.usefixtures("context")

TABLES = ("audit_entries", "audit_seals", "audit_links")


@pytest.fixture
def sealed(ada: User, frozen_clock: FrozenClock) -> None:
    """Three seals over five entries each, and one entry that waits."""
    frozen_clock.advance(minutes=1)
    chain.seal_all()
    for _ in range(3):
        for number in range(5):
            audit.add(audit.Deed.SETTINGS_CHANGED, user_id=ada.id, number=number)
        frozen_clock.advance(minutes=1)
        chain.seal()
    audit.add(audit.Deed.SETTINGS_CHANGED, user_id=ada.id)


def tamper(*deeds: Executable) -> None:
    """Do what somebody with the whole database in hands can do: as its owner, the triggers dropped."""
    fresh_view()  # what was read so far holds locks
    engine = create_engine(settings.current().database_url)
    with engine.begin() as connection:
        for table in TABLES:
            for name in (f"{table}_stay", f"{table}_last"):
                where = "" if engine.dialect.name == "sqlite" else f" ON {table}"
                connection.execute(text(f"DROP TRIGGER {name}{where}"))
        for deed in deeds:
            connection.execute(deed)
    engine.dispose()


def broken() -> str:
    fresh_view()
    db.session.expire_all()
    found = chain.verify().broken
    return "" if found is None else found.what


def an_entry() -> AuditEntry:
    """The third entry under the second seal from the end."""
    last = db.session.scalars(select(func.max(AuditSeal.number))).one()
    statement = select(AuditEntry).join(AuditLink, AuditLink.entry_id == AuditEntry.id)
    return db.session.scalars(statement.where(AuditLink.seal == last - 1, AuditLink.place == 2)).one()


def test_a_log_that_nobody_touched_is_whole(sealed: None) -> None:
    report = chain.verify()

    assert report.broken is None
    assert (report.open, report.ended) == (1, 0)
    assert report.sealed == db.session.scalar(select(func.count()).select_from(AuditEntry)) - 1  # type: ignore[operator]


def test_an_entry_is_sealed_once_and_only_when_it_has_settled(ada: User, frozen_clock: FrozenClock) -> None:
    frozen_clock.advance(minutes=1)
    chain.seal_all()
    audit.add(audit.Deed.SETTINGS_CHANGED, user_id=ada.id)

    assert chain.seal() == 0
    frozen_clock.advance(seconds=11)
    assert (chain.seal(), chain.seal()) == (1, 0)


def test_an_entry_that_arrives_late_is_sealed_too(sealed: None, ada: User, frozen_clock: FrozenClock) -> None:
    early = new_id("aud")
    audit.add(audit.Deed.SETTINGS_CHANGED, user_id=ada.id)
    frozen_clock.advance(minutes=1)
    chain.seal_all()
    with transaction() as session:
        session.add(AuditEntry(id=early, at=clock.now(), actor="system", action="settings_changed", detail={}))
    frozen_clock.advance(minutes=1)

    assert chain.seal() == 1
    assert chain.verify().broken is None


@pytest.mark.parametrize("table", TABLES)
def test_the_database_itself_refuses_changes(sealed: None, table: str) -> None:
    there = Base.metadata.tables[table]
    column = next(column for column in there.columns if not column.primary_key)
    for statement in (there.update().values({column: column}), there.delete()):
        with pytest.raises(DatabaseError, match="only ever added to"), transaction() as session:
            session.execute(statement)

    assert broken() == ""


def test_an_altered_entry_comes_to_light(sealed: None) -> None:
    entry = an_entry()

    tamper(update(AuditEntry).where(AuditEntry.id == entry.id).values(actor="somebody else"))

    assert "was altered" in broken()


def test_a_removed_entry_comes_to_light(sealed: None) -> None:
    entry_id = an_entry().id

    tamper(delete(AuditEntry).where(AuditEntry.id == entry_id))

    assert entry_id in broken()


def test_entries_that_change_places_come_to_light(sealed: None) -> None:
    last = db.session.scalars(select(func.max(AuditSeal.number))).one()

    link = update(AuditLink).where(AuditLink.seal == last)
    tamper(*(link.where(AuditLink.place == old).values(place=new) for old, new in ((0, 99), (1, 0), (99, 1))))

    assert "moved" in broken()


def test_an_entry_that_was_slipped_in_comes_to_light(sealed: None) -> None:
    old = "aud_01" + "0" * 24
    with transaction() as session:
        session.add(AuditEntry(id=old, at=clock.now(), actor="usr_x", action="connected", detail={}))

    assert old in broken()


def test_a_removed_seal_comes_to_light(sealed: None) -> None:
    last = db.session.scalars(select(func.max(AuditSeal.number))).one()

    tamper(delete(AuditSeal).where(AuditSeal.number == last))

    assert broken() == f"seal {last} is missing"


def test_a_seal_made_with_another_key_comes_to_light(sealed: None) -> None:
    last = db.session.scalars(select(func.max(AuditSeal.number))).one()
    seal = db.session.get_one(AuditSeal, last)
    forged = Signer("a key that somebody else has made up").seal(f"{last}:{seal.hash}", purpose="audit")

    tamper(update(AuditSeal).where(AuditSeal.number == last).values(signature=forged))

    assert "not made by this installation" in broken()


def test_retention_takes_whole_seals_and_the_chain_still_holds(
    sealed: None, ada: User, frozen_clock: FrozenClock
) -> None:
    kept = db.session.scalar(select(func.count()).select_from(AuditSeal))
    frozen_clock.advance(days=400)
    chain.seal_all()

    assert chain.end(clock.now()) == kept
    report = chain.verify()
    assert (report.broken, report.ended, report.sealed) == (None, kept, 1)
    assert chain.end(clock.now()) == 0


def test_a_retention_that_nobody_ordered_comes_to_light(sealed: None) -> None:
    with transaction() as session:
        session.execute(insert(AuditRetention), [{"id": 1, "ended_through": 3, "signature": "0" * 64}])

    assert "retention" in broken()
