"""Carrying out an import: page by page, each written together with where it leaves off, to the end of the list.

What becomes of records that were not met lives in `runs.finishing`; the run around it all in `runs.execution`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Update, update

from patchbay import providers, records
from patchbay.errors import N_, CursorExpired, NotFoundThere
from patchbay.models import Deletion, Purpose, Run, db
from patchbay.records import sweeps
from patchbay.runs import finishing, storing
from patchbay.runs.finishing import Work
from patchbay.spec import Api, Changes, Import, Item, Outline, Page

SHOWN = 50
MOST_TOLD = 20
SET_ASIDE = N_("%(title)s (%(id)s) cannot be kept here and was set aside: %(reason)s")


@dataclass(frozen=True)
class _Part:
    """What a page comes to: what is to be written, what cannot be kept, and the ids of what has not changed and of what
    is listed but was not to be had."""

    items: Sequence[Item]
    refused: Sequence[storing.Refused]
    same: Sequence[str] = ()
    unread: Sequence[str] = ()


def bring_in(work: Work, operation: Import, api: Api) -> tuple[dict[str, Any], Deletion | None]:
    """Read the stream and settle what has gone; the import's answer, and what it missed."""
    _sweep(work, operation, api)
    stands = finishing.standing(work, operation)
    if finishing.is_in_doubt(work, operation, stands):
        why = N_("Something was not listed any more. Reading again, to be certain.")
        _begin_again(work, operation, why, is_second=True)
        _sweep(work, operation, api)
        stands = finishing.standing(work, operation)
    missed = finishing.settle(work, operation, api, stands)
    return _answer(work, operation), missed


def _sweep(work: Work, operation: Import, api: Api) -> None:
    """Read to the end of the platform's list; where the platform has forgotten how far we were, from its beginning."""
    try:
        _read_on(work, operation, api)
    except CursorExpired:
        reached = records.checkpoint(work.connection.id, operation.stream, work.run.id)
        if reached is None or reached.sweeps > 1:
            raise
        _begin_again(work, operation, N_("%(provider)s has lost the place in the list. Reading from its beginning."))
        _read_on(work, operation, api)


def _read_on(work: Work, operation: Import, api: Api) -> None:
    """Read on from the checkpoint."""
    reached = records.checkpoint(work.connection.id, operation.stream, work.run.id)
    if reached is None or not reached.is_complete:
        for page in _pages(work, operation, api, reached.cursor if reached else None):
            work.check()
            _save(work, operation, api, page)


def _begin_again(work: Work, operation: Import, why: str, *, is_second: bool = False) -> None:
    """Read the stream once more from its beginning; nothing that was found out of it on the way counts any more, but
    for what a first whole sweep has missed.
    """
    memo = {name: value for name, value in work.memo.items() if name in {"reads", finishing.AGAIN}}
    work.memo = memo | ({finishing.AGAIN: True} if is_second else {})
    work.saved, work.total = 0, None
    with work.lease.step(memo=dict(work.memo), progress_done=0, progress_total=None):
        if is_second:
            sweeps.doubt(work.connection.id, operation.stream, work.run.id)
        records.begin_again(work.connection.id, operation.stream, work.run.id)
        work.write("info", why, provider=providers.get(work.run.integration_id).name)


def _pages(work: Work, operation: Import, api: Api, cursor: str | None) -> Iterator[Page | Outline]:
    """All of the stream, or its outline; which of the two is decided once, for a cursor belongs to one of them."""
    changes = operation.changes
    if work.run.purpose is Purpose.IDS and operation.ids is not None:
        return operation.ids(api, cursor)
    if changes is None or work.remember("reads", lambda: _reads(work.run, operation)) == "all":
        return operation.pages(api, cursor)
    return changes.outlines(api, cursor)


def _save(work: Work, operation: Import, api: Api, page: Page | Outline) -> None:
    """A page of records, the checkpoint behind it and the counts: together or not at all.

    Only where the database refuses the page, each object of it is looked at.
    """
    part = _read(work, operation, api, page)
    work.saved += len(part.items) + len(part.refused) + len(part.same)
    work.total = page.total if page.total is not None else work.total
    try:
        _write(work, operation, page, part, storing.store)
    except Exception as error:
        if not storing.is_poisoned(error):
            raise
        _write(work, operation, page, part, storing.sift)
    work.has_come_further = True


def _write(work: Work, operation: Import, page: Page | Outline, part: _Part, store: storing.Store) -> None:
    connection_id, stream, run_id = work.connection.id, operation.stream, work.run.id
    with work.lease.step(progress_done=work.saved, progress_total=work.total):
        tally, poisoned = store(work.connection, stream, run_id, part.items)
        refused = [*part.refused, *poisoned]
        if part.same:
            tally = tally + records.meet(connection_id, stream, run_id, part.same)
        swept = records.advance(connection_id, stream, run_id, page.next_cursor, page.total)
        records.pass_over(connection_id, stream, run_id, [*part.unread, *(one.external_id for one in refused)])
        is_first = swept.sweeps == 1
        db.session.execute(_counted(run_id, tally if is_first else tally.changes, len(refused) if is_first else 0))
        for one in refused[:MOST_TOLD]:
            work.add_line("warning", SET_ASIDE, title=one.title, id=one.external_id, reason=one.reason)
        work.write("info", N_("%(done)s of %(total)s saved."), done=work.saved, total=work.total or "?")


def _read(work: Work, operation: Import, api: Api, page: Page | Outline) -> _Part:
    if isinstance(page, Page):
        return _Part(*storing.fit(page.items))
    stale = set(records.stale(work.connection.id, operation.stream, page.versions))
    if work.run.purpose is Purpose.IDS:
        known = records.known_ids(work.connection.id, operation.stream, list(page.versions))
        unknown = [one for one in page.versions if one not in known]
        return _Part([], [], [one for one in page.versions if one in known], unknown)
    items = _fetched(operation.changes, api, sorted(stale)) if operation.changes and stale else ()
    same = [external_id for external_id in page.versions if external_id not in stale]
    return _Part(*storing.fit(items), same, sorted(stale - {item.external_id for item in items}))


def _fetched(changes: Changes, api: Api, ids: Sequence[str]) -> tuple[Item, ...]:
    """The objects of these ids; one for which the platform says that there is none is left out, and the others read."""
    try:
        return changes.fetch(api, ids)
    except NotFoundThere:
        middle = len(ids) // 2
        return () if middle == 0 else (*_fetched(changes, api, ids[:middle]), *_fetched(changes, api, ids[middle:]))


def _answer(work: Work, operation: Import) -> dict[str, Any]:
    """The answer of an import: its counts and the first records, with a cursor to read on from."""
    query = records.Query(work.run.user_id, work.run.integration_id, operation.stream)
    shown, next_cursor = records.page(query, cursor=None, limit=SHOWN)
    run = db.session.get_one(Run, work.run.id, populate_existing=True)
    return {
        "stream": operation.stream,
        "counts": run.counts,
        operation.stream: [dict(operation.show(record.content)) for record in shown],
        "nextCursor": next_cursor,
    }


def _reads(run: Run, operation: Import) -> str:
    may_trust = run.purpose is Purpose.USUAL and not run.keeps_answers
    trusts_versions = may_trust and records.has_versions(run.connection_id, operation.stream)
    return "changes" if trusts_versions else "all"


def _counted(run_id: str, tally: records.Tally, failed: int) -> Update:
    return (
        update(Run)
        .where(Run.id == run_id)
        .values(
            count_read=Run.count_read + tally.read + failed,
            count_created=Run.count_created + tally.created,
            count_updated=Run.count_updated + tally.updated,
            count_unchanged=Run.count_unchanged + tally.unchanged,
            count_failed=Run.count_failed + failed,
        )
    )
