"""Whether an answer is a whole page or a part of one, and the HX-* headers that say what becomes of it.

The facts about htmx 4 and htmx-flask 0.1.0 were read in their sources; what a fragment holds is the templates' affair.
"""

from flask import Flask, Response, make_response, redirect, render_template
from htmx_flask import make_response as make_htmx_response
from htmx_flask import request


def is_htmx() -> bool:
    """Whether htmx sent the request. A history restore is not one: it wants what the address bar would get."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def wants_fragment() -> bool:
    """Whether the caller swaps the answer into a part of its page."""
    return is_htmx() and request.headers.get("HX-Request-Type") == "partial"


def render(template: str, *, status: int = 200, **context: object) -> Response:
    """The template as an answer with that status."""
    return make_response(render_template(template, **context), status)


def page_or_fragment(page: str, fragment: str, *, status: int = 200, **context: object) -> Response:
    """The fragment for htmx, else the page that includes it; both get the same context."""
    return render(fragment if wants_fragment() else page, status=status, **context)


def see_other(address: str) -> Response:
    """Send the browser on with a GET: 303, or for htmx a full navigation by HX-Redirect.

    fetch would follow a 303 with the HX-* headers still on, and could not leave the origin.
    """
    if is_htmx():
        response: Response = make_htmx_response("", redirect=address)
        return response
    return make_response(redirect(address, 303))


def unchanged() -> Response:
    """204, which htmx does not swap: the poller holds the newest version already."""
    return Response(status=204)


def trigger(response: Response, event: str) -> Response:
    """Fire `event` in the browser once the answer has been swapped in."""
    made: Response = make_htmx_response(response, trigger=event)
    return made


def init_app(app: Flask) -> None:
    """Let templates know whether they are a part: headings are one level lower there."""
    app.jinja_env.globals["wants_fragment"] = wants_fragment
