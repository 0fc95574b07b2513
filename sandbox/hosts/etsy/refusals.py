"""Etsy's error answers: one sentence, an OAuth pair, or for rejected listing fields an array.

Sources: ErrorSchema of the Open API 3.0.0 document; etsy/open-api issues #519 (pair), #598 (scope), #622 (array), #588
(ownership), #304 (unknown path), read 2026-11-21. Which call refuses when is decided by the call.
"""

import secrets

import msgspec
from werkzeug.wrappers import Response

from sandbox.store import Document


class EtsyRefused(Exception):
    """An error of the API or of the token endpoint."""

    def __init__(self, status: int, error: str, description: str | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.body: object = {"error": error} | ({"error_description": description} if description else {})

    def answer(self) -> Response:
        """The error as it goes over the wire."""
        return as_json(self.body, self.status)


class FieldRefused(EtsyRefused):
    """400 for the content of a field: an array of path, type and message."""

    def __init__(self, path: str, kind: str, message: str) -> None:
        super().__init__(400, message)
        self.body = [{"path": path, "type": kind, "message": message}]


def as_json(value: object, status: int = 200) -> Response:
    """A JSON answer with the id that Etsy's support asks for."""
    response = Response(msgspec.json.encode(value), status, mimetype="application/json")
    response.headers["x-etsy-request-uuid"] = secrets.token_urlsafe(21)
    response.headers["Cache-Control"] = "private"
    return response


def many(results: list[Document], count: int | None = None) -> Response:
    """A list as Etsy wraps it; `count` is the total, not the length of the page."""
    return as_json({"count": len(results) if count is None else count, "results": results})


def invalid_token(description: str) -> EtsyRefused:
    """401: the bearer token is not, or no longer, good."""
    return EtsyRefused(401, "invalid_token", description)


def insufficient_scope() -> EtsyRefused:
    """403: the seller never allowed this."""
    return EtsyRefused(403, "insufficient_scope", "Insufficient scope")


def not_owner(shop_id: int) -> EtsyRefused:
    """403: somebody else's shop."""
    return EtsyRefused(403, f"User does not own Shop {shop_id}")


def no_resource() -> EtsyRefused:
    """404: no such path."""
    return EtsyRefused(404, "Resource not found")


def no_listing(listing_id: int) -> EtsyRefused:
    """404: no such listing, or one that is not shown to others."""
    return EtsyRefused(404, f"Could not find Listing with listing_id = {listing_id}")
