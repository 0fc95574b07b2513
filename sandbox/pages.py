"""Turns a template into an HTML answer under a strict content security policy, and serves the one style sheet.

What stands on a page is decided by the module that asks for it.
"""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.wrappers import Response

_FOLDER = Path(__file__).parent / "templates"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def html_page(template: str, status: int = 200, **values: object) -> Response:
    """A rendered page. No form-action in the policy: it would also forbid the redirect back to the app."""
    text = _environment().get_template(template).render(**values)
    return Response(text, status, headers=_HEADERS, mimetype="text/html")


def style_sheet() -> Response:
    """The style sheet of all pages."""
    return Response((_FOLDER / "sandbox.css").read_bytes(), mimetype="text/css", headers={"Cache-Control": "no-cache"})


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
