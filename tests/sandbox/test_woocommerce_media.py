"""Pictures of WooCommerce products: downloaded by the store itself, kept, served; the list of a product is replaced."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image

from tests.sandbox.woocommerce_store import Hub, Store, hub_running


@pytest.fixture
def store(url: str) -> Store:
    return Store(url)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_running() as hub:
        yield hub


def picture(kind: str = "PNG") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (30, 20), (200, 80, 60)).save(target, kind)
    return target.getvalue()


def put(store: Store, post: int, *images: dict[str, Any]) -> requests.Response:
    return store.rest("PUT", f"products/{post}", json={"images": list(images)})


def file_at(store: Store, address: str) -> requests.Response:
    return requests.get(address.replace("https://", f"{store.url}/"), timeout=10)


def test_the_store_fetches_a_picture_from_the_app(store: Store, hub: Hub) -> None:
    bag = store.product("market-bag")
    hub.files["/assets/My mockup (1).png"] = picture()

    answer = put(
        store,
        bag["id"],
        *({"id": each["id"]} for each in bag["images"]),
        {"src": f"{hub.url}/assets/My%20mockup%20(1).png?signature=x", "alt": "A bag"},
    )

    images = answer.json()["images"]
    assert [image["id"] for image in images[:2]] == [image["id"] for image in bag["images"]]
    assert images[0]["alt"] == bag["images"][0]["alt"]
    assert (images[2]["name"], images[2]["alt"]) == ("My-mockup-1.png", "A bag")
    assert file_at(store, images[2]["src"]).content == picture()
    assert file_at(store, images[0]["src"]).headers["Content-Type"] == "image/png"
    assert [entry["id"] for entry in store.state("media")][-1] == images[2]["id"]


def test_the_list_of_pictures_is_replaced(store: Store) -> None:
    bag = store.product("market-bag")
    kept = bag["images"][1]["id"]

    assert [image["id"] for image in put(store, bag["id"], {"id": kept}).json()["images"]] == [kept]
    assert put(store, bag["id"]).json()["images"] == []


def test_a_name_that_is_taken_gets_a_number(store: Store, hub: Hub) -> None:
    hub.files["/a.png"] = picture()
    source = {"src": f"{hub.url}/a.png"}

    images = put(store, store.product("market-bag")["id"], source, source).json()["images"]

    assert [image["name"] for image in images] == ["a.png", "a-1.png"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/gone.png", "Not Found"),
        ("/text.png", "not allowed to upload this file type"),
        ("/picture", "not allowed to upload this file type"),
        ("/picture.svg", "not allowed to upload this file type"),
        ("/empty.png", "not allowed to upload this file type"),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_changes(store: Store, hub: Hub, path: str, words: str) -> None:
    hub.files |= {"/text.png": b"text", "/picture": picture(), "/picture.svg": picture(), "/empty.png": b""}
    bag = store.product("market-bag")

    answer = put(store, bag["id"], {"src": f"{hub.url}{path}"})

    assert (answer.status_code, answer.json()["code"]) == (400, "woocommerce_product_image_upload_error")
    assert words in answer.json()["message"]
    assert store.product("market-bag")["images"] == bag["images"]


@pytest.mark.parametrize(
    "source",
    [
        "http://127.0.0.1:1/a.png",
        "http://10.0.0.1/a.png",
        "http://[::1]:1/a.png",
        "ftp://a.org/a.png",
        "a.png",
        "http://u@a/",
    ],
)
def test_private_addresses_are_not_asked(store: Store, hub: Hub, source: str) -> None:
    store.request(
        "GET",
        "/wc-auth/v1/authorize",
        params={
            "app_name": "P",
            "scope": "read_write",
            "user_id": "n",
            "return_url": hub.url,
            "callback_url": f"{hub.url}/keys",
            "sandbox_consent": "allow",
        },
    )
    store.http.auth = (hub.taken[0]["consumer_key"], hub.taken[0]["consumer_secret"])

    answer = put(store, store.product("market-bag")["id"], {"src": source})

    assert answer.status_code == 400
    assert "A valid URL was not provided" in answer.json()["message"]


def test_the_app_that_was_given_keys_may_live_on_this_machine(store: Store, hub: Hub) -> None:
    test_private_addresses_are_not_asked(store, hub, "http://127.0.0.1:1/a.png")
    hub.files["/a.png"] = picture()

    answer = put(
        store, store.product("market-bag")["id"], {"src": f"{hub.url.replace('127.0.0.1', 'localhost')}/a.png"}
    )

    assert answer.json()["images"][0]["name"] == "a.png"


def test_a_picture_of_another_store_is_taken_over(store: Store, url: str) -> None:
    other = Store(url, "second-store.example")
    source = store.product("market-bag")["images"][0]["src"]

    made = other.rest("POST", "products", json={"name": "Copy", "images": [{"src": source}]}).json()
    missing = other.rest("POST", "products", json={"images": [{"src": "https://demo-store.example/no.png"}]})

    assert made["images"][0]["src"].startswith("https://second-store.example/wp-content/uploads/")
    assert file_at(store, made["images"][0]["src"]).content == file_at(store, source).content
    assert missing.status_code == 400


def test_files_that_nobody_has_are_not_found(store: Store) -> None:
    assert store.request("GET", "/wp-content/uploads/2026/11/../../wp-config.php").status_code == 404
    assert store.request("GET", "/wp-content/uploads/2026/11/notes.txt").status_code == 404
    assert store.request("DELETE", "/wp-content/uploads/2026/11/a.png").status_code == 405


def test_pictures_of_computed_products_are_there(store: Store) -> None:
    store.control("POST", "generate", json={"count": 3, "seed": 1})
    product = store.rest("GET", "products", params={"per_page": 1}).json()[0]

    answer = file_at(store, product["images"][-1]["src"])
    kept = put(store, product["id"], {"id": product["images"][-1]["id"]}).json()

    assert Image.open(io.BytesIO(answer.content)).format == "PNG"
    assert [image["id"] for image in kept["images"]] == [product["images"][-1]["id"]]
