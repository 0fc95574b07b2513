"""Integrations: listing, connecting, disconnecting.

Asking a connection for an operation lives in `syncs`; the way back from a platform is a page's (`connections`).
"""

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, shapes
from patchbay import catalog, connections, providers
from patchbay.errors import N_, Invalid
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
    """Begin a connect: the address to send the user's browser to."""
    given = bodies.read(bodies.INTEGRATION, SETTINGS, CREDENTIALS)
    provider = providers.get(given["integrationId"])
    if given["credentials"] and provider.auth is not None:
        raise Invalid({"credentials": N_("%(provider)s is connected on its own site.")}, provider=provider.name)
    departure = connections.begin(guards.caller(), provider.key, given["settings"] or {})
    return bodies.answered({"authUrl": departure.url})


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
