"""The records browser, one record, and the small pictures that pages show."""

from flask import Blueprint, Response, request

from blueprints import forms, guards, rendering
from blueprints.shown.records import RecordPage, RecordRow
from patchbay import connections, images, providers, records
from patchbay.errors import NotFound

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
    )


@bp.get("/records/<record_id>")
@guards.scoped("records:read")
def show(record_id: str) -> Response:
    """One record as it is stored."""
    record = records.get(guards.user().id, record_id)
    connection = connections.find(record.user_id, record.integration_id)
    label = connection.account_label if connection else ""
    shown = RecordPage(record, providers.get(record.integration_id), label)
    return rendering.render("records/show.html", record=shown)


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
