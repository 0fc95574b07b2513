"""A door in front of the sandbox that writes down each exchange as it is on the wire.

It changes nothing, unless it is told to. What an exchange must look like is for `discovery` and the tests to say.
"""

import http.client
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

OF_ONE_CONNECTION = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})


@dataclass(frozen=True)
class Exchange:
    """A request to a platform and its answer. `path` is the platform's own, header names are lower-case."""

    method: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.host}{self.path} → {self.status}"


Alter = Callable[[Exchange], Exchange]
ALTER = pytest.StashKey[Alter]()  # of a test: what its record is to do with answers
RECORDED = pytest.StashKey[list[Exchange]]()  # of a test: what went through its door the last time


class Record:
    """What went through the door at `url`, in the order of the answers; control calls of the sandbox are left out.

    `alter` is what becomes of each answer before it is written down and passed on.
    """

    def __init__(self, url: str, sandbox_port: int, alter: Alter) -> None:
        self.url = url
        self.sandbox_port = sandbox_port
        self.alter = alter
        self.exchanges: list[Exchange] = []

    def to(self, host: str) -> list[Exchange]:
        """The exchanges with one host."""
        return [exchange for exchange in self.exchanges if exchange.host == host]


@contextmanager
def recording(sandbox_url: str, alter: Alter = lambda exchange: exchange) -> Iterator[Record]:
    """A door to the sandbox for as long as the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    record = Record(f"http://localhost:{server.server_port}", urlsplit(sandbox_url).port or 80, alter)
    server.record = record  # type: ignore[attr-defined]  # how http.server hands things to handlers
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield record
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def _pass_on(self) -> None:
        record: Record = self.server.record  # type: ignore[attr-defined]  # set by `recording`
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        onward = http.client.HTTPConnection("127.0.0.1", record.sandbox_port, timeout=30)
        try:
            onward.request(self.command, self.path, body, dict(self.headers.items()))
            answer = onward.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):  # a fault that cuts the connection cuts it here too
            self.close_connection = True
            return
        finally:
            onward.close()
        if self.path.startswith("/_sandbox"):
            self._answer(answer.status, answer.headers.items(), content)
            return
        exchange = self._exchange(body, answer, content)
        altered = record.alter(exchange)
        record.exchanges.append(altered)
        self._answer(altered.status, _headers(answer.headers.items(), exchange, altered), altered.answer)

    def _exchange(self, body: bytes, answer: http.client.HTTPResponse, content: bytes) -> Exchange:
        address = urlsplit(self.path)
        _, host, path = address.path.split("/", 2)
        return Exchange(
            method=self.command,
            host=host,
            path=f"/{path}",
            query=tuple(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): text for name, text in self.headers.items()},
            body=body,
            status=answer.status,
            answer_headers={name.lower(): text for name, text in answer.headers.items()},
            answer=content,
        )

    def _answer(self, status: int, headers: Iterable[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, text in headers:
            if name.lower() not in OF_ONE_CONNECTION:
                self.send_header(name, text)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 204:
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server gives it
        """Stay quiet."""


def _headers(sent: Iterable[tuple[str, str]], exchange: Exchange, altered: Exchange) -> Iterator[tuple[str, str]]:
    """The headers as they were sent, repeated ones too, but for those that were altered."""
    for name, text in sent:
        key = name.lower()
        if key in altered.answer_headers:
            is_same = altered.answer_headers[key] == exchange.answer_headers[key]
            yield name, text if is_same else altered.answer_headers[key]
