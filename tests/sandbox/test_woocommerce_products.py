"""Products of a WooCommerce store: lists in pages, filters, variations, changes, and what the answers look like."""

import re
import time
from datetime import datetime
from typing import Any

import pytest
import requests

from tests.sandbox.woocommerce_store import Store


@pytest.fixture
def store(url: str) -> Store:
    return Store(url)


def ids(answer: requests.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [product["id"] for product in answer.json()]


def link(answer: requests.Response, rel: str) -> str | None:
    """The address of a page in a Link header."""
    found = re.search(rf'<([^>]*)>; rel="{rel}"', answer.headers.get("Link", ""))
    return found[1] if found else None


def test_pages_are_bare_lists_that_count_and_link_in_headers(store: Store) -> None:
    everything = ids(store.rest("GET", "products", params={"per_page": 100}))
    first = store.rest("GET", "products", params={"per_page": 5})

    address = link(first, "next") or ""
    second = store.request("GET", address.removeprefix(f"https://{store.shop}"))
    beyond = store.rest("GET", "products", params={"per_page": 5, "page": 9})

    assert (first.headers["X-WP-Total"], first.headers["X-WP-TotalPages"]) == ("12", "3")
    assert ids(first) + ids(second) == everything[:10]
    assert everything == sorted(everything, reverse=True)
    assert link(first, "prev") is None
    assert link(second, "prev") is not None
    assert (beyond.json(), beyond.headers["X-WP-Total"]) == ([], "12")
    assert link(beyond, "next") is None


def test_ten_to_a_page_is_what_nobody_asked_for(store: Store) -> None:
    answer = store.rest("GET", "products")

    assert len(answer.json()) == 10


def test_prices_are_texts_and_times_come_by_two_clocks(store: Store) -> None:
    bag = store.product("market-bag")

    own, gmt = (datetime.fromisoformat(bag[name]) for name in ("date_modified", "date_modified_gmt"))
    assert (bag["price"], bag["regular_price"], bag["sale_price"], bag["on_sale"]) == ("14.90", "18.00", "14.90", True)
    assert (own - gmt).total_seconds() == 7200
    assert own.tzinfo is None
    assert bag["permalink"] == "https://demo-store.example/product/market-bag/"
    assert {"id", "src", "name", "alt", "date_created_gmt"} <= set(bag["images"][0])


def test_a_variable_product_names_its_variations_and_they_are_read_apart(store: Store) -> None:
    cup = store.product("two-tone-cup")

    path = f"products/{cup['id']}/variations"
    listed = store.rest("GET", path, params={"orderby": "id", "order": "asc"})
    one = store.rest("GET", f"{path}/{cup['variations'][0]}")

    assert (cup["type"], cup["regular_price"], cup["price"]) == ("variable", "", "14.00")
    assert cup["attributes"][0]["options"] == ["250 ml", "450 ml"]
    assert [each["id"] for each in listed.json()] == cup["variations"]
    assert [each["attributes"][0]["option"] for each in listed.json()] == ["250 ml", "450 ml"]
    assert listed.headers["X-WP-Total"] == "2"
    assert one.json() == listed.json()[0]
    assert store.rest("GET", f"{path}/1").json()["code"] == "woocommerce_rest_product_variation_invalid_id"
    assert store.rest("GET", "products/1/variations").json() == []


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ({"search": "cup"}, {"two-tone-cup", "enamel-cup-dawn"}),
        ({"search": "enamel studio"}, {"enamel-cup-dawn"}),
        ({"search": "nothing like it"}, set()),
        ({"status": "draft"}, {"tide-phone-cover"}),
        ({"sku": "DOTNOT"}, {"dot-notepad"}),
        ({"slug": "fox-label-set"}, {"fox-label-set"}),
        ({"after": "2024-03-01T09:00:10"}, {"fox-label-set"}),
        ({"after": "2024-03-01T07:00:10", "dates_are_gmt": "true"}, {"fox-label-set"}),
        ({"after": "2024-03-01T07:00:10Z"}, {"fox-label-set"}),
    ],
)
def test_filters_narrow_the_list(store: Store, query: dict[str, str], slugs: set[str]) -> None:
    answer = store.rest("GET", "products", params=query)

    assert {product["slug"] for product in answer.json()} == slugs
    assert answer.headers["X-WP-Total"] == str(len(slugs))


def test_ids_are_asked_for_left_out_and_put_in_order(store: Store) -> None:
    everything = ids(store.rest("GET", "products", params={"per_page": 100, "orderby": "id", "order": "asc"}))
    wanted = [everything[3], everything[1]]
    listed = ",".join(map(str, wanted))

    assert ids(store.rest("GET", "products", params={"include": listed, "orderby": "include"})) == wanted
    assert len(ids(store.rest("GET", "products", params={"exclude": listed, "per_page": 100}))) == 10
    assert ids(store.rest("GET", "products", params={"offset": 10, "orderby": "id", "order": "asc"})) == everything[10:]


@pytest.mark.parametrize(
    ("order", "name"),
    [("title", "Birch Tee"), ("price", "Fox Label Set"), ("slug", "Birch Tee"), ("date", "Birch Tee")],
)
def test_other_orders(store: Store, order: str, name: str) -> None:
    answer = store.rest("GET", "products", params={"orderby": order, "order": "asc", "per_page": 1})

    assert answer.json()[0]["name"] == name


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("per_page", "101", "rest_out_of_bounds"),
        ("per_page", "0", "rest_out_of_bounds"),
        ("per_page", "many", "rest_invalid_type"),
        ("page", "0", "rest_out_of_bounds"),
        ("orderby", "colour", "rest_not_in_enum"),
        ("status", "lost", "rest_not_in_enum"),
        ("modified_after", "yesterday", "rest_invalid_date"),
        ("include", "1,two", "rest_invalid_type"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(store: Store, name: str, value: str, code: str) -> None:
    answer = store.rest("GET", "products", params={name: value})

    assert answer.status_code == 400
    assert answer.json()["code"] == "rest_invalid_param"
    assert list(answer.json()["data"]["params"]) == [name]
    assert answer.json()["data"]["details"][name]["code"] == code


def test_only_the_fields_asked_for_are_sent(store: Store) -> None:
    answer = store.rest("GET", "products", params={"_fields": "id,images", "per_page": 1})

    assert set(answer.json()[0]) == {"id", "images"}


def test_a_product_is_made_changed_and_deleted(store: Store) -> None:
    made = store.rest("POST", "products", json={"name": "New Print", "regular_price": "12.00", "sku": "NEW"})
    post = made.json()["id"]

    changed = store.rest("PUT", f"products/{post}", json={"regular_price": "13.00"})
    trashed = store.rest("DELETE", f"products/{post}")
    again = store.rest("DELETE", f"products/{post}")
    listed = ids(store.rest("GET", "products", params={"per_page": 100}))
    gone = store.rest("DELETE", f"products/{post}", params={"force": "true"})

    assert (made.status_code, made.headers["Location"]) == (201, f"https://{store.shop}/wp-json/wc/v3/products/{post}")
    assert (changed.json()["name"], changed.json()["price"]) == ("New Print", "13.00")
    assert (trashed.status_code, again.status_code, gone.status_code) == (200, 410, 200)
    assert post not in listed
    assert store.rest("GET", f"products/{post}").status_code == 404


def test_a_change_moves_the_time_of_change(store: Store) -> None:
    bag = store.product("market-bag")

    store.rest("PUT", f"products/{bag['id']}", json={"name": "Market Bag, large"})

    later = store.rest("GET", "products", params={"modified_after": bag["date_modified"], "per_page": 100}).json()
    assert bag["id"] in {product["id"] for product in later}
    assert store.rest("GET", "products", params={"orderby": "modified"}).json()[0]["id"] == bag["id"]


def test_a_batch_answers_for_each_of_its_entries(store: Store) -> None:
    bag = store.product("market-bag")["id"]

    answer = store.rest(
        "POST",
        "products/batch",
        json={"create": [{"name": "One"}], "update": [{"id": bag, "name": "Bag"}, {"id": 1}], "delete": [bag]},
    ).json()

    assert answer["create"][0]["name"] == "One"
    assert answer["update"][0]["name"] == "Bag"
    assert answer["update"][1]["error"]["code"] == "woocommerce_rest_product_invalid_id"
    assert answer["delete"][0]["id"] == bag
    assert store.rest("POST", "products/batch", json={"delete": list(range(101))}).status_code == 413


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"regular_price": 21.99}, "rest_invalid_param"),
        ({"images": "one"}, "rest_invalid_param"),
        ({"images": ["one"]}, "rest_invalid_param"),
        ({"images": [{"id": "7"}]}, "rest_invalid_param"),
        ({"status": "sold"}, "rest_invalid_param"),
        ({"sku": "DOTNOT"}, "product_invalid_sku"),
        ({"images": [{"id": 4}]}, "woocommerce_product_invalid_image_id"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(store: Store, body: dict[str, Any], code: str) -> None:
    answer = store.rest("POST", "products", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_json_that_is_none_is_refused(store: Store) -> None:
    answer = store.rest("POST", "products", data="{", headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_json")


@pytest.mark.parametrize(
    ("method", "resource", "status", "code"),
    [
        ("GET", "products/1", 404, "woocommerce_rest_product_invalid_id"),
        ("PUT", "products/1", 400, "woocommerce_rest_product_invalid_id"),
        ("DELETE", "products/1", 404, "woocommerce_rest_product_invalid_id"),
        ("GET", "orders/x", 404, "rest_no_route"),
    ],
)
def test_what_is_not_there(store: Store, method: str, resource: str, status: int, code: str) -> None:
    answer = store.rest(method, resource, json={})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["data"] == {"status": status}


def test_every_host_is_a_store_and_a_folder_another(url: str) -> None:
    other, folder = Store(url, "second-store.example"), Store(url, "demo-store.example/shop")
    folder.rest("POST", "products", json={"name": "Only here"})

    page = folder.rest("GET", "products", params={"per_page": 1})

    assert other.rest("GET", "products").json() == []
    assert page.json()[0]["permalink"] == "https://demo-store.example/shop/product/only-here/"
    assert page.headers["X-WP-Total"] == "1"
    assert len(Store(url).rest("GET", "products", params={"per_page": 100}).json()) == 12
    assert requests.get(f"{url}/demo-store.example/blog/wp-json/", timeout=10).status_code == 404


def test_computed_products_are_the_same_for_a_seed(url: str) -> None:
    shops = [Store(url, f"{name}.example") for name in ("a", "b", "c")]
    answers = [
        shop.control("POST", "generate", json={"count": 30, "seed": seed, "shop": shop.shop}).json()
        for shop, seed in zip(shops, (5, 5, 6), strict=True)
    ]

    states = [shop.state("products") for shop in shops]
    names = [[product["name"] for product in state] for state in states]

    assert names[0] == names[1] != names[2]
    assert len(states[0]) == answers[0]["products"] == 30
    assert sum(len(product["variations"]) for product in states[0]) == answers[0]["variations"]
    assert sum(len(product["images"]) for product in states[0]) == answers[0]["images"]


def test_a_million_products_page_quickly_from_any_place(store: Store) -> None:
    store.control("POST", "generate", json={"count": 1_000_000, "seed": 1})
    begin = time.process_time()

    end = store.rest("GET", "products", params={"orderby": "id", "order": "asc", "offset": 1_000_000, "per_page": 50})
    middle = store.rest("GET", "products", params={"page": 5_000, "per_page": 100})

    assert time.process_time() - begin < 2
    assert end.headers["X-WP-Total"] == "1000012"
    assert len(end.json()) == 12
    assert end.json()[-1]["slug"].endswith("-999999")
    assert len(middle.json()) == 100


@pytest.mark.parametrize(("order", "direction"), [("id", "asc"), ("id", "desc"), ("date", "asc"), ("modified", "desc")])
def test_changed_and_deleted_computed_products_keep_their_place(store: Store, order: str, direction: str) -> None:
    store.control("POST", "generate", json={"count": 40, "seed": 1})
    computed = ids(
        store.rest("GET", "products", params={"orderby": "id", "order": "asc", "offset": 12, "per_page": 40})
    )
    for post in (computed[0], computed[7], computed[8], computed[39]):
        store.rest("DELETE", f"products/{post}", params={"force": "true"})
    store.rest("PUT", f"products/{computed[20]}", json={"name": "Changed"})
    store.rest("PUT", f"products/{computed[21]}", json={"status": "trash"})
    query = {"orderby": order, "order": direction}

    whole = ids(store.rest("GET", "products", params={**query, "per_page": 100}))
    pages = [ids(store.rest("GET", "products", params={**query, "per_page": 7, "page": page})) for page in range(1, 9)]
    searched = ids(store.rest("GET", "products", params={**query, "per_page": 100, "exclude": "1"}))

    assert len(whole) == len(set(whole)) == 12 + 40 - 5
    assert [post for page in pages for post in page] == whole == searched
    assert store.control("GET", "state").json()["collections"]["products"] == 47


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"count": -1},
        {"count": "many"},
        {"count": 99_999_999},
        {"count": 1, "shop": "shop.com"},
        {"count": 1, "x": 1},
    ],
)
def test_generating_nonsense_is_refused(store: Store, body: dict[str, object]) -> None:
    answer = store.control("POST", "generate", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"]


def test_a_product_is_taken_away_by_a_control_call(store: Store) -> None:
    bag = store.product("market-bag")["id"]

    gone = store.control("DELETE", f"products/{bag}")
    again = store.control("DELETE", f"products/{bag}")

    assert (gone.status_code, again.status_code) == (204, 404)
    assert store.rest("GET", f"products/{bag}").status_code == 404


def test_the_store_says_what_it_is(store: Store) -> None:
    index = requests.get(f"{store.url}/{store.shop}/wp-json/", timeout=10).json()
    status = store.rest("GET", "system_status").json()
    options = store.rest("OPTIONS", "products").json()

    assert (index["name"], index["url"]) == ("Demo Store", "https://demo-store.example")
    assert "wc/v3" in index["namespaces"]
    assert "/wc/v3/products" in store.rest("GET", "").json()["routes"]
    assert (status["environment"]["home_url"], status["environment"]["version"]) == (index["url"], "11.1.0")
    assert options["schema"]["properties"]["regular_price"] == {"type": "string"}
