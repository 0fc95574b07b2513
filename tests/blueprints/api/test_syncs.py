"""Asking for operations over the JSON API, and what comes back within the wait."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.pool import QueuePool
from werkzeug.test import TestResponse

from blueprints.api import waiting
from patchbay.connections.seats import Seats
from patchbay.models import User, db
from tests.stage import Queue, Sandbox, Walker

KeyFor = Callable[..., Mapping[str, str]]
IMPORT = {"integrationId": "shopify", "operation": "import_products"}


@pytest.fixture
def headers(ada: User, connect: Walker, key_for: KeyFor) -> Mapping[str, str]:
    """Of a key of Ada, who is connected to the demo shop."""
    connect(ada, "shopify", shop="demo-shop")
    return key_for(ada, "runs:read", "runs:write", "records:read")


def sync(client: FlaskClient, headers: Mapping[str, str], **body: Any) -> TestResponse:
    """Call it."""
    return client.post("/api/integrations/sync", headers=headers, json=IMPORT | body)


@pytest.mark.usefixtures("worker")
def test_an_import_that_ends_in_time_answers_its_first_products(
    client: FlaskClient, headers: Mapping[str, str]
) -> None:
    answer = sync(client, headers)

    assert answer.status_code == 200
    assert answer.get_json()["success"] is True
    assert answer.get_json()["runId"].startswith("run_")
    data = answer.get_json()["data"]
    assert data["stream"] == "products"
    assert len(data["products"]) == 12
    assert data["counts"]["created"] == 12
    assert data["nextCursor"] is None
    assert {"id", "title", "description", "images", "variants"} <= set(data["products"][0])


@pytest.mark.usefixtures("worker")
def test_the_next_cursor_of_an_import_reads_on_in_the_records(
    client: FlaskClient, headers: Mapping[str, str], sandbox: Sandbox
) -> None:
    sandbox.generate("shopify", count=48, seed=1)

    data = sync(client, headers).get_json()["data"]

    rest = client.get(f"/api/records?cursor={data['nextCursor']}&limit=500", headers=headers).get_json()
    assert (len(data["products"]), len(rest["data"])) == (50, 10)
    assert rest["nextCursor"] is None


@pytest.mark.usefixtures("worker")
def test_the_address_of_a_platform_needs_no_integration_in_the_body(
    client: FlaskClient, headers: Mapping[str, str]
) -> None:
    without = client.post("/api/shopify-sync", headers=headers, json={"operation": "get_products"})
    named = client.post("/api/shopify-sync", headers=headers, json=IMPORT | {"operation": "get_products"})

    assert (without.status_code, named.status_code) == (200, 200)
    assert len(without.get_json()["data"]["products"]) == 12


def test_a_platforms_address_refuses_another_integration(client: FlaskClient, headers: Mapping[str, str]) -> None:
    body = {"integrationId": "google-drive", "operation": "get_products"}

    answer = client.post("/api/shopify-sync", headers=headers, json=body)

    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["integrationId"])


@pytest.mark.usefixtures("worker")
def test_the_address_of_a_platform_with_a_hyphen_is_understood(
    client: FlaskClient, ada: User, connect: Walker, key_for: KeyFor
) -> None:
    connect(ada, "google-drive")
    body = {"operation": "create_folder", "data": {"folderName": "Mockups"}}

    answer = client.post("/api/google-drive-sync", headers=key_for(ada), json=body)

    assert answer.status_code == 200
    assert answer.get_json()["data"]["folderId"]


def test_without_waiting_the_run_is_accepted_at_once(client: FlaskClient, headers: Mapping[str, str]) -> None:
    answer = sync(client, headers, wait=0)

    assert answer.status_code == 202
    assert set(answer.get_json()) == {"success", "runId", "status"}
    assert (answer.get_json()["success"], answer.get_json()["status"]) == (True, "queued")


def test_a_run_that_does_not_end_in_time_is_accepted(client: FlaskClient, headers: Mapping[str, str]) -> None:
    began = time.monotonic()

    answer = sync(client, headers, wait=1)

    assert answer.status_code == 202
    assert 1 <= time.monotonic() - began < 15  # without a word, 20


def test_an_open_import_is_returned_at_once_instead_of_a_second_one(
    client: FlaskClient, headers: Mapping[str, str]
) -> None:
    first = sync(client, headers, wait=0)
    began = time.monotonic()

    second = sync(client, headers, wait=60)

    assert time.monotonic() - began < 45
    assert (second.status_code, second.get_json()["runId"]) == (202, first.get_json()["runId"])


def test_actions_with_different_data_run_side_by_side(client: FlaskClient, headers: Mapping[str, str]) -> None:
    one = sync(client, headers, operation="get_products", data={"limit": 1}, wait=0)
    same = sync(client, headers, operation="get_products", data={"limit": 1}, wait=0)
    other = sync(client, headers, operation="get_products", data={"limit": 2}, wait=0)

    assert one.get_json()["runId"] == same.get_json()["runId"] != other.get_json()["runId"]


def test_many_callers_at_once_share_one_import(app: Flask, headers: Mapping[str, str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: sync(app.test_client(), headers, wait=0), range(8)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.get_json()["runId"] for answer in answers}) == 1


@pytest.mark.usefixtures("worker")
def test_a_run_that_fails_in_time_answers_its_cause(
    client: FlaskClient, headers: Mapping[str, str], sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "revoked_grant", times=0)

    answer = sync(client, headers)

    assert (answer.status_code, answer.get_json()["type"]) == (409, "TOKEN_EXPIRED")
    assert answer.get_json()["success"] is False
    assert answer.get_json()["error"] == answer.get_json()["userMessage"] != ""
    assert answer.get_json()["platform"] == "shopify"
    assert answer.get_json()["retryable"] is False
    assert answer.get_json()["runId"].startswith("run_")
    assert answer.get_json()["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.usefixtures("worker")
def test_an_answer_that_makes_no_sense_is_the_platforms_error(
    client: FlaskClient, headers: Mapping[str, str], sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "malformed", times=0)

    answer = sync(client, headers, operation="get_products")

    assert (answer.status_code, answer.get_json()["type"], answer.get_json()["platform"]) == (
        502,
        "API_ERROR",
        "shopify",
    )
    assert "%(" not in answer.get_json()["userMessage"]
    run = client.get(f"/api/runs/{answer.get_json()['runId']}", headers=headers).get_json()
    assert run["error"]["type"] == "API_ERROR"


@pytest.mark.usefixtures("worker")
def test_a_run_that_the_platform_slows_down_is_not_waited_for_in_vain(
    client: FlaskClient, headers: Mapping[str, str], sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "rate_limit", times=0, seconds=300)
    began = time.monotonic()

    answer = sync(client, headers, wait=20)

    assert (answer.status_code, answer.get_json()["status"]) == (202, "waiting")
    assert time.monotonic() - began < 18
    run = client.get(f"/api/runs/{answer.get_json()['runId']}", headers=headers).get_json()
    assert run["resumesAt"].endswith("Z")


def test_a_run_that_is_cancelled_while_somebody_waits_is_a_conflict(
    app: Flask, client: FlaskClient, headers: Mapping[str, str]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(sync, app.test_client(), headers, wait=60)
        run_id = _the_open_run(client, headers)

        client.post(f"/api/runs/{run_id}/cancel", headers=headers)

        answer = waiter.result(timeout=60)
    assert (answer.status_code, answer.get_json()["type"], answer.get_json()["runId"]) == (409, "CONFLICT", run_id)


def test_no_more_than_half_of_the_threads_wait(
    client: FlaskClient, headers: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Seats()
    monkeypatch.setattr(waiting, "seats", taken)
    taken.taken = 10_000
    began = time.monotonic()

    answer = sync(client, headers, wait=60)

    assert time.monotonic() - began < 45
    assert (answer.status_code, answer.get_json()["status"]) == (202, "queued")


def test_no_connection_to_the_database_is_held_while_a_call_waits(
    app: Flask, headers: Mapping[str, str], queue: Queue
) -> None:
    with app.app_context():
        pool = db.engine.pool
    assert isinstance(pool, QueuePool)

    with ThreadPoolExecutor(1) as threads:
        waiter = threads.submit(sync, app.test_client(), headers, wait=60)
        while not queue.hints():
            time.sleep(0.01)
        time.sleep(0.5)
        held = []
        for _ in range(50):
            time.sleep(0.01)
            held.append(pool.checkedout())
        queue.run_all()
        answer = waiter.result(timeout=60)

    assert held.count(0) > 20  # now and then it looks
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"integrationId": "nope"}, 404, None),
        ({"operation": "nope"}, 422, "operation"),
        ({"operation": ""}, 422, "operation"),
        ({"operation": 5}, 422, "operation"),
        ({"operation": "x" * 1000}, 422, "operation"),
        ({"integrationId": None}, 422, "integrationId"),
        ({"integrationId": ["shopify"]}, 422, "integrationId"),
        ({"wait": -1}, 422, "wait"),
        ({"wait": 61}, 422, "wait"),
        ({"wait": "5"}, 422, "wait"),
        ({"wait": 1.5}, 422, "wait"),
        ({"wait": True}, 422, "wait"),
        ({"wait": {}}, 422, "wait"),
        ({"wait": 10**40}, 422, "wait"),
        ({"data": []}, 422, None),
        ({"data": [1]}, 422, "data"),
        ({"data": "x"}, 422, "data"),
        ({"data": {"limit": 5}}, 422, "limit"),
        ({"operation": "get_products", "data": {"limit": 0}}, 422, "limit"),
        ({"operation": "get_products", "data": {"limit": {}}}, 422, "limit"),
        ({"operation": "get_products", "data": {"cursor": 5}}, 422, "cursor"),
        ({"operation": "publish_mockup", "data": {"productId": "x", "mockupUrls": ["y"]}}, 422, "productId"),
        ({"operation": "publish_mockup", "data": {"productId": "1", "mockupUrls": "y"}}, 422, "mockupUrls"),
        ({"operation": "publish_mockup", "data": {"productId": "1", "mockupUrls": [5]}}, 422, "mockupUrls"),
        (
            {"operation": "publish_mockup", "data": {"productId": "1", "mockupUrls": ["http://169.254.169.254/"]}},
            422,
            "mockupUrls",
        ),
        ({"extra": 1}, 422, "extra"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_started(
    client: FlaskClient, headers: Mapping[str, str], body: dict[str, object], status: int, field: str | None
) -> None:
    answer = sync(client, headers, **body)

    assert answer.status_code == status
    assert field is None or field in answer.get_json()["fields"]
    assert client.get("/api/runs", headers=headers).get_json()["data"] == []


def test_what_is_not_connected_cannot_be_synced(client: FlaskClient, cleo: User, key_for: KeyFor) -> None:
    answer = sync(client, key_for(cleo))

    assert (answer.status_code, answer.get_json()["type"], answer.get_json()["platform"]) == (
        409,
        "CONFLICT",
        "shopify",
    )


def test_an_announced_integration_cannot_be_synced(client: FlaskClient, cleo: User, key_for: KeyFor) -> None:
    answer = client.post("/api/pinterest-sync", headers=key_for(cleo), json={"operation": "import_pins"})

    assert (answer.status_code, answer.get_json()["platform"]) == (409, "pinterest")


def test_the_address_of_an_unknown_platform_is_not_found(client: FlaskClient, cleo: User, key_for: KeyFor) -> None:
    answer = client.post("/api/nope-sync", headers=key_for(cleo), json={"operation": "x"})

    assert answer.status_code == 404


def _the_open_run(client: FlaskClient, headers: Mapping[str, str]) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = client.get("/api/runs?status=queued", headers=headers).get_json()["data"]
        if found:
            return str(found[0]["id"])
        time.sleep(0.02)
    raise AssertionError("the run did not begin")
