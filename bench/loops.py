"""The yardstick of `import_shops`: for each shop the loop that anybody would write with requests, storing nothing.

It asks for the same pages as Patchbay does and obeys the platform's limits. Prints JSON: seconds (and of processor
time), how many products or listings came in, and in how many answers.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests

from bench.sandboxed import order
from patchbay.providers.etsy import listings
from patchbay.providers.shopify import catalogue as shopify
from patchbay.providers.woocommerce import catalogue as woocommerce
from patchbay.providers.woocommerce.rest import API as WOOCOMMERCE_API

SHOPIFY_API = "https://{shop}/admin/api/2026-10/graphql.json"


class Loop(requests.Session):
    """A session that turns platforms' addresses into the sandbox's, and counts."""

    def __init__(self, sandbox: str) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.answers = self.found = 0

    def ask(self, method: str, address: str, **options: Any) -> requests.Response:
        """One answer; a refusal for too many requests is waited out, any other raises."""
        while True:
            address = address.replace("https://", f"{self.sandbox}/")
            answer = self.request(method, address, timeout=30, **options)
            self.answers += 1
            if answer.status_code != 429:
                answer.raise_for_status()
                return answer
            time.sleep(float(answer.headers.get("Retry-After", "1")))


def read_shopify(loop: Loop, shop: str) -> None:
    """Pages of the catalogue; before each, as much of the bucket as it costs must have come back."""
    loop.headers["X-Shopify-Access-Token"] = order(loop.sandbox, "shopify/token", shop=shop)["access_token"]
    after, has_more = None, True
    while has_more:
        body = {"query": shopify.PRODUCTS, "variables": {"first": shopify.PAGE, "after": after, "words": None}}
        answer = loop.ask("POST", SHOPIFY_API.format(shop=shop), json=body).json()
        cost = answer["extensions"]["cost"]
        left = cost["throttleStatus"]
        time.sleep(max(0.0, (cost["requestedQueryCost"] - left["currentlyAvailable"]) / left["restoreRate"]))
        if "errors" in answer:
            continue
        products = answer["data"]["products"]
        loop.found += len(products["nodes"])
        after, has_more = products["pageInfo"]["endCursor"], products["pageInfo"]["hasNextPage"]


def read_etsy(loop: Loop, _shop: str) -> None:
    """Pages of each of the lists by state."""
    loop.headers["x-api-key"] = "sandbox-etsy:sandbox-secret-etsy"
    loop.headers["Authorization"] = f"Bearer {order(loop.sandbox, 'etsy/token')['access_token']}"
    shop_id = loop.ask("GET", f"{listings.API}/users/me").json()["shop_id"]
    for state in listings.STATES:
        offset, count = 0, 1
        while offset < count:
            params = {"state": state, "limit": listings.PAGE, "offset": offset, "includes": "Images,Inventory"}
            page = loop.ask("GET", f"{listings.API}/shops/{shop_id}/listings", params=params).json()
            offset, count = offset + listings.PAGE, page["count"]
            loop.found += len(page["results"])


def read_woocommerce(loop: Loop, store: str) -> None:
    """Pages of products, and the variations of each product that has some."""
    keys = order(loop.sandbox, "woocommerce/token", shop=store)
    loop.auth = (keys["consumer_key"], keys["consumer_secret"])
    products, paging = WOOCOMMERCE_API.format(store=store) + "/products", {"orderby": "id", "order": "asc"}
    offset, total = 0, 1
    while offset < total:
        params = {"_fields": woocommerce.FIELDS, "per_page": woocommerce.PAGE, "offset": offset, **paging}
        answer = loop.ask("GET", products, params=params)
        offset, total = offset + woocommerce.PAGE, int(answer.headers["X-WP-Total"])
        for product in answer.json():
            loop.found += 1
            if product["variations"]:
                params = {"_fields": woocommerce.VARIATION_FIELDS, "per_page": woocommerce.PAGE, "offset": 0, **paging}
                loop.ask("GET", f"{products}/{product['id']}/variations", params=params).json()


LOOPS: Mapping[str, Callable[[Loop, str], None]] = {
    "shopify": read_shopify,
    "etsy": read_etsy,
    "woocommerce": read_woocommerce,
}


def main(sandbox: str, key: str, shop: str) -> None:
    """Read the shop, say what it took."""
    loop = Loop(sandbox)
    started, cpu_started = time.perf_counter(), time.process_time()
    LOOPS[key](loop, shop)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "found": loop.found, "answers": loop.answers}))


if __name__ == "__main__":
    main(*sys.argv[1:])
