"""Events that Etsy sends about orders: thin, signed, and with an id that a retry repeats."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.etsy_shop import BENS_SHOP, SHOP, Seller
from tests.wire import Said, Wire, listening

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()


@pytest.fixture
def ada(url: str) -> Seller:
    return Seller(url)


@pytest.fixture
def receiver() -> Iterator[Wire]:
    with listening() as wire:
        wire.say(Said(202))
        yield wire


def send(ada: Seller, event: str = "order.paid", **more: str) -> Any:
    return ada.control("POST", "events", json={"event": event, **more}).json()


def test_an_event_is_thin_and_signed(ada: Seller, receiver: Wire) -> None:
    made = ada.control("POST", "webhooks", json={"url": f"{receiver.url}/in/etsy", "secret": SECRET}).json()

    sent = send(ada)

    (request,) = receiver.received
    body, headers = json.loads(request.body), request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    wanted = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert (made["secret"], sent["statuses"], request.path) == (SECRET, [202], "/in/etsy")
    assert set(body) == {"event_type", "resource_url", "shop_id"}
    assert (body["event_type"], body["shop_id"]) == ("order.paid", SHOP)
    assert body["resource_url"].startswith(f"https://openapi.etsy.com/v3/application/shops/{SHOP}/receipts/")
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(wanted).decode()}"


def test_a_retry_repeats_the_id(ada: Seller, receiver: Wire) -> None:
    ada.control("POST", "webhooks", json={"url": receiver.url + "/"})

    first = send(ada, "order.shipped", shop="PaperAndPine")
    send(ada, "order.shipped", id=first["id"])

    assert [request.headers["webhook-id"] for request in receiver.received] == [first["id"]] * 2
    assert json.loads(receiver.received[0].body)["shop_id"] == BENS_SHOP


def test_a_receiver_that_is_gone_has_no_status(ada: Seller, receiver: Wire) -> None:
    receiver.say(Said(drop=True))
    ada.control("POST", "webhooks", json={"url": receiver.url + "/"})

    assert send(ada)["statuses"] == [0]


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        ("webhooks", {"url": "https://elsewhere.example/in"}),
        ("webhooks", {"url": "http://localhost:9/in", "secret": "plain"}),
        ("webhooks", {"url": "http://localhost:9/in", "secret": "whsec_?"}),
        ("webhooks", {}),
        ("events", {"event": "listing.changed"}),
        ("events", {"event": "order.paid", "shop": "nobody"}),
        ("events", []),
    ],
)
def test_what_makes_no_sense_is_refused(ada: Seller, call: str, wanted: Any) -> None:
    assert ada.control("POST", call, json=wanted).status_code == 422
