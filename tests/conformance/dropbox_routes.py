"""Dropbox's own description of its API, as its Python SDK carries it: generated from the Stone files, with validators.

`dropbox.auth`, `dropbox.files` and `dropbox.users` hold a route for each function: the shapes of argument, result and
error, and attributes. Read by `test_dropbox` and `test_requests_to_dropbox`.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from dropbox import auth, common, files, users
from stone.backends.python_rsrc import stone_serializers
from stone.backends.python_rsrc.stone_validators import ValidationError

from tests.conformance.recording import Exchange

HOSTS = {"api": "api.dropboxapi.com", "content": "content.dropboxapi.com", "notify": "notify.dropboxapi.com"}
_NAMESPACES = {"auth": auth, "files": files, "users": users}
_TOKEN = "/oauth2/token"
_MEDIA_TYPES = {"rpc": "application/json", "upload": "application/octet-stream"}
_ERRORS = {
    401: auth.AuthError_validator,
    403: auth.AccessError_validator,
    422: common.PathRootError_validator,
    429: auth.RateLimitError_validator,
}


def _address(namespace: str, route: Any) -> str:
    suffix = f"_v{route.version}" if route.version > 1 else ""
    return f"/2/{namespace}/{route.name}{suffix}"


ROUTES = {
    _address(namespace, route): route for namespace, module in _NAMESPACES.items() for route in module.ROUTES.values()
}


def operations(exchange: Exchange) -> tuple[str, ...]:
    """The function that was called; nothing for the consent page and the token calls, which Stone does not know."""
    return (exchange.path.removeprefix("/2/"),) if exchange.path in ROUTES else ()


def misfits(exchange: Exchange) -> Iterator[str]:
    """Where a call or its answer differs from the route's declaration."""
    if exchange.host == "www.dropbox.com" or exchange.path == _TOKEN:
        return
    route = ROUTES.get(exchange.path)
    if route is None:
        yield f"{exchange}: there is no such function"
        return
    for what, check in (("call", _called), ("argument", _argument), ("root", _root), ("answer", _answer)):
        yield from (f"{exchange}: {what}: {misfit}" for misfit in _caught(check, exchange, route))


def _caught(check: Callable[[Exchange, Any], Iterator[str]], exchange: Exchange, route: Any) -> Iterator[str]:
    try:
        yield from check(exchange, route)
    except (ValidationError, ValueError, KeyError, AttributeError) as error:
        yield f"{type(error).__name__} {error}"


def _called(exchange: Exchange, route: Any) -> Iterator[str]:
    host, style = HOSTS[route.attrs["host"] or "api"], route.attrs["style"] or "rpc"
    if exchange.method != "POST" or exchange.host != host:
        yield f"this function is a POST to {host}"
    sent = exchange.headers.get("content-type")
    takes_nothing = not exchange.body and sent is None
    if style in _MEDIA_TYPES and sent != _MEDIA_TYPES[style] and not (takes_nothing and style == "rpc"):
        yield f"the content type of a call in style {style} is {_MEDIA_TYPES[style]}, not {sent}"
    if style != "rpc" and not exchange.headers["dropbox-api-arg"].isascii():
        yield "the header with the argument is not ASCII"
    if not exchange.headers.get("authorization", "").startswith("Bearer "):
        yield "there is no token"


def _argument(exchange: Exchange, route: Any) -> Iterator[str]:
    style = route.attrs["style"] or "rpc"
    text = exchange.body if style == "rpc" else exchange.headers["dropbox-api-arg"]
    _read(route.arg_type, json.loads(text) if text else None)
    yield from ()


def _root(exchange: Exchange, _route: Any) -> Iterator[str]:
    text = exchange.headers.get("dropbox-api-path-root")
    if text is not None:
        _read(common.PathRoot_validator, json.loads(text))
    yield from ()


def _answer(exchange: Exchange, route: Any) -> Iterator[str]:
    media_type = exchange.answer_headers.get("content-type", "")
    if "x-dropbox-request-id" not in exchange.answer_headers:
        yield "there is no X-Dropbox-Request-Id"
    if exchange.status == 200 and route.attrs["style"] == "download":
        _read(route.result_type, json.loads(exchange.answer_headers["dropbox-api-result"]))
    elif exchange.status == 200:
        _read(route.result_type, json.loads(exchange.answer))
        if media_type != "application/json":
            yield f"the answer is {media_type}"
    elif exchange.status == 400 or exchange.status >= 500:
        if not media_type.startswith("text/plain"):
            yield f"the error is {media_type}"
    elif exchange.status == 429 and media_type.startswith("text/plain"):
        if not exchange.answer_headers["retry-after"].isdigit():
            yield "there is no whole number in Retry-After"
    else:
        yield from _refusal(exchange, route)


def _refusal(exchange: Exchange, route: Any) -> Iterator[str]:
    validator = route.error_type if exchange.status == 409 else _ERRORS[exchange.status]
    body = json.loads(exchange.answer)
    _read(validator, body["error"])
    tag = body["error"].get(".tag") or body["error"]["reason"][".tag"]
    if not body["error_summary"].startswith(f"{tag}/"):
        yield f"the summary {body['error_summary']} does not begin with {tag}/"


def _read(validator: Any, value: Any) -> None:
    """Raise what the SDK raises for a value that does not fit; nothing unknown may stand in it."""
    stone_serializers.json_compat_obj_decode(validator, value, strict=True)  # type: ignore[no-untyped-call] # untyped
