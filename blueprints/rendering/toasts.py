"""Short messages to the reader: a part of the answer for htmx, a flashed notice on the next page otherwise.

How long they stay is app.js's affair; longer explanations belong into the page.
"""

from typing import Literal

from flask import Flask, Response, flash, g, render_template

from blueprints.rendering.fragments import is_htmx

Tone = Literal["ok", "info", "warn", "err"]


def toast(message: str, tone: Tone = "ok") -> None:
    """Tell the reader `message` (already in their language) with the answer to this request."""
    g.setdefault("toasts", []).append((message, tone))


def toast_only(message: str, tone: Tone = "info", *, status: int = 200) -> Response:
    """An answer to htmx that changes nothing in the page but shows a toast."""
    toast(message, tone)
    return Response(status=status, mimetype="text/html", headers={"HX-Reswap": "none"})


def deliver(response: Response) -> Response:
    """Put the toasts of this request into the answer, or keep them for the next page when it cannot carry them."""
    waiting: list[tuple[str, Tone]] = g.pop("toasts", [])
    if not waiting:
        return response
    if _carries_fragments(response):
        parts = render_template("components/_toasts.html", toasts=waiting)
        response.set_data(response.get_data(as_text=True) + parts)
    elif g.get("key") is None:  # an API key has no session, hence no next page
        for message, tone in waiting:
            flash(message, tone)
    return response


def _carries_fragments(response: Response) -> bool:
    is_swapped = response.status_code in {200, 201, 202} or response.status_code >= 400
    return is_htmx() and is_swapped and response.mimetype == "text/html" and "HX-Redirect" not in response.headers


def init_app(app: Flask) -> None:
    """Deliver with every answer."""
    app.after_request(deliver)
