"""What went wrong, as JSON in the one error shape of the contract, or handed to the pages' own answer.

The sentences come from `patchbay.errors`; they are translated here.
"""

from http import HTTPStatus

import structlog
from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from blueprints import rendering
from patchbay.errors import (
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    PatchbayError,
    Refused,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMedia,
)

log = structlog.get_logger()

BY_STATUS: dict[int, type[Refused]] = {
    400: Malformed,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: NotFound,
    413: TooLarge,
    415: UnsupportedMedia,
}


def init_app(app: Flask) -> None:
    """Answer every error: JSON for the API and whoever asks for JSON, a page or a toast for browsers."""
    app.register_error_handler(PatchbayError, _patchbay_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _crash)


def wants_json() -> bool:
    """Whether the caller is a program."""
    if request.path.startswith(("/api/", "/v1/")) and not _is_browser_return():
        return True
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"


def answer(error: PatchbayError, *, status: int | None = None, run_id: str | None = None) -> Response:
    """The error as JSON, with its status."""
    sentence = rendering.sentence_of(error)
    body: dict[str, object] = {
        "success": False,
        "error": sentence,
        "type": error.code,
        "message": error.detail or sentence,
        "userMessage": sentence,
        "retryable": error.retryable,
        "requestId": g.get("request_id", ""),
    }
    if error.params.get("provider"):
        body["platform"] = error.params["provider"]
    if isinstance(error, Invalid) and error.fields:
        body["fields"] = {name: rendering.said(text, error.params) for name, text in error.fields.items()}
    if run_id is not None:
        body["runId"] = run_id
    response = jsonify(body)
    response.status_code = status or error.http_status
    response.headers["Cache-Control"] = "no-store"
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _is_browser_return() -> bool:
    """A platform's redirect may end below /api/ too, and then a person looks at the answer."""
    return request.endpoint is not None and request.endpoint.startswith("connections.callback")


def _patchbay_error(error: PatchbayError) -> Response:
    if wants_json():
        return answer(error)
    return rendering.answer_problem(error, request_id=g.get("request_id", ""))


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if not wants_json() or status < 400:
        return rendering.answer_http_error(error, request_id=g.get("request_id", ""))
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return answer(TooLarge(limit="20 MB"))
    kind = BY_STATUS.get(status, PatchbayError if status >= 500 else Refused)
    return answer(kind(), status=status)


def _crash(error: Exception) -> Response:
    log.exception("A request failed for a reason of ours.", error=type(error).__name__)
    if wants_json():
        return answer(PatchbayError())
    return rendering.answer_crash(request_id=g.get("request_id", ""))
