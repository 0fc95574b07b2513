"""A platform that says exactly what a test tells it to, on a real socket: for answers that no platform should give.

It stands where the sandbox stands: `https://HOST/PATH` arrives as `/HOST/PATH`.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Received:
    """A request as it came in; header names are lower-case."""

    method: str
    path: str
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Said:
    """An answer; a body that is not bytes is sent as JSON. `drop`: cut the connection in place of an answer.

    `after_s`: keep whoever asks waiting for so long.
    """

    status: int = 200
    body: Any = b""
    headers: Headers = field(default_factory=dict)
    drop: bool = False
    after_s: float = 0.0

    def content(self) -> bytes:
        """The bytes of the body."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Wire:
    """What was received, and what is to be answered: the answers in turn, the last one for ever."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[Received] = []
        self._answers: list[Said] = []
        self._lock = threading.Lock()

    def say(self, *answers: Said) -> None:
        """Answer the coming requests with these, the last one repeatedly."""
        with self._lock:
            self._answers = list(answers)

    def next_answer(self, request: Received) -> Said:
        """Note a request and find its answer."""
        with self._lock:
            self.received.append(request)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """A wire on a free port, for as long as the block runs; with `tls` one that shakes hands first."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    wire = Wire(f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}")
    server.find_answer = wire.next_answer  # type: ignore[attr-defined]  # how http.server hands things to handlers
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet: whoever hangs up, or does not shake hands, is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): text for name, text in self.headers.items()}
        find: Callable[[Received], Said] = self.server.find_answer  # type: ignore[attr-defined]  # set by `listening`
        said = find(Received(self.command, self.path, headers, body))
        time.sleep(said.after_s)
        if said.drop:
            self.close_connection = True
            return
        content = said.content()
        self.send_response(said.status)
        for name, text in {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            **said.headers,
        }.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server gives it
        """Stay quiet."""
