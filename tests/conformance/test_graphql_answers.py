"""The check of GraphQL answers: that it finds what does not fit, and lets pass what does."""

import json
from typing import Any

import pytest
from graphql import build_schema

from tests.conformance.graphql_answers import misfits
from tests.conformance.recording import Exchange

SCHEMA = build_schema(
    """
    type Query { shop: Shop!  node: Node  things: [Thing!]! }
    interface Node { id: ID! }
    type Shop { name: String!  size: Size  open: Boolean! }
    type Thing implements Node { id: ID!  count: Int!  note: String }
    enum Size { SMALL LARGE }
    """
)
QUERY = """
    query { shop { title: name size open } node { id ... on Thing { count } } things { ...Part } }
    fragment Part on Thing { id note }
"""
SHOP = {"title": "A", "size": "SMALL", "open": True}
THING = {"id": "1", "note": None}


def exchange(**data: Any) -> Exchange:
    answer = {"data": {"shop": SHOP, "node": None, "things": [THING], **data}}
    body, said = json.dumps({"query": QUERY}).encode(), json.dumps(answer).encode()
    return Exchange("POST", "acme.example", "/graphql", (), {}, body, 200, {}, said)


@pytest.mark.parametrize(
    "data",
    [{}, {"node": {"id": "1"}}, {"node": {"id": "1", "count": 2}}, {"things": []}, {"shop": {**SHOP, "size": None}}],
)
def test_what_was_asked_for_passes(data: dict[str, Any]) -> None:
    assert misfits(SCHEMA, exchange(**data)) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"shop": None}, "data.shop is null"),
        ({"shop": "A"}, "data.shop is no object"),
        ({"shop": {"size": None, "open": True}}, "data.shop.title is missing"),
        ({"shop": {**SHOP, "name": "A"}}, "data.shop.name was not asked for"),
        ({"shop": {**SHOP, "title": 7}}, "data.shop.title is no String: 7"),
        ({"shop": {**SHOP, "size": "HUGE"}}, "data.shop.size is no Size: 'HUGE'"),
        ({"shop": {**SHOP, "open": 1}}, "data.shop.open is no Boolean: 1"),
        ({"node": {"id": "1", "count": True}}, "data.node.count is no Int: True"),
        ({"things": {}}, "data.things is no list"),
        ({"things": [None]}, "data.things[0] is null"),
        ({"things": [{"id": "1"}]}, "data.things[0].note is missing"),
    ],
)
def test_what_does_not_fit_is_named(data: dict[str, Any], said: str) -> None:
    assert misfits(SCHEMA, exchange(**data)) == [said]


def test_an_answer_that_brings_errors_is_left_alone() -> None:
    refused = Exchange(
        "POST", "acme.example", "/graphql", (), {}, json.dumps({"query": QUERY}).encode(), 200, {}, b'{"errors": [{}]}'
    )

    assert misfits(SCHEMA, refused) == []
