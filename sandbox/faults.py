"""Faults that a test orders: which of them strikes a request, and what it does to the answer.

Connections are dropped by the server, which is told so with ConnectionDropped.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Literal, get_args

import msgspec
from werkzeug.wrappers import Request, Response

from sandbox.platform import Platform

Kind = Literal[
    "rate_limit", "server_error", "hang", "reset", "malformed", "truncated", "slow", "expired_token", "revoked_grant",
    "lost_response", "gateway_timeout",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
_AT_ONCE = frozenset({"expired_token", "revoked_grant"})
_SLOW_PIECES = 20


class ConnectionDropped(Exception):
    """The server must end the connection without (more of) an answer, with a TCP reset where `is_reset`."""

    def __init__(self, *, is_reset: bool = False) -> None:
        super().__init__("the connection is to be dropped")
        self.is_reset = is_reset


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault as ordered. `times` 0 means until deleted; `rate` is a probability; `seconds` see the contract."""

    kind: Kind
    times: Annotated[int, msgspec.Meta(ge=0)] = 1
    rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 2.0
    match: str | None = None


class Fault(msgspec.Struct):
    """An order that waits for its requests; `left` None means without end."""

    id: str
    order: Order
    left: int | None


class Faults:
    """The faults of one platform, oldest first; kept in memory only."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._waiting: list[Fault] = []
        self._ordered = 0
        self._lock = threading.Lock()

    def add(self, order: Order) -> str:
        """Take an order and answer its id; what works at once on all tokens does so now and does not wait."""
        with self._lock:
            self._ordered += 1
            fault = Fault(str(self._ordered), order, order.times or None)
            if order.kind not in _AT_ONCE:
                self._waiting.append(fault)
        if order.kind == "expired_token":
            self._platform.expire_tokens()
        if order.kind == "revoked_grant":
            self._platform.revoke_grants()
        return fault.id

    def listed(self) -> list[dict[str, object]]:
        """What waits, in the words of the order plus `id`; `times` is what is left."""
        with self._lock:
            return [
                {"id": fault.id} | msgspec.to_builtins(fault.order) | {"times": fault.left or 0}
                for fault in self._waiting
            ]

    def remove(self, fault_id: str | None = None) -> bool:
        """Delete one, or all; whether one of that id was ever ordered, because a spent one is gone as wished."""
        with self._lock:
            self._waiting = [] if fault_id is None else [fault for fault in self._waiting if fault.id != fault_id]
            return fault_id is None or fault_id in map(str, range(1, self._ordered + 1))

    def take(self, call: str, operation: str | None, *, is_api_call: bool) -> Order | None:
        """The first fault that strikes this request, counted as used; `call` is `METHOD HOST/PATH`."""
        with self._lock:
            for fault in self._waiting:
                if not _strikes(fault.order, call, operation, is_api_call=is_api_call):
                    continue
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left == 0:
                        self._waiting.remove(fault)
                return fault.order
            return None


def _strikes(order: Order, call: str, operation: str | None, *, is_api_call: bool) -> bool:
    meant = is_api_call if order.match is None else order.match in call or order.match in (operation or "")
    return meant and random.random() < order.rate  # noqa: S311 - a chance, not a secret


def play(
    order: Order, platform: Platform, request: Request, host: str, path: str, *, answer: Callable[[], Response]
) -> Response:
    """The answer that the fault makes of a request; `answer` does the real work. Raises ConnectionDropped."""
    match order.kind:
        case "rate_limit":
            return platform.rate_limit(request, host, path, order.seconds)
        case "server_error":
            return platform.server_error(request, host, path)
        case "hang":
            time.sleep(order.seconds)
            raise ConnectionDropped
        case "reset":
            raise ConnectionDropped(is_reset=True)
        case "lost_response":
            answer()
            raise ConnectionDropped
        case "gateway_timeout":
            answer()
            page = "<html><head><title>504 Gateway Time-out</title></head></html>"
            return Response(page, 504, mimetype="text/html")
        case "malformed":
            return Response('{"data": [{"id": ', 200, mimetype="application/json")
        case "truncated":
            return _truncated(answer())
        case "slow":
            return _slow(answer(), order.seconds)
        case "expired_token" | "revoked_grant":  # struck when they were ordered
            return answer()


def _truncated(response: Response) -> Response:
    body = response.get_data()

    def half() -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionDropped

    headers = [(name, value) for name, value in response.headers if name.lower() != "content-length"]
    shortened = Response(half(), response.status, headers)
    shortened.content_length = max(len(body), 1)  # an empty answer can only be cut short by promising more
    return shortened


def _slow(response: Response, seconds: float) -> Response:
    body = response.get_data()
    step = max(1, -(-len(body) // _SLOW_PIECES))
    pieces = [body[start : start + step] for start in range(0, len(body), step)] or [b""]

    def trickle() -> Iterator[bytes]:
        for piece in pieces:
            time.sleep(seconds / len(pieces))
            yield piece

    headers = [(name, value) for name, value in response.headers if name.lower() != "content-length"]
    slowed = Response(trickle(), response.status, headers)
    slowed.content_length = len(body)
    return slowed
