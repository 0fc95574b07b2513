"""The health pages: all connections at a glance, one in detail, and what is handed to whoever is asked for help.

What state a connection is in is decided in `patchbay.health`; what machines ask for is in `home` and `metrics`.
"""

from flask import Blueprint, Response, request

from blueprints import guards, rendering
from blueprints.shown import limits
from blueprints.shown.figures import failures_told, targets
from blueprints.shown.health import HealthRow, OperationRow, version_of
from patchbay import clock, connections, health, providers, runs

bp = Blueprint("health", __name__)


@bp.get("/health-dashboard")
@guards.scoped("integrations:read")
def dashboard() -> Response:
    """Every connection of the reader's; the part that polls gets 204 while version `v` is what it would show."""
    user = guards.user()
    found = health.of_user(user.id)
    rows = [HealthRow(one) for one in found]
    version = version_of(rows)
    if rendering.wants_fragment() and request.args.get("v") == version:
        return rendering.unchanged()
    return rendering.page_or_fragment(
        "health/index.html",
        "health/_connections.html",
        rows=rows,
        targets=targets([one.figures for one in found]),
        checks=health.checks() if user.is_admin else {},
        version=version,
    )


@bp.get("/integrations/<key>/health")
@guards.scoped("integrations:read")
def connection(key: str) -> Response:
    """One connection: its state, its figures by operation, and what comes next."""
    provider = providers.get(key)
    found = connections.connected(guards.user().id, key)
    condition = health.of_connection(found)
    return rendering.render(
        "health/show.html",
        row=HealthRow(condition),
        integration=provider,
        connection=found,
        condition=condition,
        targets=targets([condition.figures]),
        failures=failures_told(condition.figures),
        operations=[OperationRow(one) for one in health.operations(found)],
        limits=limits.used(condition.headrooms),
        stories=limits.stories(condition.circuits, provider.name),
        recent=limits.failures(condition.circuits),
    )


@bp.get("/diagnostics")
@guards.scoped("integrations:read", "runs:read")
def diagnostics() -> Response:
    """A file about the reader's connections and newest runs, for whoever helps them; it holds no secret."""
    return _file(health.bundle(guards.user()))


@bp.get("/runs/<run_id>/diagnostics")
@guards.scoped("integrations:read", "runs:read")
def diagnostics_of_run(run_id: str) -> Response:
    """The same about one run."""
    user = guards.user()
    return _file(health.bundle(user, runs.get(user.id, run_id)))


def _file(content: bytes) -> Response:
    name = f"patchbay-diagnostics-{clock.now():%Y%m%d-%H%M%S}.zip"
    response = Response(content, mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return rendering.never_stored(response)
