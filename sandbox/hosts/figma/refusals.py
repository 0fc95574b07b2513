"""Figma's error answers: two shapes, by endpoint, and the answer of a full bucket.

Sources: npm @figma/rest-api-spec 0.43.0, `components.responses`; developers.figma.com "Errors" and "Rate Limits"; the
texts as reported in public threads (figma/code-connect#9, figma/variables-github-action-example#38); read 2026-11-21.
"""

import math
from typing import Literal

import msgspec
from werkzeug.wrappers import Response

Family = Literal["err", "message", "oauth"]


class FigmaRefused(Exception):
    """An error answer: `{"status", "err"}`, or `{"error": true, "status", "message"}` in the family "message".

    OAuth addresses and the site say the latter with an `i18n` beside it: the family "oauth".
    """

    def __init__(self, status: int, text: str, family: Family = "err", headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.family = family
        self.headers = headers or {}

    def answer(self) -> Response:
        """The error as it goes over the wire."""
        body: dict[str, object] = {"status": self.status, "err": self.text}
        if self.family != "err":
            body = {"error": True, "status": self.status, "message": self.text}
        if self.family == "oauth":
            body["i18n"] = None
        response = as_json(body, self.status)
        response.headers.update(self.headers)
        return response


def as_json(value: object, status: int = 200) -> Response:
    """A JSON answer with the headers that Figma sends."""
    response = Response(msgspec.json.encode(value), status, content_type="application/json; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache, no-store, max-age=0, must-revalidate"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def dead_token(*, is_expired: bool) -> FigmaRefused:
    """403, never 401: the token has ended, or was never any good."""
    return FigmaRefused(403, "Token expired" if is_expired else "Invalid token")


def lacking_scope(granted: tuple[str, ...], wanted: str) -> FigmaRefused:
    """403 too: only the text tells it from a dead token."""
    return FigmaRefused(403, f"Invalid scope(s): {', '.join(granted)}. This endpoint requires the {wanted} scope")


def not_found() -> FigmaRefused:
    """404: no such thing, or none that the user may see."""
    return FigmaRefused(404, "Not found")


def limited(seconds: float, plan: str, seat: Literal["low", "high"]) -> FigmaRefused:
    """429 with what only this answer tells: how long (days, when a monthly budget is spent), which plan, which seat."""
    headers = {
        "Retry-After": str(max(1, math.ceil(seconds))),
        "X-Figma-Plan-Tier": plan,
        "X-Figma-Rate-Limit-Type": seat,
        "X-Figma-Upgrade-Link": "https://www.figma.com/pricing"
        if plan == "starter"
        else "https://www.figma.com/settings",
    }
    return FigmaRefused(429, "Rate limit exceeded", headers=headers)
