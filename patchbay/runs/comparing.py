"""Carrying out a comparison: the platform's list is read from end to end, and what disagrees is reported.

What counts as a difference lives in `records.reconciling`; asking for a comparison and for a repair in `runs.upkeep`.
"""

from typing import Any

from patchbay import clock
from patchbay.errors import N_
from patchbay.models import Comparison
from patchbay.records import reconciling
from patchbay.runs.finishing import Work
from patchbay.spec import ASKED_AT_ONCE, ASKED_SINGLY, Api, Import


def compare(work: Work, operation: Import, api: Api) -> dict[str, Any]:
    """Read everything, from where the comparison stands, and say what was found."""
    with work.lease.step():
        comparison = reconciling.begin(work.run)
    if not comparison.is_read:
        for page in operation.pages(api, comparison.cursor):
            work.check()
            done = _met(comparison)
            with work.lease.step(progress_done=done, progress_total=page.total):
                comparison = reconciling.get(work.run.user_id, work.run.id)
                reconciling.compare(comparison, page.items, page.next_cursor, page.total)
                work.write(
                    "info", N_("%(done)s of %(total)s compared."), done=_met(comparison), total=page.total or "?"
                )
    _find_deleted(work, operation, api)
    return _end(work)


def _find_deleted(work: Work, operation: Import, api: Api) -> None:
    """What the list does not have: gone when the list was whole, and the platform does not have it by its id either."""
    comparison = reconciling.get(work.run.user_id, work.run.id)
    if not reconciling.is_whole(comparison) and operation.present is None:
        return
    at_once = ASKED_SINGLY if operation.present_singly else ASKED_AT_ONCE
    while unmet := reconciling.unmet(comparison, limit=at_once):
        work.check()
        there = set(operation.present(api, [one.external_id for one in unmet])) if operation.present else set()
        with work.lease.step():
            comparison = reconciling.get(work.run.user_id, work.run.id)
            reconciling.report_unmet(comparison, unmet, there)


def _end(work: Work) -> dict[str, Any]:
    with work.lease.step():
        comparison = reconciling.get(work.run.user_id, work.run.id)
        comparison.is_whole = reconciling.is_whole(comparison)
        comparison.ended_at = clock.now()
        done = _met(comparison)
    with work.lease.step(progress_done=done, progress_total=done):
        found = {
            "missing": comparison.count_missing,
            "changed": comparison.count_changed,
            "deleted": comparison.count_deleted,
        }
    return {"stream": comparison.stream, "same": comparison.count_same, **found, "isWhole": comparison.is_whole}


def _met(comparison: Comparison) -> int:
    return comparison.count_same + comparison.count_changed + comparison.count_missing
