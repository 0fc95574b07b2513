"""`/metrics`, for monitoring systems: from this machine, or with the token that the operator set.

What is told there lives in `patchbay.health.metrics`.
"""

from flask import Blueprint, Response, request

from patchbay import settings, signing, tenancy
from patchbay.errors import Unauthenticated

bp = Blueprint("metrics", __name__)

FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")
"""Who sends one of these came through a proxy: that the proxy is on this machine says nothing of who asks."""


@bp.get("/metrics")
def show() -> Response:
    """All metrics as Prometheus' text; 401 for others."""
    if not (_has_token() or _is_from_here()):
        raise Unauthenticated()
    from patchbay.health import metrics  # the client library is loaded where somebody asks

    with tenancy.everyone():
        response = Response(metrics.text_of_all(), content_type=metrics.CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _has_token() -> bool:
    token, (kind, _, sent) = settings.current().metrics_token, request.headers.get("Authorization", "").partition(" ")
    return bool(token) and kind.lower() == "bearer" and signing.equal(sent.strip(), token)


def _is_from_here() -> bool:
    is_direct = not any(name in request.headers for name in FORWARDING)
    return is_direct and settings.is_loopback(request.remote_addr or "")
