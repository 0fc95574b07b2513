"""A stream of a connection, as a page: comparing it, what comparisons found, what vanished, and the rules for it.

What is compared, and how, is known in `patchbay.records.reconciling`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from blueprints import forms, guards, rendering
from blueprints.shown.upkeep import ComparisonShown, DeletionShown, DifferenceRow
from patchbay import connections, providers
from patchbay.errors import Invalid
from patchbay.models import DifferenceKind, Trigger
from patchbay.records import deletions, reconciling, rules
from patchbay.runs import upkeep

bp = Blueprint("upkeep", __name__)
A_PAGE = 50


@bp.get("/integrations/<key>/streams/<stream>")
@guards.scoped("integrations:read")
def show(key: str, stream: str) -> Response:
    """How the stream is kept in step with its platform."""
    return _page(key, stream)


@bp.post("/integrations/<key>/streams/<stream>/rules")
@guards.scoped("integrations:write")
def change_rules(key: str, stream: str) -> Response:
    """Store the rules, or give the form back with what is wrong."""
    values = forms.values_of(rules.FIELDS)
    try:
        rules.change(connections.connected(guards.user().id, key), stream, values)
    except Invalid as error:
        return _page(key, stream, values, error.fields, status=422)
    rendering.toast(_("Settings saved."))
    return rendering.see_other(url_for("upkeep.show", key=key, stream=stream))


@bp.post("/integrations/<key>/streams/<stream>/compare")
@guards.scoped("runs:write")
def compare(key: str, stream: str) -> Response:
    """Compare now."""
    run = upkeep.compare(guards.user().id, key, stream, Trigger.PAGE)
    return rendering.see_other(url_for("runs.show", run_id=run.id))


@bp.post("/integrations/<key>/streams/<stream>/ids")
@guards.scoped("runs:write")
def sweep_ids(key: str, stream: str) -> Response:
    """Look for what has gone, reading nothing but ids."""
    run = upkeep.sweep_ids(guards.user().id, key, stream, Trigger.PAGE)
    return rendering.see_other(url_for("runs.show", run_id=run.id))


@bp.get("/runs/<run_id>/differences")
@guards.scoped("runs:read", "records:read")
def differences(run_id: str) -> Response:
    """What a comparison has found, narrowed to one kind."""
    comparison = reconciling.get(guards.user().id, run_id)
    sought, cursor = forms.sought("kind"), request.args.get("cursor")
    kind = DifferenceKind(sought) if sought in set(DifferenceKind) else None
    found, following = reconciling.differences(comparison, kind, cursor=cursor, limit=A_PAGE)
    return rendering.page_or_fragment(
        "records/differences.html",
        "records/_differences.html",
        comparison=ComparisonShown(comparison, providers.get(comparison.integration_id)),
        kind=kind or "",
        differences=[DifferenceRow(one) for one in found],
        more_address=forms.here(kind=kind, cursor=following) if following else None,
        is_more=cursor is not None,
    )


@bp.post("/runs/<run_id>/repair")
@guards.scoped("runs:write")
def repair(run_id: str) -> Response:
    """Read everything anew."""
    run = upkeep.repair(guards.user().id, run_id, Trigger.PAGE)
    return rendering.see_other(url_for("runs.show", run_id=run.id))


def _page(
    key: str,
    stream: str,
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    provider = providers.get(key)
    operation = rules.import_of(key, stream)
    connection = connections.connected(guards.user().id, key)
    return rendering.render(
        "records/upkeep.html",
        status=status,
        integration=provider,
        operation=operation,
        account_label=connection.account_label,
        comparisons=[ComparisonShown(one, provider) for one in reconciling.latest(connection.id, stream)],
        deletions=[DeletionShown(one, provider, one.count) for one in deletions.newest(connection.id, stream)],
        rules=rules.FIELDS if operation.editable else tuple(one for one in rules.FIELDS if one.name != "edits"),
        values=values or rules.values_of(rules.of_stream(connection, stream)),
        errors=errors or {},
    )
