"""Several operations in one call, and recipes, over the JSON API."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay.models import User
from tests.providers.sample import mockup_of
from tests.stage import Queue, Sandbox, Walker

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
    client: FlaskClient, headers: Mapping[str, str], ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.generate("shopify", count=2, seed=1, shop="small.myshopify.com")
    connect(ada, "shopify", shop="small")
    values = {"shop": "shopify", "templateId": "tpl_tote", "storage": "google-drive", "folderName": "Totes"}

    batch = client.post("/api/recipes/new-products-to-folder", json={"data": values}, headers=headers).get_json()
    queue.run_all()

    ended = client.get(f"/api/batches/{batch['id']}", headers=headers).get_json()
    assert {part["status"] for part in ended["parts"]} == {"succeeded"}
    assert len(ended["parts"]) == 2 + 2


# -- whose they are


def test_nobody_sees_or_ends_the_batch_of_another(
    client: FlaskClient, headers: Mapping[str, str], cleo: User, key_for: KeyFor, queue: Queue
) -> None:
    batch = client.post("/api/batches", json={"parts": [folder("One")]}, headers=headers).get_json()
    theirs = key_for(cleo)

    statuses = [
        client.get(f"/api/batches/{batch['id']}", headers=theirs).status_code,
        client.post(f"/api/batches/{batch['id']}/cancel", headers=theirs).status_code,
    ]
    queue.run_all()

    ended = client.get(f"/api/batches/{batch['id']}", headers=headers).get_json()
    assert statuses == [404, 404]
    assert client.get("/api/batches", headers=theirs).get_json()["data"] == []
    assert ended["parts"][0]["status"] == "succeeded"


def test_the_pictures_of_another_fail_their_part_alone(
    app: Flask, client: FlaskClient, headers: Mapping[str, str], cleo: User, queue: Queue
) -> None:
    with app.app_context():
        theirs = mockup_of(cleo)
    saved = {"integrationId": "google-drive", "operation": "upload_file", "data": {"mockupUrls": [theirs]}}

    answer = client.post("/api/batches", json={"parts": [saved, folder("One")]}, headers=headers)
    queue.run_all()

    first, second = client.get(f"/api/batches/{answer.get_json()['id']}", headers=headers).get_json()["parts"]
    assert (first["status"], first["error"]["type"]) == ("failed", "VALIDATION_ERROR")
    assert second["status"] == "succeeded"


def test_a_key_that_only_writes_runs_reads_neither_batches_nor_pictures(
    client: FlaskClient, ada: User, key_for: KeyFor, headers: Mapping[str, str]
) -> None:
    writing = key_for(ada, "runs:write")

    batch = client.post("/api/batches", json={"parts": [folder("One")]}, headers=writing).get_json()

    paths = (f"/api/batches/{batch['id']}", "/api/batches", "/api/assets", "/api/records", "/api/recipes")
    assert [client.get(path, headers=writing).status_code for path in paths] == [403] * 5
    assert "data" not in batch["parts"][0]


# -- what makes no sense


@pytest.mark.parametrize(
    "part",
    [
        {**folder("One"), "integrationId": ["google-drive"]},
        {**folder("One"), "operation": {"name": "create_folder"}},
        {**folder("One"), "data": ["folderName"]},
        {**folder("One"), "data": "One"},
        {**folder("One"), "label": "x" * 256},
        {**folder("One"), "label": 7},
        {**folder("One"), "label": "a\x00b"},
        {**folder("One"), "userId": "usr_other"},
        None,
        [],
        7,
    ],
)
def test_a_part_that_makes_no_sense_starts_nothing(
    client: FlaskClient, headers: Mapping[str, str], part: object
) -> None:
    answer = client.post("/api/batches", json={"parts": [folder("One"), part]}, headers=headers)

    assert answer.status_code == 422
    assert all(name.startswith("parts.1") for name in answer.get_json()["fields"])
    assert client.get("/api/batches", headers=headers).get_json()["data"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "parts"), ({"parts": None}, "parts"), ({"parts": {}}, "parts"), ({"parts": [folder("One")], "x": 1}, "x"),
        ({"parts": [folder("One")], "title": "x" * 201}, "title"), ({"parts": [folder("One")], "title": []}, "title"),
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_refused_by_name(
    client: FlaskClient, headers: Mapping[str, str], body: dict[str, object], field: str
) -> None:
    answer = client.post("/api/batches", json=body, headers=headers)

    assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {field})


def test_parts_that_cannot_be_are_told_each_by_itself(
    client: FlaskClient, headers: Mapping[str, str], queue: Queue
) -> None:
    parts = [
        folder("One", "nope"),
        folder("One", "onedrive"),
        {**folder("One"), "operation": "fly"},
        {**folder("One"), "data": {"folderName": 7}},
        {"integrationId": "google-drive", "operation": "create_folder"},
    ]

    batch = client.post("/api/batches", json={"parts": parts}, headers=headers).get_json()
    queue.run_all()

    ended = client.get(f"/api/batches/{batch['id']}", headers=headers).get_json()
    assert [part["error"]["type"] for part in ended["parts"]] == ["NOT_FOUND", "CONFLICT", *["VALIDATION_ERROR"] * 3]
    assert ended["status"] == "ended"


@pytest.mark.parametrize(
    ("key", "body", "status"),
    [
        ("nope", {}, 404),
        ("mockups-to-feeds", {"data": []}, 422),
        ("mockups-to-feeds", {"data": {"caption": "x"}, "title": "x"}, 422),
        ("mockups-to-feeds", {"data": {"caption": "x", "mockupUrls": ["x"]}}, 409),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(
    client: FlaskClient, headers: Mapping[str, str], key: str, body: dict[str, object], status: int
) -> None:
    assert client.post(f"/api/recipes/{key}", json=body, headers=headers).status_code == status


def test_a_recipe_takes_no_values_that_it_does_not_ask_for(
    client: FlaskClient, headers: Mapping[str, str], ada: User, connect: Walker
) -> None:
    connect(ada, "facebook")
    data = {"caption": "New", "mockupUrls": ["https://example.org/a.png"], "userId": "usr_other"}

    answer = client.post("/api/recipes/mockups-to-feeds", json={"data": data}, headers=headers)

    assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {"mockupUrls", "userId"})
