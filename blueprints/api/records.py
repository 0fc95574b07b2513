"""Records: what imports brought in, page by page; editing one here, and deciding where an edit met a change there."""

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, shapes
from patchbay import clock, records
from patchbay.errors import N_
from patchbay.models import Clash, Winner
from patchbay.records import edits
from patchbay.spec import Field, Kind

bp = Blueprint("api_records", __name__, url_prefix="/api/records")

STREAM = Field("stream", N_("Stream"), required=False, max_length=64)
DELETED = Field("deleted", N_("Deleted ones"), Kind.CHOICE, required=False, choices=records.DELETED, default="without")
CHANGES = Field("data", N_("Data"), Kind.MAPPING)
WINNER = Field("winner", N_("Whose value stays"), Kind.CHOICE, choices=(Winner.LOCAL.value, Winner.REMOTE.value))
PAGING = bodies.paging("rec")
CLASH_PAGING = bodies.paging("cla")


@bp.get("")
@guards.scoped("records:read")
def list_records() -> Response:
    """The user's records, by id."""
    given = bodies.query(bodies.INTEGRATION_FILTER, STREAM, DELETED, *PAGING)
    wanted = records.Query(guards.user().id, given["integrationId"], given["stream"], deleted=given["deleted"])
    found, next_cursor = records.page(wanted, cursor=given["cursor"], limit=given["limit"])
    return bodies.page_of([shapes.record(record) for record in found], next_cursor)


@bp.get("/<record_id>")
@guards.scoped("records:read")
def show_record(record_id: str) -> Response:
    """One record, with the platform's own values of the fields that were edited here, and where edits met changes."""
    record = records.get(guards.user().id, record_id)
    clashes = [_clash(one) for one in edits.clashes_of(record)]
    return bodies.answered({**shapes.record(record), "platformData": record.data, "clashes": clashes})


@bp.patch("/<record_id>")
@guards.scoped("records:read", "integrations:write")
def edit_record(record_id: str) -> Response:
    """Edit some fields here; nothing changes at the platform."""
    given = bodies.read(CHANGES)
    return bodies.answered(shapes.record(edits.change(guards.user().id, record_id, given["data"])))


@bp.delete("/<record_id>/edits")
@guards.scoped("records:read", "integrations:write")
def revert_record(record_id: str) -> Response:
    """End all edits of the record."""
    return bodies.answered(shapes.record(edits.revert(guards.user().id, record_id)))


@bp.get("/clashes")
@guards.scoped("records:read")
def list_clashes() -> Response:
    """Where edits met changes of the platform, and nobody has decided yet; oldest first."""
    given = bodies.query(*CLASH_PAGING)
    found, next_cursor = edits.open_clashes(guards.user().id, cursor=given["cursor"], limit=given["limit"])
    return bodies.page_of([_clash(clash) for clash, _ in found], next_cursor)


@bp.post("/clashes/<clash_id>")
@guards.scoped("records:read", "integrations:write")
def decide_clash(clash_id: str) -> Response:
    """Say whose value stays; the other one is kept with the record."""
    given = bodies.read(WINNER)
    return bodies.answered(_clash(edits.decide(guards.user().id, clash_id, Winner(given["winner"]))))


def _clash(row: Clash) -> shapes.Shape:
    return {
        "id": row.id,
        "recordId": row.record_id,
        "field": row.field,
        "local": row.local_value,
        "remote": row.remote_value,
        "winner": row.winner.value,
        "createdAt": clock.iso(row.created_at),
        "decidedAt": clock.iso(row.decided_at) if row.decided_at else None,
    }
