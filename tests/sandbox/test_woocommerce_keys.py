"""Keys of a WooCommerce store: how an app comes by them, what they open, what stands in the way."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.sandbox.woocommerce_store import Hub, Store, hub_running
from tests.stage import wait_until

AUTHORIZE = "/wc-auth/v1/authorize"


@pytest.fixture
def store(url: str) -> Store:
    return Store(url)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_running() as hub:
        yield hub


def asked(hub: Hub, **changed: str) -> dict[str, str]:
    return {
        "app_name": "Patchbay",
        "scope": "read_write",
        "user_id": "a word nobody guesses",
        "return_url": f"{hub.url}/back?from=store",
        "callback_url": f"{hub.url}/keys",
    } | changed


def back(answer: requests.Response) -> dict[str, list[str]]:
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def test_keys_are_posted_before_the_browser_is_sent_back(store: Store, hub: Hub) -> None:
    answer = store.request("GET", AUTHORIZE, params=asked(hub, sandbox_consent="allow"))

    assert back(answer) == {"from": ["store"], "success": ["1"], "user_id": ["a word nobody guesses"]}
    (keys,) = hub.taken
    assert keys["type"] == "application/json;charset=UTF-8"
    assert (keys["user_id"], keys["key_permissions"]) == ("a word nobody guesses", "read_write")
    pair = (keys["consumer_key"], keys["consumer_secret"])
    assert keys["consumer_key"].startswith("ck_")
    assert requests.get(f"{store.url}/{store.shop}/wp-json/wc/v3/products", auth=pair, timeout=10).status_code == 200


def test_the_owner_is_asked_on_a_page_and_may_refuse(store: Store, hub: Hub) -> None:
    page = store.request("GET", AUTHORIZE, params=asked(hub))
    refused = store.request("POST", AUTHORIZE, params=asked(hub), data={"decision": "deny"})
    allowed = store.request(
        "POST", AUTHORIZE, params=asked(hub), data={"decision": "allow", "account": "administrator"}
    )

    assert page.status_code == 200
    assert "View and manage products" in page.text
    assert back(refused)["success"] == ["0"]
    assert back(allowed)["success"] == ["1"]
    assert len(hub.taken) == 1


def test_a_customer_cannot_give_keys(store: Store, hub: Hub) -> None:
    answer = store.request("POST", AUTHORIZE, params=asked(hub), data={"decision": "allow", "account": "customer"})

    assert answer.status_code == 401
    assert "You do not have permission" in answer.text


def test_keys_that_are_not_taken_are_taken_back(store: Store, hub: Hub) -> None:
    hub.status = 500

    answer = store.request("GET", AUTHORIZE, params=asked(hub, sandbox_consent="allow"))

    assert answer.status_code == 401
    assert "unable to send the consumer data" in answer.text
    pair = (hub.taken[0]["consumer_key"], hub.taken[0]["consumer_secret"])
    assert requests.get(f"{store.url}/{store.shop}/wp-json/wc/v3/products", auth=pair, timeout=10).status_code == 401


def test_an_app_that_cannot_be_reached_gets_no_keys(store: Store, hub: Hub) -> None:
    answer = store.request(
        "GET", AUTHORIZE, params=asked(hub, callback_url="http://127.0.0.1:1/keys", sandbox_consent="allow")
    )

    assert answer.status_code == 401
    assert "cURL error 7" in answer.text


def test_the_browser_may_be_back_before_the_keys(store: Store, hub: Hub) -> None:
    store.control("POST", "handover", json={"order": "browser_first", "seconds": 0.2})

    answer = store.request("GET", AUTHORIZE, params=asked(hub, sandbox_consent="allow"))

    assert back(answer)["success"] == ["1"]
    assert hub.taken == []
    wait_until(lambda: len(hub.taken) == 1)


def test_keys_may_get_lost(store: Store, hub: Hub) -> None:
    store.control("POST", "handover", json={"order": "keys_lost"})

    answer = store.request("GET", AUTHORIZE, params=asked(hub, sandbox_consent="allow"))

    assert back(answer)["success"] == ["1"]
    assert hub.taken == []


@pytest.mark.parametrize("body", [{"order": "sideways"}, {"seconds": "soon"}, {"x": 1}, {"shop": "shop.com"}])
def test_a_manner_that_makes_no_sense_is_refused(store: Store, body: dict[str, object]) -> None:
    assert store.control("POST", "handover", json=body).status_code == 422


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"app_name": ""}, "Missing parameter app_name"),
        ({"user_id": ""}, "Missing parameter user_id"),
        ({"scope": "all"}, "Invalid scope all"),
        ({"return_url": "nowhere"}, "is not a valid URL"),
        ({"callback_url": "http://hub.example.org/keys"}, "needs to be over SSL"),
        ({"callback_url": "https://hub.example.org/keys"}, "A valid URL was not provided"),
    ],
)
def test_a_request_for_keys_that_makes_no_sense_is_denied(
    store: Store, hub: Hub, changed: dict[str, str], words: str
) -> None:
    answer = store.request("GET", AUTHORIZE, params=asked(hub, sandbox_consent="allow", **changed))

    assert answer.status_code == 401
    assert words in answer.text
    assert answer.headers["Content-Type"].startswith("text/html")
    assert hub.taken == []


def test_keys_in_the_query_win_over_the_header(store: Store) -> None:
    other = Store(store.url, "second-store.example").keys
    query = {name: store.keys[name] for name in ("consumer_key", "consumer_secret")}
    foreign = {name: other[name] for name in ("consumer_key", "consumer_secret")}
    address = f"{store.url}/{store.shop}/wp-json/wc/v3/products"

    alone = requests.get(address, params=query, timeout=10)
    beside = store.rest("GET", "products", params=foreign)

    assert alone.status_code == 200
    assert beside.status_code == 401


@pytest.mark.parametrize(
    ("wanted", "method", "status", "code"),
    [
        ({"scopes": "read"}, "GET", 200, None),
        ({"scopes": "read"}, "POST", 401, "woocommerce_rest_authentication_error"),
        ({"scopes": "write"}, "GET", 401, "woocommerce_rest_authentication_error"),
        ({"scopes": "write"}, "POST", 201, None),
        ({"role": "customer"}, "GET", 403, "woocommerce_rest_cannot_view"),
        ({"role": "customer"}, "POST", 403, "woocommerce_rest_cannot_create"),
        ({"role": "shop_manager"}, "GET", 200, None),
    ],
)
def test_permission_and_role_decide(
    url: str, wanted: dict[str, str], method: str, status: int, code: str | None
) -> None:
    answer = Store(url, **wanted).rest(method, "products", json={"name": "One"})

    assert answer.status_code == status
    body: Any = answer.json()
    assert (body["code"] if status >= 400 else None) == code


def test_a_wrong_secret_and_an_unknown_key_are_told_apart(store: Store) -> None:
    address = f"{store.url}/{store.shop}/wp-json/wc/v3/products"

    wrong = requests.get(address, auth=(store.keys["consumer_key"], "cs_wrong"), timeout=10)
    unknown = requests.get(address, auth=("ck_unknown", "cs_unknown"), timeout=10)
    nobody = requests.get(address, timeout=10)
    status = requests.get(address.replace("products", "system_status"), timeout=10)

    assert (wrong.status_code, wrong.json()["code"]) == (401, "woocommerce_rest_authentication_error")
    assert wrong.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert {answer.json()["code"] for answer in (unknown, nobody, status)} == {"woocommerce_rest_cannot_view"}
    assert {answer.status_code for answer in (unknown, nobody, status)} == {401}


def test_keys_do_not_open_wordpress_itself(store: Store) -> None:
    answer = store.request("POST", "/wp-json/wp/v2/media", data=b"picture")

    assert (answer.status_code, answer.json()["code"]) == (401, "rest_cannot_create")


@pytest.mark.parametrize("kind", ["expired_token", "revoked_grant"])
def test_deleted_keys_open_nothing(store: Store, kind: str) -> None:
    store.control("POST", "faults", json={"kind": kind})

    answer = store.rest("GET", "products")

    assert (answer.status_code, answer.json()["code"]) == (401, "woocommerce_rest_cannot_view")


@pytest.mark.parametrize(("mode", "status"), [("firewall", 403), ("maintenance", 503), ("plain_permalinks", 404)])
def test_a_web_host_may_bar_the_way_in_html(store: Store, mode: str, status: int) -> None:
    store.control("POST", "hosting", json={"mode": mode})

    answer = store.rest("GET", "products")

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_web_host_may_put_notices_before_the_json(store: Store) -> None:
    store.control("POST", "hosting", json={"mode": "notice"})

    answer = store.rest("GET", "products")

    assert answer.status_code == 200
    assert answer.text.startswith("<br />\n<b>Notice</b>")
    assert answer.text.endswith("}]")


def test_a_web_host_may_swallow_the_header(store: Store) -> None:
    store.control("POST", "hosting", json={"mode": "strips_authorization"})
    query = {name: store.keys[name] for name in ("consumer_key", "consumer_secret")}

    assert store.rest("GET", "products").status_code == 401
    assert store.rest("GET", "products", params=query).status_code == 200


def test_a_throttle_is_the_firewalls_and_speaks_html(store: Store) -> None:
    store.control("POST", "faults", json={"kind": "rate_limit", "seconds": 3})

    answer = store.rest("GET", "products")

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_failure_of_the_store_is_json(store: Store) -> None:
    store.control("POST", "faults", json={"kind": "server_error"})

    answer = store.rest("GET", "products")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_server_error")


def test_plain_permalinks_name_the_route_in_the_query(store: Store) -> None:
    answer = store.request("GET", "/", params={"rest_route": "/wc/v3/products", "per_page": "1"})

    assert len(answer.json()) == 1


def test_the_ledger_shows_no_secret(store: Store, hub: Hub) -> None:
    query = {name: store.keys[name] for name in ("consumer_key", "consumer_secret")}
    store.rest("GET", "products", params=query)
    store.request("GET", AUTHORIZE, params=asked(hub, sandbox_consent="deny"))

    rows = store.control("GET", "requests")

    assert store.keys["consumer_secret"] not in rows.text
    assert store.keys["consumer_key"] not in rows.text
    assert "a+word" not in rows.text
    first = rows.json()["requests"][0]
    assert (first["tokenTail"], first["account"]) == (store.keys["consumer_key"][-4:], store.shop)


def test_the_state_lists_keys_without_their_secret(store: Store) -> None:
    (key,) = store.state("keys")

    assert set(key) == {"key_id", "description", "permissions", "truncated_key", "role"}
    assert key["truncated_key"] == store.keys["consumer_key"][-7:]


@pytest.mark.parametrize("body", [{"scopes": "all"}, {"role": "king"}, {"shop": "shop.com"}, {"x": 1}])
def test_keys_that_make_no_sense_are_not_made(store: Store, body: dict[str, str]) -> None:
    assert store.control("POST", "token", json=body).status_code == 422
