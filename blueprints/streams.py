"""Event streams: how many may be open at once, how long, and the text of their messages.

What is sent through them is the views' affair. A stream holds one web thread for as long as it is open.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import Response, stream_with_context

from patchbay import settings, tenancy

LONGEST_S = 300.0
LOOK_EVERY_S = 1.0
COMMENT_EVERY_S = 15.0


@dataclass(frozen=True)
class Message:
    """One message: HTML to swap in, under an id to go on behind."""

    id: int
    html: str


Look = Callable[[], tuple[list[Message], bool]]


def open_stream(look: Look) -> Response | None:
    """A response that sends what `look` finds, until `look` says that it was the last; None when there is no room.

    `look` is called once a second in the scope of the present user, and must leave no transaction open.
    """
    if not _room.take():
        return None
    response = Response(stream_with_context(_messages(look, tenancy.present())), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold messages back
    response.call_on_close(_room.give_back)
    return response


def _messages(look: Look, owner: str) -> Iterator[str]:
    """The stream's text (WHATWG HTML, "Server-sent events"): ends with the event `done`, or after LONGEST_S without."""
    ends_at, spoke_at = time.monotonic() + LONGEST_S, 0.0
    while time.monotonic() < ends_at:
        with tenancy.of(owner):  # the server may send an answer's pieces in another context than made it
            found, is_last = look()
        for message in found:
            yield _text(message)
        if is_last:
            yield "event: done\ndata: done\n\n"
            return
        if found:
            spoke_at = time.monotonic()
        elif time.monotonic() - spoke_at >= COMMENT_EVERY_S:
            spoke_at = time.monotonic()
            yield ": still here\n\n"  # a client that has gone is noticed by writing to it
        time.sleep(LOOK_EVERY_S)


def _text(message: Message) -> str:
    lines = "".join(f"data: {line}\n" for line in message.html.splitlines() if line)
    return f"id: {message.id}\n{lines}\n"


class _Room:
    """Counts open streams: at most a quarter of the threads, so that pages are always served."""

    def __init__(self) -> None:
        self._open = 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a place, if there is one."""
        with self._lock:
            if self._open >= max(1, settings.current().web_threads // 4):
                return False
            self._open += 1
            return True

    def give_back(self) -> None:
        """A stream has ended."""
        with self._lock:
            self._open -= 1


_room = _Room()
