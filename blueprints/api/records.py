"""Records: what imports brought in, page by page. They are written by runs alone."""

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, shapes
from patchbay import records
from patchbay.errors import N_
from patchbay.spec import Field, Kind

bp = Blueprint("api_records", __name__, url_prefix="/api/records")

STREAM = Field("stream", N_("Stream"), required=False, max_length=64)
DELETED = Field("deleted", N_("Deleted ones"), Kind.CHOICE, required=False, choices=records.DELETED, default="without")
PAGING = bodies.paging("rec")


@bp.get("")
@guards.scoped("records:read")
def list_records() -> Response:
    """The user's records, by id."""
    given = bodies.query(bodies.INTEGRATION_FILTER, STREAM, DELETED, *PAGING)
    wanted = records.Query(guards.user().id, given["integrationId"], given["stream"], deleted=given["deleted"])
    found, next_cursor = records.page(wanted, cursor=given["cursor"], limit=given["limit"])
    return bodies.page_of([shapes.record(record) for record in found], next_cursor)
