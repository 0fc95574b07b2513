"""What the JSON API shows of each thing: camelCase names, times as ISO 8601 in UTC, no secrets.

What went wrong has its one shape in `problems`; reading and sending are in `bodies`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from blueprints import rendering
from blueprints.api import problems
from patchbay import assets, clock, schedules
from patchbay.batches import recipes
from patchbay.batches.recipes import Recipe
from patchbay.catalog import Entry
from patchbay.models import ApiKey, Asset, AssetKind, Batch, BatchPart, Connection, Record, Run, Schedule
from patchbay.spec import Import, Operation

if TYPE_CHECKING:  # the package of pictures is loaded where one is handled
    from patchbay.pictures.templates import Template

Shape = dict[str, object]


def integration(entry: Entry) -> Shape:
    """An integration as the user sees it, with what stands of their connection."""
    row, connection = entry.integration, entry.connection if entry.is_connected else None
    return {
        "id": row.id,
        "name": row.name,
        "description": rendering.said(row.description),
        "category": row.category.value,
        "logoUrl": row.logo_url,
        "status": row.status.value,
        "isConnected": entry.is_connected,
        "state": entry.state.value,
        "account": connection.account_label if connection else None,
        "isSandbox": connection.is_sandbox if connection else None,
        "connectedAt": _time(connection.connected_at if connection else None),
        "lastSyncedAt": _time(connection.last_synced_at if connection else None),
        "operations": [_operation(operation) for operation in entry.provider.operations],
    }


def run(row: Run, *, with_data: bool) -> Shape:
    """A run; `resumesAt` while it waits, `error` when it failed, `data` when it succeeded and is asked for."""
    shape: Shape = {
        "id": row.id,
        "integrationId": row.integration_id,
        "operation": row.operation,
        "status": row.status.value,
        "progress": {"done": row.progress_done, "total": row.progress_total},
        "counts": row.counts,
        "createdAt": _time(row.created_at),
        "startedAt": _time(row.started_at),
        "endedAt": _time(row.ended_at),
    }
    if row.wait_reason is not None:
        shape["waitReason"] = row.wait_reason.value
    if row.resumes_at is not None:
        shape["resumesAt"] = _time(row.resumes_at)
    if row.error_kind is not None:
        shape["error"] = problems.cause_of(row)
    if with_data and row.result is not None:
        shape["data"] = row.result
    return shape


def batch(row: Batch, *, with_parts: bool) -> Shape:
    """A batch; `status` is `working` or `ended`, a part's that of its run, or `failed` when none could be started."""
    shape: Shape = {
        "id": row.id,
        "title": rendering.said(row.title) if row.recipe else row.title,
        "recipe": row.recipe,
        "status": "working" if row.ended_at is None else "ended",
        "createdAt": _time(row.created_at),
        "endedAt": _time(row.ended_at),
    }
    if row.error_kind is not None:
        shape["error"] = problems.cause_of_part(row.error_kind, row.error_params, None)
    if with_parts:
        shape["parts"] = [_part(part) for part in row.parts]
    return shape


def recipe(one: Recipe, mine: Mapping[str, Connection]) -> Shape:
    """A job that can be filled in; `isPossible` says whether all that it needs is connected."""
    asks = one.asks(mine)
    return {
        "key": one.key,
        "title": rendering.said(one.title),
        "description": rendering.said(one.description),
        "isPossible": recipes.is_possible(one, mine),
        "fields": [
            {"name": ask.field.name, "label": rendering.said(ask.field.label), "choices": list(ask.field.choices)}
            for ask in asks
        ],
    }


def record(row: Record) -> Shape:
    """One external object as last seen."""
    return {
        "id": row.id,
        "externalId": row.external_id,
        "integrationId": row.integration_id,
        "stream": row.stream,
        "data": row.content,
        "edited": sorted(row.local or ()),
        "firstSeenAt": _time(row.first_seen_at),
        "updatedAt": _time(row.updated_at),
        "deletedAt": _time(row.deleted_at),
    }


def asset(row: Asset) -> Shape:
    """A picture, with an address that anybody may fetch it from for an hour."""
    shape: Shape = {
        "id": row.id,
        "kind": row.kind.value,
        "name": row.name,
        "url": assets.link(row),
        "width": row.width,
        "height": row.height,
        "contentType": row.content_type,
        "sizeBytes": row.size_bytes,
        "createdAt": _time(row.created_at),
    }
    if row.kind is AssetKind.MOCKUP:
        shape |= {"designId": row.design_id, "templateId": row.template_id}
    return shape


def schedule(row: Schedule) -> Shape:
    """When an import runs by itself; `nextAt` is null while nothing will start, `held` says why what is due waits."""
    run = row.last_run
    return {
        "id": row.id,
        "integrationId": row.integration_id,
        "operation": row.operation,
        "data": row.input,
        **schedules.values_of(row),
        "isPaused": row.paused_at is not None,
        "nextAt": _time(row.next_at if row.connection.is_connected else None),
        "held": _held(row),
        "skippedAt": _time(row.skipped_at),
        "lastRun": {"id": run.id, "status": run.status.value, "endedAt": _time(run.ended_at)} if run else None,
        "createdAt": _time(row.created_at),
        "updatedAt": _time(row.updated_at),
    }


def template(given: "Template") -> Shape:
    """Something that a design can be set onto."""
    return {"id": given.id, "name": rendering.said(given.name)}


def key(row: ApiKey) -> Shape:
    """An API key without its secret; `tail` are the last four characters of it."""
    return {
        "id": row.id,
        "name": row.name,
        "tail": row.tail,
        "scopes": row.scopes,
        "createdAt": _time(row.created_at),
        "lastUsedAt": _time(row.last_used_at),
        "revokedAt": _time(row.revoked_at),
    }


def _held(row: Schedule) -> Shape | None:
    if row.held_reason is None:
        return None
    return {"since": _time(row.held_since), "sentence": rendering.said(row.held_reason, row.held_params)}


def _part(part: BatchPart) -> Shape:
    shape: Shape = {
        "integrationId": part.integration_id,
        "operation": part.operation,
        "label": part.label,
        "stage": part.stage,
        "runId": part.run_id,
        "status": part.run.status.value if part.run is not None else "failed",
    }
    if part.error_kind is not None:
        shape["error"] = problems.cause_of_part(part.error_kind, part.error_params, part.integration_id)
    if part.run is not None and part.run.error_kind is not None:
        shape["error"] = problems.cause_of(part.run)
    if part.run is not None and part.run.result is not None:
        shape["data"] = part.run.result
    return shape


def _operation(operation: Operation) -> Shape:
    stream = operation.stream if isinstance(operation, Import) else None
    return {"name": operation.name, "title": rendering.said(operation.title), "stream": stream}


def _time(moment: datetime | None) -> str | None:
    return clock.iso(moment) if moment is not None else None
