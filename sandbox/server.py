"""Serves the sandbox over real sockets, on both loopback addresses, with keep-alive and with connections cut on demand.

Werkzeug's own handler closes every connection and waits before it does; this one replaces its request loop.
"""

import errno
import io
import logging
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from sandbox.app import Sandbox, create_app
from sandbox.faults import ConnectionDropped

log = logging.getLogger("sandbox")

MAX_BODY_BYTES = 256 * 1024 * 1024
_NO_BODY = frozenset({204, 304})
_IDLE_S = 75
_BACKLOG = 128
_NO_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class Handler(WSGIRequestHandler):
    """One connection: reads a whole request, asks the application, writes the answer, and again."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_S

    def run_wsgi(self) -> None:
        """Answer the request whose head has been read."""
        body = self._read_body()
        if body is None:
            return
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.input_terminated"] = True
        environ["CONTENT_LENGTH"] = str(len(body))
        try:
            head: list[tuple[str, list[tuple[str, str]]]] = []
            chunks = self.server.app(environ, _start_response(head))
            self._write(*head[0], chunks)
        except ConnectionDropped as drop:
            self._drop(is_reset=drop.is_reset)

    def version_string(self) -> str:
        """The Server header."""
        return "sandbox"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name Werkzeug gives it
        """Stay quiet: the ledger knows what came in."""

    def _read_body(self) -> bytes | None:
        """The whole body, or None when an error was answered instead."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._read_chunked()
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            self.send_error(HTTPStatus.BAD_REQUEST)
            return None
        if int(length) > MAX_BODY_BYTES:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):  # the client went away in the middle
            self.close_connection = True
            return None
        return body

    def _read_chunked(self) -> bytes | None:
        body = bytearray()
        while True:
            size_text = self.rfile.readline(64).split(b";")[0].strip()
            try:
                size = int(size_text, 16)
            except ValueError:
                self.send_error(HTTPStatus.BAD_REQUEST)
                return None
            if size < 0 or len(body) + size > MAX_BODY_BYTES:
                self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                return None
            body += self.rfile.read(size)
            ending = self.rfile.readline(8192)
            if size == 0:
                while ending not in (b"\r\n", b"\n", b""):
                    ending = self.rfile.readline(8192)
                return bytes(body)

    def _write(self, status: str, headers: list[tuple[str, str]], chunks: Iterable[bytes]) -> None:
        code = int(status.split(None, 1)[0])
        names = {name.lower() for name, _ in headers}
        has_body = self.command != "HEAD" and code not in _NO_BODY
        try:
            if has_body and "content-length" not in names:
                whole = b"".join(chunks)
                headers = [*headers, ("Content-Length", str(len(whole)))]
                self._close_source(chunks)
                chunks = [whole]
            self.send_response(code, status.partition(" ")[2])
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            for chunk in chunks if has_body else ():
                self.wfile.write(chunk)
        finally:
            self._close_source(chunks)

    @staticmethod
    def _close_source(chunks: Iterable[bytes]) -> None:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()

    def _drop(self, *, is_reset: bool) -> None:
        """End the connection now; with a reset the peer reads ECONNRESET, else the end of the stream."""
        self.close_connection = True
        if is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.close(self.connection.detach())  # before anything sends a FIN
            return
        self.connection.shutdown(socket.SHUT_RDWR)


class Server(ThreadedWSGIServer):
    """A thread for each connection; knows its open connections so that it can end them."""

    def __init__(self, listener: socket.socket, sandbox: Sandbox) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__(host, port, sandbox, Handler, fd=listener.fileno())
        self._connections: set[socket.socket] = set()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Note the connection, then serve it in a thread of its own."""
        if isinstance(request, socket.socket):
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Forget the connection and close it."""
        if isinstance(request, socket.socket):
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - as it is called
        """Stay quiet about clients that went away, log the rest."""
        if not isinstance(sys.exception(), OSError):
            log.exception("The sandbox failed outside of its application")

    def end(self) -> None:
        """Stop accepting and cut every open connection."""
        self.shutdown()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # its thread was faster
                continue


@contextmanager
def serve(port: int, state_path: Path | None = None) -> Iterator[int]:
    """Serve while the block runs; answers the port, which is chosen freely for 0. Raises OSError when it is taken."""
    sandbox = create_app(state_path)
    servers: list[Server] = []
    try:
        for listener in _listeners(port):
            with listener:
                servers.append(Server(listener, sandbox))
        for server in servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield servers[0].port
    finally:
        for server in servers:
            server.end()
        sandbox.database.close()


@contextmanager
def running(port: int = 0, state_path: Path | None = None) -> Iterator[str]:
    """The address of a sandbox that runs while the block does."""
    with serve(port, state_path) as chosen:
        yield f"http://localhost:{chosen}"


def _listeners(port: int) -> list[socket.socket]:
    """IPv4 and IPv6 loopback on one port; IPv4 alone where the machine has no IPv6."""
    attempts = 1 if port else 5  # a port that is free on IPv4 may be taken on IPv6
    for attempt in range(attempts):
        first = _listener(socket.AF_INET, "127.0.0.1", port)
        try:
            return [first, _listener(socket.AF_INET6, "::1", first.getsockname()[1])]
        except OSError as error:
            if error.errno in _NO_ADDRESS:
                return [first]
            first.close()
            if attempt == attempts - 1:
                raise
    raise AssertionError("the loop returns or raises")


def _listener(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _start_response(head: list[tuple[str, list[tuple[str, str]]]]) -> Callable[..., Callable[[bytes], object]]:
    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
        head[:] = [(status, headers)]
        return lambda _data: None

    return start_response
