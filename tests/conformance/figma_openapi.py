"""Figma's published OpenAPI document: a check of single exchanges, the scopes of each operation, the token addresses.

What the tests beside this file ask of it is theirs to say.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.conformance.openapi import Document
from tests.conformance.openapi_schemas import Schemas
from tests.conformance.recording import Exchange
from tests.conformance.witness import NODE_MODULES

HOST = "api.figma.com"


@cache
def text() -> dict[str, Any]:
    """The document as it is published, but for one slip that its own words correct: a node may be null."""
    path = NODE_MODULES / "@figma/rest-api-spec/openapi/openapi.yaml"
    document: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    found = document["paths"]["/v1/files/{file_key}/nodes"]["get"]
    assert "the nodes map may contain values that are `null`" in found["description"]
    content = document["components"]["responses"]["GetFileNodesResponse"]["content"]["application/json"]
    nodes = content["schema"]["properties"]["nodes"]
    nodes["additionalProperties"] = {"oneOf": [nodes["additionalProperties"], {"type": "null"}]}
    return document


@cache
def figma() -> Document:
    """The document as a check."""
    return Document(text())


def flow() -> dict[str, Any]:
    """Addresses and scopes of the authorization code flow."""
    found: dict[str, Any] = text()["components"]["securitySchemes"]["OAuth2"]["flows"]["authorizationCode"]
    return found


@cache
def scopes() -> dict[str, frozenset[str]]:
    """The scopes of each operation, of which one is enough."""
    return {
        declared["operationId"]: frozenset(
            scope for way in declared.get("security", ()) for scope in way.get("OAuth2", ())
        )
        for path in text()["paths"].values()
        for declared in path.values()
    }


def operations(exchange: Exchange) -> list[str]:
    """What an exchange carried out, in the document's words."""
    return [_token_call(exchange)] if _token_call(exchange) else figma().operations(exchange)


def misfits(exchange: Exchange) -> list[str]:
    """Where an exchange differs from the document, each as a sentence."""
    if _token_call(exchange):
        return list(_in_token_call(exchange))
    return [*figma().misfits(exchange), *_in_error(exchange)]


def misfits_of_event(payload: Any) -> list[str]:
    """Where what a webhook was told differs from the schema of its event."""
    name = "".join(word.capitalize() for word in payload["event_type"].split("_"))
    return list(
        Schemas(text(), is_answer=False).errors({"$ref": f"#/components/schemas/Webhook{name}Payload"}, payload)
    )


def _in_error(exchange: Exchange) -> Iterator[str]:
    """Each error of the document repeats the status in its body, as the one value of an enum."""
    if exchange.host != HOST or exchange.status < 400:
        return
    try:
        told = json.loads(exchange.answer).get("status")
    except (ValueError, AttributeError):  # no object of JSON: that is found by its schema
        return
    if told != exchange.status:
        yield f"{exchange}: the body tells another status"


def _token_call(exchange: Exchange) -> str:
    """Which of the two token addresses it is, "" for neither."""
    for name in ("tokenUrl", "refreshUrl"):
        address = urlsplit(flow()[name])
        if (exchange.host, exchange.path) == (address.netloc, address.path):
            return name
    return ""


def _in_token_call(exchange: Exchange) -> Iterator[str]:
    """The document names the addresses alone; what RFC 6749 asks of a call there and of a success is checked."""
    if exchange.method != "POST":
        yield f"{exchange}: a token address takes POST"
    if exchange.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        yield f"{exchange}: the body is no form"
    wanted = "refresh_token" if _token_call(exchange) == "refreshUrl" else "code"
    if exchange.status < 400 and wanted not in parse_qs(exchange.body.decode()):
        yield f"{exchange}: {wanted} is missing"
