"""The answers in which nothing was done: WordPress's JSON errors, its "access denied" page, pages of the web host.

Sources: WooCommerce REST API docs "Errors"; WordPress REST API `WP_Error` answers and `wp_die` (read 2026-11-21).
"""

from html import escape

import msgspec
from werkzeug.wrappers import Response

from sandbox.store import Document

JSON_TYPE = "application/json; charset=UTF-8"


class Refused(Exception):
    """A REST error: `code` for programs, `message` for people, `data` beside the status."""

    def __init__(self, status: int, code: str, message: str, **data: object) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.data = status, code, message, data

    def answer(self) -> Response:
        """The error as the REST API sends it."""
        return as_json(self.body(), self.status)

    def body(self) -> Document:
        """The JSON of it, which a batch carries inside its own answer."""
        return {"code": self.code, "message": self.message, "data": {"status": self.status} | self.data}


def as_json(value: object, status: int = 200) -> Response:
    """Any JSON value as WordPress sends it."""
    response = Response(msgspec.json.encode(value), status, content_type=JSON_TYPE)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Access-Control-Expose-Headers"] = "X-WP-Total, X-WP-TotalPages, Link"
    return response


def invalid_parameters(problems: dict[str, tuple[str, str]]) -> Refused:
    """400 for query parameters; `problems` has a code and a sentence for each."""
    return Refused(
        400,
        "rest_invalid_param",
        f"Invalid parameter(s): {', '.join(problems)}",
        params={name: text for name, (_, text) in problems.items()},
        details={name: {"code": code, "message": text, "data": None} for name, (code, text) in problems.items()},
    )


def no_route() -> Refused:
    """404 of the REST API itself."""
    return Refused(404, "rest_no_route", "No route was found matching the URL and request method.")


def critical_error() -> Response:
    """500: some code of the store failed."""
    return Refused(
        500,
        "internal_server_error",
        "<p>There has been a critical error on this website.</p>"
        '<p><a href="https://wordpress.org/documentation/article/faq-troubleshooting/">'
        "Learn more about troubleshooting WordPress.</a></p>",
    ).answer()


def denied(text: str, status: int = 401) -> Response:
    """The page with which the key endpoint ends what it will not do."""
    return page("Access denied", f"<p>Error: {escape(text)}.</p>", status)


def page(title: str, body: str, status: int) -> Response:
    """A plain HTML page of the store or of the server in front of it."""
    text = f"<!DOCTYPE html>\n<html>\n<head><title>{escape(title)}</title></head>\n<body>{body}</body>\n</html>\n"
    return Response(text, status, content_type="text/html; charset=UTF-8")


def not_found_page() -> Response:
    """What the theme shows for an address that leads nowhere."""
    return page("Page not found", "<h1>Nothing was found at this address.</h1>", 404)
