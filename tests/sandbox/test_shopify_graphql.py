"""Reading a shop through GraphQL: paging, sorting, searching, scopes, points, and the words of its errors."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from sandbox import running
from sandbox.hosts.shopify import graphql_api
from tests.sandbox.shopify_shop import DEMO, VERSION, Shop

PAGE = """
query ($first: Int, $after: String, $last: Int, $before: String, $sort: ProductSortKeys, $reverse: Boolean,
  $q: String) {
  products(first: $first, after: $after, last: $last, before: $before, sortKey: $sort, reverse: $reverse, query: $q) {
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { id title handle updatedAt }
  }
}
"""
FULL_PAGE = """
{ products(first: 250) { pageInfo { hasNextPage endCursor } nodes {
  id title handle status vendor productType tags descriptionHtml onlineStoreUrl updatedAt options { name values }
  variants(first: 100) { pageInfo { hasNextPage } nodes {
    id sku title price compareAtPrice barcode selectedOptions { name value } } }
  media(first: 50) { nodes { id alt status ... on MediaImage { image { url width height } } } } } } }
"""


@pytest.fixture
def shop(url: str) -> Shop:
    return Shop(url)


def walk(shop: Shop, first: int, **variables: Any) -> list[str]:
    """Titles of all products, page by page."""
    titles: list[str] = []
    after = None
    while True:
        page = shop.ask(PAGE, first=first, after=after, **variables)["products"]
        titles += [node["title"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return titles
        after = page["pageInfo"]["endCursor"]


def test_the_demo_shop_starts_with_twelve_products_and_others_empty(url: str, shop: Shop) -> None:
    other = Shop(url, "quiet-shop.myshopify.com")

    assert shop.ask("{productsCount {count precision}}")["productsCount"] == {"count": 12, "precision": "EXACT"}
    assert other.ask("{productsCount {count}}")["productsCount"] == {"count": 0}


def test_pages_forward_hold_every_product_once(shop: Shop) -> None:
    everything = walk(shop, 250)

    in_pages = walk(shop, 5)

    assert in_pages == everything
    assert len(set(in_pages)) == 12


def test_pages_backward_mirror_those_forward(shop: Shop) -> None:
    everything = walk(shop, 250)
    end = shop.ask(PAGE, last=5)["products"]

    before = shop.ask(PAGE, last=5, before=end["pageInfo"]["startCursor"])["products"]

    assert [node["title"] for node in end["nodes"]] == everything[7:]
    assert [node["title"] for node in before["nodes"]] == everything[2:7]
    assert end["pageInfo"]["hasPreviousPage"] is True
    assert end["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("sort", ["TITLE", "VENDOR", "PRODUCT_TYPE", "UPDATED_AT", "INVENTORY_TOTAL", "CREATED_AT"])
def test_every_order_pages_through_everything_in_both_directions(shop: Shop, sort: str) -> None:
    up, down = walk(shop, 5, sort=sort), walk(shop, 5, sort=sort, reverse=True)

    assert up == list(reversed(down))
    assert len(set(up)) == 12


def test_titles_sort_without_regard_to_case(shop: Shop) -> None:
    titles = walk(shop, 5, sort="TITLE")

    assert titles == sorted(titles, key=str.casefold)


def test_a_cursor_survives_the_removal_of_its_product(shop: Shop) -> None:
    everything = walk(shop, 250)
    page = shop.ask(PAGE, first=5)["products"]

    shop.control("DELETE", f"products/{page['nodes'][-1]['handle']}")
    following = shop.ask(PAGE, first=3, after=page["pageInfo"]["endCursor"])["products"]

    assert [node["title"] for node in following["nodes"]] == everything[5:8]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("title:peak*", {"Peak Poster"}),
        ("tag:paper", {"Dot Notebook", "Fox Sticker Set"}),
        ("status:draft", {"Wave Phone Case"}),
        ("product_type:Poster", {"Peak Poster", "Moth Poster"}),
        ("product_type:poster -title:moth*", {"Peak Poster"}),
        ("sku:BTL-TRL OR handle:market-tote", {"Trail Bottle", "Market Tote"}),
        ("(tag:wall OR tag:home) AND vendor:'Inkfield Studio' price:<20", {"Peak Poster", "Moth Poster"}),
        ("harbour", {"Harbour Hoodie"}),
        ("updated_at:<2020-01-01", set()),
        ("updated_at:>0001-01-01T00:00:00+14:00", set()),
        ("updated_at:<=9999-12-31", set()),
    ],
)
def test_a_search_finds_what_it_says(shop: Shop, query: str, titles: set[str]) -> None:
    found = shop.ask(PAGE, first=50, q=query)["products"]["nodes"]

    assert {node["title"] for node in found} == titles


def test_only_what_changed_since_a_time_is_found(shop: Shop) -> None:
    first = shop.ask(PAGE, first=1)["products"]["nodes"][0]
    time.sleep(1.1)
    change = 'mutation ($id: ID!) {productUpdate(product: {id: $id, title: "Changed"}) {product {updatedAt}}}'
    moment = shop.ask(change, id=first["id"])["productUpdate"]["product"]["updatedAt"]

    found = walk(shop, 5, sort="UPDATED_AT", q=f"updated_at:>='{moment}'")

    assert found == ["Changed"]


def test_products_are_found_by_id_handle_and_node(shop: Shop) -> None:
    product = shop.ask(
        '{productByHandle(handle: "peak-poster") {id variants(first: 1) {nodes {id}} media(first: 1) {nodes {id}}}}'
    )
    ids = [
        product["productByHandle"]["id"],
        product["productByHandle"]["variants"]["nodes"][0]["id"],
        product["productByHandle"]["media"]["nodes"][0]["id"],
        "gid://shopify/Product/1",
    ]

    answer = shop.ask(
        "query ($id: ID!, $ids: [ID!]!) {product(id: $id) {title}"
        ' productByIdentifier(identifier: {handle: "peak-poster"}) {title}'
        " nodes(ids: $ids) {id ... on ProductVariant {displayName product {title}} ... on MediaImage {alt}}}",
        id=ids[0],
        ids=ids,
    )

    assert answer["product"] == answer["productByIdentifier"] == {"title": "Peak Poster"}
    assert answer["nodes"][1]["displayName"] == "Peak Poster - A4"
    assert answer["nodes"][2]["alt"] == "Peak Poster, sky"
    assert answer["nodes"][3] is None


def test_a_product_of_another_shop_is_not_found(url: str, shop: Shop) -> None:
    own = shop.ask(PAGE, first=1)["products"]["nodes"][0]["id"]

    answer = Shop(url, "other-shop.myshopify.com").ask("query ($id: ID!) {product(id: $id) {id}}", id=own)

    assert answer == {"product": None}


def test_shop_and_installation_tell_who_is_connected(shop: Shop) -> None:
    answer = shop.ask(
        "{shop {id name myshopifyDomain email primaryDomain {url} currencyCode plan {publicDisplayName}}"
        " currentAppInstallation {id accessScopes {handle}}}"
    )

    assert answer["shop"]["myshopifyDomain"] == DEMO
    assert {scope["handle"] for scope in answer["currentAppInstallation"]["accessScopes"]} >= {
        "read_products",
        "write_products",
    }


def test_a_missing_scope_is_denied_in_http_200(url: str) -> None:
    answer = Shop(url, scopes="write_files").graphql("{products(first: 1) {nodes {id}}}")

    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert "`read_products`" in answer["errors"][0]["extensions"]["requiredAccess"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("{products {nodes {id}}}", "first or last"),
        ("{products(first: 251) {nodes {id}}}", "first cannot exceed 250"),
        ("{products(first: 1, last: 1) {nodes {id}}}", "both"),
        ('{products(first: 1, after: "x") {nodes {id}}}', "Invalid cursor"),
        (
            '{products(first: 1, sortKey: TITLE, after: "eyJsYXN0X2lkIjogMSwgImxhc3RfdmFsdWUiOiAxfQ==") {nodes {id}}}',
            "cursor",
        ),
        ('{product(id: "7") {id}}', "Invalid global id"),
        ("{nothing}", "Field 'nothing' doesn't exist on type 'QueryRoot'"),
        ("{products(first: ", "Syntax Error"),
        ("{shop " * 3000 + "{id}" + "}" * 3000, ""),
        ("query ($n: Int!) {products(first: $n) {nodes {id}}}", "$n"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(shop: Shop, query: str, word: str) -> None:
    answer = shop.graphql(query)

    assert word in answer["errors"][0]["message"]
    assert answer["extensions"]["cost"]["throttleStatus"]["maximumAvailable"] == 2000.0


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"query": 7}', b'{"variables": {}}'])
def test_what_is_no_call_is_refused(shop: Shop, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    answer = shop.request("POST", f"/admin/api/{VERSION}/graphql.json", data=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json() == {"errors": {"query": "Required parameter missing or invalid"}}


@pytest.mark.parametrize(
    ("asked", "used"),
    [("2026-10", "2026-10"), ("2026-01", "2026-01"), ("2023-07", "2026-01"), ("unstable", "unstable")],
)
def test_an_old_version_falls_forward_to_the_oldest(shop: Shop, asked: str, used: str) -> None:
    answer = shop.request("POST", f"/admin/api/{asked}/graphql.json", json={"query": "{shop {id}}"})

    assert answer.headers["X-Shopify-API-Version"] == used
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("asked", ["2027-01", "2026-02", "latest"])
def test_a_version_that_does_not_exist_is_not_found(shop: Shop, asked: str) -> None:
    answer = shop.request("POST", f"/admin/api/{asked}/graphql.json", json={"query": "{shop {id}}"})

    assert answer.status_code == 404


def test_points_follow_the_documented_rules(shop: Shop) -> None:
    queries = {
        "{shop {name}}": (1, 1),
        "{productsCount {count}}": (1, 1),
        "{products(first: 10) {nodes {id}}}": (6, 6),
        "{products(first: 250) {nodes {id}}}": (13, 6),
        "{products(first: 250) {nodes {id variants(first: 100) {nodes {id}}}}}": (134, 30),
        '{product(id: "gid://shopify/Product/1") {variants(first: 250) {nodes {product {id}}}}}': (25, 0),
    }

    costs = {query: shop.graphql(query)["extensions"]["cost"] for query in queries}

    assert {q: (c["requestedQueryCost"], c["actualQueryCost"]) for q, c in costs.items()} == queries


def test_a_query_that_is_too_dear_is_refused(shop: Shop) -> None:
    answer = shop.graphql(
        "{products(first: 250) {nodes {id variants(first: 250) {nodes {id media(first: 250) {nodes {id}}}}}}}"
    )

    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert answer["extensions"]["cost"]["actualQueryCost"] is None


def test_an_empty_bucket_throttles_in_http_200_and_fills_again(url: str, shop: Shop) -> None:
    shop.control("POST", "generate", json={"count": 300, "seed": 1})
    dear = FULL_PAGE.replace("first: 100", "first: 250").replace("first: 50", "first: 250")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(shop.graphql, [dear] * 14))

    throttled = next(answer for answer in answers if "errors" in answer)
    cost = throttled["extensions"]["cost"]
    time.sleep((cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]) / 100 + 0.1)

    assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert cost["actualQueryCost"] is None
    assert "errors" not in shop.graphql(dear)


def test_one_bucket_belongs_to_one_app_and_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql_api, "RESTORE_RATE", 0)  # a slow machine sees no bucket fill up again
    with running() as url:
        shop, other = Shop(url), Shop(url, "other-shop.myshopify.com")

        left = [one.graphql("{shop {id}}")["extensions"]["cost"]["throttleStatus"] for one in (shop, shop, other)]

    assert [status["currentlyAvailable"] for status in left] == [1999, 1998, 1999]


def test_a_full_page_of_computed_products_is_quick(shop: Shop) -> None:
    shop.control("POST", "generate", json={"count": 1_000_000, "seed": 7})
    shop.graphql(FULL_PAGE)

    begin = time.process_time()
    page = shop.ask(FULL_PAGE)["products"]

    assert len(page["nodes"]) == 250
    assert time.process_time() - begin < 1.5  # a tenth of it on an idle machine


def test_a_throttle_fault_speaks_graphql(shop: Shop) -> None:
    shop.control("POST", "faults", json={"kind": "rate_limit", "match": "products", "seconds": 3})

    answer = shop.graphql("{products(first: 1) {nodes {id}}}")

    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    cost = answer["extensions"]["cost"]
    missing = cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]
    assert missing / cost["throttleStatus"]["restoreRate"] == 3


def test_the_ledger_names_the_root_field(shop: Shop) -> None:
    shop.ask("query Named {productsCount {count}}")

    row = shop.control("GET", "requests").json()["requests"][-1]

    assert row["operation"] == "productsCount"
    assert row["tokenTail"] == shop.token["access_token"][-4:]
    assert row["path"] == f"/admin/api/{VERSION}/graphql.json"


def test_introspection_describes_the_schema(shop: Shop) -> None:
    answer = shop.ask('{__type(name: "ProductUpdatePayload") {fields {name}}}')

    assert {field["name"] for field in answer["__type"]["fields"]} == {"product", "userErrors"}


def test_a_missing_token_is_refused_with_a_text(url: str) -> None:
    answer = requests.post(f"{url}/{DEMO}/admin/api/2026-10/graphql.json", json={"query": "{shop {id}}"}, timeout=10)

    assert answer.status_code == 401
    assert isinstance(answer.json()["errors"], str)
