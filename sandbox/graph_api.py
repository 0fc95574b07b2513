"""What Meta's hosts have in common: error bodies, versions in the path, `fields`, cursors, tokens of a request, usage.

Which objects there are, and who may see them, is the business of `hosts/instagram` and `hosts/facebook`.
Sources: Graph API "Handling Errors", "Rate Limits", "Paginated results", "Versioning" (read 2026-11-21).
"""

import re
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec
from werkzeug.wrappers import Request, Response

from sandbox.grants import Grants, Token
from sandbox.store import Document, Store

NEWEST = 26
OLDEST = 21  # v20.0 ended on 2026-09-24; what is older is served as the oldest that lives
_VERSION = re.compile(r"/v(\d{1,3})\.0(?=/|$)")
_CURSOR = "QVFI"
_MOST_ROWS = 100
_PLAIN_ROWS = 25
_UNSUPPORTED = (
    "Unsupported {} request. Object with ID '{}' does not exist, cannot be loaded due to missing permissions, "
    "or does not support this operation. Please read the Graph API documentation at "
    "https://developers.facebook.com/docs/graph-api"
)


class GraphRefused(Exception):
    """An error of the Graph API. `code` and `subcode` say what happened; `kind` (the `type`) says next to nothing."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: int = 400,
        kind: str = "OAuthException",
        subcode: int | None = None,
        is_transient: bool | None = None,
        title: str | None = None,
        text: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        told: Document = {"message": message, "type": kind, "code": code, "error_subcode": subcode}
        told |= {"is_transient": is_transient, "error_user_title": title, "error_user_msg": text}
        self.error = {name: value for name, value in told.items() if value is not None}

    def answer(self) -> Response:
        """The error as it goes over the wire."""
        response = as_json({"error": self.error | {"fbtrace_id": "A" + secrets.token_urlsafe(16)}}, self.status)
        word = {190: "invalid_token", 100: "invalid_request"}.get(self.code)
        if word and self.error["type"] == "OAuthException":
            message = self.error["message"].replace('"', "'")
            response.headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "{word}" "{message}"'
        return response


def as_json(value: object, status: int = 200) -> Response:
    """A JSON answer with the headers that Meta sends."""
    response = Response(msgspec.json.encode(value), status, content_type="application/json; charset=UTF-8")
    response.headers["Cache-Control"] = "private, no-cache, no-store, must-revalidate"
    response.headers["Pragma"] = "no-cache"
    response.headers["Expires"] = "Sat, 01 Jan 2000 00:00:00 GMT"
    return response


def unknown_object(request: Request, object_id: str, kind: str = "GraphMethodException") -> GraphRefused:
    """100/33: not there, or not for this caller; Meta tells neither apart, and says 400."""
    message = _UNSUPPORTED.format(request.method.lower(), object_id)
    return GraphRefused(100, message, kind=kind, subcode=33)


def invalid(message: str, **more: object) -> GraphRefused:
    """100: a parameter that is missing or makes no sense."""
    return GraphRefused(100, f"(#100) {message}", **more)  # type: ignore[arg-type]  # named parameters of the class


def split_version(path: str) -> tuple[int, str]:
    """The version that serves a path, and the path without it; raises GraphRefused for one that does not exist yet."""
    match = _VERSION.match(path)
    if match is None:
        return OLDEST, path
    if int(match[1]) > NEWEST:
        raise GraphRefused(2500, f"Unknown path components: {path}")
    return max(int(match[1]), OLDEST), path[match.end() :] or "/"


def parameter(request: Request, name: str, default: str = "") -> str:
    """A parameter from query, form or JSON body; the Graph API takes all three."""
    found = request.args.get(name) or request.form.get(name)
    if found is None and request.mimetype == "application/json":
        body = request.get_json(silent=True)
        found = body.get(name) if isinstance(body, dict) else None
    return default if found is None else str(found)


def token_text(request: Request) -> str:
    """The token that a request carries: `access_token`, or the Authorization header as Bearer or OAuth."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    given = token.strip() if scheme.lower() in ("bearer", "oauth") else ""
    return parameter(request, "access_token") or given


def noted_token(request: Request) -> str:
    """The token for the ledger, without opening the files of a multipart form, which nobody might close."""
    if request.mimetype == "multipart/form-data" and "access_token" not in request.args:
        return request.headers.get("Authorization", "").partition(" ")[2].strip()
    return token_text(request)


def unreadable_token() -> GraphRefused:
    """190 without a subcode: no token at all, or a text that is none."""
    return GraphRefused(190, "Invalid OAuth access token - Cannot parse access token")


def demand_live(grants: Grants, token: Token | None) -> Token:
    """The token if it is good; raises GraphRefused 190: unreadable, expired (463) or the app removed (458)."""
    if token is None:
        raise unreadable_token()
    grant = grants.grant_of(token)
    if token.revoked or grant.revoked:
        message = f"Error validating access token: The user has not authorized application {grant.client_id}."
        raise GraphRefused(190, message, subcode=458)
    if token.is_expired:
        ended = _session_time(token.expires_at or 0.0)
        message = f"Error validating access token: Session has expired on {ended}. "
        raise GraphRefused(190, f"{message}The current time is {_session_time(time.time())}.", subcode=463)
    return token


def _session_time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%A, %d-%b-%y %H:%M:%S UTC")


def graph_time(moment: datetime | None = None) -> str:
    """A time as the Graph API writes it: `2026-11-21T12:00:00+0000`."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S+0000")


def select(node: Document, wanted: str, known: frozenset[str], default: str) -> Document:
    """The wanted fields of a node, `id` always among them; what has no value is left out, as Meta does."""
    chosen: Document = {}
    for name, inner in _parsed_fields(wanted or default):
        if name not in known:
            raise invalid(f"Tried accessing nonexisting field ({name})")
        if node.get(name) is not None:
            chosen[name] = _narrowed(node[name], inner)
    return chosen | {"id": node["id"]} if "id" in node else chosen


def _parsed_fields(text: str) -> Iterator[tuple[str, str]]:
    """`id,images{source}` as (name, what stands in its braces)."""
    for match in re.finditer(r"([\w.]+)(?:\{([^{}]*)\})?\s*(?:,|$)", text):
        yield match[1].partition(".")[0], match[2] or ""


def _narrowed(value: object, inner: str) -> object:
    names = [name for name, _ in _parsed_fields(inner)]
    if not names:
        return value
    if isinstance(value, list):
        return [_narrowed(each, inner) for each in value]
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class Edge:
    """A list of things that hangs on a node: where they are stored, newest last, and the address it is read at."""

    store: Store
    collection: str
    prefix: str
    address: str


def read_edge(request: Request, edge: Edge, show: Callable[[Document], Document | None]) -> Document:
    """One page, newest first: `data`, and `paging` with both cursors and the `next` address, token and all.

    `show` gives what the caller sees of a document, None for what is not for this list.
    """
    limit = _limit(request)
    before = request.args.get("before")
    cursor = _read_cursor(before or request.args.get("after"))
    page = edge.store.page(edge.collection, cursor, limit, prefix=edge.prefix, reverse=before is None)
    rows = list(zip(page.keys, page.documents, strict=True))
    if before is not None:
        rows.reverse()
    data = [shown for _, document in rows if (shown := show(document)) is not None]
    if not rows:
        return {"data": data}
    cursors = {"before": _write_cursor(rows[0][0]), "after": _write_cursor(rows[-1][0])}
    paging: Document = {"cursors": cursors}
    if page.next_cursor is not None or before is not None:
        paging["next"] = _page_address(request, edge, limit, after=cursors["after"])
    if cursor is not None:
        paging["previous"] = _page_address(request, edge, limit, before=cursors["before"])
    return {"data": data, "paging": paging}


def _page_address(request: Request, edge: Edge, limit: int, **cursor: str) -> str:
    kept = {name: value for name, value in request.args.items() if name not in ("after", "before", "limit")}
    return f"{edge.address}?{urlencode(kept | {'access_token': token_text(request), 'limit': str(limit)} | cursor)}"


def _limit(request: Request) -> int:
    text = request.args.get("limit", str(_PLAIN_ROWS))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise invalid("Param limit must be a positive integer")
    return min(int(text), _MOST_ROWS)


def _write_cursor(key: str) -> str:
    return _CURSOR + urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _read_cursor(text: str | None) -> str | None:
    if not text:
        return None
    body = text.removeprefix(_CURSOR)
    try:
        if body == text:
            raise ValueError("no cursor of ours")
        return b64decode(body + "=" * (-len(body) % 4), b"-_", validate=True).decode()
    except ValueError as error:
        raise invalid("Invalid cursors values") from error


def age_tokens(store: Store, seconds: float) -> int:
    """Let time pass for every token: ends and births move back. Answers how many tokens that were."""
    count = 0
    with store.transaction():
        for collection, name in (("tokens", "expires_at"), ("births", "at")):
            for key, found in list(store.each(collection)):
                if found[name] is not None:
                    store.put(collection, key, found | {name: found[name] - seconds})
                    count += collection == "tokens"
    return count
