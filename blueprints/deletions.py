"""What a run missed, as a page: a preview with the decision that it waits for, and the way back for 30 days.

What is deleted, and why, is known in `patchbay.records.deletions`.
"""

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from blueprints import forms, guards, rendering
from blueprints.shown.records import RecordRow
from blueprints.shown.upkeep import DeletionShown
from patchbay import providers
from patchbay.records import deletions
from patchbay.runs import deciding

bp = Blueprint("deletions", __name__, url_prefix="/runs")
A_PAGE = 50


@bp.get("/<run_id>/deletions")
@guards.scoped("runs:read", "records:read")
def show(run_id: str) -> Response:
    """The records that are held, were deleted, or were brought back."""
    deletion = deletions.get(guards.user().id, run_id)
    cursor = request.args.get("cursor")
    found, following = deletions.page(deletion, cursor=cursor, limit=A_PAGE)
    provider = providers.get(deletion.integration_id)
    return rendering.page_or_fragment(
        "records/deletions.html",
        "records/_rows.html",
        deletion=DeletionShown(deletion, provider, deletions.remaining(deletion)),
        records=[RecordRow(record, provider) for record in found],
        more_address=forms.here(cursor=following) if following else None,
        is_more=cursor is not None,
    )


@bp.post("/<run_id>/deletions/confirm")
@guards.scoped("runs:write")
def confirm(run_id: str) -> Response:
    """Delete what is held."""
    run = deciding.confirm(guards.user().id, run_id)
    rendering.toast(_("Deleted here: %(count)s. You can undo this for 30 days.", count=run.count_deleted))
    return rendering.see_other(url_for("deletions.show", run_id=run_id))


@bp.post("/<run_id>/deletions/keep")
@guards.scoped("runs:write")
def keep(run_id: str) -> Response:
    """Keep what is held."""
    deciding.keep(guards.user().id, run_id)
    rendering.toast(_("The records stay."))
    return rendering.see_other(url_for("deletions.show", run_id=run_id))


@bp.post("/<run_id>/deletions/undo")
@guards.scoped("runs:write")
def undo(run_id: str) -> Response:
    """Bring back what was deleted."""
    count = deletions.undo(guards.user().id, run_id)
    rendering.toast(_("Brought back: %(count)s.", count=count))
    return rendering.see_other(url_for("deletions.show", run_id=run_id))
