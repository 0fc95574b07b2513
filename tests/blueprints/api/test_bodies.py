"""Bodies that nobody should send, against every call that takes one."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO

import pytest
from flask.testing import FlaskClient

from patchbay.models import User

KeyFor = Callable[..., Mapping[str, str]]

NEEDING_A_BODY = [
    "/api/integrations/connect",
    "/api/integrations/disconnect",
    "/api/integrations/sync",
    "/api/shopify-sync",
    "/api/mockups",
]
TAKING_A_BODY = [*NEEDING_A_BODY, "/api/integrations/list", "/api/runs/run_x/cancel"]
JSON = "application/json"


@pytest.mark.parametrize("path", TAKING_A_BODY)
@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"{'a': 1}",
        b"{} {}",
        b"nonsense",
        b"NaN",
        b'{"wait": Infinity}',
        b'{"a": 1e999}',
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\\ud800"}',
        b"[" * 50_000,
        b'{"a":' * 50_000,
        b"\x00",
    ],
)
def test_what_is_not_json_is_malformed(
    client: FlaskClient, ada: User, key_for: KeyFor, path: str, content: bytes
) -> None:
    answer = client.post(path, headers=key_for(ada), data=content, content_type=JSON)

    assert (answer.status_code, answer.get_json()["type"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", NEEDING_A_BODY)
def test_no_content_is_malformed_where_something_is_needed(
    client: FlaskClient, ada: User, key_for: KeyFor, path: str
) -> None:
    answer = client.post(path, headers=key_for(ada), data=b"", content_type=JSON)

    assert (answer.status_code, answer.get_json()["type"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", TAKING_A_BODY)
@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"5", b"true", b"[{}]"])
def test_what_is_no_object_is_refused(
    client: FlaskClient, ada: User, key_for: KeyFor, path: str, content: bytes
) -> None:
    answer = client.post(path, headers=key_for(ada), data=content, content_type=JSON)

    assert (answer.status_code, answer.get_json()["type"]) == (422, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", TAKING_A_BODY)
@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", ""]
)
def test_another_media_type_is_refused(
    client: FlaskClient, ada: User, key_for: KeyFor, path: str, media_type: str
) -> None:
    answer = client.post(path, headers=key_for(ada), data=b"{}", content_type=media_type)

    assert (answer.status_code, answer.get_json()["type"]) == (415, "VALIDATION_ERROR")
    assert JSON in answer.get_json()["userMessage"]


@pytest.mark.parametrize("path", TAKING_A_BODY)
def test_more_than_a_megabyte_is_too_large(client: FlaskClient, ada: User, key_for: KeyFor, path: str) -> None:
    content = json.dumps({"integrationId": "x" * (1024 * 1024)}).encode()

    answer = client.post(path, headers=key_for(ada), data=content, content_type=JSON)

    assert (answer.status_code, answer.get_json()["type"]) == (413, "TOO_LARGE")
    assert "1 MB" in answer.get_json()["userMessage"]


def test_a_body_of_unknown_length_is_counted_as_it_comes(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    stream = BytesIO(b'{"userId": "' + b"x" * (2 * 1024 * 1024) + b'"}')

    answer = client.post(
        "/api/integrations/list",
        headers=key_for(ada),
        input_stream=stream,
        content_type=JSON,
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )

    assert (answer.status_code, answer.get_json()["type"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize("path", TAKING_A_BODY)
def test_unknown_fields_are_named(client: FlaskClient, ada: User, key_for: KeyFor, path: str) -> None:
    answer = client.post(path, headers=key_for(ada), json={"colour": "red", "__proto__": {}, "": 1})

    assert answer.status_code == 422
    assert {"colour", "__proto__", ""} <= set(answer.get_json()["fields"])


@pytest.mark.parametrize("path", TAKING_A_BODY)
@pytest.mark.parametrize("user_id", [5, [], {}, True, ["usr_x"], "x" * 1000, "\u0000"])
def test_a_user_id_that_is_no_id_is_refused(
    client: FlaskClient, ada: User, key_for: KeyFor, path: str, user_id: object
) -> None:
    answer = client.post(path, headers=key_for(ada), json={"userId": user_id})

    assert answer.status_code == 422
    assert "userId" in answer.get_json()["fields"]


def test_a_media_type_with_a_charset_is_json_too(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    answer = client.post(
        "/api/integrations/list", headers=key_for(ada), data=b"{}", content_type="application/json; charset=utf-8"
    )

    assert answer.status_code == 200
