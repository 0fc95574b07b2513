"""What went wrong, as a page or, for htmx, as a toast that leaves the page as it was; always with a true status.

The JSON shape of the same errors lives in the API; the sentences come from `patchbay.errors`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from blueprints.rendering.fragments import is_htmx
from blueprints.rendering.sentences import notes_of, sentence_of, title_of
from blueprints.rendering.toasts import toast_only
from patchbay.errors import N_, PatchbayError, TooManyRequests, Unauthenticated

STANDARD: dict[int, tuple[str, str]] = {
    400: (N_("That request could not be read"), N_("Go back, reload the page and try again.")),
    401: (N_("Sign in first"), N_("This page is for signed-in people.")),
    403: (N_("Not allowed"), N_("You may not do this. An administrator may be able to.")),
    404: (N_("Not found"), N_("There is nothing here. It may have been deleted, or it belongs to someone else.")),
    405: (N_("Not possible this way"), N_("This address does not take that kind of request. Nothing was changed.")),
    409: (N_("Not possible right now"), N_("This does not fit the present state. Reload the page and look again.")),
    413: (N_("Too large"), N_("This is larger than what Patchbay takes. Nothing was stored.")),
    415: (N_("Wrong kind of content"), N_("This address does not take that kind of content. Nothing was stored.")),
    422: (N_("Please check what you entered"), N_("Some of the values cannot be used. Nothing was stored.")),
    429: (N_("Too many attempts"), N_("Too many attempts. Wait a little, then try again.")),
    500: (
        N_("Something went wrong here"),
        N_("Patchbay could not finish this. Nothing was changed. Try again, or ask your administrator."),
    ),
    503: (N_("Back in a moment"), N_("Patchbay is starting or busy. Try again in a few seconds.")),
}


GUIDE = {
    400: "VALIDATION_ERROR", 401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND", 405: "NOT_FOUND",
    409: "CONFLICT", 413: "TOO_LARGE", 415: "VALIDATION_ERROR", 422: "VALIDATION_ERROR", 429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
}  # fmt: skip
"""Which entry of the troubleshooting guide speaks of a status, where there is no error of ours with a code."""


@dataclass(frozen=True)
class _Problem:
    """What a page says of it; `guide` is the entry of the troubleshooting guide, "" for none. `notes` say what is wrong
    with which field."""

    status: int
    title: str
    sentence: str
    guide: str
    detail: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)


def answer_problem(error: PatchbayError, *, request_id: str = "") -> Response:
    """An error of ours that no view made a form or a card of."""
    problem = _Problem(
        error.http_status, title_of(error), sentence_of(error), error.code, error.detail, notes_of(error)
    )
    if isinstance(error, Unauthenticated):
        return _to_login(problem, request_id)
    response = _answer(problem, request_id)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def answer_http_error(error: HTTPException, *, request_id: str = "") -> Response:
    """An error that the framework raised: unknown address, wrong method, body too large."""
    if error.response is not None or (error.code or 500) < 400:
        return make_response(error.get_response())
    problem = _standard(error.code or 500)
    if problem.status == 401:
        return _to_login(problem, request_id)
    response = _answer(problem, request_id)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def answer_crash(*, request_id: str = "") -> Response:
    """Something that was not foreseen; its cause is in the log alone."""
    return _answer(_standard(500), request_id)


def login_address() -> str:
    """Where to sign in and come back from. Only a page that can be asked for again is remembered."""
    here = request.headers.get("HX-Current-URL", "") if is_htmx() else request.url
    if not is_htmx() and request.method not in {"GET", "HEAD"}:
        here = request.headers.get("Referer", "")
    return url_for("accounts.login") + "?next=" + quote(_local(here), safe="/")


def _local(address: str) -> str:
    """Path and query of an address of this site; of any other "/integrations"."""
    path = address.removeprefix(request.host_url.rstrip("/"))
    is_local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path.partition("#")[0] if is_local else url_for("catalog.integrations")


def _standard(status: int) -> _Problem:
    title, sentence = STANDARD.get(status) or STANDARD[500 if status >= 500 else 400]
    return _Problem(status, str(gettext(title)), str(gettext(sentence)), GUIDE.get(status, ""))


def _to_login(problem: _Problem, request_id: str) -> Response:
    if is_htmx():
        return Response(status=401, mimetype="text/html", headers={"HX-Redirect": login_address()})
    return _page(problem, request_id)


def _answer(problem: _Problem, request_id: str) -> Response:
    if is_htmx():
        notes = "".join(f" {name}: {note}" for name, note in problem.notes.items())
        return toast_only(f"{problem.title}. {problem.sentence}{notes}", "err", status=problem.status)
    return _page(problem, request_id)


def _page(problem: _Problem, request_id: str) -> Response:
    page = render_template(
        "errors/error.html",
        problem=problem,
        request_id=request_id,
        login_address=login_address() if problem.status == 401 else "",
    )
    return make_response(page, problem.status)
