"""The address at which platforms hand keys over: open to all, and to nothing but keys that somebody waits for."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay import connections
from patchbay.connections import Caller, Outcome
from patchbay.models import Connection, User
from tests.stage import Sandbox

KeyFor = Callable[..., Mapping[str, str]]
Login = Callable[[FlaskClient, User], str]

ADDRESS = "/api/integrations/keys/woocommerce"
STORE = {"store": "demo-store.example"}


@pytest.fixture
def posted(app: Flask, ada: User, sandbox: Sandbox) -> dict[str, Any]:
    """What the store posts when Ada has said yes."""
    with app.app_context():
        nonce = connections.begin(Caller(ada.id), "woocommerce", STORE).state
    return {
        "key_id": 1, "user_id": nonce, "key_permissions": "read_write", **sandbox.keys("woocommerce", STORE)
    }  # fmt: skip


def come_back(app: Flask, user: User, posted: Mapping[str, Any]) -> Outcome:
    with app.app_context():
        query = {"success": "1", "user_id": posted["user_id"]}
        return connections.come_back(query, Caller(user.id)).outcome


def test_keys_are_taken_without_a_login_and_told_to_nobody(
    app: Flask, client: FlaskClient, ada: User, posted: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.post(ADDRESS, json=posted)

    assert (answer.status_code, answer.get_json()) == (200, {"success": True})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    for secret in (posted["consumer_key"], posted["consumer_secret"], posted["user_id"]):
        assert secret not in caplog.text
    assert come_back(app, ada, posted) is Outcome.CONNECTED


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json;charset=UTF-8", "application/json; charset=utf-8"]
)
def test_stores_name_their_json_in_many_ways(client: FlaskClient, posted: dict[str, Any], content_type: str) -> None:
    assert client.post(ADDRESS, data=json.dumps(posted), content_type=content_type).status_code == 200


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
def test_nothing_but_json_is_read(
    app: Flask, client: FlaskClient, ada: User, posted: dict[str, Any], content_type: str
) -> None:
    answer = client.post(ADDRESS, data=json.dumps(posted), content_type=content_type)

    assert (answer.status_code, answer.get_json()["type"]) == (415, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 415), (b"{", 400), (b"[]", 422), (b'"text"', 422), (b"null", 422), (b"7", 422), (b"\xff\xfe", 400),
        (b"{}", 422), (b"[" * 100_000, 400), (b'{"user_id": "\\ud800"}', 400), (b'{"a": ' * 50_000, 400),
    ],
)  # fmt: skip
def test_what_is_no_object_is_refused(client: FlaskClient, posted: dict[str, Any], body: bytes, status: int) -> None:
    content_type = "application/json" if body else None

    answer = client.post(ADDRESS, data=body, content_type=content_type)

    assert answer.status_code == status
    assert answer.get_json()["success"] is False


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_huge_body_is_not_read(client: FlaskClient, posted: dict[str, Any], is_announced: bool) -> None:
    body = json.dumps({**posted, "more": "x" * 2 * 1024 * 1024})
    length = {"CONTENT_LENGTH": str(len(body))} if is_announced else {"wsgi.input_terminated": True}

    answer = client.post(ADDRESS, data=body, content_type="application/json", environ_overrides=length)

    assert (answer.status_code, answer.get_json()["type"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"user_id": "forged"}, 404), ({"user_id": None}, 404), ({"user_id": ""}, 404), ({"user_id": ["x"]}, 404),
        ({"consumer_key": None}, 422), ({"consumer_secret": ""}, 422), ({"consumer_key": 7}, 422),
        ({"consumer_secret": "cs_\x00"}, 422), ({"consumer_key": "x" * 500_000}, 422),
    ],
)  # fmt: skip
def test_keys_that_are_none_or_of_nobody_are_refused(
    app: Flask, client: FlaskClient, ada: User, posted: dict[str, Any], changes: dict[str, Any], status: int
) -> None:
    answer = client.post(ADDRESS, json={**posted, **changes})

    assert answer.status_code == status
    for secret in (posted["consumer_key"], posted["consumer_secret"], posted["user_id"]):
        assert secret not in answer.get_data(as_text=True)
    assert client.post(ADDRESS, json=posted).status_code == 200


def test_keys_are_taken_once(client: FlaskClient, posted: dict[str, Any]) -> None:
    assert [client.post(ADDRESS, json=posted).status_code for _ in range(3)] == [200, 404, 404]


@pytest.mark.parametrize(
    ("platform", "status"), [("shopify", 422), ("google-drive", 422), ("onedrive", 409), ("nope", 404), ("", 404)]
)
def test_the_address_of_another_platform_takes_no_keys(
    client: FlaskClient, posted: dict[str, Any], platform: str, status: int
) -> None:
    assert client.post(f"/api/integrations/keys/{platform}", json=posted).status_code == status


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_keys_are_posted(client: FlaskClient, posted: dict[str, Any], method: str) -> None:
    assert client.open(ADDRESS, method=method, json=posted).status_code == 405


def test_a_browser_with_a_session_cannot_be_made_to_post_some(
    app: Flask, client: FlaskClient, cleo: User, login: Login, posted: dict[str, Any]
) -> None:
    login(client, cleo)

    answer = client.post(ADDRESS, json=posted, headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403


def test_a_key_that_is_none_is_refused_here_too(client: FlaskClient, posted: dict[str, Any]) -> None:
    assert client.post(ADDRESS, json=posted, headers={"Authorization": "Bearer pb_unknown"}).status_code == 401


def test_a_user_who_posts_keys_gets_nothing_for_themselves(
    app: Flask, client: FlaskClient, ada: User, cleo: User, key_for: KeyFor, posted: dict[str, Any]
) -> None:
    answer = client.post(ADDRESS, json=posted, headers=key_for(cleo))

    with app.app_context():
        theirs: Connection | None = connections.find(cleo.id, "woocommerce")
    assert answer.status_code == 200
    assert theirs is None
    assert come_back(app, cleo, posted) is Outcome.NOT_VERIFIED
    assert come_back(app, ada, posted) is Outcome.CONNECTED
