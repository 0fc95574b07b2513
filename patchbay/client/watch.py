"""What stands behind a client: the run that it works for, or nobody.

Sending lives in the package itself.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import msgspec

from patchbay import net, oauth
from patchbay.errors import PlatformError
from patchbay.models import ReceiptState
from patchbay.spec import Picture

LONGEST_PAUSE_S = 5.0  # a longer wait frees the worker
SLICE_S = 0.5


@dataclass(frozen=True, repr=False)
class Exchange:
    """One request and what came of it, for those who keep statistics or a log; everything in it may be secret.

    `status` is None and the answer empty when none came. `error` is the name of the error that it came to, "" for none,
    as for an answer that is a fault elsewhere and expected here. `started_at` is aware UTC, `attempt` counts from 1.
    `is_refresh`: it was the token endpoint that was called, for a new token; its secrets are gone already.
    """

    outgoing: net.Outgoing
    status: int | None
    response_headers: Mapping[str, str]
    response_body: bytes
    error: str
    duration_ms: int
    started_at: datetime
    attempt: int
    is_refresh: bool = False

    @property
    def method(self) -> str:
        """GET, POST, …"""
        return self.outgoing.method

    @cached_property
    def request_headers(self) -> Mapping[str, str]:
        """As given to the door, and the type that it gives a JSON body: no other program would guess that one."""
        sent = self.outgoing
        if sent.json is None or "content-type" in {name.lower() for name in sent.headers}:
            return sent.headers
        return {**sent.headers, "Content-Type": "application/json"}

    @cached_property
    def url(self) -> str:
        """The address as sent, with its query."""
        query = urlencode(self.outgoing.params)
        joint = "&" if "?" in self.outgoing.url else "?"
        return f"{self.outgoing.url}{joint}{query}" if query else self.outgoing.url

    @cached_property
    def request_body(self) -> bytes:
        """What was sent behind the headers; of a form with files its fields alone."""
        sent = self.outgoing
        if isinstance(sent.content, bytes):
            return sent.content
        if sent.json is not None:
            return msgspec.json.encode(sent.json)
        return urlencode(sent.form or {}).encode()


def of_refresh(call: oauth.Told) -> Exchange:
    """A call to the token endpoint, for the same listeners."""
    return Exchange(
        net.Outgoing(call.method, call.url, headers=call.request_headers, content=call.request_body),
        call.status,
        call.response_headers,
        call.response_body,
        call.error,
        call.duration_ms,
        call.started_at,
        attempt=1,
        is_refresh=True,
    )


@dataclass(frozen=True)
class Kept:
    """A receipt: what is known of something that was sent, and what it came to when that is known."""

    state: ReceiptState
    answer: Any


class Watch(Protocol):
    """The run behind a client: it may stop the work, and keeps what must survive a kill."""

    def check(self) -> None:
        """Raise when the run was cancelled or taken over."""

    def patience_s(self) -> float:
        """How long an answer may take at the most; what a request is allowed by itself may be less."""

    def log(self, level: str, message: str, **params: str | int) -> None:
        """Add a line to the run's log."""

    def progress(self, done: int, total: int | None) -> None:
        """Say how far the run has come."""

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """The value kept under `name`, made and stored the first time."""

    def forget(self, name: str) -> None:
        """Drop what is kept under `name`."""

    def receipt(self, name: str) -> "Kept | None":
        """What an earlier try has left of a step that is done once."""

    def sending(self, name: str, fingerprint: str) -> None:
        """Write durably that the step's request goes out now."""

    def settle(self, name: str, state: ReceiptState, answer: Any = None) -> None:
        """Write what is known of the step's outcome."""

    def withdraw(self, name: str) -> None:
        """The platform refused the step: nothing was done, and it may be sent again."""

    def picture(self, address: str) -> Picture:
        """The picture behind an address of ours or of the public internet."""

    def public_address(self, address: str, content_type: str) -> str:
        """An address from which anybody can fetch that picture, as `content_type` if given."""

    def keep(self, content: bytes, filename: str) -> Mapping[str, Any]:
        """Keep a picture as a design of the owner's."""

    def exchanged(self, exchange: Exchange) -> None:
        """One request was sent, and this is what came of it; called for every try."""


class Unwatched:
    """The watch of a call that belongs to no run, such as the question whose account a fresh token is."""

    def check(self) -> None:
        """Nobody can cancel it."""

    def patience_s(self) -> float:
        """Nobody waits for it."""
        return math.inf

    def log(self, level: str, message: str, **params: str | int) -> None:
        """Nobody reads it."""

    def progress(self, done: int, total: int | None) -> None:
        """Nobody looks."""

    def remember(self, name: str, make: Callable[[], Any]) -> Any:  # noqa: ARG002 - the protocol's names
        """Nothing outlives the call."""
        return make()

    def forget(self, name: str) -> None:
        """Nothing was kept."""

    def receipt(self, name: str) -> Kept | None:  # noqa: ARG002 - the protocol's names
        """Nothing was sent before."""
        return None

    def sending(self, name: str, fingerprint: str) -> None:
        """Nobody comes after it."""

    def settle(self, name: str, state: ReceiptState, answer: Any = None) -> None:
        """Nobody comes after it."""

    def withdraw(self, name: str) -> None:
        """Nobody comes after it."""

    def picture(self, address: str) -> Picture:
        """Never asked for outside a run."""
        raise PlatformError(f"no picture can be read here: {urlsplit(address).path}")

    def public_address(self, address: str, content_type: str) -> str:  # noqa: ARG002 - the protocol's names
        """Never asked for outside a run."""
        raise PlatformError(f"no picture can be shown here: {urlsplit(address).path}")

    def keep(self, content: bytes, filename: str) -> Mapping[str, Any]:  # noqa: ARG002 - the protocol's names
        """Never asked for outside a run."""
        raise PlatformError("no picture can be kept here")

    def exchanged(self, exchange: Exchange) -> None:
        """Nobody counts it."""


def pause(watch: Watch, seconds: float) -> None:
    """Sleep in slices, so that a cancelled run stops soon."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        watch.check()
        time.sleep(min(left, SLICE_S))
