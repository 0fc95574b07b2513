"""Dropbox's error answers: plain text for 400, tagged unions in JSON for everything else.

Sources: github.com/dropbox/dropbox-api-spec (auth.stone, common.stone, files.stone of 2026-08-05), the HTTP
documentation's "Errors" and the wordings quoted in the issues of Dropbox's SDKs (read 2026-11-21). The flat OAuth
errors are in `oauth`.
"""

import random
import secrets

import msgspec
from werkzeug.wrappers import Request, Response

from sandbox.hosts.dropbox.people import Person
from sandbox.store import Document


class DropboxRefused(Exception):
    """An error of the API: with `error` a tagged union (`summary` names its tags), else `text` alone."""

    def __init__(self, status: int, text: str = "", *, summary: str = "", error: Document | None = None) -> None:
        super().__init__(text or summary)
        self.status = status
        self.text = text
        self.summary = summary
        self.error = error

    def answer(self, function: str) -> Response:
        """The error as it goes over the wire; a text begins with the function that was called."""
        if self.error is None:
            return as_text(f'Error in call to API function "{function}": {self.text}', self.status)
        dots = "." * random.randrange(4)  # noqa: S311 - Dropbox adds them so that nobody compares the whole summary
        return as_json({"error_summary": f"{self.summary}/{dots}", "error": self.error}, self.status)


class Problem(Exception):
    """Something about a path, as tags of `LookupError` or `WriteError`; a call wraps it into its own union."""

    def __init__(self, *tags: str) -> None:
        super().__init__("/".join(tags))
        self.tags = tags


def as_json(value: object, status: int = 200) -> Response:
    """A JSON answer with the headers Dropbox sends; the media type carries no charset."""
    response = Response(msgspec.json.encode(value), status, content_type="application/json")
    return stamped(response)


def as_text(text: str, status: int) -> Response:
    """A plain text answer."""
    return stamped(Response(text, status, content_type="text/plain; charset=utf-8"))


def bad_request(text: str) -> DropboxRefused:
    """400: the call itself is malformed."""
    return DropboxRefused(400, text)


def unauthorized(tag: str, **more: str) -> DropboxRefused:
    """401: `AuthError`."""
    return DropboxRefused(401, summary=tag, error={".tag": tag, **more})


def failed(*tags: str, **more: object) -> DropboxRefused:
    """409: the union of the called function, one tag inside the other; `more` stands beside the innermost."""
    return DropboxRefused(409, summary="/".join(tags), error=union(*tags, **more))


def upload_failed(problem: Problem, session_id: str) -> DropboxRefused:
    """409 of files/upload: the bytes have arrived and wait in a session for a commit under another path."""
    error = {".tag": "path", "reason": union(*problem.tags), "upload_session_id": session_id}
    return DropboxRefused(409, summary="/".join(("path", *problem.tags)), error=error)


def stale_root(who: Person) -> DropboxRefused:
    """422: the header names a root namespace that is not (any longer) the user's."""
    error = {".tag": "invalid_root", "invalid_root": who.root_info()}
    return DropboxRefused(422, summary="invalid_root", error=error)


def foreign_root() -> DropboxRefused:
    """422: a namespace that the user may not look into."""
    return DropboxRefused(422, summary="no_permission", error={".tag": "no_permission"})


def too_many_requests(request: Request, seconds: float) -> Response:
    """429: in JSON where the request speaks JSON, else as text; the header says it in both."""
    wait_s = max(1, round(seconds))
    reason = {"reason": {".tag": "too_many_requests"}, "retry_after": wait_s}
    speaks_json = "json" in request.headers.get("Accept", "") or request.mimetype == "application/json"
    if speaks_json:
        response = DropboxRefused(429, summary="too_many_requests", error=reason).answer("")
    else:
        response = as_text("too_many_requests/", 429)
    response.headers["Retry-After"] = str(wait_s)
    return response


def union(*tags: str, **more: object) -> Document:
    """A tagged union: every value but the innermost hangs under the name of its tag."""
    tag, *rest = tags
    return {".tag": tag, tag: union(*rest, **more)} if rest else {".tag": tag, **more}


def stamped(response: Response) -> Response:
    """The headers of every answer."""
    response.headers["X-Dropbox-Request-Id"] = secrets.token_hex(16)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-cache"
    return response
