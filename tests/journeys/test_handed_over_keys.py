"""The address where platforms hand over keys, which anybody can post to: only the nonce of a connect opens it, once."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from sqlalchemy import select

from patchbay.models import Connection, db
from tests.journeys.hubs import Browser, Hub, Person, at_once

STORE = "demo-store.example"
FORGED = {"consumer_key": f"ck_{'0' * 40}", "consumer_secret": f"cs_{'0' * 40}"}
ADDRESS = "/api/integrations/keys/woocommerce"


def nonce_of(address: str) -> str:
    """What the store is to say again, out of the address that the browser is sent to."""
    return dict(parse_qsl(urlsplit(address).query))["user_id"]


def hand_over(hub: Hub, nonce: str, path: str = ADDRESS, **keys: str) -> requests.Response:
    """Post keys as a store would, with nothing else to show for it."""
    body = {"key_id": 1, "key_permissions": "read_write", "user_id": nonce, **FORGED, **keys}
    return requests.post(f"{hub.url}{path}", json=body, allow_redirects=False, timeout=30)


def is_connected(person: Person) -> bool:
    return bool(person.card("woocommerce")["isConnected"])


def kept_keys(hub: Hub, person: Person) -> str:
    """What the vault holds for the person's store."""
    with hub.app.app_context():
        query = select(Connection).where(
            Connection.user_id == person.user_id, Connection.integration_id == "woocommerce"
        )
        return str(db.session.scalars(query).one().access_token)


def test_a_store_hands_its_keys_over_and_the_browser_comes_back(hub: Hub, ada: Person) -> None:
    ada.connect("woocommerce", store=STORE)

    assert is_connected(ada)
    assert kept_keys(hub, ada).startswith("ck_")
    assert ada.sync("woocommerce", "get_products").status_code == 200


def test_a_forged_nonce_opens_nothing(hub: Hub, ada: Person) -> None:
    nonce = nonce_of(ada.leave("woocommerce", store=STORE))

    answers = [hand_over(hub, forged) for forged in (nonce[:-1], f"{nonce}x", nonce[::-1], "", "%", "0")]

    assert {answer.status_code for answer in answers} == {404}
    assert not is_connected(ada)


def test_keys_that_the_store_did_not_make_connect_nothing(hub: Hub, ada: Person) -> None:
    nonce = nonce_of(ada.leave("woocommerce", store=STORE))

    taken = hand_over(hub, nonce)
    returned = ada.come_back({"success": "1", "user_id": nonce})

    assert taken.status_code == 200
    assert returned.status_code == 409
    assert returned.json()["type"] == "INVALID_CREDENTIALS"
    assert not is_connected(ada)


def test_a_nonce_takes_keys_once(hub: Hub, ada: Person) -> None:
    address = ada.leave("woocommerce", store=STORE)
    query = hub.sandbox.consent(address)

    before_the_return = hand_over(hub, nonce_of(address))
    assert ada.come_back(query).status_code == 200
    keys = kept_keys(hub, ada)
    after_the_return = hand_over(hub, nonce_of(address))

    assert before_the_return.status_code == after_the_return.status_code == 404
    assert kept_keys(hub, ada) == keys
    assert FORGED["consumer_key"] not in keys


def test_of_many_that_hand_over_at_once_one_is_heard(hub: Hub, ada: Person) -> None:
    nonce = nonce_of(ada.leave("woocommerce", store=STORE))

    answers = at_once(lambda: hand_over(hub, nonce).status_code, 6)

    assert sorted(answers) == [200, 404, 404, 404, 404, 404]


def test_a_replayed_return_connects_nothing_a_second_time(hub: Hub, ada: Person) -> None:
    query = hub.sandbox.consent(ada.leave("woocommerce", store=STORE))
    assert ada.come_back(query).status_code == 200
    ada.asked("POST", "/api/integrations/disconnect", json={"integrationId": "woocommerce"})

    again = ada.come_back(query)

    assert again.status_code == 400
    assert not is_connected(ada)


def test_the_nonce_of_another_connects_nothing_for_whoever_brings_it(
    hub: Hub, ada: Person, newcomer: Callable[[], Person]
) -> None:
    mallory = newcomer()
    query = hub.sandbox.consent(ada.leave("woocommerce", store=STORE))

    stolen = mallory.come_back(query)
    in_a_browser = Browser(mallory).call("GET", "/integrations/callback", params=query)
    nobody = requests.get(f"{hub.url}/integrations/callback", params=query, allow_redirects=False, timeout=30)

    assert stolen.status_code == 400
    assert in_a_browser.status_code == 303
    assert query["user_id"] not in in_a_browser.headers["Location"] + nobody.headers.get("Location", "")
    assert not is_connected(mallory)


def test_keys_of_ones_own_are_not_connected_for_another(hub: Hub, ada: Person, newcomer: Callable[[], Person]) -> None:
    mallory = newcomer()
    mine = nonce_of(mallory.leave("woocommerce", store=STORE))

    hand_over(hub, mine, **hub.sandbox.keys("woocommerce", {"store": STORE}))
    lured = ada.come_back({"success": "1", "user_id": mine})

    assert lured.status_code == 400
    assert not is_connected(ada)


@pytest.mark.parametrize("platform", ["shopify", "facebook", "google-drive", "pinterest", "nowhere"])
def test_other_platforms_take_no_keys(hub: Hub, ada: Person, platform: str) -> None:
    nonce = nonce_of(ada.leave("woocommerce", store=STORE))

    answer = hand_over(hub, nonce, f"/api/integrations/keys/{platform}")

    assert answer.status_code in {404, 409, 422}
    assert not is_connected(ada)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{", b'"text"', b"\xff\xfe", b"{}",
        json.dumps({"user_id": ["a"], **FORGED}).encode(),
        json.dumps({"user_id": {"a": 1}, "consumer_key": {}, "consumer_secret": []}).encode(),
        json.dumps({"user_id": "a" * 100_000, **FORGED}).encode(),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_hand_over_is_refused_with_a_reason(hub: Hub, body: bytes) -> None:
    answer = requests.post(f"{hub.url}{ADDRESS}", data=body, headers={"Content-Type": "application/json"}, timeout=30)

    told: dict[str, Any] = answer.json()
    assert answer.status_code in {400, 404, 413, 422}
    assert told["success"] is False
    assert "consumer_secret" not in str(told.get("fields", {}).values())


def test_other_ways_to_call_it_are_refused(hub: Hub, ada: Person) -> None:
    nonce = nonce_of(ada.leave("woocommerce", store=STORE))
    form = {"user_id": nonce, **FORGED}

    posted_as_form = requests.post(f"{hub.url}{ADDRESS}", data=form, timeout=30)
    in_the_address = requests.get(f"{hub.url}{ADDRESS}", params=form, timeout=30)

    assert posted_as_form.status_code == 415
    assert in_the_address.status_code == 405
    assert FORGED["consumer_secret"] not in "\n".join(hub.lines)
    assert not is_connected(ada)
