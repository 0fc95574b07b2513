"""What a run missed: looking at it, deciding about what is held, undoing what was deleted."""

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, shapes
from patchbay import clock
from patchbay.models import Deletion
from patchbay.records import deletions
from patchbay.runs import deciding

bp = Blueprint("api_deletions", __name__, url_prefix="/api/runs")

PAGING = bodies.paging("rec")


@bp.get("/<run_id>/deletions")
@guards.scoped("runs:read", "records:read")
def show_deletions(run_id: str) -> Response:
    """What became of what the run missed, and a page of the records that it is about."""
    given = bodies.query(*PAGING)
    deletion = deletions.get(guards.user().id, run_id)
    found, next_cursor = deletions.page(deletion, cursor=given["cursor"], limit=given["limit"])
    rows = [shapes.record(record) for record in found]
    return bodies.answered({**_shape(deletion), "data": rows, "nextCursor": next_cursor})


@bp.post("/<run_id>/deletions/confirm")
@guards.scoped("runs:write")
def confirm_deletions(run_id: str) -> Response:
    """Delete what is held, but for what was met since."""
    bodies.read()
    user_id = guards.user().id
    return bodies.answered(shapes.run(deciding.confirm(user_id, run_id), with_data=False))


@bp.post("/<run_id>/deletions/keep")
@guards.scoped("runs:write")
def keep_deletions(run_id: str) -> Response:
    """Keep what is held."""
    bodies.read()
    user_id = guards.user().id
    return bodies.answered(shapes.run(deciding.keep(user_id, run_id), with_data=False))


@bp.post("/<run_id>/deletions/undo")
@guards.scoped("runs:write")
def undo_deletions(run_id: str) -> Response:
    """Bring back what was deleted, within 30 days."""
    bodies.read()
    user_id = guards.user().id
    count = deletions.undo(user_id, run_id)
    return bodies.answered({**_shape(deletions.get(user_id, run_id)), "restored": count})


def _shape(deletion: Deletion) -> shapes.Shape:
    return {
        "runId": deletion.run_id,
        "state": deletion.state.value,
        "count": deletion.count,
        "known": deletion.known,
        "canUndo": deletions.can_be_undone(deletion),
        "createdAt": clock.iso(deletion.created_at),
        "decidedAt": clock.iso(deletion.decided_at) if deletion.decided_at else None,
    }
