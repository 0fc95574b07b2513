"""Schedules over the JSON API: made, listed, changed, paused, removed; bad values refused; others' left alone."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay.models import User
from tests.stage import FrozenClock, Queue, Sandbox, Walker

KeyFor = Callable[..., Mapping[str, str]]
DAILY = {"repeat": "daily", "time": "09:00", "timeZone": "Europe/Berlin"}
SHAPE = {
    "id", "integrationId", "operation", "data", "repeat", "every", "weekdays", "time", "timeZone", "overlap",
    "isPaused", "nextAt", "held", "skippedAt", "lastRun", "createdAt", "updatedAt",
}  # fmt: skip


@pytest.fixture
def headers(frozen_clock: FrozenClock, ada: User, connect: Walker, key_for: KeyFor) -> Mapping[str, str]:
    """Of a key of Ada, who is connected to the demo shop."""
    connect(ada, "shopify", shop="demo-shop")
    return key_for(ada, "runs:read", "runs:write", "integrations:write")


def make(client: FlaskClient, headers: Mapping[str, str], **values: Any) -> Any:
    body = {"integrationId": "shopify", "operation": "import_products", **values}
    return client.post("/api/schedules", json=body, headers=headers)


def test_a_schedule_has_the_shape_that_is_documented(client: FlaskClient, headers: Mapping[str, str]) -> None:
    answer = make(client, headers, **DAILY)

    made = answer.get_json()
    assert (answer.status_code, set(made)) == (201, SHAPE)
    assert {name: made[name] for name in DAILY} == DAILY
    assert (made["overlap"], made["isPaused"], made["held"], made["lastRun"]) == ("skip", False, None, None)
    assert made["nextAt"].startswith("2027-03-02T08:0")
    assert client.get(f"/api/schedules/{made['id']}", headers=headers).get_json() == made


def test_an_import_has_one_schedule(client: FlaskClient, headers: Mapping[str, str]) -> None:
    make(client, headers, **DAILY)

    again = make(client, headers, repeat="hours", every=6)

    assert (again.status_code, again.get_json()["type"]) == (409, "CONFLICT")


def test_only_imports_of_what_is_connected_are_scheduled(client: FlaskClient, headers: Mapping[str, str]) -> None:
    action = make(client, headers, operation="get_products", **DAILY)
    unknown = make(client, headers, operation="import_dreams", **DAILY)
    elsewhere = make(client, headers, integrationId="etsy", operation="import_listings", **DAILY)

    assert (action.status_code, set(action.get_json()["fields"])) == (422, {"operation"})
    assert (unknown.status_code, set(unknown.get_json()["fields"])) == (422, {"operation"})
    assert elsewhere.status_code == 409


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({}, {"repeat"}),
        ({"repeat": "hours", "every": 0}, {"every"}),
        ({"repeat": "minutes", "every": 10**9}, {"every"}),
        ({"repeat": "minutes", "every": "20"}, {"every"}),
        ({"repeat": "hours", "every": 200}, {"every"}),
        ({"repeat": "daily", "time": "25:00"}, {"time"}),
        ({"repeat": "daily"}, {"time"}),
        ({**DAILY, "timeZone": "Mars/Olympus"}, {"timeZone"}),
        ({**DAILY, "repeat": "weekly", "weekdays": ["someday"]}, {"weekdays"}),
        ({**DAILY, "repeat": "weekly"}, {"weekdays"}),
        ({**DAILY, "every": 3}, {"every"}),
        ({**DAILY, "overlap": "twice"}, {"overlap"}),
        ({**DAILY, "colour": "red"}, {"colour"}),
        ({**DAILY, "time": "09:00\u0000"}, {"time"}),
    ],
)
def test_values_that_make_no_sense_are_named(
    client: FlaskClient, headers: Mapping[str, str], values: dict[str, Any], fields: set[str]
) -> None:
    answer = make(client, headers, **values)

    assert (answer.status_code, set(answer.get_json()["fields"])) == (422, fields)


def test_what_is_given_changes_and_the_rest_stays(client: FlaskClient, headers: Mapping[str, str]) -> None:
    path = f"/api/schedules/{make(client, headers, **DAILY).get_json()['id']}"

    later = client.patch(path, json={"time": "18:30"}, headers=headers).get_json()
    other = client.patch(path, json={"repeat": "hours", "every": 6}, headers=headers).get_json()
    wrong = client.patch(path, json={"every": 0}, headers=headers)

    assert (later["time"], later["timeZone"], later["repeat"]) == ("18:30", "Europe/Berlin", "daily")
    assert (other["repeat"], other["every"], other["time"], other["timeZone"]) == ("hours", 6, None, "Europe/Berlin")
    assert (wrong.status_code, set(wrong.get_json()["fields"])) == (422, {"every"})
    assert client.get(path, headers=headers).get_json()["every"] == 6


def test_paused_it_has_no_next_and_resumed_it_has(client: FlaskClient, headers: Mapping[str, str]) -> None:
    made = make(client, headers, **DAILY).get_json()
    path = f"/api/schedules/{made['id']}"

    paused = client.patch(path, json={"isPaused": True, "time": "10:00"}, headers=headers).get_json()
    resumed = client.patch(path, json={"isPaused": False}, headers=headers).get_json()

    assert (paused["isPaused"], paused["nextAt"]) == (True, None)
    assert (resumed["isPaused"], resumed["nextAt"][:14]) == (False, "2027-03-02T09:")


def test_removed_it_is_gone(client: FlaskClient, headers: Mapping[str, str]) -> None:
    path = f"/api/schedules/{make(client, headers, **DAILY).get_json()['id']}"

    removed = client.delete(path, headers=headers)

    assert removed.get_json() == {"success": True}
    assert client.get(path, headers=headers).status_code == 404
    assert client.delete(path, headers=headers).status_code == 404


def test_the_list_is_paged_and_narrowed(
    client: FlaskClient, headers: Mapping[str, str], ada: User, connect: Walker
) -> None:
    connect(ada, "etsy")
    first = make(client, headers, **DAILY).get_json()["id"]
    second = make(client, headers, integrationId="etsy", operation="import_listings", **DAILY).get_json()["id"]

    page = client.get("/api/schedules?limit=1", headers=headers).get_json()
    rest = client.get(f"/api/schedules?cursor={page['nextCursor']}", headers=headers).get_json()
    etsy = client.get("/api/schedules?integrationId=etsy", headers=headers).get_json()

    assert ([one["id"] for one in page["data"]], [one["id"] for one in rest["data"]]) == ([first], [second])
    assert ([one["id"] for one in etsy["data"]], rest["nextCursor"]) == ([second], None)


def test_somebody_elses_is_not_found(
    client: FlaskClient, headers: Mapping[str, str], cleo: User, key_for: KeyFor
) -> None:
    path = f"/api/schedules/{make(client, headers, **DAILY).get_json()['id']}"
    stranger = key_for(cleo)

    answers = [
        client.get(path, headers=stranger),
        client.patch(path, json={"isPaused": True}, headers=stranger),
        client.delete(path, headers=stranger),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert client.get("/api/schedules", headers=stranger).get_json()["data"] == []
    assert client.get(path, headers=headers).get_json()["isPaused"] is False


def test_a_key_needs_the_scopes_of_runs(
    client: FlaskClient, headers: Mapping[str, str], ada: User, key_for: KeyFor
) -> None:
    reader, other = key_for(ada, "runs:read"), key_for(ada, "records:read")

    assert make(client, reader, **DAILY).status_code == 403
    assert client.get("/api/schedules", headers=reader).status_code == 200
    assert client.get("/api/schedules", headers=other).status_code == 403


def test_disconnecting_keeps_it_and_says_that_nothing_will_start(
    app: Flask,
    client: FlaskClient,
    headers: Mapping[str, str],
    ada: User,
    connect: Walker,
    queue: Queue,
    sandbox: Sandbox,
) -> None:
    path = f"/api/schedules/{make(client, headers, **DAILY).get_json()['id']}"
    client.post("/api/integrations/disconnect", json={"integrationId": "shopify"}, headers=headers)
    apart = client.get(path, headers=headers).get_json()

    connect(ada, "shopify", shop="demo-shop")

    assert apart["nextAt"] is None
    assert client.get(path, headers=headers).get_json()["nextAt"].startswith("2027-03-02T08:0")
