"""An app with keys at one of the sandbox's stores, for the tests of WooCommerce beside this file.

What the store must answer is said in those tests.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import requests

DEMO = "demo-store.example"


class Store:
    """Speaks to one store with one pair of keys."""

    def __init__(self, url: str, shop: str = DEMO, **wanted: Any) -> None:
        self.url, self.shop = url, shop
        self.http = requests.Session()
        self.keys = self.control("POST", "token", json={"shop": shop, **wanted}).json()
        self.http.auth = (self.keys["consumer_key"], self.keys["consumer_secret"])

    def control(self, method: str, call: str, **named: Any) -> requests.Response:
        """A control call of the sandbox."""
        return requests.request(method, f"{self.url}/_sandbox/woocommerce/{call}", timeout=60, **named)

    def request(self, method: str, path: str, **named: Any) -> requests.Response:
        """A call to the store's host, redirects not followed."""
        return self.http.request(
            method, f"{self.url}/{self.shop}{path}", timeout=30, **{"allow_redirects": False, **named}
        )

    def rest(self, method: str, resource: str, **named: Any) -> requests.Response:
        """A call of the REST API."""
        return self.request(method, f"/wp-json/wc/v3/{resource}", **named)

    def product(self, slug: str) -> Any:
        """The product with this slug."""
        return self.rest("GET", "products", params={"slug": slug}).json()[0]

    def state(self, collection: str) -> list[Any]:
        """All entries of a collection as the sandbox now holds them."""
        entries: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"collection": collection, "shop": self.shop, "limit": "5", "cursor": cursor}
            page = self.control("GET", "state", params={name: text for name, text in query.items() if text}).json()
            entries, cursor = entries + page["data"], page["nextCursor"]
        return entries


class Hub:
    """An app on this machine that takes keys and serves pictures; `status` is what it answers to keys."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.taken: list[dict[str, Any]] = []
        self.status = 200
        self.files: dict[str, bytes] = {}


@contextmanager
def hub_running() -> Iterator[Hub]:
    """An app on a free port, for as long as the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    hub = Hub(f"http://127.0.0.1:{server.server_port}")
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
    def do_POST(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]  # set by `hub_running`
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hub.taken.append(json.loads(body) | {"type": self.headers["Content-Type"]})
        self._answer(hub.status, b"")

    def do_GET(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]  # set by `hub_running`
        content = hub.files.get(unquote(self.path.partition("?")[0]))
        self._answer(404 if content is None else 200, content or b"")

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server gives it
        """Stay quiet."""
