"""The audit log as a page and as CSV: one's own affairs, and everybody's for administrators.

The sentences of the deeds live in `shown.activity`, the log itself in `patchbay.audit`.
"""

import csv
import io
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from flask import Blueprint, Response, request, stream_with_context, url_for

from blueprints import forms, guards, rendering
from blueprints.shown.activity import labelled_deeds, rows_of
from patchbay import audit, clock, tenancy
from patchbay.errors import N_, Invalid
from patchbay.models import AuditEntry

bp = Blueprint("audit", __name__)
A_PAGE = 50
A_READ = 500
MOST_EXPORTED = 100_000
HEADS = ("id", "at", "deed", "user", "actor", "subject", "detail", "address", "request")
DANGEROUS_STARTS = ("=", "+", "-", "@", "\t", "\r")


@bp.get("/audit")
@guards.scoped("runs:read")
def index() -> Response:
    """Who did what, newest first, narrowed by `deed`, `actor`, `since`, `until`; `whose=all` for administrators."""
    query, cursor = _query(), request.args.get("cursor")
    with _scope(query):
        found, following = audit.page(query, cursor=cursor, limit=A_PAGE)
        entries = rows_of(found, reader=guards.user())
    narrowed = {name: forms.sought(name) for name in ("deed", "actor", "since", "until", "whose")}
    return rendering.page_or_fragment(
        "audit/index.html",
        "audit/_rows.html",
        entries=entries,
        search=narrowed,
        deeds=labelled_deeds(),
        export_address=f"{url_for('audit.export')}?{urlencode(narrowed)}",
        more_address=forms.here(**narrowed, cursor=following) if following else None,
        is_more=cursor is not None,
    )


@bp.get("/audit.csv")
@guards.scoped("runs:read")
def export() -> Response:
    """The same entries as CSV, at most 100,000 of them, times in UTC."""
    response = Response(stream_with_context(_lines(_query())), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="patchbay-audit.csv"'
    return response


def _scope(query: audit.Query) -> AbstractContextManager[None]:
    """Whose entries may be read: everybody's, where an administrator asked for that, else the reader's own."""
    return tenancy.everyone() if query.user_id is None else tenancy.of(query.user_id)


def _query() -> audit.Query:
    deed = forms.sought("deed")
    if deed and deed not in set(audit.Deed):
        raise Invalid({"deed": N_("This is not one of the choices.")})
    user, since, until = guards.user(), _day("since"), _day("until")
    return audit.Query(
        user_id=None if forms.sought("whose") == "all" and guards.is_administering() else user.id,
        deed=audit.Deed(deed) if deed else None,
        actor=forms.sought("actor") or None,
        since=since,
        until=until + timedelta(days=1) if until and until.date() < date.max else None,
    )


def _day(name: str) -> datetime | None:
    """The beginning of the day (UTC) that this parameter names; None without one."""
    text = forms.sought(name)
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) if text else None
    except ValueError:
        raise Invalid({name: N_("Write a date as 2026-01-31.")}) from None


def _lines(query: audit.Query) -> Iterator[str]:
    yield _line(HEADS)
    cursor: str | None = None
    for _ in range(MOST_EXPORTED // A_READ):
        with _scope(query):
            found, cursor = audit.page(query, cursor=cursor, limit=A_READ)
        yield "".join(_line(_cells(entry)) for entry in found)
        if cursor is None:
            return


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    detail = "; ".join(f"{name}={value}" for name, value in sorted(entry.detail.items()))
    cells = (entry.id, clock.iso(entry.at), entry.action, entry.user_id, entry.actor, entry.subject_id, detail)
    return tuple(_harmless(cell or "") for cell in (*cells, entry.address, entry.request_id))


def _harmless(cell: str) -> str:
    """What a spreadsheet would take for a formula is marked as text (OWASP, CSV Injection)."""
    return f"'{cell}" if cell.startswith(DANGEROUS_STARTS) else cell


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
