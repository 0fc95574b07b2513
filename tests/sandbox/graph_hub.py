"""A small web server for tests: the hub whose pictures Meta's robot fetches."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image


class Hub:
    """Serves `pages` (path → status, bytes, headers); notes who asked for what in `asked`."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.pages: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.asked: list[tuple[str, str]] = []

    def put(self, path: str, content: bytes, status: int = 200, **headers: str) -> str:
        """Serve something; answers its address."""
        self.pages[path] = (status, content, headers)
        return self.url + path


def picture(width: int = 640, height: int = 640, kind: str = "JPEG", colour: str = "teal") -> bytes:
    """A picture of one colour."""
    target = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(target, kind)
    return target.getvalue()


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub on a free port, for as long as the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    hub = Hub(server.server_port)
    server.hub = hub  # type: ignore[attr-defined]  # how http.server hands things to handlers
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]  # set by `serving`
        hub.asked.append((self.path, self.headers.get("User-Agent", "")))
        status, content, headers = hub.pages.get(self.path, (404, b"", {}))
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server gives it
        """Stay quiet."""
