"""What Meta's Business SDK says of a call to the Graph API: its parameters, the object in its answer, and their types.

The SDK is generated from Meta's own schema; its type checker judges, nothing here repeats what it knows. Which calls
there are at an address is said in `FACEBOOK` and `INSTAGRAM`.
"""

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl

from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession
from facebook_business.typechecker import TypeChecker
from werkzeug.formparser import parse_form_data

from tests.conformance.recording import Exchange
from tests.conformance.transport import SandboxAdapter
from tests.conformance.witness import Reading

_OF_EVERY_CALL = frozenset({"access_token", "after", "appsecret_proof", "before", "fields", "limit", "summary"})
_VERSION = re.compile(r"/v\d+\.0(?=/)")
_PAGING = {"cursors", "next", "previous"}


@dataclass(frozen=True)
class Call:
    """A call as the SDK has it: method and path (a pattern), the class of its node, and the class's method for it.

    `answers` is the class of the object in the answer, where the SDK leaves it open; `also` are fields that the
    class lacks: the reference pages have them, the SDK does not.
    """

    http_method: str
    path: str
    kind: str
    sdk_method: str
    answers: str = ""
    also: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The call in the words of the SDK."""
        return f"{self.kind}.{self.sdk_method}"


_USER, _PAGE, _PHOTO = r"/(?:me|\d{17})", r"/\d{15}", r"/\d{18}"
FACEBOOK = (
    Call("GET", _USER, "User", "api_get"),
    Call("GET", f"{_USER}/accounts", "User", "get_accounts", also=frozenset({"tasks"})),
    Call("GET", f"{_USER}/permissions", "User", "get_permissions"),
    Call("DELETE", f"{_USER}/permissions", "User", "delete_permissions", also=frozenset({"success"})),
    Call("GET", _PAGE, "Page", "api_get"),
    Call("GET", f"{_PAGE}/photos", "Page", "get_photos"),
    Call("POST", f"{_PAGE}/photos", "Page", "create_photo", also=frozenset({"post_id"})),
    Call("GET", _PHOTO, "Photo", "api_get"),
    Call("DELETE", _PHOTO, "Photo", "api_delete", also=frozenset({"success"})),
)
_ACCOUNT, _MEDIA, _CONTAINER = r"/(?:me|1784\d{13})", r"/1790\d{13}", r"/1798\d{13}"
INSTAGRAM = (
    Call("GET", "/access_token", "IGAccessTokenForIGOnlyAPI", "api_get"),
    Call("GET", "/refresh_access_token", "IGRefreshAccessTokenForIGOnlyAPI", "api_get"),
    Call("GET", _ACCOUNT, "IGUserForIGOnlyAPI", "api_get"),
    Call("GET", f"{_ACCOUNT}/media", "IGUserForIGOnlyAPI", "get_media", "IGMediaForIGOnlyAPI"),
    Call("POST", f"{_ACCOUNT}/media", "IGUserForIGOnlyAPI", "create_media", "ShadowIGMediaBuilder"),
    Call("POST", f"{_ACCOUNT}/media_publish", "IGUserForIGOnlyAPI", "create_media_publish", "IGMediaForIGOnlyAPI"),
    Call("GET", f"{_ACCOUNT}/content_publishing_limit", "IGUserForIGOnlyAPI", "get_content_publishing_limit"),
    Call("GET", _MEDIA, "IGMediaForIGOnlyAPI", "api_get"),
    Call("GET", _CONTAINER, "ShadowIGMediaBuilder", "api_get"),
)


def reading(host: str, calls: tuple[Call, ...]) -> Reading:
    """How a file of tests reads what went to `host`."""

    def operations(exchange: Exchange) -> Iterator[str]:
        call = _call_of(exchange, host, calls)
        if call is not None:
            yield call.name

    def misfits(exchange: Exchange) -> Iterator[str]:
        call = _call_of(exchange, host, calls)
        if exchange.host == host and exchange.status >= 400:
            yield from _misfits_of_error(exchange)
        elif call is not None:
            yield from misfits_of_request(call, parameters_of(exchange))
            yield from misfits_of_answer(call, json.loads(exchange.answer))

    return Reading(operations, misfits)


def sdk(sandbox_url: str, token: str, *, secret: str | None = None, host: str = "graph.facebook.com") -> Any:
    """Meta's SDK with a token, led to the sandbox; with the app's secret it sends the proof along."""
    session = FacebookSession("app", secret, token)
    session.GRAPH = f"https://{host}"
    session.requests.mount("https://", SandboxAdapter(sandbox_url))
    return FacebookAdsApi(session)


def parameters_of(exchange: Exchange) -> dict[str, str]:
    """Query and form of a request, files left out."""
    content_type = exchange.headers.get("content-type", "")
    if not content_type.startswith("multipart/"):
        return dict(exchange.query) | dict(parse_qsl(exchange.body.decode(), keep_blank_values=True))
    environ = {
        "wsgi.input": io.BytesIO(exchange.body),
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(exchange.body)),
        "REQUEST_METHOD": exchange.method,
    }
    _, form, files = parse_form_data(environ)
    for file in files.values():
        file.close()
    return dict(exchange.query) | form.to_dict()


def misfits_of_request(call: Call, parameters: Mapping[str, str]) -> Iterator[str]:
    """Where parameters and `fields` of a request differ from what the SDK declares for the call."""
    checker, target = _declared(call)
    for name, value in parameters.items():
        if name in _OF_EVERY_CALL:
            continue
        if not checker.is_valid_key(name):
            yield f"{call.name}: the parameter {name} is not declared"
        elif not checker.is_valid_pair(name, value):
            yield f"{call.name}: the parameter {name} is no {checker.get_type(name)}"
    known = _types_of(target)
    for name in re.sub(r"\{[^}]*\}", "", parameters.get("fields", "")).split(","):
        if name and name not in known and name not in call.also:
            yield f"{call.name}: the field {name} is not declared"


def misfits_of_answer(call: Call, answer: Any) -> Iterator[str]:
    """Where an answer differs: keys and types of its objects, and the frame of a list."""
    _, target = _declared(call)
    if "data" not in answer:
        yield from _misfits_of_object(call, target, answer)
        return
    for name in set(answer) - {"data", "paging"}:
        yield f"{call.name}: the list has {name}"
    paging = answer.get("paging", {})
    if not set(paging) <= _PAGING or not set(paging.get("cursors", {})) <= {"before", "after"}:
        yield f"{call.name}: paging is not as the SDK reads it"
    for found in answer["data"]:
        yield from _misfits_of_object(call, target, found)


def _misfits_of_object(call: Call, target: Any, found: Mapping[str, Any]) -> Iterator[str]:
    types = _types_of(target)
    checker = TypeChecker(types, target._get_field_enum_info() if types else {})
    for name, value in found.items():
        if name in call.also:
            continue
        if name not in types:
            yield f"{call.name}: the answer has {name}, which is not declared"
        elif not checker.is_valid_pair(name, value):
            yield f"{call.name}: {name} in the answer is no {types[name]}"


def _misfits_of_error(exchange: Exchange) -> Iterator[str]:
    """An error must be one that the SDK can read."""
    error = FacebookRequestError("", {}, exchange.status, exchange.answer_headers, exchange.answer.decode())
    if type(error.api_error_code()) is not int or not error.api_error_message() or not error.api_error_type():
        yield f"{exchange}: the error has no code, message or type that the SDK finds"
    if not isinstance(error.api_error_subcode(), int | None):
        yield f"{exchange}: the subcode is no number"


def _call_of(exchange: Exchange, host: str, calls: tuple[Call, ...]) -> Call | None:
    path = _VERSION.sub("", exchange.path, count=1)
    found = (call for call in calls if call.http_method == exchange.method and re.fullmatch(call.path, path))
    return next(found, None) if exchange.host == host else None


@cache
def _declared(call: Call) -> tuple[Any, Any]:
    """The checker of a call's parameters, and the class of the object in its answer."""
    api = FacebookAdsApi(FacebookSession(access_token="none"))
    request = getattr(_class_of(call.kind)("1", api=api), call.sdk_method)(pending=True)
    return request._param_checker, _class_of(call.answers) if call.answers else request._target_class


def _class_of(kind: str) -> Any:
    return getattr(import_module(f"facebook_business.adobjects.{kind.lower()}"), kind)


def _types_of(target: Any) -> Mapping[str, str]:
    types: Mapping[str, str] = getattr(target, "_field_types", {})
    return types
