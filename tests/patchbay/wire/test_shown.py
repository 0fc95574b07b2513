"""What of an exchange may be kept: enough to understand it, and nothing that proves who we are."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from patchbay import net
from patchbay.client.watch import Exchange
from patchbay.redaction import MASK
from patchbay.wire.shown import MOST_SHOWN_BYTES, Draft, Shown

TOKEN = "a-token-that-looks-like-nothing-special"


def exchange(answer: bytes = b"{}", kind: str = "application/json", **sent: Any) -> Exchange:
    given: dict[str, Any] = {"headers": {"Authorization": f"Bearer {TOKEN}"}, **sent}
    method, url = given.pop("method", "GET"), given.pop("url", "https://api.example.com/things")
    headers = {"content-type": kind, **given.pop("answer_headers", {})}
    return Exchange(net.Outgoing(method, url, **given), 200, headers, answer, "", 12, datetime.now(UTC), 1)


def shown(made: Exchange) -> Shown:
    return Draft.of(made).shown()


def everything(kept: Shown) -> str:
    return json.dumps(
        [kept.url, dict(kept.request_headers), kept.request_body, dict(kept.response_headers), kept.response_body]
    )


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"headers": {"X-Shopify-Access-Token": TOKEN}},
        {"headers": {"Authorization": f"Basic {TOKEN}"}},
        {"headers": {"x-api-key": f"keystring:{TOKEN}"}},
        {"params": {"access_token": TOKEN}},
        {"params": {"appsecret_proof": TOKEN}},
        {"url": f"https://api.example.com/upload?uploadType=resumable&upload_id={TOKEN}"},
        {"method": "POST", "form": {"client_secret": TOKEN, "grant_type": "refresh_token"}},
        {"method": "POST", "json": {"refresh_token": TOKEN}},
        {"answer": json.dumps({"access_token": TOKEN}).encode()},
        {"answer": json.dumps({"message": f"the token {TOKEN} has expired"}).encode()},
        {"answer_headers": {"set-cookie": f"session={TOKEN}"}},
        {"answer_headers": {"location": f"https://api.example.com/upload?upload_id={TOKEN}"}},
        {"headers": {}, "url": f"https://api.example.com/upload?uploadType=resumable&upload_id={TOKEN}"},
        {"headers": {}, "method": "POST", "form": {"image_url": f"https://patchbay.example/assets/{TOKEN}.jpg"}},
        {"headers": {}, "answer": json.dumps({"parameters": [{"name": "signature", "value": TOKEN}]}).encode()},
        {"headers": {}, "answer": json.dumps({"error": json.dumps({"access_token": TOKEN})}).encode()},
    ],
)
def test_no_secret_is_kept(sent: dict[str, Any]) -> None:
    assert TOKEN not in everything(shown(exchange(**sent)))


def test_names_stay_and_say_that_something_was_there() -> None:
    kept = shown(exchange(params={"access_token": TOKEN, "fields": "id"}))

    assert kept.request_headers["Authorization"] == MASK
    assert "access_token=***" in kept.url
    assert "fields=id" in kept.url


def test_a_long_body_is_cut() -> None:
    kept = shown(exchange(json.dumps({"text": "x" * 10_000}).encode()))

    assert len(kept.response_body) <= MOST_SHOWN_BYTES


def test_a_secret_on_the_edge_of_the_cut_is_masked() -> None:
    body = json.dumps({"text": "x" * (MOST_SHOWN_BYTES - 60), "access_token": TOKEN}).encode()

    assert TOKEN[:12] not in shown(exchange(body)).response_body


@pytest.mark.parametrize("before_cut", [10, 20, len(TOKEN) - 1])
def test_a_token_that_is_repeated_on_the_edge_of_the_cut_is_masked(before_cut: int) -> None:
    body = b"x" * (MOST_SHOWN_BYTES - before_cut) + TOKEN.encode()

    assert TOKEN[:5] not in shown(exchange(body)).response_body


def test_of_a_picture_its_kind_and_size_are_kept() -> None:
    kept = shown(exchange(b"\x89PNG" * 100, "image/png"))

    assert kept.response_body.startswith("[image/png, 400 bytes, SHA-256 ")


def test_odd_characters_can_be_stored() -> None:
    kept = shown(exchange(b'"\x00 \xff \xed\xa0\x80"'))

    assert "\x00" not in kept.response_body
    assert kept.response_body.encode()
