"""Several operations in one call, and recipes, over the JSON API."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient

from patchbay.models import User
from tests.stage import Queue, Walker

KeyFor = Callable[..., Mapping[str, str]]


@pytest.fixture
def headers(ada: User, connect: Walker, key_for: KeyFor) -> Mapping[str, str]:
    """Of a key of Ada, who is connected to Drive."""
    connect(ada, "google-drive")
    return key_for(ada, "runs:read", "runs:write", "integrations:read")


def folder(name: str, integration: str = "google-drive") -> dict[str, Any]:
    return {"integrationId": integration, "operation": "create_folder", "data": {"folderName": name}, "label": name}


def test_every_part_is_started_and_told_of(client: FlaskClient, headers: Mapping[str, str], queue: Queue) -> None:
    answer = client.post(
        "/api/batches", json={"title": "Two", "parts": [folder("One"), folder("Two", "dropbox")]}, headers=headers
    )
    started = answer.get_json()
    queue.run_all()

    ended = client.get(f"/api/batches/{started['id']}", headers=headers).get_json()
    assert (answer.status_code, started["status"], ended["status"]) == (202, "working", "ended")
    assert [part["status"] for part in ended["parts"]] == ["succeeded", "failed"]
    assert ended["parts"][0]["data"]["folderPath"] == "One"
    assert ended["parts"][1]["error"]["type"] == "CONFLICT"
    assert "Dropbox" in ended["parts"][1]["error"]["userMessage"]


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([], "parts"),
        (["folder"], "parts.0"),
        ([{"integrationId": "google-drive"}], "parts.0.operation"),
        ([{**folder("One"), "when": "now"}], "parts.0.when"),
        ([folder("One")] * 101, "parts"),
        ("all", "parts"),
    ],
)
def test_parts_that_make_no_sense_are_named(
    client: FlaskClient, headers: Mapping[str, str], parts: object, field: str
) -> None:
    answer = client.post("/api/batches", json={"parts": parts}, headers=headers)

    assert answer.status_code == 422
    assert field in answer.get_json()["fields"]


def test_batches_are_listed_newest_first(client: FlaskClient, headers: Mapping[str, str]) -> None:
    ids = [
        client.post("/api/batches", json={"parts": [folder(name)]}, headers=headers).get_json()["id"] for name in "abc"
    ]

    first = client.get("/api/batches?limit=2", headers=headers).get_json()
    rest = client.get(f"/api/batches?limit=2&cursor={first['nextCursor']}", headers=headers).get_json()

    assert [one["id"] for one in first["data"] + rest["data"]] == ids[::-1]


def test_cancelling_ends_what_is_open(client: FlaskClient, headers: Mapping[str, str], queue: Queue) -> None:
    batch = client.post("/api/batches", json={"parts": [folder("One")]}, headers=headers).get_json()

    client.post(f"/api/batches/{batch['id']}/cancel", headers=headers)
    queue.run_all()

    ended = client.get(f"/api/batches/{batch['id']}", headers=headers).get_json()
    assert (ended["status"], ended["parts"][0]["status"]) == ("ended", "cancelled")


def test_recipes_say_what_they_ask_and_whether_they_are_possible(
    client: FlaskClient, headers: Mapping[str, str]
) -> None:
    found = client.get("/api/recipes", headers=headers).get_json()["data"]

    by_key = {one["key"]: one for one in found}
    assert len(by_key) >= 3
    assert by_key["new-products-to-folder"]["isPossible"] is False


def test_a_recipe_that_lacks_a_connection_is_a_conflict(client: FlaskClient, headers: Mapping[str, str]) -> None:
    answer = client.post("/api/recipes/new-products-to-folder", json={"data": {}}, headers=headers)

    assert answer.status_code == 409


def test_a_recipe_runs_to_its_end(
    client: FlaskClient, headers: Mapping[str, str], ada: User, connect: Walker, queue: Queue
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    values = {"shop": "shopify", "templateId": "tpl_tote", "storage": "google-drive", "folderName": "Totes"}

    batch = client.post("/api/recipes/new-products-to-folder", json={"data": values}, headers=headers).get_json()
    queue.run_all()

    ended = client.get(f"/api/batches/{batch['id']}", headers=headers).get_json()
    assert {part["status"] for part in ended["parts"]} == {"succeeded"}
    assert len(ended["parts"]) == 14
