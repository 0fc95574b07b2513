"""Deletions, comparisons, rules, edits and clashes over the JSON API."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from blueprints.api import waiting
from patchbay import records, runs
from patchbay.models import Connection, User, transaction
from patchbay.records import edits, rules
from patchbay.spec import Item
from tests.stage import Queue, Walker, in_context

KeyFor = Callable[..., Mapping[str, str]]
Call = Callable[..., TestResponse]


@pytest.fixture
def shop(ada: User, connect: Walker) -> Connection:
    """Ada's shop."""
    return connect(ada, "shopify", shop="demo-shop")


@pytest.fixture
def call(client: FlaskClient, ada: User, key_for: KeyFor, shop: Connection, queue: Queue) -> Call:
    """Make a call with a key of Ada's, carry out what it asks for, and give its answer; the shop is imported."""
    headers = key_for(ada)

    def call(method: str, path: str, body: Any = None) -> TestResponse:
        answer = client.open(path, method=method, headers=headers, json=body)
        queue.run_all()
        return answer

    call("POST", "/api/shopify-sync", {"operation": "import_products", "wait": 0})
    return call


def plant(app: Flask, shop: Connection, *items: Item) -> None:
    with in_context(app), transaction() as session:
        records.upsert(session.merge(shop), "products", "run_of_a_test", items)


def strays(count: int) -> list[Item]:
    return [Item(f"gid://shopify/Product/9{n:04}", f"Gone {n}", {"id": str(n), "images": []}) for n in range(count)]


@pytest.fixture
def held(app: Flask, call: Call, shop: Connection) -> str:
    """The path of a run that would delete 30 records which the shop does not have."""
    plant(app, shop, *strays(30))
    run_id = call("POST", "/api/shopify-sync", {"operation": "import_products", "wait": 0}).get_json()["runId"]
    return f"/api/runs/{run_id}"


def test_a_run_says_what_it_waits_for_and_what_is_held(call: Call, held: str) -> None:
    run, page = call("GET", held).get_json(), call("GET", f"{held}/deletions?limit=20").get_json()
    rest = call("GET", f"{held}/deletions?limit=20&cursor={page['nextCursor']}").get_json()

    assert (run["status"], run["waitReason"]) == ("waiting", "confirm_deletions")
    assert (page["state"], page["count"], page["known"], page["canUndo"]) == ("held", 30, 42, False)
    assert (len(page["data"]), len(rest["data"]), rest["nextCursor"]) == (20, 10, None)


def test_a_run_that_asks_its_owner_is_not_waited_for(app: Flask, ada: User, held: str) -> None:
    began = time.monotonic()

    with in_context(app):
        run = waiting.until_ended(ada.id, runs.get(ada.id, held.rpartition("/")[2]), 40)

    assert run.is_asking
    assert time.monotonic() - began < 20


def test_held_deletions_are_confirmed_and_undone(call: Call, held: str) -> None:
    confirmed = call("POST", f"{held}/deletions/confirm").get_json()
    again = call("POST", f"{held}/deletions/keep")
    undone = call("POST", f"{held}/deletions/undo").get_json()

    assert (confirmed["status"], confirmed["counts"]["deleted"]) == ("succeeded", 30)
    assert (again.status_code, again.get_json()["type"]) == (409, "CONFLICT")
    assert (undone["state"], undone["restored"]) == ("undone", 30)
    assert len(call("GET", "/api/records?limit=500").get_json()["data"]) == 42


def test_an_import_that_missed_nothing_has_no_deletions(call: Call) -> None:
    run_id = call("GET", "/api/runs?limit=1").get_json()["data"][0]["id"]

    assert call("GET", f"/api/runs/{run_id}/deletions").status_code == 404


def test_a_stream_is_compared_and_repaired(app: Flask, call: Call, shop: Connection) -> None:
    plant(app, shop, *strays(1))
    compared = call("POST", "/api/integrations/compare", {"integrationId": "shopify", "stream": "products"})
    run_id = compared.get_json()["runId"]

    found = call("GET", f"/api/runs/{run_id}/differences?kind=deleted").get_json()
    repaired = call("POST", f"/api/runs/{run_id}/repair")

    assert (compared.status_code, repaired.status_code) == (202, 202)
    assert (found["same"], found["missing"], found["changed"], found["deleted"]) == (12, 0, 0, 1)
    assert (found["isWhole"], [row["title"] for row in found["data"]]) == (True, ["Gone 0"])
    repair = call("GET", f"/api/runs/{repaired.get_json()['runId']}").get_json()
    assert (repair["counts"]["unchanged"], repair["counts"]["deleted"]) == (12, 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"integrationId": "shopify"}, 422),
        ({"integrationId": "shopify", "stream": "orders"}, 404),
        ({"integrationId": "etsy", "stream": "listings"}, 409),
        ({"integrationId": "nowhere", "stream": "products"}, 404),
        ({"integrationId": "shopify", "stream": "products", "more": 1}, 422),
    ],
)
def test_a_comparison_that_cannot_be_is_refused(call: Call, body: dict[str, Any], status: int) -> None:
    assert call("POST", "/api/integrations/compare", body).status_code == status


def test_rules_are_read_and_changed_one_by_one(call: Call) -> None:
    path = "/api/integrations/shopify/streams/products/rules"

    changed = call("PATCH", path, {"deletionPercent": 50}).get_json()
    refused = call("PATCH", path, {"edits": "never", "deletionPercent": "many"})

    assert changed == {"deletionPercent": 50, "edits": "remote_wins", "comparesWeekly": True}
    assert call("GET", path).get_json() == changed
    assert set(refused.get_json()["fields"]) == {"edits", "deletionPercent"}


def test_a_record_is_edited_and_the_platforms_values_stay_visible(call: Call) -> None:
    first = call("GET", "/api/records?limit=1").get_json()["data"][0]
    path = f"/api/records/{first['id']}"

    edited = call("PATCH", path, {"data": {"title": "Mine"}}).get_json()
    one = call("GET", path).get_json()
    refused = call("PATCH", path, {"data": {"title": 7, "variants": []}})
    reverted = call("DELETE", f"{path}/edits").get_json()

    assert (edited["data"]["title"], edited["edited"]) == ("Mine", ["title"])
    assert one["platformData"] == first["data"]
    assert (refused.status_code, set(refused.get_json()["fields"])) == (422, {"variants"})
    assert (reverted["data"], reverted["edited"]) == (first["data"], [])


def test_a_clash_is_listed_and_decided(app: Flask, call: Call, shop: Connection, ada: User) -> None:
    first = call("GET", "/api/records?limit=1").get_json()["data"][0]
    with in_context(app):
        rules.change(shop, "products", {"edits": "ask"})
        edits.change(ada.id, first["id"], {"title": "Mine"})
    plant(app, shop, Item(first["externalId"], "Theirs", {**first["data"], "title": "Theirs"}))

    (clash,) = call("GET", "/api/records/clashes").get_json()["data"]
    decided = call("POST", f"/api/records/clashes/{clash['id']}", {"winner": "remote"}).get_json()

    assert (clash["field"], clash["local"], clash["remote"], clash["winner"]) == ("title", "Mine", "Theirs", "open")
    assert decided["winner"] == "remote"
    assert call("GET", f"/api/records/{first['id']}").get_json()["data"]["title"] == "Theirs"
    assert call("POST", f"/api/records/clashes/{clash['id']}", {"winner": "local"}).status_code == 409


def test_what_belongs_to_another_user_is_not_found(
    client: FlaskClient, call: Call, held: str, cleo: User, key_for: KeyFor
) -> None:
    record = call("GET", "/api/records?limit=1").get_json()["data"][0]["id"]
    hers = key_for(cleo)
    tries = [
        ("GET", f"{held}/deletions", None),
        ("POST", f"{held}/deletions/confirm", {}),
        ("POST", f"{held}/deletions/keep", {}),
        ("POST", f"{held}/deletions/undo", {}),
        ("GET", f"{held}/differences", None),
        ("POST", f"{held}/repair", {}),
        ("GET", f"/api/records/{record}", None),
        ("PATCH", f"/api/records/{record}", {"data": {"title": "Hers"}}),
        ("DELETE", f"/api/records/{record}/edits", None),
    ]

    answers = [client.open(path, method=method, headers=hers, json=body).status_code for method, path, body in tries]

    assert answers == [404] * len(tries)
