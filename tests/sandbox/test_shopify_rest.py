"""The legacy REST Admin API and what a shop is filled with: paging by Link, the bucket of calls, computed products."""

import base64
import re
import time
from urllib.parse import urlencode

import pytest
import requests

from sandbox import running
from sandbox.hosts.shopify import rest
from tests.sandbox.shopify_shop import Shop
from tests.sandbox.test_shopify_media import picture


@pytest.fixture
def shop(url: str) -> Shop:
    return Shop(url)


def link(answer: requests.Response, rel: str) -> str | None:
    """The address of a page in a Link header."""
    found = re.search(rf'<([^>]*)>; rel="{rel}"', answer.headers.get("Link", ""))
    return found[1] if found else None


def follow(shop: Shop, address: str | None) -> requests.Response:
    assert address is not None
    assert address.startswith(f"https://{shop.shop}/admin/api/2026-10/products.json?")
    return shop.request("GET", address.removeprefix(f"https://{shop.shop}"))


def ids(answer: requests.Response) -> list[int]:
    return [product["id"] for product in answer.json()["products"]]


def test_pages_lead_on_and_back(shop: Shop) -> None:
    everything = ids(shop.rest("GET", "products.json?limit=250"))
    first = shop.rest("GET", "products.json?limit=5")

    second = follow(shop, link(first, "next"))
    third = follow(shop, link(second, "next"))
    back = follow(shop, link(third, "previous"))

    assert ids(first) + ids(second) + ids(third) == everything
    assert link(first, "previous") is None
    assert link(third, "next") is None
    assert ids(back) == ids(second)


def test_filters_stay_with_the_pages(shop: Shop) -> None:
    first = shop.rest("GET", "products.json?limit=1&product_type=Poster&fields=id,product_type")

    second = follow(shop, link(first, "next"))

    assert set(first.json()["products"][0]) == {"id", "product_type"}
    assert second.json()["products"][0]["product_type"] == "Poster"
    assert link(second, "next") is None


def test_beside_page_info_only_limit_and_fields_may_stand(shop: Shop) -> None:
    address = link(shop.rest("GET", "products.json?limit=5"), "next")
    assert address is not None

    answer = shop.request("GET", f"{address.removeprefix(f'https://{shop.shop}')}&vendor=x")

    assert answer.status_code == 400
    assert "vendor" in answer.json()["errors"]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"last": 1}', '{"last": 1, "direction": "next", "filters": {"ids": 7}}']
)
def test_a_page_info_that_nobody_gave_is_refused(shop: Shop, content: str) -> None:
    page_info = base64.urlsafe_b64encode(content.encode()).decode() or "x"

    answer = shop.rest("GET", f"products.json?page_info={page_info}")

    assert answer.status_code == 400


def test_a_product_its_count_and_the_shop_are_read(shop: Shop) -> None:
    product = shop.rest("GET", "products.json?handle=peak-poster").json()["products"][0]

    one = shop.rest("GET", f"products/{product['id']}.json").json()["product"]

    assert one == product
    assert product["admin_graphql_api_id"] == f"gid://shopify/Product/{product['id']}"
    assert shop.rest("GET", "products/count.json").json() == {"count": 12}
    assert shop.rest("GET", "shop.json").json()["shop"]["myshopify_domain"] == shop.shop


def test_images_are_added_changed_and_removed_at_once(shop: Shop) -> None:
    product = ids(shop.rest("GET", "products.json?limit=1"))[0]
    path = f"products/{product}/images"
    content = {"attachment": base64.b64encode(picture()).decode(), "filename": "new.png", "alt": "New", "position": 1}

    added = shop.rest("POST", f"{path}.json", json={"image": content}).json()["image"]
    changed = shop.rest("PUT", f"{path}/{added['id']}.json", json={"image": {"alt": "Newer"}}).json()["image"]
    listed = shop.rest("GET", f"{path}.json").json()["images"]
    removed = shop.rest("DELETE", f"{path}/{added['id']}.json")

    assert (added["width"], added["height"], added["position"]) == (30, 20, 1)
    assert requests.get(added["src"].replace("https://", f"{shop.url}/"), timeout=10).content == picture()
    assert changed["alt"] == listed[0]["alt"] == "Newer"
    assert removed.json() == {}
    assert added["id"] not in {image["id"] for image in shop.rest("GET", f"{path}.json").json()["images"]}


@pytest.mark.parametrize(
    "image", [{}, {"attachment": "%%%"}, {"src": "no address"}, {"attachment": "bm8gcGljdHVyZQ=="}]
)
def test_an_image_that_is_none_is_refused(shop: Shop, image: dict[str, str]) -> None:
    product = ids(shop.rest("GET", "products.json?limit=1"))[0]

    answer = shop.rest("POST", f"products/{product}/images.json", json={"image": image})

    assert answer.status_code == 422
    assert answer.json()["errors"]["image"]


@pytest.mark.parametrize("path", ["products/1.json", "orders.json", "products/1/images.json"])
def test_what_is_not_there_is_not_found(shop: Shop, path: str) -> None:
    answer = shop.rest("GET", path)

    assert answer.status_code == 404
    assert answer.json() == {"errors": "Not Found"}


def test_a_missing_scope_is_named(url: str) -> None:
    answer = Shop(url, scopes=["write_files"]).rest("GET", "products.json")

    assert answer.status_code == 403
    assert answer.json()["errors"] == "[API] This action requires merchant approval for read_products scope."


def test_a_full_bucket_answers_429_with_a_decimal_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "CALLS_PER_SECOND", 0)  # a slow machine sees no bucket leak
    with running() as url:
        shop = Shop(url)
        answers = [shop.rest("GET", "shop.json") for _ in range(41)]

    refused = answers.pop()

    assert {answer.status_code for answer in answers} == {200}
    assert refused.status_code == 429
    assert answers[0].headers["X-Shopify-Shop-Api-Call-Limit"] == "1/40"
    assert refused.headers["Retry-After"] == "2.0"
    assert refused.headers["X-Shopify-Shop-Api-Call-Limit"] == "40/40"


def test_scopes_of_the_token_are_told(shop: Shop) -> None:
    answer = shop.request("GET", "/admin/oauth/access_scopes.json")

    handles = {scope["handle"] for scope in answer.json()["access_scopes"]}
    assert handles == {"read_files", "read_products", "write_files", "write_products"}


def test_computed_products_are_the_same_for_a_seed(shop: Shop) -> None:
    first = shop.control("POST", "generate", json={"count": 30, "seed": 5, "shop": "a-shop"}).json()
    again = shop.control("POST", "generate", json={"count": 30, "seed": 5, "shop": "b-shop"}).json()
    other = shop.control("POST", "generate", json={"count": 30, "seed": 6, "shop": "c-shop"}).json()

    titles = [
        [product["title"] for product in Shop(shop.url, name).state("products")]
        for name in ("a-shop", "b-shop", "c-shop")
    ]

    assert first["variants"] == again["variants"] == other["variants"]
    assert titles[0] == titles[1] != titles[2]
    products = Shop(shop.url, "a-shop").state("products")
    assert sum(len(product["variants"]) for product in products) == first["variants"]
    assert sum(len(product["images"]) for product in products) == first["images"]


def test_a_million_products_page_quickly_from_any_place(shop: Shop) -> None:
    shop.control("POST", "generate", json={"count": 1_000_000, "seed": 1, "shop": "large-shop"})
    large = Shop(shop.url, "large-shop.myshopify.com")

    begin = time.process_time()
    end = large.ask("{products(last: 50) {nodes {id handle} pageInfo {startCursor}}}")["products"]
    before = large.ask(
        "query ($c: String!) {products(last: 50, before: $c) {nodes {handle}}}", c=end["pageInfo"]["startCursor"]
    )["products"]

    assert time.process_time() - begin < 2
    assert end["nodes"][-1]["handle"].endswith("-999999")
    assert before["nodes"][-1]["handle"].endswith("-999949")
    assert large.rest("GET", "products/count.json").json() == {"count": 1_000_000}


def test_a_computed_product_can_be_changed_and_removed(shop: Shop) -> None:
    shop.control("POST", "generate", json={"count": 20, "seed": 1, "shop": "a-shop"})
    own = Shop(shop.url, "a-shop.myshopify.com")
    nodes = own.ask("{products(first: 3) {nodes {id handle}}}")["products"]["nodes"]

    own.ask(
        'mutation ($id: ID!) {productUpdate(product: {id: $id, title: "Mine", handle: "mine"}) {userErrors {message}}}',
        id=nodes[0]["id"],
    )
    own.ask("mutation ($id: ID!) {productDelete(input: {id: $id}) {deletedProductId}}", id=nodes[1]["id"])

    after = own.ask("{products(first: 250) {nodes {id title}} productsCount {count}}")
    assert after["productsCount"]["count"] == len(after["products"]["nodes"]) == 19
    assert after["products"]["nodes"][0] == {"id": nodes[0]["id"], "title": "Mine"}
    assert after["products"]["nodes"][1]["id"] == nodes[2]["id"]
    assert own.ask('{productByHandle(handle: "mine") {id}}')["productByHandle"]["id"] == nodes[0]["id"]


def test_the_state_counts_pictures_as_they_come_and_go(shop: Shop) -> None:
    shop.control("POST", "generate", json={"count": 10, "seed": 1})
    nodes = shop.ask("{products(last: 2) {nodes {id}}}")["products"]["nodes"]
    shop.ask("mutation ($id: ID!) {productDelete(input: {id: $id}) {deletedProductId}}", id=nodes[0]["id"])
    shop.ask(
        "mutation ($id: ID!, $media: [CreateMediaInput!])"
        " {productUpdate(product: {id: $id}, media: $media) {product {id}}}",
        id=nodes[1]["id"],
        media=[{"originalSource": "https://images.example.org/a.png", "mediaContentType": "IMAGE"}],
    )

    totals = shop.control("GET", "state").json()["collections"]

    assert totals == {"products": len(shop.state("products")), "media": len(shop.state("media"))}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"count": -1},
        {"count": "many"},
        {"count": 99_999_999},
        {"count": 1, "shop": "no shop"},
        {"count": 1, "x": 1},
    ],
)
def test_generating_nonsense_is_refused(shop: Shop, body: dict[str, object]) -> None:
    answer = shop.control("POST", "generate", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"]


def test_a_shop_survives_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("sandbox") / "state.sqlite"
    with running(state_path=state) as url:
        shop = Shop(url, "kept-shop.myshopify.com")
        shop.ask('mutation {productCreate(product: {title: "Kept"}) {product {id}}}')

    with running(state_path=state) as url:
        headers = {"X-Shopify-Access-Token": shop.token["access_token"]}
        query = urlencode({"fields": "title"})
        address = f"{url}/kept-shop.myshopify.com/admin/api/2026-10/products.json?{query}"
        answer = requests.get(address, headers=headers, timeout=10)

    assert answer.json() == {"products": [{"title": "Kept"}]}
