"""Integrations: listing, connecting, disconnecting.

Asking a connection for an operation lives in `syncs`; the way back from a platform is a page's (`connections`).
"""

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, problems, shapes
from blueprints.shown import outcomes
from patchbay import catalog, connections, providers
from patchbay.errors import N_
from patchbay.spec import Field, Kind

bp = Blueprint("api_integrations", __name__, url_prefix="/api/integrations")

SETTINGS = Field("settings", N_("Settings"), Kind.MAPPING, required=False)
CREDENTIALS = Field("credentials", N_("Credentials"), Kind.MAPPING, required=False)
UNINSTALL = Field("uninstall", N_("Uninstall"), Kind.BOOLEAN, required=False, default=False)


@bp.get("/list")
@guards.scoped("integrations:read")
def list_integrations() -> Response:
    """The catalogue, with the state of the user's own connections."""
    bodies.query()
    return _catalogue()


@bp.post("/list")
@guards.scoped("integrations:read")
def list_integrations_by_body() -> Response:
    """The same, for callers that send their `userId` in a body."""
    bodies.read()
    return _catalogue()


@bp.post("/connect")
@guards.scoped("integrations:write")
def connect() -> Response:
    """Begin a connect: the address to send the user's browser to; with pasted keys, connect at once."""
    given = bodies.read(bodies.INTEGRATION, SETTINGS, CREDENTIALS)
    key, values = given["integrationId"], given["settings"] or {}
    providers.get(key)
    if given["credentials"]:
        returned = connections.connect_with_keys(guards.caller(), key, values, given["credentials"])
        error = outcomes.problem(returned)
        return problems.answer(error) if error is not None else bodies.answered({"success": True})
    departure = connections.begin(guards.caller(), key, values)
    return bodies.answered({"authUrl": departure.url})


@bp.post("/keys/<platform>")
@guards.public()
def receive_keys(platform: str) -> Response:
    """A platform hands over keys that its owner has just made for us; the nonce in them says for whom."""
    connections.receive_keys(platform, bodies.any_object())
    return bodies.answered({"success": True})


@bp.post("/settings")
@guards.scoped("integrations:write")
def change_settings() -> Response:
    """Store what is asked after connecting; values that are picked from a list are checked at the platform."""
    given = bodies.read(bodies.INTEGRATION, SETTINGS)
    connection = connections.change_settings(guards.user().id, given["integrationId"], given["settings"] or {})
    declared = {field.name for field in providers.get(given["integrationId"]).settings}
    kept = {name: value for name, value in connection.settings.items() if name in declared}
    return bodies.answered({"success": True, "settings": kept, "labels": connection.setting_labels})


@bp.post("/disconnect")
@guards.scoped("integrations:write")
def disconnect() -> Response:
    """End the connection; `revoked` says whether the platform confirmed."""
    given = bodies.read(bodies.INTEGRATION, UNINSTALL)
    revoked = connections.disconnect(guards.user().id, given["integrationId"], uninstall=given["uninstall"])
    return bodies.answered({"success": True, "revoked": revoked})


def _catalogue() -> Response:
    found = catalog.entries(guards.user().id)
    return bodies.answered({"integrations": [shapes.integration(entry) for entry in found]})
