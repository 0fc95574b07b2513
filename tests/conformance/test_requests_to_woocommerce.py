"""Each request that Patchbay sends to a store, beside the one that WooCommerce's own client makes of the same wish.

Both go through the same door; what stands there must be the same but for the names that clients give themselves.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
import woocommerce

from patchbay import providers
from patchbay.spec import check
from tests.conformance.conftest import Patchbay, Pictured
from tests.conformance.recording import Exchange, Record
from tests.conformance.transport import session
from tests.conformance.witness import Witness

WITNESS = Witness(
    platform="WooCommerce",
    name="the requests of WooCommerce's Python client",
    package="woocommerce",
    subject="Patchbay's requests",
)
UNWITNESSED = ("Which fields, orders and offsets Patchbay asks for: to the client they are text.",)
HOST = "demo-store.example"
BASE = "/wp-json/wc/v3/"
PICTURE = f"https://{HOST}/wp-content/uploads/2024/03/birch-tee.png"  # one that the store can fetch from itself
OPERATIONS = {
    "import_products": "test_importing_fits",
    "get_products": "test_listing_and_searching_fits",
    "publish_mockup": "test_publishing_fits",
}


class Public(Pictured):
    """The watch of an operation whose pictures are at public addresses."""

    def public_address(self, address: str, content_type: str) -> str:  # noqa: ARG002 - the protocol's names
        """The address as it is."""
        return address


@pytest.fixture
def hub(patchbay: Callable[..., Patchbay]) -> Patchbay:
    return patchbay("woocommerce", store=HOST)


def asked(record: Record) -> list[Exchange]:
    """What was asked of the REST API."""
    return [exchange for exchange in record.to(HOST) if exchange.path.startswith(BASE)]


def beside(hub: Patchbay, record: Record, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Pairs: a request of Patchbay's, and what the client sends when it is told the same wish."""
    monkeypatch.setattr("woocommerce.api.request", session(record.url).request)
    key, _, secret = hub.api.source.fresh().value.partition(":")
    client = woocommerce.API(f"https://{HOST}", key, secret, timeout=20)
    pairs = []
    for exchange in asked(record):
        endpoint, params = exchange.path.removeprefix(BASE), dict(exchange.query)
        if exchange.method == "GET":
            client.get(endpoint, params=params)
        else:
            client.put(endpoint, json.loads(exchange.body), params=params)
        pairs.append((wish(exchange), wish(record.to(HOST)[-1])))
    return pairs


def wish(exchange: Exchange) -> dict[str, Any]:
    """What a request comes to, apart from who sends it."""
    media = exchange.headers.get("content-type", "").partition(";")[0]
    return {
        "method": exchange.method,
        "path": exchange.path,
        "query": sorted(exchange.query),
        "authorization": exchange.headers.get("authorization"),
        "body": (media, json.loads(exchange.body)) if exchange.body else None,
    }


def test_connecting_fits(hub: Patchbay, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = beside(hub, record, monkeypatch)

    assert [ours for ours, _ in pairs] == [theirs for _, theirs in pairs]
    assert [ours["path"] for ours, _ in pairs] == [f"{BASE}products"]


def test_importing_fits(hub: Patchbay, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.sandbox.generate("woocommerce", count=150, seed=3)

    pages = hub.run("import_products")

    pairs = beside(hub, record, monkeypatch)
    assert [ours for ours, _ in pairs] == [theirs for _, theirs in pairs]
    assert sum(len(page.items) for page in pages) == 162
    assert {ours["path"].count("/variations") for ours, _ in pairs} == {0, 1}


def test_listing_and_searching_fits(hub: Patchbay, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hub.run("get_products", limit=5)
    hub.run("get_products", limit=5, cursor=first["nextCursor"])
    found = hub.run("get_products", search="två & “Dawn” +100%")

    pairs = beside(hub, record, monkeypatch)
    assert [ours for ours, _ in pairs] == [theirs for _, theirs in pairs]
    assert ("search", "två & “Dawn” +100%") in pairs[-1][0]["query"]
    assert found["products"] == []


def test_publishing_fits(hub: Patchbay, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    product = hub.sandbox.state("woocommerce", "products")[2]
    operation = hub.api.provider.operation("publish_mockup")
    hub.api.watch = Public()

    values = {"productId": str(product["id"]), "mockupUrls": [PICTURE]}
    result = operation.run(hub.api, check(operation.input, values))  # type: ignore[union-attr]  # it is an action

    pairs = beside(hub, record, monkeypatch)
    assert [ours for ours, _ in pairs] == [theirs for _, theirs in pairs]
    (sent,) = [ours["body"][1] for ours, _ in pairs if ours["method"] == "PUT"]
    assert sent == {"images": [*({"id": image["id"]} for image in product["images"]), {"src": PICTURE}]}
    assert result["publishedUrl"] == product["permalink"]


def test_every_operation_has_its_test_here() -> None:
    operations = {operation.name for operation in providers.get("woocommerce").operations}

    assert operations == set(OPERATIONS)
    assert set(OPERATIONS.values()) <= set(globals())
