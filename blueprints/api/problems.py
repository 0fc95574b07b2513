"""What went wrong, as JSON in the one error shape of the contract, or handed to the pages' own answer.

The sentences come from `patchbay.errors`; they are translated here.
"""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError

from blueprints import guards, rendering
from patchbay import providers
from patchbay.errors import (
    N_,
    Forbidden,
    NotFound,
    PatchbayError,
    Refused,
    StorageAway,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMedia,
    named,
)
from patchbay.models import Run
from patchbay.models.outage import outage
from patchbay.net import MIB

log = structlog.get_logger()

BY_STATUS: dict[int, type[Refused]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: NotFound,
    413: TooLarge,
    415: UnsupportedMedia,
}
AWAY_FOR_S = 5
WRONG_HOST = N_("This host name is not served here.")
WRONG_METHOD = N_("This address does not take that kind of request. Nothing was changed.")


def init_app(app: Flask) -> None:
    """Answer every error: JSON for the API and whoever asks for JSON, a page or a toast for browsers."""
    app.register_error_handler(PatchbayError, _patchbay_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _crash)


def wants_json() -> bool:
    """Whether the caller is a program."""
    if request.is_json:
        return True
    if request.path.startswith(("/api/", "/v1/")) and not _is_browser_return():
        return True
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"


def answer(error: PatchbayError, *, status: int | None = None, run_id: str | None = None) -> Response:
    """The error as JSON, with its status."""
    detail = "" if isinstance(error, Refused) else error.detail  # of a refusal it is no more than an id
    shape = _shape(type(error), rendering.sentence_of(error), detail, _platform(error.params))
    if notes := rendering.notes_of(error):
        shape["fields"] = notes
    response = _answer(shape, status or error.http_status, run_id)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, StorageAway):
        response.headers["Retry-After"] = str(AWAY_FOR_S)
    return response


def answer_failed(run: Run) -> Response:
    """The cause of a failed run as JSON, with the status that belongs to it."""
    return _answer(cause_of(run), named(run.error_kind or "").http_status, run.id)


def cause_of(run: Run) -> dict[str, object]:
    """Why a run failed: type, message, userMessage, retryable, platform."""
    kind = named(run.error_kind or "")
    sentence = rendering.said(run.error_params.get("sentence", kind.sentence), run.error_params)
    return _shape(kind, sentence, run.error_detail or "", run.integration_id)


def cause_of_part(kind_name: str, params: Mapping[str, str], platform: str | None) -> dict[str, object]:
    """Why a part of a batch could not be started, in the same form."""
    kind = named(kind_name)
    return _shape(kind, rendering.said(params.get("sentence", kind.sentence), params), "", platform)


def _shape(kind: type[PatchbayError], sentence: str, detail: str, platform: str | None) -> dict[str, object]:
    shape: dict[str, object] = {
        "type": kind.code,
        "message": detail or sentence,
        "userMessage": sentence,
        "retryable": kind.retryable,
    }
    if platform is not None:
        shape["platform"] = platform
    return shape


def _answer(shape: Mapping[str, object], status: int, run_id: str | None) -> Response:
    body = {"success": False, "error": shape["userMessage"], **shape, "requestId": g.get("request_id", "")}
    if run_id is not None:
        body["runId"] = run_id
    response = jsonify(body)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


def _platform(params: Mapping[str, str]) -> str | None:
    """The key of the provider that the sentence names; programs know platforms by it."""
    name = params.get("provider")
    return next((provider.key for provider in providers.all() if provider.name == name), None)


def _is_browser_return() -> bool:
    """A platform's redirect may end below /api/ too, and then a person looks at the answer."""
    return request.endpoint is not None and request.endpoint.startswith("connections.callback")


def _patchbay_error(error: PatchbayError) -> Response:
    if wants_json():
        return answer(error)
    return rendering.answer_problem(error, request_id=g.get("request_id", ""))


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, SecurityError):
        return _refused_host()
    status = error.code or 500
    if not wants_json() or status < 400:
        return rendering.answer_http_error(error, request_id=g.get("request_id", ""))
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        room = (request.max_content_length or 0) - guards.FORM_BYTES
        return answer(TooLarge(limit=f"{room // MIB} MB"))
    kind = BY_STATUS.get(status, PatchbayError if status >= 500 else Refused)
    if not isinstance(error, MethodNotAllowed):
        return answer(kind(), status=status)
    response = answer(kind(sentence=WRONG_METHOD), status=status)
    response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return response


def _refused_host() -> Response:
    """A Host that is not ours: no page can be drawn, because no address of ours can be named under it."""
    if wants_json():
        return answer(Refused(sentence=WRONG_HOST), status=400)
    return Response("This host name is not served here.\n", 400, content_type="text/plain")


def _crash(error: Exception) -> Response:
    lack = outage(error)
    if lack is not None:
        log.warning("Storage failed a request.", error=lack.kind, cause=lack.detail)
        return _patchbay_error(lack)
    log.exception("A request failed for a reason of ours.", error=type(error).__name__)
    if wants_json():
        return answer(PatchbayError())
    return rendering.answer_crash(request_id=g.get("request_id", ""))
