"""The WSGI application: sends a request to the control calls or to the platform whose host its path begins with.

What a platform answers, and how sockets are handled, is decided elsewhere.
"""

import logging
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import HTTPException
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox import control
from sandbox.answers import refused
from sandbox.faults import ConnectionDropped, Faults, play
from sandbox.ledger import Ledger, redacted
from sandbox.platform import Description, Platform, discover
from sandbox.store import Database

log = logging.getLogger("sandbox")


class Sandbox:
    """All platforms with their faults and ledgers; a WSGI callable, safe to call from many threads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.platforms = discover(database.store)
        self.faults = {key: Faults(platform) for key, platform in self.platforms.items()}
        self.ledgers = {key: Ledger(database.store(f"ledger:{key}")) for key in self.platforms}
        self.board_key = control.new_board_key()
        for platform in self.platforms.values():
            if platform.store.last_number("resets") == 0:
                self.reset(platform)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. Raises ConnectionDropped, which the server understands."""
        request = Request(environ, populate_request=False)  # else the two hold each other, and a large body with them
        return self.answer(request)(environ, start_response)

    def answer(self, request: Request) -> Response:
        """The answer as an object; anything unforeseen becomes a 500 and a line in the log."""
        try:
            request.get_data()  # first of all: forms and JSON are read from this copy
            if request.path in ("/", "/_sandbox"):
                return redirect("/_sandbox/")
            if request.path.startswith("/_sandbox/"):
                return control.answer(self, request)
            return self._play_host(request)
        except HTTPException as error:
            return refused(error.description or error.name, error.code or 500)
        except ConnectionDropped:
            raise
        except Exception:  # the outermost edge: the next request must still be served
            log.exception("The sandbox failed at %s %s", request.method, request.path)
            return refused("The sandbox failed; its log says where", 500)

    def reset(self, platform: Platform) -> None:
        """Bring one platform back to its first state, its ledger to 0."""
        self.faults[platform.key].remove()
        with self.database.transaction():
            platform.store.clear()
            platform.reset()
            platform.store.next_number("resets")
            self.ledgers[platform.key].clear()

    def _play_host(self, request: Request) -> Response:
        host, slash, rest = request.path[1:].partition("/")
        path = slash + rest or "/"
        platform = next((each for each in self.platforms.values() if each.serves(host.lower())), None)
        if platform is None:
            return refused(f"No platform here serves the host {host}", 404)
        return self._play(platform, request, host.lower(), path)

    def _play(self, platform: Platform, request: Request, host: str, path: str) -> Response:
        description = platform.describe(request, host, path)
        number = self._noted(platform, request, host, path, description)
        fault = self.faults[platform.key].take(
            f"{request.method} {host}{path}",
            description.operation,
            is_api_call=platform.is_api_call(request, host, path),
        )
        status: int | None = None
        try:
            if fault is None:
                response = platform.handle(request, host, path)
            else:
                response = play(
                    fault, platform, request, host, path, answer=lambda: platform.handle(request, host, path)
                )
            status = response.status_code
            return response
        finally:
            self.ledgers[platform.key].close(number, status, fault.kind if fault else None)

    def _noted(self, platform: Platform, request: Request, host: str, path: str, description: Description) -> int:
        query = redacted(request.args.items(multi=True), platform.secret_parameters)
        return self.ledgers[platform.key].open(request.method, host, path, query, description)


def create_app(state_path: Path | None = None) -> Sandbox:
    """The application; with a path its state lives there and survives a restart."""
    return Sandbox(Database(state_path))
