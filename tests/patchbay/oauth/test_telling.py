"""What may be told of a call to a token endpoint: names, and the values of a few; whatever the answer looks like."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from patchbay.oauth.telling import Told, told

SECRET, NEW = "IGQVJ-the-token-of-ada", "IGQVJ-the-next-token"
AT = datetime(2026, 11, 21, tzinfo=UTC)


def call(method: str = "POST", **parts: Any) -> requests.PreparedRequest:
    return requests.Request(method, "https://graph.example/token", **parts).prepare()


def answer(body: object, status: int = 200) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return made


def heard(request: requests.PreparedRequest, response: requests.Response | None) -> Told:
    return told(request, response, started_at=AT, duration_ms=5)


def test_of_an_address_and_a_form_the_names_are_told() -> None:
    asked = {"grant_type": "ig_refresh_token", "access_token": SECRET, "client_id": "a-client"}

    by_address = heard(call("GET", params=asked), None)
    by_form = heard(call(data=asked, headers={"Authorization": f"Basic {SECRET}"}), None)

    masked = "grant_type=ig_refresh_token&access_token=***&client_id=***"
    assert by_address.url == f"https://graph.example/token?{masked}"
    assert by_form.request_body.decode() == masked
    assert (by_form.status, by_form.response_body, list(by_form.request_headers)) == (None, b"", ["content-type"])


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"access_token": NEW, "expires_in": 60, "ok": True}, {"access_token": "***", "expires_in": "60", "ok": True}),
        ({"data": [{"access_token": NEW, "user_id": 7}]}, {"data": [{"access_token": "***", "user_id": "***"}]}),
        ({"error": f"no {NEW}", "x": NEW}, {"error": "***", "x": "***"}),
        ({"error": f"no {SECRET}"}, {"error": "***"}),
        ({SECRET: 1}, {"***": "***"}),
        (
            {"error": {"type": "OAuthException", "message": SECRET}},
            {"error": {"type": "OAuthException", "message": "***"}},
        ),
    ],
)
def test_of_an_answer_the_names_and_what_is_no_secret_are_told(body: object, shown: object) -> None:
    outcome = heard(call(data={"refresh_token": SECRET}), answer(body))

    assert json.loads(outcome.response_body) == shown


@pytest.mark.parametrize(
    "body",
    [b"<!doctype html>" + NEW.encode(), b"\xff\xfe", f'"{NEW}"'.encode(), b"[" * 5000, b'{"a": 1' + b"0" * 5000 + b"}"],
)
def test_an_answer_of_any_other_form_is_told_by_its_size_or_masked(body: bytes) -> None:
    outcome = heard(call(data={"refresh_token": SECRET}), answer(body))

    assert NEW.encode() not in outcome.response_body
    assert len(outcome.response_body) < 100


def test_what_lies_too_deep_is_masked_unseen() -> None:
    body: object = NEW
    for _ in range(50):
        body = {"error": body}

    assert NEW.encode() not in heard(call(), answer(body)).response_body
