"""The integrations page and the page of one integration. Acting on a connection lives in `connections`."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from blueprints import forms, guards, rendering
from blueprints.forms import Sent
from blueprints.shown import activity, drawing, integrations, outcomes
from blueprints.shown import schedules as scheduled
from blueprints.shown.cards import CATEGORY_NAMES, Catalogue, card_of
from blueprints.shown.health import block_of
from blueprints.shown.runs import RunRow
from patchbay import audit, catalog, connections, providers, quality, records, runs
from patchbay.catalog import Entry
from patchbay.models import Connection, Run
from patchbay.spec import Status

bp = Blueprint("catalog", __name__)
NEWEST = 5


@bp.get("/integrations", endpoint="integrations")
@guards.public("integrations:read")
def all_integrations() -> Response:
    """The catalogue, narrowed by `q` and any number of `category`; or what became of a connect that is unknown."""
    if "outcome" in request.args:
        shown = outcomes.take(request.args["outcome"], _reader(), None)
        if shown is not None:
            return rendering.render("connections/outcome.html", status=shown.status, integration=None, outcome=shown)
    q, wanted = forms.sought("q"), request.args.getlist("category")
    chosen = [category for category in CATEGORY_NAMES if category.value in wanted]
    everything = catalog.entries(_reader())
    found = [card_of(entry) for entry in catalog.narrowed(everything, search=q, categories=chosen)]
    catalogue = Catalogue(q, chosen, found, everything)
    return rendering.page_or_fragment("catalog/integrations.html", "catalog/_catalog.html", catalogue=catalogue)


@bp.get("/integrations/<key>")
@guards.public("integrations:read")
def integration(key: str) -> Response:
    """One integration and the reader's connection to it; with `outcome`, how a connect ended."""
    entry = catalog.entry(_reader(), key)
    outcome = None
    if "outcome" in request.args:
        outcome = outcomes.take(request.args["outcome"], _reader(), entry.connection)
    status = outcome.status if outcome is not None else 200
    return rendering.render("catalog/integration.html", status=status, **detail(entry), outcome=outcome)


def detail(
    entry: Entry,
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    sent: Sent | None = None,
) -> dict[str, Any]:
    """What the integration's page shows; a settings form that comes back brings its own `values` and `errors`."""
    kept = entry.connection
    live = kept if entry.is_connected else None
    counts = records.counts(kept.id) if kept else {}
    planned = scheduled.rows_of(kept) if kept else {}
    return {
        "card": card_of(entry),
        "connection": live,
        "access": integrations.access(entry.provider, live),
        "schedules": planned,
        "next_sync": scheduled.next_sync(planned) if live else "",
        "imports": integrations.imports(entry.provider, live, counts) if live else [],
        "actions": integrations.actions(entry.provider, live) if live else [],
        "titles": integrations.promised(entry.provider),
        "runs": [RunRow(run, entry.provider) for run in _newest(kept)],
        "more_address": None,
        "is_more": False,
        "activity": activity.told_of(audit.latest(kept.id), entry.provider) if kept else [],
        "settings": _settings(live, values, errors or {}, sent) if live and entry.provider.settings else [],
        "missing": [field.label for field in connections.missing_choices(live)] if live else [],
        "errors": errors or {},
        "deletable_count": sum(counts.values()),
        "health": block_of(live) if live else None,
        "quality": quality.of(entry.provider.key) if entry.provider.status is Status.ACTIVE else None,
    }


def _settings(
    live: Connection, values: Mapping[str, Any] | None, errors: Mapping[str, str], sent: Sent | None
) -> list[drawing.Drawn]:
    form: Sent = MultiDict() if sent is None else sent
    easel = drawing.Easel(live.user_id, live, form, errors, is_patient=True)
    kept = live.settings if values is None else values
    return drawing.draw(easel, providers.get(live.integration_id).settings, kept)


def _newest(connection: Connection | None) -> list[Run]:
    if connection is None:
        return []
    query = runs.Query(connection.user_id, connection.integration_id)
    return runs.page(query, cursor=None, limit=NEWEST)[0]


def _reader() -> str | None:
    caller = guards.caller_if_any()
    return caller.user_id if caller else None
