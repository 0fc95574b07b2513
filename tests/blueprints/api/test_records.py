"""Reading records over the JSON API."""

from collections.abc import Callable, Mapping

import pytest
from flask.testing import FlaskClient

from patchbay.models import User
from tests.stage import Queue, Sandbox, Walker

KeyFor = Callable[..., Mapping[str, str]]


@pytest.fixture
def headers(ada: User, client: FlaskClient, connect: Walker, key_for: KeyFor, queue: Queue) -> Mapping[str, str]:
    """Of a key of Ada, who has imported the demo shop's 12 products."""
    connect(ada, "shopify", shop="demo-shop")
    headers = key_for(ada, "runs:write", "records:read")
    _import(client, headers, queue)
    return headers


def test_a_record_has_the_shape_of_the_contract(client: FlaskClient, headers: Mapping[str, str]) -> None:
    page = client.get("/api/records?limit=1", headers=headers).get_json()

    (record,) = page["data"]
    assert {"id", "externalId", "stream", "data", "firstSeenAt", "updatedAt", "deletedAt"} <= set(record)
    assert (record["stream"], record["deletedAt"]) == ("products", None)
    assert record["firstSeenAt"].endswith("Z")
    assert record["data"]["id"]
    assert {"title", "variants", "images", "options", "tags", "vendor"} <= set(record["data"])
    assert page["nextCursor"] == record["id"]


def test_all_pages_together_hold_each_record_once_in_the_order_of_ids(
    client: FlaskClient, headers: Mapping[str, str]
) -> None:
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = client.get(f"/api/records?limit=5&cursor={cursor}", headers=headers).get_json()
        seen += [record["id"] for record in page["data"]]
        cursor = page["nextCursor"]

    assert len(seen) == 12
    assert seen == sorted(set(seen))


def test_a_last_page_that_is_full_has_no_cursor(client: FlaskClient, headers: Mapping[str, str]) -> None:
    page = client.get("/api/records?limit=12", headers=headers).get_json()

    assert (len(page["data"]), page["nextCursor"]) == (12, None)


def test_fifty_records_are_given_unless_told_otherwise(
    client: FlaskClient, headers: Mapping[str, str], sandbox: Sandbox, queue: Queue
) -> None:
    sandbox.generate("shopify", count=60, seed=3)
    _import(client, headers, queue)

    page = client.get("/api/records", headers=headers).get_json()
    most = client.get("/api/records?limit=500", headers=headers).get_json()

    assert (len(page["data"]), len(most["data"])) == (50, 72)


def test_deleted_records_are_shown_when_asked_for(
    client: FlaskClient, headers: Mapping[str, str], sandbox: Sandbox, queue: Queue
) -> None:
    gone = client.get("/api/records?limit=1", headers=headers).get_json()["data"][0]
    sandbox.remove_product(gone["data"]["handle"])
    _import(client, headers, queue)

    def ids(query: str) -> list[str]:
        return [record["id"] for record in client.get(f"/api/records{query}", headers=headers).get_json()["data"]]

    assert len(ids("")) == len(ids("?deleted=without")) == 11
    assert len(ids("?deleted=with")) == 12
    assert ids("?deleted=only") == [gone["id"]]


def test_the_list_is_narrowed_by_integration_and_stream(client: FlaskClient, headers: Mapping[str, str]) -> None:
    def size(query: str) -> int:
        return len(client.get(f"/api/records?{query}", headers=headers).get_json()["data"])

    assert size("integrationId=shopify&stream=products") == 12
    assert size("integrationId=google-drive") == 0
    assert size("stream=listings") == 0


def test_anothers_records_are_not_listed(
    client: FlaskClient, headers: Mapping[str, str], cleo: User, key_for: KeyFor
) -> None:
    cursor = client.get("/api/records?limit=1", headers=headers).get_json()["nextCursor"]

    theirs = client.get("/api/records?deleted=with", headers=key_for(cleo)).get_json()
    by_cursor = client.get(f"/api/records?cursor={cursor}", headers=key_for(cleo)).get_json()

    assert (theirs["data"], by_cursor["data"]) == ([], [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("deleted=yes", "deleted"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("cursor=run_00000000000000000000000000", "cursor"),
        ("cursor=rec_%27%3B--", "cursor"),
        ("stream=" + "x" * 65, "stream"),
        ("stream=a%00b", "stream"),
        ("integrationId=Shopify", "integrationId"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_name(
    client: FlaskClient, ada: User, key_for: KeyFor, query: str, field: str
) -> None:
    answer = client.get(f"/api/records?{query}", headers=key_for(ada))

    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, [field])


def _import(client: FlaskClient, headers: Mapping[str, str], queue: Queue) -> None:
    client.post("/api/shopify-sync", headers=headers, json={"operation": "import_products", "wait": 0})
    queue.run_all()
