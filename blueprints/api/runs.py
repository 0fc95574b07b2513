"""Runs: listing, looking at one, cancelling. They are started in `syncs`."""

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, shapes
from patchbay import runs
from patchbay.errors import N_
from patchbay.models import RunStatus
from patchbay.spec import Field, Kind

bp = Blueprint("api_runs", __name__, url_prefix="/api/runs")

STATUS = Field("status", N_("Status"), Kind.CHOICE, required=False, choices=tuple(RunStatus))
PAGING = bodies.paging("run")


@bp.get("")
@guards.scoped("runs:read")
def list_runs() -> Response:
    """The user's runs, newest first."""
    given = bodies.query(bodies.INTEGRATION_FILTER, STATUS, *PAGING)
    status = RunStatus(given["status"]) if given["status"] else None
    wanted = runs.Query(guards.user().id, given["integrationId"], status)
    found, next_cursor = runs.page(wanted, cursor=given["cursor"], limit=given["limit"])
    return bodies.page_of([shapes.run(run, with_data=False) for run in found], next_cursor)


@bp.get("/<run_id>")
@guards.scoped("runs:read")
def show_run(run_id: str) -> Response:
    """One run, with what it came to."""
    return bodies.answered(shapes.run(runs.get(guards.user().id, run_id), with_data=True))


@bp.post("/<run_id>/cancel")
@guards.scoped("runs:write")
def cancel_run(run_id: str) -> Response:
    """Cancel a run; one that has ended stays as it is."""
    bodies.read()
    return bodies.answered(shapes.run(runs.cancel(guards.user().id, run_id), with_data=True))
