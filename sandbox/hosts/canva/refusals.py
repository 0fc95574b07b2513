"""Canva's error answers: `{"code", "message"}` from the API, and the two shapes that its token endpoints use.

Sources: Canva Developers SDK "Error responses" and the error examples of the REST reference (read 2026-11-21).
"""

import msgspec
from werkzeug.wrappers import Response


class CanvaRefused(Exception):
    """An error of the API or of a token endpoint."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def answer(self) -> Response:
        """The error as it goes over the wire."""
        return as_json({"code": self.code, "message": self.message}, self.status)


class LineageRevoked(CanvaRefused):
    """The refusal of a refresh token whose family is dead: met in the flat form of RFC 6749 §5.2.

    Seen so in the logs of several integrations, read 2026-11-21; the reference lists this form as "default".
    """

    def __init__(self) -> None:
        super().__init__(400, "invalid_grant", "Token lineage has been revoked")

    def answer(self) -> Response:
        """The flat form."""
        return as_json({"error": self.code, "error_description": self.message}, self.status)


def as_json(value: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status, content_type="application/json")


def no_such_endpoint() -> CanvaRefused:
    """404: the path leads nowhere."""
    return CanvaRefused(404, "endpoint_not_found", "The requested endpoint does not exist")


def not_allowed_here() -> CanvaRefused:
    """405: the path is right, the method is not."""
    return CanvaRefused(405, "bad_http_method", "The HTTP method is not allowed for this endpoint")


def too_many(of_what: str) -> CanvaRefused:
    """429. There is no header that says how long to wait."""
    return CanvaRefused(429, "too_many_requests", f"Too many {of_what}")


def missing_scope(*scopes: str) -> CanvaRefused:
    """403: the token is good, but lacks what the endpoint takes."""
    return CanvaRefused(403, "missing_scope", f"Missing scopes: [{', '.join(scopes)}]")


def misformed(value: str, field: str) -> CanvaRefused:
    """400: a value of the wrong form."""
    return CanvaRefused(400, "invalid_request", f"{value} does not match expected format for {field}")
