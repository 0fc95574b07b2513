"""WooCommerce's own Python client against the sandbox: Basic credentials, keys in the query, reads, writes, refusals.

Nothing of the sandbox is imported but its server: what the client understands is the proof.
"""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import woocommerce

from tests.conformance.transport import rewritten, session
from tests.conformance.witness import Witness

WITNESS = Witness(
    platform="WooCommerce",
    name="WooCommerce's Python client",
    package="woocommerce",
    subject="the sandbox's answers",
)
UNWITNESSED = (
    "The page on which an owner approves, the keys that the store posts, and the way back: no client walks them.",
    "The fields of products and variations, and which parameters lists take: no package carries the schema. The client "
    "passes both on without looking into them.",
    "Error codes: the client hands over status and body as they are.",
    "That `images` replaces the list, and that the store itself fetches each `src`: the docs and the source say so.",
    "How long a real store takes over a picture, and what a firewall before it answers.",
)
STORE = "https://demo-store.example"

Client = Callable[..., woocommerce.API]


@pytest.fixture
def client(url: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Makes clients of a store; the client has no session of its own, so its one way out leads to the sandbox."""
    monkeypatch.setattr("woocommerce.api.request", session(url).request)

    def made(store: str = STORE, *, scopes: str = "read_write", role: str = "administrator", **named: Any) -> Any:
        wanted = {"shop": store.removeprefix("https://"), "scopes": scopes, "role": role}
        keys = requests.post(f"{url}/_sandbox/woocommerce/token", json=wanted, timeout=10).json()
        pair = {name: keys[name] for name in ("consumer_key", "consumer_secret")} | named
        return woocommerce.API(url=store, timeout=20, **pair)

    return made


def test_products_are_read_page_by_page(client: Client) -> None:
    api = client()
    names: list[str] = []
    page = pages = 1
    while page <= pages:
        answer = api.get("products", params={"per_page": 5, "page": page, "orderby": "id", "order": "asc"})
        names += [product["name"] for product in answer.json()]
        page, pages = page + 1, int(answer.headers["X-WP-TotalPages"])

    assert answer.headers["X-WP-Total"] == str(len(names)) == "12"
    assert len(set(names)) == 12
    assert 'rel="prev"' in answer.headers["Link"]
    assert 'rel="next"' not in answer.headers["Link"]


def test_the_next_page_is_where_the_link_header_says(client: Client) -> None:
    api = client()
    first = api.get("products", params={"per_page": 5})

    second = api.get(first.links["next"]["url"].removeprefix(f"{STORE}/wp-json/wc/v3/"))

    assert not {product["id"] for product in first.json()} & {product["id"] for product in second.json()}
    assert len(second.json()) == 5


def test_keys_in_the_query_are_as_good_as_the_header(client: Client) -> None:
    api = client(query_string_auth=True)

    assert len(api.get("products", params={"per_page": 3}).json()) == 3


def test_a_product_is_made_changed_and_deleted(client: Client) -> None:
    api = client()
    made = api.post("products", {"name": "Été print", "type": "simple", "regular_price": "21.99"})
    post = made.json()["id"]

    changed = api.put(f"products/{post}", {"regular_price": "24.00"}).json()
    read = api.get(f"products/{post}").json()
    gone = api.delete(f"products/{post}", params={"force": True})

    assert made.status_code == 201
    assert (read["name"], read["price"]) == ("Été print", "24.00")
    assert changed == read
    assert gone.json()["id"] == post
    assert api.get(f"products/{post}").status_code == 404


def test_pictures_are_kept_by_id_and_added_by_address(client: Client, url: str) -> None:
    api = client()
    product = api.get("products", params={"slug": "market-bag"}).json()[0]
    kept = [{"id": image["id"]} for image in product["images"]]

    answer = api.put(f"products/{product['id']}", {"images": [*kept, {"src": product["images"][0]["src"]}]}).json()
    alone = api.put(f"products/{product['id']}", {"images": kept[:1]}).json()

    assert [image["id"] for image in answer["images"][:2]] == [image["id"] for image in product["images"]]
    assert answer["images"][2]["id"] not in {image["id"] for image in product["images"]}
    served = requests.get(rewritten(answer["images"][2]["src"], url), timeout=10)
    assert served.headers["Content-Type"] == "image/png"
    assert [image["id"] for image in alone["images"]] == [kept[0]["id"]]


def test_variations_are_read_apart(client: Client) -> None:
    api = client()
    product = api.get("products", params={"type": "variable", "per_page": 1}).json()[0]

    variations = api.get(f"products/{product['id']}/variations", params={"orderby": "id", "order": "asc"}).json()
    one = api.get(f"products/{product['id']}/variations/{variations[0]['id']}").json()

    assert [each["id"] for each in variations] == product["variations"]
    assert one == variations[0]
    assert {each["attributes"][0]["option"] for each in variations} == set(product["attributes"][0]["options"])


def test_several_products_change_in_a_batch(client: Client) -> None:
    api = client()
    post = api.get("products", params={"per_page": 1}).json()[0]["id"]

    answer = api.post("products/batch", {"create": [{"name": "One"}], "update": [{"id": post, "name": "Two"}]}).json()

    assert answer["create"][0]["name"] == "One"
    assert (answer["update"][0]["id"], answer["update"][0]["name"]) == (post, "Two")


def test_what_the_store_offers_is_listed(client: Client) -> None:
    api = client()

    assert "/wc/v3/products" in api.get("").json()["routes"]
    assert api.get("system_status").json()["environment"]["home_url"] == STORE


def test_a_store_in_a_folder_is_another_store(client: Client) -> None:
    api = client(f"{STORE}/shop")

    assert api.get("products").json() == []


@pytest.mark.parametrize(
    ("named", "method", "status"),
    [
        ({"consumer_secret": "cs_wrong"}, "get", 401),
        ({"consumer_key": "ck_unknown"}, "get", 401),
        ({"scopes": "read"}, "post", 401),
        ({"scopes": "read"}, "get", 200),
        ({"scopes": "write"}, "get", 401),
        ({"role": "customer"}, "get", 403),
        ({"role": "customer"}, "post", 403),
    ],
)
def test_keys_open_what_they_are_for(client: Client, named: dict[str, str], method: str, status: int) -> None:
    api = client(**named)

    answer = api.get("products") if method == "get" else api.post("products", {"name": "One"})

    assert answer.status_code == status
    assert (status < 400) or answer.json()["data"]["status"] == status


def test_what_makes_no_sense_is_refused_with_the_parameter_named(client: Client) -> None:
    answer = client().get("products", params={"per_page": 1000})

    assert answer.status_code == 400
    assert answer.json()["code"] == "rest_invalid_param"
    assert list(answer.json()["data"]["params"]) == ["per_page"]
