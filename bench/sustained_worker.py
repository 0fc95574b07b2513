"""One worker of `sustained_rate`: asks for pages of an import, one after another, until its time is over.

Prints "ready", reads how many seconds to work, and prints JSON: for each request when it was sent and answered (Unix
times), what it cost, and whether the platform refused it. A wait that would free a worker is slept through, as the
clock would take the run up again.
"""

import json
import sys
import time
from dataclasses import dataclass, field

from app import create_app
from patchbay import accounts, client, connections, providers, tenancy
from patchbay.client import Exchange, Unwatched
from patchbay.errors import Postponed
from patchbay.models import Connection, db
from patchbay.spec import Import


class Over(Exception):
    """The time is over."""


@dataclass
class Ledger(Unwatched):
    """What was sent."""

    until: float
    sent: list[tuple[float, float, float, bool]] = field(default_factory=list)

    def check(self) -> None:
        """Stop when the time is over."""
        if time.time() > self.until:
            raise Over

    def exchanged(self, exchange: Exchange) -> None:
        """Shopify tells the cost in the answer; elsewhere each request costs one."""
        cost = 1.0
        if b'"actualQueryCost"' in exchange.response_body:
            cost = json.loads(exchange.response_body)["extensions"]["cost"]["actualQueryCost"] or 0.0
        is_refused = exchange.error == "RateLimited"
        began = exchange.started_at.timestamp()
        self.sent.append((began, time.time(), 0.0 if is_refused else cost, is_refused))


def read_on(connection: Connection, operation: Import, ledger: Ledger) -> None:
    """Read the stream again and again, going on behind the last page that came in."""
    cursor: str | None = None
    while True:
        api = client.of_connection(connection, doing=operation.doing, stream=operation.stream, watch=ledger)
        try:
            for page in operation.pages(api, cursor):
                cursor = page.next_cursor
        except Postponed as error:
            while time.time() < error.retry_at.timestamp():
                ledger.check()
                time.sleep(0.01)


def main(integration_id: str, operation_name: str) -> None:
    """Work when told to."""
    with create_app().app_context(), tenancy.everyone():
        connection = connections.find(accounts.demo_user().id, integration_id)
        operation = providers.get(integration_id).operation(operation_name)
        if connection is None or not isinstance(operation, Import):
            raise SystemExit(f"{integration_id} {operation_name} cannot be read")
        db.session.commit()
        print("ready", flush=True)
        ledger = Ledger(time.time() + float(sys.stdin.readline()))
        try:
            read_on(connection, operation, ledger)
        except Over:
            print(json.dumps(ledger.sent))


if __name__ == "__main__":
    main(*sys.argv[1:])
