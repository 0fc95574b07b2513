"""The wire log as pages: the requests of one run, those of all runs, one as a command for a shell, replays.

What is kept and how it is masked lives in `patchbay.wire`.
"""

from flask import Blueprint, Response, request, url_for

from blueprints import forms, guards, rendering
from patchbay import connections, providers, runs, settings, wire
from patchbay.models import Run, Trigger
from patchbay.runs import upkeep
from patchbay.wire import replay

bp = Blueprint("wire", __name__)
A_PAGE = 50


@bp.get("/requests")
@guards.scoped("runs:read")
def index() -> Response:
    """What was sent for the reader's runs, newest first, narrowed by `q`, `outcome` and `integration`."""
    integration = forms.sought("integration")
    return _page(wire.Query(guards.user().id, None, integration or None, forms.sought("q") or None, _outcome()))


@bp.get("/runs/<run_id>/requests")
@guards.scoped("runs:read")
def of_run(run_id: str) -> Response:
    """The requests of one run, in their order, narrowed by `q` and `outcome`."""
    run = runs.get(guards.user().id, run_id)
    return _page(wire.Query(run.user_id, run.id, None, forms.sought("q") or None, _outcome()), run=run)


@bp.get("/requests/<entry_id>")
@guards.scoped("runs:read")
def show(entry_id: str) -> Response:
    """One request with its answer, and the command that sends it again."""
    entry = wire.get(guards.user().id, entry_id)
    provider = providers.get(entry.integration_id)
    return rendering.render("wire/show.html", exchange=entry, provider=provider, command=wire.as_curl(entry))


@bp.post("/runs/<run_id>/record")
@guards.scoped("runs:write")
def record(run_id: str) -> Response:
    """Do once more what the run did, and keep whole answers for a replay."""
    run = upkeep.record(guards.user().id, run_id, Trigger.PAGE)
    return rendering.see_other(url_for("runs.show", run_id=run.id))


@bp.post("/runs/<run_id>/replay")
@guards.scoped("runs:read")
def play(run_id: str) -> Response:
    """Carry the run out again from its record, and tell whether it comes to the same end."""
    run = runs.get(guards.user().id, run_id)
    outcome = replay.replay(run)
    return rendering.render("wire/replay.html", run=run, provider=providers.get(run.integration_id), outcome=outcome)


def _outcome() -> str:
    sought = forms.sought("outcome")
    return sought if sought in wire.OUTCOMES else ""


def _page(query: wire.Query, run: Run | None = None) -> Response:
    cursor = request.args.get("cursor")
    found, following = wire.page(query, cursor=cursor, limit=A_PAGE)
    search = {"q": query.search, "outcome": query.outcome, "integration": query.integration_id}
    return rendering.page_or_fragment(
        "wire/index.html",
        "wire/_rows.html",
        entries=found,
        names={provider.key: provider.name for provider in providers.all()},
        run=run,
        title=_operation_title(run) if run else "",
        is_repeatable=run is not None and _is_repeatable(run),
        search={name: value or "" for name, value in search.items()},
        integrations=[providers.get(key) for key in connections.of_user(query.user_id)],
        kept_days=settings.current().wire_log_days,
        more_address=forms.here(**search, cursor=following) if following else None,
        is_more=cursor is not None,
    )


def _is_repeatable(run: Run) -> bool:
    operation = providers.get(run.integration_id).operation(run.operation)
    return operation is not None and not runs.changes_something(operation)


def _operation_title(run: Run) -> str:
    operation = providers.get(run.integration_id).operation(run.operation)
    return operation.title if operation is not None else run.operation
