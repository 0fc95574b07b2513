"""What the witnesses share: a sandbox of their own behind a door that records, and the note of what was covered.

The notes are properties of the test report; `scripts.conformance` reads them there.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from patchbay import accounts, client
from patchbay.client import Client, Unwatched
from patchbay.settings import Settings
from patchbay.spec import Action, Picture, check
from sandbox import running
from tests.conformance import http_rules
from tests.conformance.recording import ALTER, RECORDED, Record, recording
from tests.conformance.witness import PLAIN, Reading
from tests.stage import Sandbox, Walker


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Iterator[Record]:
    """A new sandbox, and all that goes to it; in the end each exchange must fit HTTP's rules and the file's READING."""
    alter = request.node.stash.get(ALTER, lambda exchange: exchange)
    with running() as sandbox_url, recording(sandbox_url, alter) as record:
        request.node.stash[RECORDED] = record.exchanges
        yield record
    reading: Reading = getattr(request.module, "READING", PLAIN)
    went_well = [exchange for exchange in record.exchanges if exchange.status < 400]
    operations = {operation for exchange in went_well for operation in reading.operations(exchange)}
    request.node.user_properties += [("operation", operation) for operation in sorted(operations)]
    misfits = [misfit for one in record.exchanges for misfit in (*http_rules.misfits(one), *reading.misfits(one))]
    assert misfits == []


@pytest.fixture
def url(record: Record) -> str:
    """Where that sandbox is reached."""
    return record.url


@dataclass
class Pictured(Unwatched):
    """The watch of an operation under test: hands out the pictures it was given, and remembers."""

    pictures: Mapping[str, Picture] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict)

    def picture(self, address: str) -> Picture:
        """The picture of that address."""
        return self.pictures[address]

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """The value made the first time."""
        if name not in self.memo:
            self.memo[name] = make()
        return self.memo[name]

    def forget(self, name: str) -> None:
        """Make it anew the next time."""
        self.memo.pop(name, None)


@dataclass
class Patchbay:
    """Patchbay's own client, connected to a platform behind the door."""

    api: Client
    sandbox: Sandbox

    def run(self, operation: str, pictures: Mapping[str, Picture] | None = None, **values: Any) -> Any:
        """What an operation comes to: an action's result, or the pages of an import."""
        wanted = self.api.provider.operation(operation)
        assert wanted is not None
        self.api.watch = Pictured(pictures or {})
        if isinstance(wanted, Action):
            return wanted.run(self.api, check(wanted.input, values))
        return list(wanted.pages(self.api, None))


@pytest.fixture
def patchbay(
    app_for: Callable[[Settings], Flask], settings_for: Callable[..., Settings], record: Record
) -> Iterator[Callable[..., Patchbay]]:
    """`patchbay("shopify", shop="demo-shop")` connects through the consent and hands over the client."""
    app = app_for(settings_for(SANDBOX_URL=record.url))
    sandbox = Sandbox(record.url)
    with app.app_context():
        ada = accounts.by_email("ada@example.org")
    assert ada is not None

    def connected(key: str, **fields: str) -> Patchbay:
        connection = Walker(app, sandbox)(ada, key, **fields)
        return Patchbay(client.of_connection(connection), sandbox)

    with app.app_context():
        yield connected
