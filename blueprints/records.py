"""Records: the browser, one record with its edits, clashes to decide, and the small pictures that pages show.

What an edit or a decision does lives in `patchbay.records.edits`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from blueprints import forms, guards, rendering
from blueprints.shown.records import RecordPage, RecordRow
from blueprints.shown.upkeep import ClashRow
from patchbay import connections, images, providers, records
from patchbay.errors import N_, Invalid, NotFound
from patchbay.models import Clash, Record, Winner
from patchbay.records import edits

bp = Blueprint("records", __name__)
A_PAGE = 50
PICTURE_KEPT_S = 24 * 3600
NO_PICTURE_KEPT_S = 300
# What is shown in place of a picture that is not to be had: browsers draw it although the answer says 404.
NO_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-24 -24 64 64" fill="none" stroke="#7d8799">'
    '<rect x="1.8" y="2.8" width="12.4" height="10.4" rx="1.5"/><circle cx="5.5" cy="6.3" r="1.1"/>'
    '<path d="m2 11.5 3.5-3 2.5 2 3-3.5 3 3.5"/></svg>'
)


@bp.get("/records")
@guards.scoped("records:read")
def index() -> Response:
    """What was imported, narrowed by words in the title, integration, stream and deletion."""
    query, cursor = _query(guards.user().id), request.args.get("cursor")
    found, following = records.page(query, cursor=cursor, limit=A_PAGE)
    search = {"q": query.search, "integration": query.integration_id, "stream": query.stream, "deleted": query.deleted}
    return rendering.page_or_fragment(
        "records/index.html",
        "records/_rows.html" if cursor else "records/_records.html",
        search={**{name: value or "" for name, value in search.items()}, **_choices(query.user_id)},
        records=[RecordRow(record, providers.get(record.integration_id)) for record in found],
        more_address=forms.here(**search, cursor=following) if following else None,
        is_more=cursor is not None,
        open_clashes=edits.count_open(query.user_id),
    )


@bp.get("/records/<record_id>")
@guards.scoped("records:read")
def show(record_id: str) -> Response:
    """One record as it counts here, with what became of its edits."""
    record = records.get(guards.user().id, record_id)
    clashes = [_clash(clash, record) for clash in edits.clashes_of(record)]
    can_edit = bool(edits.editable(record)) and record.deleted_at is None
    return rendering.render("records/show.html", record=_page_of(record), clashes=clashes, can_edit=can_edit)


@bp.get("/records/<record_id>/edit")
@guards.scoped("records:read", "integrations:write")
def edit_form(record_id: str) -> Response:
    """The form for the fields that may be edited here."""
    record = records.get(guards.user().id, record_id)
    return _edit_form(record, record.content, {})


@bp.post("/records/<record_id>/edit")
@guards.scoped("records:read", "integrations:write")
def edit(record_id: str) -> Response:
    """Store the edit, or give the form back with what is wrong."""
    record = records.get(guards.user().id, record_id)
    values = forms.values_of(edits.editable(record))
    try:
        edits.change(record.user_id, record_id, values)
    except Invalid as error:
        return _edit_form(record, values, error.fields, status=422)
    rendering.toast(_("The edit is saved here."))
    return rendering.see_other(url_for("records.show", record_id=record_id))


@bp.post("/records/<record_id>/revert")
@guards.scoped("records:read", "integrations:write")
def revert(record_id: str) -> Response:
    """End all edits of the record."""
    edits.revert(guards.user().id, record_id)
    rendering.toast(_("The platform's values are shown again."))
    return rendering.see_other(url_for("records.show", record_id=record_id))


@bp.get("/records/clashes")
@guards.scoped("records:read")
def clashes() -> Response:
    """Where edits met changes of the platform, and nobody has decided yet."""
    cursor = request.args.get("cursor")
    found, following = edits.open_clashes(guards.user().id, cursor=cursor, limit=A_PAGE)
    return rendering.page_or_fragment(
        "records/clashes.html",
        "records/_clashes.html",
        clashes=[_clash(clash, record) for clash, record in found],
        more_address=forms.here(cursor=following) if following else None,
        is_more=cursor is not None,
    )


@bp.post("/records/clashes/<clash_id>")
@guards.scoped("records:read", "integrations:write")
def decide(clash_id: str) -> Response:
    """Say whose value stays."""
    winner = forms.text("winner")
    if winner not in {Winner.LOCAL, Winner.REMOTE}:
        raise Invalid({"winner": N_("This is not one of the choices.")})
    edits.decide(guards.user().id, clash_id, Winner(winner))
    rendering.toast(_("Decided. The other value is kept with the record."))
    return rendering.see_other(url_for("records.clashes"))


@bp.get("/images/<token>")
def picture(token: str) -> Response:
    """A small picture; its token was signed for a page, so it asks for no login."""
    try:
        response = Response(images.small(token), mimetype="image/webp")
        response.headers["Cache-Control"] = f"private, max-age={PICTURE_KEPT_S}, immutable"
    except NotFound:
        response = Response(NO_PICTURE, 404, mimetype="image/svg+xml")
        response.headers["Cache-Control"] = f"private, max-age={NO_PICTURE_KEPT_S}"
    return response


def _page_of(record: Record) -> RecordPage:
    connection = connections.find(record.user_id, record.integration_id)
    label = connection.account_label if connection else ""
    return RecordPage(record, providers.get(record.integration_id), label)


def _edit_form(record: Record, values: Mapping[str, Any], errors: Mapping[str, str], *, status: int = 200) -> Response:
    return rendering.render(
        "records/edit.html",
        status=status,
        record=_page_of(record),
        fields=edits.editable(record),
        values=values,
        errors=errors,
    )


def _clash(clash: Clash, record: Record) -> ClashRow:
    label = next((field.label for field in edits.editable(record) if field.name == clash.field), clash.field)
    return ClashRow(clash, record, label, providers.get(record.integration_id).name)


def _query(user_id: str) -> records.Query:
    deleted = forms.sought("deleted")
    return records.Query(
        user_id,
        forms.sought("integration") or None,
        forms.sought("stream") or None,
        forms.sought("q") or None,
        deleted if deleted in records.DELETED else "without",
    )


def _choices(user_id: str) -> dict[str, object]:
    """What the selects offer: the integrations that the user has connected at any time, and their streams."""
    mine = [providers.get(key) for key in connections.of_user(user_id)]
    return {"integrations": mine, "streams": sorted({one.stream for provider in mine for one in provider.imports})}
