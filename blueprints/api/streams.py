"""Streams of a connection: comparing them with their platform, repairing them, and the rules that keep them in step."""

from dataclasses import replace

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, shapes
from patchbay import clock, connections
from patchbay.errors import N_
from patchbay.models import Comparison, Difference, DifferenceKind, Run, Trigger
from patchbay.records import reconciling, rules
from patchbay.runs import upkeep
from patchbay.spec import Field, Kind

bp = Blueprint("api_streams", __name__, url_prefix="/api")

STREAM = Field("stream", N_("Stream"), max_length=64)
KIND = Field("kind", N_("Kind"), Kind.CHOICE, required=False, choices=tuple(DifferenceKind))
RULES = tuple(replace(field, required=False, default=None) for field in rules.FIELDS)
PAGING = bodies.paging("dif")


@bp.post("/integrations/compare")
@guards.scoped("runs:write")
def compare() -> Response:
    """Compare the records of a stream with what the platform has; nothing is changed by it."""
    given = bodies.read(bodies.INTEGRATION, STREAM)
    return _asked(upkeep.compare(guards.user().id, given["integrationId"], given["stream"], Trigger.API))


@bp.get("/runs/<run_id>/differences")
@guards.scoped("runs:read", "records:read")
def list_differences(run_id: str) -> Response:
    """What a comparison has found so far: all counted, up to 1,000 of each kind to look at."""
    given = bodies.query(KIND, *PAGING)
    comparison = reconciling.get(guards.user().id, run_id)
    kind = DifferenceKind(given["kind"]) if given["kind"] else None
    found, next_cursor = reconciling.differences(comparison, kind, cursor=given["cursor"], limit=given["limit"])
    rows = [_difference(one) for one in found]
    return bodies.answered({**_comparison(comparison), "data": rows, "nextCursor": next_cursor})


@bp.post("/runs/<run_id>/repair")
@guards.scoped("runs:write")
def repair(run_id: str) -> Response:
    """Read everything anew because of what the comparison has found."""
    bodies.read()
    return _asked(upkeep.repair(guards.user().id, run_id, Trigger.API))


@bp.get("/integrations/<key>/streams/<stream>/rules")
@guards.scoped("integrations:read")
def show_rules(key: str, stream: str) -> Response:
    """By which rules the stream is kept in step."""
    connection = connections.connected(guards.user().id, key)
    return bodies.answered(rules.values_of(rules.of_stream(connection, stream)))


@bp.patch("/integrations/<key>/streams/<stream>/rules")
@guards.scoped("integrations:write")
def change_rules(key: str, stream: str) -> Response:
    """Change the rules that are given."""
    given = {name: value for name, value in bodies.read(*RULES).items() if value is not None}
    connection = connections.connected(guards.user().id, key)
    return bodies.answered(rules.values_of(rules.change(connection, stream, given)))


def _asked(run: Run) -> Response:
    return bodies.answered({"success": True, "runId": run.id, "status": run.status.value}, 202)


def _comparison(row: Comparison) -> shapes.Shape:
    return {
        "runId": row.run_id,
        "integrationId": row.integration_id,
        "stream": row.stream,
        "same": row.count_same,
        "missing": row.count_missing,
        "changed": row.count_changed,
        "deleted": row.count_deleted,
        "isWhole": row.is_whole,
        "repairId": row.repair_id,
        "createdAt": clock.iso(row.created_at),
        "endedAt": clock.iso(row.ended_at) if row.ended_at else None,
    }


def _difference(row: Difference) -> shapes.Shape:
    return {
        "id": row.id,
        "kind": row.kind.value,
        "externalId": row.external_id,
        "recordId": row.record_id,
        "title": row.title,
        "fields": row.fields,
    }
