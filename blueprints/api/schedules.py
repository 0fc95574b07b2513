"""Schedules: listing, making, changing, pausing and removing. What they start are runs, which are in `runs`."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, shapes
from patchbay import schedules
from patchbay.errors import N_
from patchbay.spec import Field, Kind

bp = Blueprint("api_schedules", __name__, url_prefix="/api/schedules")

OPERATION = Field("operation", N_("Operation"), max_length=64)
INPUT = Field("data", N_("Data"), Kind.MAPPING, required=False)
IS_PAUSED = Field("isPaused", N_("Paused"), Kind.BOOLEAN, required=False)
# Which of them go together, and which are needed, is checked by `schedules` for all that make one.
VALUES = tuple(replace(field, required=False, default=None, only_if=None) for field in schedules.ALL_FIELDS)
NAMES = tuple(field.name for field in VALUES)
PAGING = bodies.paging("sch")


@bp.get("")
@guards.scoped("runs:read")
def list_schedules() -> Response:
    """The user's schedules, in the order in which they were made."""
    given = bodies.query(bodies.INTEGRATION_FILTER, *PAGING)
    found, next_cursor = schedules.page(
        guards.user().id, cursor=given["cursor"], limit=given["limit"], integration_id=given["integrationId"]
    )
    return bodies.page_of([shapes.schedule(one) for one in found], next_cursor)


@bp.post("")
@guards.scoped("runs:write")
def make_schedule() -> Response:
    """Let an import run by itself."""
    given = bodies.read(bodies.INTEGRATION, OPERATION, INPUT, *VALUES)
    made = schedules.make(guards.user().id, given["integrationId"], given["operation"], _values(given), given["data"])
    return bodies.answered(shapes.schedule(made), 201)


@bp.get("/<schedule_id>")
@guards.scoped("runs:read")
def show_schedule(schedule_id: str) -> Response:
    """One schedule."""
    return bodies.answered(shapes.schedule(schedules.get(guards.user().id, schedule_id)))


@bp.patch("/<schedule_id>")
@guards.scoped("runs:write")
def change_schedule(schedule_id: str) -> Response:
    """Change what is given; `isPaused` pauses and resumes."""
    given = bodies.read(IS_PAUSED, *VALUES)
    user_id, values, is_paused = guards.user().id, _values(given), given["isPaused"]
    changed = schedules.change(user_id, schedule_id, values) if values else schedules.get(user_id, schedule_id)
    if is_paused is not None:
        changed = (schedules.pause if is_paused else schedules.resume)(user_id, schedule_id)
    return bodies.answered(shapes.schedule(changed))


@bp.delete("/<schedule_id>")
@guards.scoped("runs:write")
def remove_schedule(schedule_id: str) -> Response:
    """Take a schedule away; its runs stay."""
    schedules.remove(guards.user().id, schedule_id)
    return bodies.answered({"success": True})


def _values(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in NAMES if given[name] is not None}
