"""Four workers on one account against a real limit: nearly all of it is used, and nothing is refused after the first.

The short form of the bench `sustained_rate`: 6 seconds at 5 calls a second.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median

import pytest
import requests
from flask import Flask

from patchbay import client
from patchbay.client import Exchange, Unwatched
from patchbay.errors import RateLimited
from patchbay.models import Connection, User, db
from patchbay.spec import Request
from tests.stage import Sandbox, Walker

DATABASES = ("sqlite",)

PER_SECOND, SECONDS = 5, 6.0
ME = Request("GET", "https://openapi.etsy.com/v3/application/users/me")


@dataclass
class Ledger(Unwatched):
    """When each request was sent; of those that were refused also how long that took."""

    sent: list[float] = field(default_factory=list)
    refused: list[tuple[float, float]] = field(default_factory=list)

    def exchanged(self, exchange: Exchange) -> None:
        self.sent.append(exchange.started_at.timestamp())
        if exchange.error:
            self.refused.append((self.sent[-1], exchange.duration_ms / 1000))

    def refused_again(self) -> list[float]:
        """What was refused although a refusal had been heard before; a second is for what was on its way by then."""
        heard_at = min((sent_at + took_s for sent_at, took_s in self.refused), default=0.0)
        return [sent_at for sent_at, _ in self.refused if sent_at > heard_at + 1]

    def per_second(self) -> float:
        """How many were sent in most seconds: a machine that is busy otherwise may hold a few of them up."""
        sent = sorted(self.sent)
        return PER_SECOND / median(later - at for at, later in zip(sent, sent[PER_SECOND:], strict=False))


@pytest.fixture
def shop(ada: User, connect: Walker, sandbox: Sandbox) -> Connection:
    """A connected shop whose app may call five times a second."""
    connection = connect(ada, "etsy")
    limits = {"perSecond": PER_SECOND}
    requests.post(f"{sandbox.url}/_sandbox/etsy/limits", json=limits, timeout=10).raise_for_status()
    return connection


def test_workers_together_use_what_is_permitted_and_no_more(app: Flask, shop: Connection) -> None:
    with app.app_context():
        client.of_connection(shop).send(ME)  # its answer tells the limit
    time.sleep(1.1)
    until, ledger, shop_id = time.monotonic() + SECONDS, Ledger(), shop.id

    def work(_number: int) -> None:
        with app.app_context():
            connection = db.session.get_one(Connection, shop_id)
            while time.monotonic() < until:
                try:
                    client.of_connection(connection, watch=ledger).send(ME)
                except RateLimited:
                    time.sleep(0.2)
            db.session.remove()

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))

    assert ledger.refused_again() == []
    assert ledger.per_second() / PER_SECOND >= 0.8
