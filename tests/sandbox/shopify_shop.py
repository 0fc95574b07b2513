"""An app with a token at one of the sandbox's shops, for the tests of Shopify beside this file.

What the shop must answer is said in those tests.
"""

from typing import Any

import requests

DEMO = "demo-shop.myshopify.com"
VERSION = "2026-10"


class Shop:
    """Speaks to one shop with one token; answers are decoded JSON unless said otherwise."""

    def __init__(self, url: str, shop: str = DEMO, **wanted: Any) -> None:
        self.url, self.shop = url, shop
        self.http = requests.Session()
        self.token = self.control("POST", "token", json={"shop": shop, **wanted}).json()
        self.http.headers["X-Shopify-Access-Token"] = self.token["access_token"]

    def control(self, method: str, call: str, **named: Any) -> requests.Response:
        """A control call of the sandbox."""
        return requests.request(method, f"{self.url}/_sandbox/shopify/{call}", timeout=60, **named)

    def request(self, method: str, path: str, **named: Any) -> requests.Response:
        """A call to the shop's host, redirects not followed."""
        return self.http.request(
            method, f"{self.url}/{self.shop}{path}", timeout=30, **{"allow_redirects": False, **named}
        )

    def rest(self, method: str, resource: str, **named: Any) -> requests.Response:
        """A call of the REST Admin API."""
        return self.request(method, f"/admin/api/{VERSION}/{resource}", **named)

    def graphql(self, query: str, **variables: Any) -> Any:
        """The whole answer to a GraphQL call, which must be HTTP 200."""
        answer = self.request(
            "POST", f"/admin/api/{VERSION}/graphql.json", json={"query": query, "variables": variables}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL call that has no errors."""
        answer = self.graphql(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def fill(self, content: bytes, **query: str) -> requests.Response:
        """Fill the shop from a product file."""
        return self.control(
            "POST", "products", data=content, headers={"Content-Type": "text/csv"}, params={"shop": self.shop, **query}
        )

    def state(self, collection: str) -> Any:
        """All entries of a collection as the sandbox now holds them."""
        entries: list[Any] = []
        cursor = None
        while True:
            query = {"collection": collection, "shop": self.shop, "limit": "500"}
            page = self.control("GET", "state", params=query | ({"cursor": cursor} if cursor else {})).json()
            entries += page["data"]
            cursor = page["nextCursor"]
            if cursor is None:
                return entries
