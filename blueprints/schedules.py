"""Schedules: the list of them, and the form that makes, changes, pauses and removes one.

How one is told beside its import lives in `shown.schedules`; what is due is `patchbay.schedules`' affair.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from blueprints import forms, guards, rendering
from blueprints.rendering import look
from blueprints.shown import drawing
from blueprints.shown import schedules as shown
from blueprints.shown.drawing import Easel
from patchbay import connections, providers, schedules
from patchbay.errors import Invalid, NotFound
from patchbay.models import Connection, Schedule
from patchbay.spec import Field, Import, Kind

bp = Blueprint("schedules", __name__)
A_PAGE = 50
AT_FIRST = {"repeat": "daily", "every": 6, "time": "09:00", "weekdays": ["monday"], "overlap": "skip"}
NO_ERRORS: Mapping[str, str] = {}


@bp.get("/schedules")
@guards.scoped("runs:read")
def index() -> Response:
    """All schedules, in the order in which they were made."""
    cursor = request.args.get("cursor")
    found, following = schedules.page(guards.user().id, cursor=cursor, limit=A_PAGE)
    return rendering.page_or_fragment(
        "schedules/index.html",
        "schedules/_rows.html",
        schedules=shown.rows(found),
        more_address=forms.here(cursor=following) if following else None,
        is_more=cursor is not None,
    )


@bp.get("/integrations/<key>/schedule/<name>")
@guards.scoped("runs:write")
def form(key: str, name: str) -> Response:
    """When the import runs by itself, to be chosen or changed."""
    connection, operation = _import(key, name)
    present = _present(connection, operation)
    return _form(connection, operation, present, _kept(present), NO_ERRORS)


@bp.post("/integrations/<key>/schedule/<name>", endpoint="save")
@guards.scoped("runs:write")
def save(key: str, name: str) -> Response:
    """Make or change the schedule; draw the form anew with what is wrong, or where no button says "save"."""
    connection, operation = _import(key, name)
    present, values = _present(connection, operation), _sent()
    if "do" not in request.form:
        return _form(connection, operation, present, {**_kept(present), **values}, NO_ERRORS)
    try:
        if present is None:
            schedules.make(guards.user().id, key, name, values)
        else:
            schedules.change(guards.user().id, present.id, values)
    except Invalid as error:
        return _form(connection, operation, present, values, error.fields, status=422)
    rendering.toast(_("Schedule saved."))
    return rendering.see_other(url_for("catalog.integration", key=key, _anchor="sync"))


@bp.post("/schedules/<schedule_id>/pause")
@guards.scoped("runs:write")
def pause(schedule_id: str) -> Response:
    """Start nothing for now."""
    return _back(schedules.pause(guards.user().id, schedule_id))


@bp.post("/schedules/<schedule_id>/resume")
@guards.scoped("runs:write")
def resume(schedule_id: str) -> Response:
    """Go on."""
    return _back(schedules.resume(guards.user().id, schedule_id))


@bp.post("/integrations/<key>/schedules/resume")
@guards.scoped("runs:write")
def resume_all(key: str) -> Response:
    """Go on with all that is paused of a connection: the one button of its health."""
    count = schedules.resume_all(guards.user().id, providers.get(key).key)
    if count:
        rendering.toast(ngettext("Resumed.", "%(num)s schedules resumed.", count))
    return rendering.see_other(url_for("health.connection", key=key))


@bp.post("/schedules/<schedule_id>/remove")
@guards.scoped("runs:write")
def remove(schedule_id: str) -> Response:
    """Take it away."""
    schedule = schedules.get(guards.user().id, schedule_id)
    schedules.remove(schedule.user_id, schedule.id)
    rendering.toast(_("Schedule removed. The runs it started stay."))
    return _back(schedule)


def _import(key: str, name: str) -> tuple[Connection, Import]:
    operation = providers.get(key).operation(name)
    if not isinstance(operation, Import):
        raise NotFound(name)
    connection = connections.find(guards.user().id, key)
    if connection is None:
        raise NotFound(key)
    return connection, operation


def _present(connection: Connection, operation: Import) -> Schedule | None:
    return schedules.of_connection(connection.id).get(operation.name)


def _kept(present: Schedule | None) -> dict[str, Any]:
    """What the form shows at first; values that do not go with the present choice wait for another."""
    if present is None:
        return {**AT_FIRST, "timeZone": look.timezone() or "UTC"}
    values = schedules.values_of(present)
    return {name: AT_FIRST.get(name) if value in (None, []) else value for name, value in values.items()}


def _sent() -> dict[str, Any]:
    values = forms.values_of([field for field in schedules.ALL_FIELDS if field.kind is not Kind.LIST])
    days = request.form.getlist("weekdays") if values["repeat"] == "weekly" else None
    return {name: value for name, value in {**values, "weekdays": days}.items() if value is not None}


def _form(
    connection: Connection,
    operation: Import,
    present: Schedule | None,
    values: Mapping[str, Any],
    errors: Mapping[str, str],
    *,
    status: int = 200,
) -> Response:
    provider = providers.get(connection.integration_id)
    easel = Easel(connection.user_id, connection, forms.sent(), errors)
    drawn = drawing.draw(easel, _fields(values), values)
    return rendering.page_or_fragment(
        "schedules/form.html",
        "schedules/_form.html",
        status=status,
        integration=provider,
        connection=connection,
        operation=operation,
        schedule=shown.rows([present])[0] if present is not None else None,
        asked=schedules.ALL_FIELDS,
        fields=drawn,
        days=shown.day_names() if values.get("repeat") == "weekly" else [],
        chosen_days=values.get("weekdays") or (),
        errors=errors,
    )


def _fields(values: Mapping[str, Any]) -> list[Field]:
    """The fields as the form draws them: zones as a list, weekdays apart."""
    named = [name for name in schedules.time_zones() if "/" in name and not name.startswith("Etc/")]
    zones = tuple(sorted({*named, "UTC", str(values.get("timeZone") or "UTC")}))
    return [
        replace(field, kind=Kind.CHOICE, choices=zones, required=True) if field.name == "timeZone"
        else replace(field, required=True)
        for field in schedules.ALL_FIELDS
        if field.kind is not Kind.LIST
    ]  # fmt: skip


def _back(schedule: Schedule) -> Response:
    """To where the button was: the list, or else the integration's page."""
    if request.form.get("on") == "list":
        return rendering.see_other(url_for("schedules.index"))
    return rendering.see_other(url_for("catalog.integration", key=schedule.integration_id, _anchor="sync"))
