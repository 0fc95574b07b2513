"""The landing page and the health check."""

from flask import Blueprint, Response, jsonify, make_response

from blueprints import rendering
from patchbay import __version__, health

bp = Blueprint("home", __name__)


@bp.get("/")
def index() -> Response:
    """What Patchbay is, and the way in."""
    return rendering.render("home/index.html")


@bp.get("/health")
def health_check() -> Response:
    """200 when everything works, else 503; says nothing secret, so it asks for no login."""
    checks = health.checks()
    is_well = all(state == "ok" for state in checks.values())
    body = {"status": "ok" if is_well else "unhealthy", "version": __version__, "checks": checks}
    response = make_response(jsonify(body), 200 if is_well else 503)
    response.headers["Cache-Control"] = "no-store"
    return response
