"""The calls under `/_sandbox/` that steer the sandbox; the section "Sandbox" of the outer contract is their law.

The page that offers them as forms is in `sandbox.board`.
"""

import hmac
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from werkzeug.wrappers import Request, Response

from sandbox import board, lifetimes
from sandbox.answers import as_json, refused
from sandbox.faults import Order
from sandbox.pages import style_sheet
from sandbox.platform import ControlRefused, Platform
from sandbox.store import Document

if TYPE_CHECKING:
    from sandbox.app import Sandbox

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MEDIA_TYPES = frozenset({"application/json", "text/csv"})
_MOST_ROWS = 1000


def answer(sandbox: "Sandbox", request: Request) -> Response:
    """The answer to any request under `/_sandbox/`."""
    if not _is_loopback(request):
        return refused("Control calls want a loopback Host", 403)
    rest = request.path.removeprefix("/_sandbox/")
    if rest == "sandbox.css":
        return style_sheet()
    if rest == "":
        return _page(sandbox, request)
    if request.method not in ("GET", "HEAD", "DELETE") and request.mimetype not in _MEDIA_TYPES:
        return refused("Control calls want application/json or text/csv", 415)
    return call(sandbox, request, rest)


def call(sandbox: "Sandbox", request: Request, rest: str) -> Response:
    """The control call itself, once Host and media type have been checked."""
    try:
        if rest == "reset":
            return _only(request, POST=lambda: _reset(sandbox, _body(request)))
        key, _, verb = rest.partition("/")
        platform = sandbox.platforms.get(key)
        if platform is None or not verb:
            return refused("There is no such control call", 404)
        return _call_platform(sandbox, platform, request, verb)
    except ControlRefused as refusal:
        return refused(refusal.text, refusal.status)
    except msgspec.ValidationError as error:
        return refused(str(error))


def new_board_key() -> str:
    """What a form of the page must carry, so that no foreign page can post one."""
    return secrets.token_urlsafe(16)


def _page(sandbox: "Sandbox", request: Request) -> Response:
    if request.method != "POST":
        return _only(request, GET=lambda: board.page(sandbox))
    if not hmac.compare_digest(request.form.get("board_key", "").encode(), sandbox.board_key.encode()):
        return refused("The form is stale: load the page again", 403)
    asked = board.asked_call(sandbox, request)
    if asked is None:
        return refused("There is no such form", 404)
    outcome = call(sandbox, asked, asked.path.removeprefix("/_sandbox/"))
    return board.page(sandbox, outcome)


def _call_platform(sandbox: "Sandbox", platform: Platform, request: Request, verb: str) -> Response:
    key = platform.key
    match verb.split("/"):
        case ["state"]:
            return _only(request, GET=lambda: _state(platform, request))
        case ["requests"]:
            return _only(request, GET=lambda: _requests(sandbox, key, request))
        case ["token"]:
            return _only(request, POST=lambda: as_json(platform.issue_token(_wanted_token(request))))
        case ["generate"]:
            return _only(request, POST=lambda: as_json(platform.generate(_wanted(request))))
        case ["lifetimes"] if platform.has_lifetimes:
            return _only(
                request,
                GET=lambda: as_json(msgspec.to_builtins(lifetimes.present(platform.store))),
                POST=lambda: as_json(lifetimes.change(platform.store, _body(request))),
            )
        case ["faults"]:
            faults = sandbox.faults[key]
            return _only(
                request,
                GET=lambda: as_json({"faults": faults.listed()}),
                POST=lambda: as_json({"id": faults.add(msgspec.convert(_body(request), Order))}, 201),
                DELETE=lambda: _deleted(faults.remove()),
            )
        case ["faults", fault_id]:
            return _only(request, DELETE=lambda: _deleted(sandbox.faults[key].remove(fault_id)))
    return platform.control(request, verb) or refused("There is no such control call", 404)


def _only(request: Request, **methods: Callable[[], Response]) -> Response:
    act = methods.get("GET" if request.method == "HEAD" else request.method)
    if act is None:
        response = refused("This call takes " + " or ".join(methods), 405)
        response.headers["Allow"] = ", ".join(methods)
        return response
    return act()


def _reset(sandbox: "Sandbox", wanted: Document) -> Response:
    provider = wanted.pop("provider", None)
    if wanted:
        raise ControlRefused(f"Unknown field: {', '.join(sorted(wanted))}")
    if provider is not None and provider not in sandbox.platforms:
        raise ControlRefused("There is no such provider", 404)
    chosen = [provider] if provider else list(sandbox.platforms)
    for key in chosen:
        sandbox.reset(sandbox.platforms[key])
    return as_json({"reset": chosen})


def _state(platform: Platform, request: Request) -> Response:
    shop = _wanted(request).get("shop")
    totals = platform.collections(shop)
    collection = request.args.get("collection")
    if collection is None:
        return as_json({"collections": totals})
    if collection not in totals:
        raise ControlRefused("There is no such collection", 404)
    page = platform.page(collection, request.args.get("cursor"), _number(request, "limit", 50, least=1), shop)
    return as_json(
        {
            "collection": collection,
            "total": totals[collection],
            "data": page.documents,
            "nextCursor": page.next_cursor,
        }
    )


def _requests(sandbox: "Sandbox", key: str, request: Request) -> Response:
    since = _number(request, "since", 0, most=2**53)
    rows = sandbox.ledgers[key].since(since, _number(request, "limit", 100, least=1))
    return as_json({"requests": rows, "next": rows[-1]["n"] if rows else since})


def _deleted(found: bool) -> Response:
    return Response(status=204) if found else refused("There is no such fault", 404)


def _body(request: Request) -> Document:
    """The JSON object of a call, empty when nothing was sent; raises ControlRefused."""
    if not request.data:
        return {}
    if request.mimetype != "application/json":
        raise ControlRefused("This call takes application/json", 415)
    try:
        body = msgspec.json.decode(request.data)
    except msgspec.DecodeError as error:
        raise ControlRefused("The body is not JSON", 400) from error
    if not isinstance(body, dict):
        raise ControlRefused("The body must be a JSON object")
    return body


def _wanted(request: Request) -> Document:
    """The body of a call that takes `shop` in its query string too; the body wins. Raises ControlRefused."""
    shop = request.args.get("shop")
    return ({} if shop is None else {"shop": shop}) | _body(request)


def _wanted_token(request: Request) -> Document:
    """The body of a token call, whose `scopes` are a text or a list of texts. Raises ControlRefused."""
    wanted = _wanted(request)
    scopes = wanted.get("scopes")
    listed = scopes if isinstance(scopes, list) else [scopes]
    if scopes is not None and not all(isinstance(each, str) for each in listed):
        raise ControlRefused("scopes must be a text or a list of texts")
    return wanted


def _number(request: Request, name: str, default: int, *, least: int = 0, most: int = _MOST_ROWS) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ControlRefused(f"{name} must be a number from {least} to {most}")
    return int(text)


def _is_loopback(request: Request) -> bool:
    try:
        return urlsplit(f"//{request.headers.get('Host', '')}").hostname in _LOOPBACK
    except ValueError:
        return False
