"""The one error shape, for whatever goes wrong under /api/."""

from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay import records
from patchbay.models import User

KeyFor = Callable[..., Mapping[str, str]]
SHAPE = {"success", "error", "type", "message", "userMessage", "retryable", "requestId"}


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/nothing", 404, "NOT_FOUND"),
        ("POST", "/api/nothing", 404, "NOT_FOUND"),
        ("GET", "/v1/nothing", 404, "NOT_FOUND"),
        ("PUT", "/api/runs", 405, "NOT_FOUND"),
        ("GET", "/api/integrations/connect", 405, "NOT_FOUND"),
        ("GET", "/api/shopify-sync", 405, "NOT_FOUND"),
        ("POST", "/api/mockups", 401, "UNAUTHENTICATED"),
    ],
)
def test_every_error_has_the_one_shape(client: FlaskClient, method: str, path: str, status: int, kind: str) -> None:
    answer = client.open(path, method=method)

    body = answer.get_json()
    assert answer.status_code == status
    assert set(body) == SHAPE
    assert (body["success"], body["type"], body["retryable"]) == (False, kind, False)
    assert body["error"] == body["userMessage"] != ""
    assert body["requestId"] == answer.headers["X-Request-Id"] != ""
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_foreign_host_name_has_the_one_shape_too(client: FlaskClient) -> None:
    answer = client.get("/api/runs", headers={"Host": "evil.example"})

    body = answer.get_json()
    assert (answer.status_code, body["type"], set(body)) == (400, "VALIDATION_ERROR", SHAPE)
    assert "evil.example" not in answer.get_data(as_text=True)


def test_a_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    answer = client.put("/api/runs")

    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_fault_of_ours_tells_nothing_of_itself(
    client: FlaskClient, ada: User, key_for: KeyFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is hunter2")

    monkeypatch.setattr(records, "page", fail)

    answer = client.get("/api/records", headers=key_for(ada))

    assert (answer.status_code, answer.get_json()["type"]) == (500, "INTERNAL_ERROR")
    assert "hunter2" not in answer.get_data(as_text=True)
    assert set(answer.get_json()) == SHAPE


def test_what_was_asked_for_is_not_repeated_in_the_error(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    answer = client.get("/api/runs/<script>alert(1)", headers=key_for(ada))

    assert answer.status_code == 404
    assert "script" not in answer.get_data(as_text=True)


def test_answers_carry_the_headers_of_every_answer(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    answer = client.get("/api/runs", headers=key_for(ada))

    assert answer.headers["X-Request-Id"].startswith("req_")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_outcome_is_json_for_who_asks_for_it_on_a_page_too(app: Flask) -> None:
    answer = app.test_client().get("/no-such-page", headers={"Accept": "application/json"})

    assert (answer.status_code, answer.get_json()["type"]) == (404, "NOT_FOUND")
