"""The process that `overhead` measures: one client's exchanges with a platform that answers at once.

Prints JSON: for each way of sending, [elapsed ms, processor ms of this process] of all requests. What is compared is
said in `overhead`.
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from unittest.mock import patch

from app import create_app
from bench import installation
from patchbay import accounts, client, clock, limits, net, tenancy
from patchbay.client import Exchange, Unwatched
from patchbay.limits import Key, Permit
from patchbay.models import Connection, Run, RunStatus, Trigger, db, new_id, transaction
from patchbay.runs.listening import LISTENERS, STANDING, Listener
from patchbay.spec import Request, Throttle

BLOCKS, BLOCK = 40, 50
Times = tuple[float, float]
LISTING = {"listing_id": 1, "title": "A mug", "description": "Holds tea. " * 40, "price": {"amount": 1250}}
BODY = json.dumps({"count": 20, "results": [LISTING] * 20}).encode()
HEADERS = {
    "content-type": "application/json",
    "x-limit-per-second": "1000000",
    "x-limit-per-day": "100000000",
    "x-remaining-today": "99999999",
}


class Door:
    """In place of `net`: an answer at once."""

    def send(self, outgoing: net.Outgoing, **_: object) -> net.Reply:
        """The same listings, whatever is asked."""
        return net.Reply(200, HEADERS, BODY, outgoing.url, 0)


class Listening(Unwatched):
    """A run with all that listens to runs."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.listeners: list[Listener] = [listener(run) for listener in LISTENERS]

    def exchanged(self, exchange: Exchange) -> None:
        """As a run passes it on."""
        for listener in self.listeners:
            listener.exchanged(exchange)

    def write(self) -> None:
        """As a run's own step has it written."""
        with transaction() as session:
            session.refresh(self.run, STANDING)
            for listener in self.listeners:
                listener.write(self.run)
            session.flush()  # what is measured beside the run's own commit


def main() -> None:
    """Measure in turns, so that whatever else the machine does falls on both."""
    with create_app().app_context(), tenancy.everyone(), patch.object(net, "current", Door):
        connection, run = _connected()
        times: dict[str, list[Times]] = {"bare": [], "full": [], "limits": []}
        ways = {"bare": _bare, "limits": _limited, "full": _full}
        for _ in range(BLOCKS):
            for name, way in ways.items():
                times[name] += way(connection, run)
        times["written"] = [_written(connection, run) for _ in range(BLOCKS)]
    json.dump(times, sys.stdout)


def _bare(connection: Connection, _run: Run) -> list[Times]:
    """Without limits, breakers and listeners."""
    with ExitStack() as without:
        without.enter_context(patch.object(limits, "reserve", _granted))
        for name in ("settle", "abandon"):
            without.enter_context(patch.object(limits, name, lambda *_, **__: None))
        return _times(client.of_connection(connection, stream="listings"))


def _granted(key: Key, throttle: Throttle, request: Request, **_: object) -> Permit:
    return Permit(key, throttle, request)


def _limited(connection: Connection, _run: Run) -> list[Times]:
    return _times(client.of_connection(connection, stream="listings"))


def _full(connection: Connection, run: Run) -> list[Times]:
    watch = Listening(run)
    return _times(client.of_connection(connection, stream="listings", watch=watch))


def _written(connection: Connection, run: Run) -> Times:
    """What it takes to write a block's notes, for each request."""
    watch = Listening(run)
    _times(client.of_connection(connection, stream="listings", watch=watch))
    elapsed_ms, processor_ms = _timed(watch.write)
    return elapsed_ms / BLOCK, processor_ms / BLOCK


def _times(api: client.Client) -> list[Times]:
    request = Request("GET", "https://openapi.etsy.com/v3/application/shops/1/listings")
    return [_timed(lambda: api.send(request)) for _ in range(BLOCK)]


def _timed(act: Callable[[], object]) -> Times:
    began, processor_began = time.perf_counter(), time.thread_time()
    act()
    return (time.perf_counter() - began) * 1000, (time.thread_time() - processor_began) * 1000


def _connected() -> tuple[Connection, Run]:
    user, now = accounts.demo_user(), clock.now()
    connection = installation.connection(user.id, "etsy", now)
    run = Run(
        id=new_id("run"), user_id=user.id, connection_id=connection.id, integration_id="etsy",
        operation="import_listings", stream="listings", trigger=Trigger.API, status=RunStatus.RUNNING,
        input={}, created_at=now, started_at=now,
    )  # fmt: skip
    with transaction() as session:
        session.add_all([connection, run])
    db.session.commit()
    return connection, run


if __name__ == "__main__":
    main()
