"""What may be told of a call to a token endpoint: that it was made, how it went, and of both bodies the names.

A value is told only under a name of a few that never hold a secret. Making the calls lives in `sessions`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from patchbay.redaction import MASK, redact_text

PLAIN_NAMES = frozenset(
    {"error", "error_type", "expires_in", "grant_type", "refresh_token_expires_in", "scope", "token_type", "type"}
)
PLAIN_HEADERS = frozenset({"content-type", "date", "deprecation", "retry-after", "sunset"})
LONGEST_TOLD = 200
SHORTEST_SECRET = 6
_MOST_READ_BYTES = 64 * 1024
_DEEPEST = 6


@dataclass(frozen=True)
class Told:
    """One call, without its secrets; `status` is None and the answer empty when none came.

    `error` is the name of the error that it came to, "" for none. `started_at` is aware UTC.
    """

    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int | None
    response_headers: Mapping[str, str]
    response_body: bytes
    started_at: datetime
    duration_ms: int
    error: str = ""


def told(
    sent: requests.PreparedRequest, answer: requests.Response | None, *, started_at: datetime, duration_ms: int
) -> Told:
    """What may be told of the request and its answer."""
    address = urlsplit(sent.url or "")
    query, form = parse_qsl(address.query), parse_qsl(_text(sent.body))
    body = _read(answer)
    secrets = _texts([value for name, value in [*query, *form] if name not in PLAIN_NAMES]) | _texts(_hidden(body))
    return Told(
        sent.method or "",
        address._replace(query=_fields(query, secrets), fragment="").geturl(),
        _headers(sent.headers),
        _fields(form, secrets).encode(),
        None if answer is None else answer.status_code,
        {} if answer is None else _headers(answer.headers),
        b"" if answer is None else _shown_body(answer, body, secrets),
        started_at,
        duration_ms,
    )


def _fields(pairs: list[tuple[str, str]], secrets: frozenset[str]) -> str:
    return urlencode([(name, _value(name, value, secrets)) for name, value in pairs], safe="*")


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() in PLAIN_HEADERS}


def _read(answer: requests.Response | None) -> Any:
    """The answer's JSON; None where it has none that can be read."""
    if answer is None or len(answer.content) > _MOST_READ_BYTES:
        return None
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _shown_body(answer: requests.Response, body: Any, secrets: frozenset[str]) -> bytes:
    if not isinstance(body, Mapping | list):
        return f"[{len(answer.content)} bytes that are no JSON object]".encode() if answer.content else b""
    return json.dumps(_masked("", body, secrets)).encode()


def _masked(name: str, value: Any, secrets: frozenset[str], depth: int = 0) -> Any:
    """The value with its texts masked, but for those under a plain name."""
    if depth > _DEEPEST:
        return MASK
    if isinstance(value, Mapping):
        return {_name(key, secrets): _masked(key, entry, secrets, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [_masked(name, entry, secrets, depth + 1) for entry in value]
    if value is None or isinstance(value, bool):
        return value
    return _value(name, str(value), secrets)


def _name(name: str, secrets: frozenset[str]) -> str:
    """A name as it is, unless a secret was put in its place."""
    return MASK if any(secret in name for secret in secrets) else redact_text(name[:LONGEST_TOLD])


def _value(name: str, value: str, secrets: frozenset[str]) -> str:
    if name not in PLAIN_NAMES or any(secret in value for secret in secrets):
        return MASK
    return redact_text(value[:LONGEST_TOLD])


def _hidden(body: Any, name: str = "", depth: int = 0) -> list[str]:
    """All texts of an answer that stand under no plain name."""
    if depth > _DEEPEST:
        return []
    if isinstance(body, Mapping):
        return [text for key, entry in body.items() for text in _hidden(entry, key, depth + 1)]
    if isinstance(body, list):
        return [text for entry in body for text in _hidden(entry, name, depth + 1)]
    return [body] if isinstance(body, str) and name not in PLAIN_NAMES else []


def _texts(values: list[str]) -> frozenset[str]:
    return frozenset(value for value in values if len(value) >= SHORTEST_SECRET)


def _text(body: bytes | str | None) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
