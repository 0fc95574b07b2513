"""Asking a connection for an operation, and waiting a while for what it comes to.

Looking at runs and cancelling them lives in `runs`.
"""

from typing import Any

from flask import Blueprint, Response, g

from blueprints import guards
from blueprints.api import bodies, problems
from blueprints.api.waiting import until_ended
from patchbay import providers, runs
from patchbay.errors import N_, Conflict, Invalid
from patchbay.models import Run, RunStatus, Trigger
from patchbay.spec import Field, Kind

bp = Blueprint("api_syncs", __name__, url_prefix="/api")

OPERATION = Field("operation", N_("Operation"), max_length=64)
INPUT = Field("data", N_("Data"), Kind.MAPPING, required=False)
WAIT = Field("wait", N_("Seconds to wait"), Kind.NUMBER, required=False, default=20, lowest=0, highest=60)
IF_NAMED = Field("integrationId", N_("Integration"), required=False, max_length=64)


@bp.post("/integrations/sync")
@guards.scoped("runs:write")
def sync() -> Response:
    """Carry out an operation of the integration that the body names."""
    given = bodies.read(bodies.INTEGRATION, OPERATION, INPUT, WAIT)
    return _sync(given["integrationId"], given)


@bp.post("/<platform>-sync")
@guards.scoped("runs:write")
def sync_platform(platform: str) -> Response:
    """Carry out an operation of the integration that the address names."""
    provider = providers.get(platform)
    given = bodies.read(IF_NAMED, OPERATION, INPUT, WAIT)
    if given["integrationId"] not in (None, provider.key):
        raise Invalid({"integrationId": N_("This address is for %(provider)s alone.")}, provider=provider.name)
    return _sync(provider.key, given)


def _sync(integration_id: str, given: dict[str, Any]) -> Response:
    user_id = guards.user().id
    run = runs.start(user_id, integration_id, given["operation"], given["data"] or {}, Trigger.API)
    is_joined = run.stream is not None and run.request_id != g.request_id
    if is_joined:
        return _answer(run)  # somebody else's import: who asked for it waits for it
    return _answer(until_ended(user_id, run, given["wait"]))


def _answer(run: Run) -> Response:
    if run.status is RunStatus.SUCCEEDED:
        return bodies.answered({"success": True, "runId": run.id, "data": run.result})
    if run.status is RunStatus.FAILED:
        return problems.answer_failed(run)
    if run.status is RunStatus.CANCELLED:
        return problems.answer(Conflict(sentence=N_("The run was cancelled.")), run_id=run.id)
    return bodies.answered({"success": True, "runId": run.id, "status": run.status.value}, 202)
