"""The integrations page and the page of one integration. Acting on a connection lives in `connections`."""

from typing import Any

from flask import Blueprint, Response, request

from blueprints import forms, guards, rendering
from blueprints.shown import activity, integrations, outcomes
from blueprints.shown.cards import CATEGORY_NAMES, Catalogue, card_of
from blueprints.shown.runs import RunRow
from patchbay import audit, catalog, records, runs
from patchbay.catalog import Entry
from patchbay.models import Connection, Run
from patchbay.spec import Category

bp = Blueprint("catalog", __name__)
NEWEST = 5


@bp.get("/integrations", endpoint="integrations")
@guards.public("integrations:read")
def all_integrations() -> Response:
    """The catalogue, narrowed by `q` and `category`; or what became of a connect that nothing is known of."""
    if "outcome" in request.args:
        shown = outcomes.take(request.args["outcome"], _reader(), None)
        if shown is not None:
            return rendering.render("connections/outcome.html", status=shown.status, integration=None, outcome=shown)
    q, category = forms.sought("q"), forms.sought("category")
    chosen = Category(category) if category in CATEGORY_NAMES else None
    everything = catalog.entries(_reader())
    found = [card_of(entry) for entry in catalog.narrowed(everything, search=q, category=chosen)]
    catalogue = Catalogue(q, chosen.value if chosen else "", found, everything)
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


def detail(entry: Entry) -> dict[str, Any]:
    """What the integration's page shows; a settings form with errors replaces `values` and `errors`."""
    kept = entry.connection
    live = kept if entry.is_connected else None
    counts = records.counts(kept.id) if kept else {}
    return {
        "card": card_of(entry),
        "connection": live,
        "access": integrations.access(entry.provider, live),
        "syncs": integrations.syncs(entry.provider, counts),
        "actions": [action.title for action in entry.provider.actions],
        "runs": [RunRow(run, entry.provider) for run in _newest(kept)],
        "more_address": None,
        "is_more": False,
        "activity": activity.told_of(audit.latest(kept.id), entry.provider) if kept else [],
        "settings": entry.provider.settings,
        "values": live.settings if live else {},
        "errors": {},
        "deletable_count": sum(counts.values()),
    }


def _newest(connection: Connection | None) -> list[Run]:
    if connection is None:
        return []
    query = runs.Query(connection.user_id, connection.integration_id)
    return runs.page(query, cursor=None, limit=NEWEST)[0]


def _reader() -> str | None:
    caller = guards.caller_if_any()
    return caller.user_id if caller else None
