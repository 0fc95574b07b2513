"""Google Drive's error answers: one nested shape, in which `errors[0].reason` says what happened.

Sources: Drive guide "Resolve errors" and the discovery document of drive.v3 (read 2026-11). The flat OAuth errors are
in `oauth`.
"""

import msgspec
from werkzeug.wrappers import Response

from sandbox.store import Document


class DriveRefused(Exception):
    """An error of the Drive API; `location` names the parameter or header that is to blame."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        location: str | None = None,
        domain: str = "global",
        extra: Document | None = None,
        challenge: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.location = location
        self.domain = domain
        self.extra = extra or {}
        self.challenge = challenge

    def answer(self) -> Response:
        """The error as it goes over the wire."""
        detail: Document = {"message": self.message, "domain": self.domain, "reason": self.reason}
        if self.location:
            kind = "header" if self.location == "Authorization" else "parameter"
            detail |= {"location": self.location, "locationType": kind}
        body = {"error": {"code": self.status, "message": self.message, "errors": [detail]} | self.extra}
        response = as_json(body, self.status)
        if self.challenge:
            response.headers["WWW-Authenticate"] = f'Bearer realm="https://accounts.google.com/", {self.challenge}'
        return response


def as_json(value: object, status: int = 200) -> Response:
    """A JSON answer with the headers Google sends."""
    response = Response(msgspec.json.encode(value), status, content_type="application/json; charset=UTF-8")
    response.headers["Cache-Control"] = "no-cache, no-store, max-age=0, must-revalidate"
    response.headers["Vary"] = "Origin, X-Origin, Referer"
    return response


def unauthenticated(*, has_token: bool) -> DriveRefused:
    """401: no token at all, or one that is not (or no longer) good."""
    if not has_token:
        return DriveRefused(
            401,
            "required",
            "Login Required.",
            location="Authorization",
            extra={"status": "UNAUTHENTICATED"},
            challenge='error_description="none"',
        )
    return DriveRefused(
        401, "authError", "Invalid Credentials", location="Authorization", extra={"status": "UNAUTHENTICATED"},
        challenge='error="invalid_token"',
    )  # fmt: skip


def lacking_scope(method: str, scopes: frozenset[str]) -> DriveRefused:
    """403: the token is good, but the user never allowed this."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {"service": "drive.googleapis.com", "method": f"google.apps.drive.v3.{method}"},
    }
    return DriveRefused(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        extra={"status": "PERMISSION_DENIED", "details": [info]},
        challenge=f'error="insufficient_scope", scope="{" ".join(sorted(scopes))}"',
    )


def not_found(file_id: str) -> DriveRefused:
    """404: no such file, or none that the app may see."""
    return DriveRefused(404, "notFound", f"File not found: {file_id}.", location="fileId")


def invalid(location: str, message: str = "Invalid Value") -> DriveRefused:
    """400: a value that makes no sense."""
    return DriveRefused(400, "invalid", message, location=location)
