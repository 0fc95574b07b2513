"""The check by an OpenAPI document: that it finds what does not fit, and lets pass what does."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conformance.openapi import Document
from tests.conformance.recording import Exchange
from tests.conformance.witness import NODE_MODULES

JSON = {"content-type": "application/json; charset=utf-8"}
HOST = "api.acme.example"
DOCUMENT = yaml.safe_load((Path(__file__).parent / "openapi_example.yaml").read_text("utf-8"))
ACME = Document(DOCUMENT)
MUG = {"id": 7, "kind": "mug", "name": "Mug", "note": None, "volume": 0.3}


def exchange(
    method: str, path: str, query: str = "", body: Any = None, answer: Any = None, status: int = 200
) -> Exchange:
    pairs = tuple((name, text) for name, _, text in (pair.partition("=") for pair in query.split("&") if pair))
    return Exchange(
        method=method,
        host=HOST,
        path=f"/v1{path}",
        query=pairs,
        headers={"x-trace": "a1", **(JSON if body is not None else {})},
        body=json.dumps(body).encode() if body is not None else b"",
        status=status,
        answer_headers={"x-limit": "10", **(JSON if answer is not None else {})},
        answer=json.dumps(answer).encode() if answer is not None else b"",
    )


def listing(**changed: Any) -> Exchange:
    return exchange("GET", "/things", "limit=5", None, {"things": [{**MUG, **changed}], "next": None})


def form(body: bytes) -> Exchange:
    sent = exchange("POST", "/token", "", {}, {"access_token": "t"})
    return replace(sent, headers={"content-type": "application/x-www-form-urlencoded"}, body=body)


@pytest.mark.parametrize(
    "fitting",
    [
        listing(),
        listing(made_at="2026-11-21T10:00:00Z"),
        exchange("GET", "/things", "limit=5&tag=a&tag=b&ids=1,2&archived=true", None, {"things": [], "next": "n"}),
        exchange("GET", "/things/7", "", None, MUG),
        exchange("GET", "/things/new", "", None, {"template": "mug"}),
        exchange("GET", "/things/7", "", None, {"error": {"message": "no"}}, 404),
        exchange("POST", "/things", "", {"kind": "shirt", "name": "Tee", "size": "M"}, {**MUG}, 201),
        exchange("DELETE", "/things/7", status=204),
        form(b"grant_type=refresh_token&expires=5"),
        replace(exchange("GET", "/elsewhere"), host="other.example"),
    ],
    ids=str,
)
def test_what_fits_passes(fitting: Exchange) -> None:
    assert ACME.misfits(fitting) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (exchange("GET", "/nothing"), "no such operation"),
        (exchange("PUT", "/things/7"), "no such operation"),
        (exchange("GET", "/things", "", None, {"things": []}), "the query parameter limit is missing"),
        (exchange("GET", "/things", "limit=5&page=2", None, {"things": []}), "the query parameter page is unknown"),
        (exchange("GET", "/things", "limit=500", None, {"things": []}), "the query parameter limit: 500 is greater"),
        (exchange("GET", "/things", "limit=few", None, {"things": []}), "limit: 'few' is not of type 'integer'"),
        (exchange("GET", "/things", "limit=5&ids=1,x", None, {"things": []}), "parameter ids[1]: 'x' is not of type"),
        (exchange("GET", "/things", "limit=5&archived=yes", None, {"things": []}), "archived: 'yes' is not of type"),
        (exchange("GET", "/things/abc", "", None, MUG), "the path parameter id: 'abc' is not of type"),
        (replace(listing(), headers={}), "the header parameter X-Trace is missing"),
        (replace(listing(), answer_headers=JSON), "the header X-Limit is missing"),
        (replace(listing(), answer_headers={**JSON, "x-limit": "many"}), "the header parameter X-Limit: 'many'"),
        (replace(listing(), answer_headers={"x-limit": "1"}), "the answer is of no type, not application/json"),
        (replace(listing(), answer=b"{"), "the answer is not JSON"),
        (replace(listing(), status=202), "it does not answer 202"),
        (listing(colour="red"), "answer.things[0]: Additional properties are not allowed ('colour' was unexpected)"),
        (listing(id="7"), "answer.things[0].id: '7' is not of type 'integer'"),
        (listing(name=None), "answer.things[0].name: None is not of type 'string'"),
        (listing(volume=0), "answer.things[0].volume: 0 is less than or equal to the minimum"),
        (listing(kind="plate"), "answer.things[0].kind: 'plate' is not one of"),
        (listing(kind="shirt"), "answer.things[0]"),
        (listing(made_at="yesterday"), "answer.things[0].made_at: 'yesterday' is not a 'date-time'"),
        (exchange("POST", "/things", "", None, MUG, 201), "the body is missing"),
        (exchange("POST", "/things", "", {"id": 1, "kind": "shirt", "name": "T", "size": "M"}, MUG, 201), "'id' was"),
        (exchange("POST", "/things", "", {"kind": "shirt", "size": "M"}, MUG, 201), "'name' is a required property"),
        (exchange("DELETE", "/things/7", "", {}, status=204), "it takes no body"),
        (form(b"grant_type=password"), "body.grant_type: 'password' is not one of"),
        (form(b"grant_type=refresh_token&scope=a"), "body: Additional properties"),
        (exchange("GET", "/things/7", "", None, {"error": {"text": "no"}}, 500), "answer.error"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_does_not_fit_is_named(wrong: Exchange, said: str) -> None:
    misfits = ACME.misfits(wrong)

    assert misfits
    assert said in misfits[0]


def test_an_exchange_is_named_after_its_operation() -> None:
    assert ACME.operations(exchange("GET", "/things/7")) == ["getThing"]
    assert ACME.operations(exchange("DELETE", "/things/7")) == ["DELETE /things/{id}"]
    assert ACME.operations(exchange("GET", "/nothing")) == []


def test_null_is_said_in_the_words_of_version_3_1_too() -> None:
    text = json.dumps(DOCUMENT).replace('"type": "string", "nullable": true', '"type": ["string", "null"]')
    newer = Document({**json.loads(text), "openapi": "3.1.0"})

    assert "nullable" not in text
    assert newer.misfits(listing()) == []
    assert newer.misfits(listing(note=5)) == ["listThings: answer.things[0].note: 5 is not of type 'string', 'null'"]


def test_a_document_without_servers_is_read_for_one_that_is_given() -> None:
    here = Document({**DOCUMENT, "servers": [{"url": "/"}]}, server=f"https://{HOST}/v1")

    assert here.operations(exchange("GET", "/things/7")) == ["getThing"]


def test_a_document_of_the_real_size_tells_nodes_apart() -> None:
    path = NODE_MODULES / "@figma/rest-api-spec/openapi/openapi.yaml"
    figma = Document(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))
    answer = {"err": None, "images": {"1:2": "https://example.org/a.png", "1:3": None}}
    fitting = replace(exchange("GET", "/images/key", "ids=1:2,1:3", None, answer), host="api.figma.com")

    assert figma.misfits(fitting) == []
    assert figma.misfits(replace(fitting, answer=b'{"err": null}')) == [
        "getImages: answer: 'images' is a required property"
    ]
