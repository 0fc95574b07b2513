"""Listing, looking at and cancelling runs over the JSON API."""

from collections.abc import Callable, Mapping

import pytest
from flask.testing import FlaskClient

from patchbay.models import User
from tests.stage import Queue, Walker

KeyFor = Callable[..., Mapping[str, str]]
SHAPE = {
    "id",
    "integrationId",
    "operation",
    "status",
    "progress",
    "counts",
    "createdAt",
    "startedAt",
    "endedAt",
}


@pytest.fixture
def headers(ada: User, connect: Walker, key_for: KeyFor) -> Mapping[str, str]:
    """Of a key of Ada, who is connected to the demo shop."""
    connect(ada, "shopify", shop="demo-shop")
    return key_for(ada, "runs:read", "runs:write")


@pytest.fixture
def run_id(client: FlaskClient, headers: Mapping[str, str]) -> str:
    """An import of Ada's that nobody has taken up."""
    return _start(client, headers, operation="import_products")


def test_a_run_that_waits_for_a_worker_has_the_shape_of_the_contract(
    client: FlaskClient, headers: Mapping[str, str], run_id: str
) -> None:
    run = client.get(f"/api/runs/{run_id}", headers=headers).get_json()

    assert set(run) == SHAPE
    assert (run["integrationId"], run["operation"], run["status"]) == ("shopify", "import_products", "queued")
    assert run["progress"] == {"done": 0, "total": None}
    assert set(run["counts"]) == {"read", "created", "updated", "unchanged", "deleted", "failed"}
    assert (run["startedAt"], run["endedAt"]) == (None, None)


def test_a_run_that_succeeded_tells_its_times_counts_and_data(
    client: FlaskClient, headers: Mapping[str, str], run_id: str, queue: Queue
) -> None:
    queue.run_all()

    run = client.get(f"/api/runs/{run_id}", headers=headers).get_json()

    assert set(run) == SHAPE | {"data"}
    assert run["status"] == "succeeded"
    assert run["progress"]["done"] == run["counts"]["created"] == 12
    assert run["startedAt"].endswith("Z")
    assert run["endedAt"] >= run["startedAt"]
    assert len(run["data"]["products"]) == 12


def test_the_list_is_newest_first_and_leaves_the_data_out(
    client: FlaskClient, headers: Mapping[str, str], queue: Queue
) -> None:
    started = [_start(client, headers, operation="get_products", data={"limit": limit}) for limit in (1, 2, 3)]
    queue.run_all()

    listed = client.get("/api/runs", headers=headers).get_json()

    assert [run["id"] for run in listed["data"]] == started[::-1]
    assert all(set(run) == SHAPE for run in listed["data"])
    assert listed["nextCursor"] is None


def test_the_list_is_read_on_with_its_cursor(client: FlaskClient, headers: Mapping[str, str]) -> None:
    started = [_start(client, headers, operation="get_products", data={"limit": limit}) for limit in (1, 2, 3)]

    first = client.get("/api/runs?limit=2", headers=headers).get_json()
    rest = client.get(f"/api/runs?limit=2&cursor={first['nextCursor']}", headers=headers).get_json()

    assert [run["id"] for run in first["data"] + rest["data"]] == started[::-1]
    assert rest["nextCursor"] is None


def test_the_list_is_narrowed_by_integration_and_status(
    client: FlaskClient, headers: Mapping[str, str], run_id: str
) -> None:
    def ids(query: str) -> list[str]:
        return [run["id"] for run in client.get(f"/api/runs?{query}", headers=headers).get_json()["data"]]

    assert ids("integrationId=shopify&status=queued") == [run_id]
    assert ids("integrationId=&status=&cursor=&limit=") == [run_id]
    assert ids("integrationId=google-drive") == []
    assert ids("status=failed") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1e3", "limit"),
        ("limit=١", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=rec_00000000000000000000000000", "cursor"),
        ("cursor=%00", "cursor"),
        ("status=done", "status"),
        ("integrationId=nope", "integrationId"),
        ("integrationId=' OR 1=1 --", "integrationId"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_name(
    client: FlaskClient, headers: Mapping[str, str], query: str, field: str
) -> None:
    answer = client.get(f"/api/runs?{query}", headers=headers)

    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, [field])


def test_a_cancelled_run_is_answered_as_it_is_now(
    client: FlaskClient, headers: Mapping[str, str], run_id: str, queue: Queue
) -> None:
    answer = client.post(f"/api/runs/{run_id}/cancel", headers=headers)

    assert (answer.status_code, answer.get_json()["status"]) == (200, "cancelled")
    queue.run_all()
    assert client.get(f"/api/runs/{run_id}", headers=headers).get_json()["status"] == "cancelled"


def test_cancelling_what_has_ended_changes_nothing(
    client: FlaskClient, headers: Mapping[str, str], run_id: str, queue: Queue
) -> None:
    queue.run_all()

    answer = client.post(f"/api/runs/{run_id}/cancel", headers=headers, json={})

    assert (answer.status_code, answer.get_json()["status"]) == (200, "succeeded")


@pytest.mark.parametrize("path", ["{}", "{}/cancel"])
def test_anothers_run_is_not_found(
    client: FlaskClient, headers: Mapping[str, str], cleo: User, key_for: KeyFor, run_id: str, path: str
) -> None:
    method = "POST" if path.endswith("cancel") else "GET"

    answer = client.open(f"/api/runs/{path.format(run_id)}", method=method, headers=key_for(cleo))

    assert (answer.status_code, answer.get_json()["type"]) == (404, "NOT_FOUND")
    assert client.get(f"/api/runs/{run_id}", headers=headers).get_json()["status"] == "queued"
    assert client.get("/api/runs", headers=key_for(cleo)).get_json()["data"] == []


@pytest.mark.parametrize("run_id", ["nope", "run_" + "0" * 26, "a%00b", "%F0%9F%92%A9", "..", "x" * 5000])
def test_a_run_that_is_not_there_is_not_found(client: FlaskClient, ada: User, key_for: KeyFor, run_id: str) -> None:
    answer = client.get(f"/api/runs/{run_id}", headers=key_for(ada))

    assert (answer.status_code, answer.get_json()["type"]) == (404, "NOT_FOUND")


def _start(client: FlaskClient, headers: Mapping[str, str], **body: object) -> str:
    answer = client.post("/api/shopify-sync", headers=headers, json={"wait": 0, **body})
    return str(answer.get_json()["runId"])
