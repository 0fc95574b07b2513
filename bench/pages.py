"""A shop's catalogue as finished GraphQL answers, served from memory, so that the source is never the limit.

What does not live here: who reads the pages (`import_products` and its three readers). Every answer is rendered
before the server listens; then a request costs it one look into a dictionary.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from sandbox.hosts.shopify.generator import generated_product

SHOP = "bench.myshopify.com"
PATH = f"/{SHOP}/admin/api/2026-10/graphql.json"
PAGE = 250
SEED = 7
_AFTER = re.compile(rb'"after":\s*"([^"]*)"')
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_COST = {
    "requestedQueryCost": 652,
    "actualQueryCost": 620,
    "throttleStatus": {"maximumAvailable": 20000.0, "currentlyAvailable": 19348, "restoreRate": 1000.0},
}


@contextmanager
def serving(products: int) -> Iterator[str]:
    """The address of a server process with a catalogue of so many products."""
    command = [sys.executable, "-m", "bench.pages", str(products)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if server.stdout is None or not (port := server.stdout.readline().strip()):
            raise RuntimeError("the server of the pages did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def rendered(products: int) -> dict[bytes, bytes]:
    """Whole HTTP answers by the cursor that asks for them; the first page's is empty."""
    answers, after = {}, b""
    for start in range(0, products, PAGE):
        nodes = [_node(index) for index in range(start, min(start + PAGE, products))]
        body = msgspec.json.encode(_body(nodes, products, has_more=start + PAGE < products))
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        answers[after] = head.encode() + body
        after = nodes[-1]["id"].encode()
    return answers


def _body(nodes: list[dict[str, Any]], total: int, *, has_more: bool) -> dict[str, Any]:
    info = {"hasNextPage": has_more, "endCursor": nodes[-1]["id"]}
    products = {"nodes": nodes, "pageInfo": info}
    return {"data": {"productsCount": {"count": total}, "products": products}, "extensions": {"cost": _COST}}


def _node(index: int) -> dict[str, Any]:
    """A product as Patchbay's query asks for it; every twelfth of the generator has three variants and pictures."""
    product = generated_product(SHOP, SEED, 2 + 12 * index)
    as_is = ("id", "title", "handle", "vendor", "productType", "tags", "status", "updatedAt")
    return {name: product[name] for name in as_is} | {
        "descriptionHtml": _description(product),
        "onlineStoreUrl": f"https://{SHOP}/products/{product['handle']}",
        "options": [{"name": option["name"], "values": option["values"]} for option in product["options"]],
        "variants": _connection([_variant(variant) for variant in product["variants"]]),
        "media": _connection(
            [
                {"id": one["id"], "alt": one["alt"], "status": one["status"], "image": {"url": one["url"]}}
                for one in product["media"]
            ]
        ),
    }


def _variant(variant: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "sku", "title", "price", "compareAtPrice", "barcode", "selectedOptions")
    return {name: variant[name] for name in names}


def _connection(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": nodes[-1]["id"]}}


def _description(product: dict[str, Any]) -> str:
    """Some 700 characters of markup, as shops write them."""
    title, kind = product["title"], product["productType"].lower()
    sizes = "".join(f"<li>{variant['title']}: {variant['price']} €</li>" for variant in product["variants"])
    return (
        f"{product['descriptionHtml']}\n<h3>About this {kind}</h3>\n<p>“{title}” was drawn by hand at "
        f"<strong>{product['vendor']}</strong> and is printed when you order it, so nothing is made in vain. The "
        f"inks are water-based, free of solvents &amp; safe for children’s rooms.</p>\n<ul>{sizes}"
        "<li>Printed within 2–4 working days</li><li>Packed without plastic</li></ul>\n"
        '<p style="text-align: center;">Wash at 30 °C, inside out. <a href="/pages/care">How to look after it</a>.'
        "<br>Colours may look a little different on your screen.</p>"
    )


class _Answering(asyncio.Protocol):
    """One kept-alive connection: a whole request in, the answer to its cursor out."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._begun = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._begun += data
        head, found, body = self._begun.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or (length is not None and len(body) < int(length[1])):
            return
        self._begun = b""
        after = _AFTER.search(body)
        self._transport.write(self._answers[after[1] if after else b""])


async def _serve(products: int) -> None:
    answers = rendered(products)
    server = await asyncio.get_running_loop().create_server(lambda: _Answering(answers), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
