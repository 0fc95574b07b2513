"""The chain of seals over the audit log: made in batches by the clock, checked by `flask audit verify`.

Writing entries lives in the package itself. What the chain shows: an entry that was altered, removed, slipped in among
sealed ones or moved, a seal that was removed or replaced, and a retention that nobody here has ordered.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from ulid import ULID

from patchbay import clock, signing
from patchbay.models import AuditEntry, AuditLink, AuditRetention, AuditSeal, db, transaction

BATCH = 1000
SETTLED = timedelta(seconds=10)
"""An entry is sealed no sooner, so that its neighbours are mostly in the database too."""
LATEST = timedelta(days=1)
"""How much later than the newest under a seal an entry may still arrive: no transaction lasts that long."""

_FIRST = "0" * 64
_PURPOSE = "audit"


@dataclass(frozen=True)
class Finding:
    """The first place where the log is not what was sealed, in a sentence for whoever administers."""

    seal: int
    what: str


@dataclass(frozen=True)
class Report:
    """What a check found; `broken` None is good. `sealed` and `open` count entries, `ended` seals without theirs."""

    seals: int
    sealed: int
    open: int
    ended: int
    broken: Finding | None


def seal() -> int:
    """Close the entries that have settled, at most a batch; returns how many. Two clocks at once do no harm."""
    try:
        with transaction() as session:
            last = _last_seal()
            may_come = _open_entries().where(AuditEntry.at < clock.now() - SETTLED, AuditEntry.id > _floor(last))
            entries = list(session.scalars(may_come.order_by(AuditEntry.id).limit(BATCH)))
            if not entries:
                return 0
            number, before = (last.number + 1, last.hash) if last else (1, _FIRST)
            digest = _hash(number, before, entries)
            session.add(
                AuditSeal(
                    number=number,
                    at=clock.now(),
                    count=len(entries),
                    last_entry=max(entries[-1].id, last.last_entry if last else ""),
                    hash=digest,
                    signature=_signed(number, digest),
                )
            )
            session.execute(
                insert(AuditLink),
                [{"seal": number, "place": place, "entry_id": entry.id} for place, entry in enumerate(entries)],
            )
    except IntegrityError:
        return 0  # another clock has closed the same batch
    return len(entries)


def seal_all() -> None:
    """Close all that has settled."""
    while seal() == BATCH:
        pass


def verify() -> Report:
    """Read the whole chain, seal by seal, up to the first place that is broken."""
    ended, broken = _ended_through()
    before, expected, sealed, number = _FIRST, 1, 0, 0
    for each in db.session.scalars(select(AuditSeal).order_by(AuditSeal.number)).yield_per(BATCH):
        if broken is not None:
            break
        number = each.number
        broken = _broken_in(each, before, expected, is_ended=number <= ended)
        before, expected, sealed = each.hash, number + 1, sealed + (each.count if number > ended else 0)
    broken = broken or _left_over(number, ended) or _slipped_in()
    waiting = db.session.scalar(select(func.count()).select_from(_open_entries().subquery())) or 0
    return Report(number, sealed, waiting, min(ended, number), broken)


def end(before: datetime, limit: int = 50) -> int:
    """Delete the entries under seals that were all made before the moment; returns how many seals, at most `limit`.

    The seals stay, so that the chain can still be followed. An entry is only ever deleted with its whole batch.
    """
    with transaction() as session:
        ended = session.get(AuditRetention, 1)
        through = ended.ended_through if ended else 0
        old = list(
            session.scalars(
                select(AuditSeal)
                .where(AuditSeal.number > through, AuditSeal.at < before)
                .order_by(AuditSeal.number)
                .limit(limit)
            )
        )
        if not old:
            return 0
        last = old[-1].number
        ended = ended or AuditRetention(id=1)
        ended.ended_through, ended.signature = last, _signed(last, "ended")
        session.add(ended)
        session.flush()  # the triggers look at the row before they let an entry go
        under = select(AuditLink.entry_id).where(AuditLink.seal <= last)
        session.execute(delete(AuditEntry).where(AuditEntry.id.in_(under)), execution_options=_UNSYNCED)
        session.execute(delete(AuditLink).where(AuditLink.seal <= last), execution_options=_UNSYNCED)
    return len(old)


_UNSYNCED = {"synchronize_session": False}


def _open_entries() -> Select[AuditEntry]:
    links = select(AuditEntry).outerjoin(AuditLink, AuditLink.entry_id == AuditEntry.id)
    return links.where(AuditLink.entry_id.is_(None))


def _last_seal() -> AuditSeal | None:
    return db.session.scalars(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1)).first()


def _floor(last: AuditSeal | None) -> str:
    """An id below which no entry waits for a seal any more: ids begin with the time at which they were made."""
    if last is None:
        return ""
    prefix, _, ulid = last.last_entry.partition("_")
    made_at = ULID.from_str(ulid.upper()).datetime - LATEST
    return f"{prefix}_{str(ULID.from_datetime(made_at))[:10].lower()}"


def _broken_in(seal: AuditSeal, before: str, expected: int, *, is_ended: bool) -> Finding | None:
    if seal.number != expected:
        return Finding(expected, f"seal {expected} is missing")
    if not signing.equal(seal.signature, _signed(seal.number, seal.hash)):
        return Finding(seal.number, f"seal {seal.number} was not made by this installation")
    if is_ended:
        return None
    statement = select(AuditLink, AuditEntry).outerjoin(AuditEntry, AuditEntry.id == AuditLink.entry_id)
    rows = db.session.execute(
        statement.where(AuditLink.seal == seal.number).order_by(AuditLink.place),
        execution_options={"populate_existing": True},
    ).all()
    gone = next((link.entry_id for link, entry in rows if entry is None), None)
    if gone is not None:
        return Finding(seal.number, f"entry {gone} under seal {seal.number} was removed")
    entries = [entry for _, entry in rows]
    if len(entries) != seal.count or seal.hash != _hash(seal.number, before, entries):
        return Finding(seal.number, f"an entry under seal {seal.number} was altered, added, moved or taken out")
    return None


def _left_over(last: int, ended: int) -> Finding | None:
    """Seals are missing at the end, when something still hangs on them."""
    linked = db.session.scalar(select(func.max(AuditLink.seal))) or 0
    if max(linked, ended) > last:
        return Finding(last + 1, f"seal {last + 1} is missing")
    return None


def _slipped_in() -> Finding | None:
    last = _last_seal()
    old = db.session.scalars(_open_entries().where(AuditEntry.id < _floor(last)).limit(1)).first() if last else None
    if last is None or old is None:
        return None
    return Finding(last.number, f"entry {old.id} was slipped in behind the seals")


def _ended_through() -> tuple[int, Finding | None]:
    ended = db.session.get(AuditRetention, 1, populate_existing=True)
    if ended is None:
        return 0, None
    if not signing.equal(ended.signature, _signed(ended.ended_through, "ended")):
        return 0, Finding(ended.ended_through, "the mark of retention was not made by this installation")
    return ended.ended_through, None


def _hash(number: int, before: str, entries: Sequence[AuditEntry]) -> str:
    digest = hashlib.sha256(f"{number}\n{before}\n".encode())
    for line in _canonical(entries):
        digest.update(line + b"\n")
    return digest.hexdigest()


def _canonical(entries: Iterable[AuditEntry]) -> Iterable[bytes]:
    """Each entry as one line that is the same on every database."""
    encoder = msgspec.json.Encoder(order="sorted")
    for entry in entries:
        values = {column.key: getattr(entry, column.key) for column in AuditEntry.__table__.columns}
        yield encoder.encode(values)


def _signed(number: int, text: str) -> str:
    return signing.current().seal(f"{number}:{text}", purpose=_PURPOSE)
