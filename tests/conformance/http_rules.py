"""What RFC 9110 asks of any answer, whichever platform gives it, as a check of single exchanges.

What a platform promises beyond that is for its own witnesses to say.
"""

import json
from collections.abc import Iterator
from email.message import Message

from tests.conformance.recording import Exchange

_BODILESS = frozenset({204, 205, 304})
_ELSEWHERE = frozenset({301, 302, 303, 307})  # 308 is what an upload session of Google's is answered with
_TEXTS = ("text/plain", "text/html")


def misfits(exchange: Exchange) -> list[str]:
    """Where the answer breaks a rule, each as a sentence with its section."""
    return [f"{exchange}: {misfit}" for misfit in (*_in_body(exchange), *_in_headers(exchange))]


def _in_body(exchange: Exchange) -> Iterator[str]:
    if not exchange.answer:
        return
    declared = exchange.answer_headers.get("content-type", "")
    if exchange.status in _BODILESS:
        yield f"an answer of status {exchange.status} has no body (RFC 9110, 15)"
    elif not declared:
        yield "a body has a type (RFC 9110, 8.3)"
    else:
        yield from _in_typed_body(_media_type(declared), exchange.answer)


def _in_typed_body(media_type: str, body: bytes) -> Iterator[str]:
    is_json = _is_json(body)
    if media_type.endswith("json") and not is_json:
        yield f"the body is not what its type says: {media_type} (RFC 9110, 8.3)"
    if media_type in _TEXTS and is_json and body.lstrip()[:1] in (b"{", b"["):
        yield f"the body is JSON, not {media_type} (RFC 9110, 8.3)"


def _in_headers(exchange: Exchange) -> Iterator[str]:
    location = exchange.answer_headers.get("location", "")
    if exchange.status in _ELSEWHERE and not location:
        yield f"an answer of status {exchange.status} says where to go (RFC 9110, 15.4)"


def _media_type(declared: str) -> str:
    message = Message()
    message["Content-Type"] = declared
    return message.get_content_type()


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
