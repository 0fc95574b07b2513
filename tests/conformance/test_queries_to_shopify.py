"""Each GraphQL document that Patchbay sends to Shopify, and the data that answers it, against the schema.

The schema is written from Shopify's reference by hand: no installed package carries Shopify's own.
"""

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FragmentDefinitionNode,
    GraphQLSyntaxError,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    build_schema,
    parse,
    specified_rules,
    validate,
)
from graphql.execution import get_variable_values

from patchbay.providers import shopify
from patchbay.spec import Picture
from sandbox import hosts
from tests.conformance.conftest import Patchbay
from tests.conformance.graphql_answers import misfits
from tests.conformance.recording import Exchange, Record
from tests.conformance.shopify_calls import calls_of
from tests.conformance.witness import Reading, Witness

WITNESS = Witness(
    platform="Shopify",
    name="graphql-core's validation by the sandbox's schema",
    package="graphql-core",
    subject="Patchbay's GraphQL documents and variables, the data of the sandbox's answers",
)
UNWITNESSED = (
    "The GraphQL schema: no installed package carries Shopify's own, and the client has no query in it. The "
    "sandbox's schema is written by hand from the reference of 2026-10, so that a document which passes here is "
    "right as far as that reading is. The client carries queries and answers without looking into them.",
    "Query costs and the bucket of the GraphQL API. The client reads the REST limit.",
)
READING = Reading(calls_of)
SCHEMA = build_schema((Path(hosts.__path__[0]) / "shopify" / "schema.graphql").read_text("utf-8"))
READING = Reading(
    calls_of, lambda exchange: misfits(SCHEMA, exchange) if exchange.path.endswith("/graphql.json") else ()
)
LINK = "https://patchbay.example/assets/mockup"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f0001050101"
    "1800d66d0000000049454e44ae426082"
)
OPERATIONS = {
    "import_products": "test_importing_asks_what_the_schema_has",
    "get_products": "test_listing_asks_what_the_schema_has",
    "publish_mockup": "test_publishing_asks_what_the_schema_has",
}


def documents() -> Iterator[tuple[str, str]]:
    """Name and text of every GraphQL operation that stands in the provider's modules."""
    names = [module.name for module in pkgutil.iter_modules(shopify.__path__, f"{shopify.__name__}.")]
    for module in map(importlib.import_module, [shopify.__name__, *names]):
        for name, value in vars(module).items():
            if isinstance(value, str) and is_operation(value):
                yield name, value


def is_operation(text: str) -> bool:
    try:
        definitions = parse(text).definitions
    except GraphQLSyntaxError:
        return False
    return any(isinstance(definition, OperationDefinitionNode) for definition in definitions)


DOCUMENTS = dict(documents())


@pytest.fixture
def hub(patchbay: Callable[..., Patchbay]) -> Patchbay:
    return patchbay("shopify", shop="demo-shop")


def queries(record: Record) -> list[Exchange]:
    return [exchange for exchange in record.exchanges if exchange.path.endswith("/graphql.json")]


def names_of(exchanges: list[Exchange]) -> set[str]:
    """The operation names in the documents that were sent, each checked against the schema with its variables."""
    return {checked(json.loads(exchange.body)) for exchange in exchanges}


def checked(body: dict[str, Any]) -> str:
    definitions = parse(body["query"]).definitions
    (operation,) = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
    assert all(isinstance(each, OperationDefinitionNode | FragmentDefinitionNode) for each in definitions)
    assert body["query"] in DOCUMENTS.values()
    values = get_variable_values(SCHEMA, operation.variable_definitions or (), body["variables"])
    assert not isinstance(values, list), values
    assert operation.name is not None
    return operation.name.value


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_valid_by_the_schema(name: str) -> None:
    errors = validate(SCHEMA, parse(DOCUMENTS[name]), [*specified_rules, NoDeprecatedCustomRule])

    assert [error.message for error in errors] == []


def test_connecting_asks_what_the_schema_has(hub: Patchbay, record: Record) -> None:
    assert names_of(queries(record)) == {"Shop"}


def test_importing_asks_what_the_schema_has(hub: Patchbay, record: Record) -> None:
    rows = ["Handle,Title,Option1 Name,Option1 Value,Variant Price,Image Src,Image Position"]
    rows += [f"big,{'Big' if not n else ''},Size,{n},1.00,https://cdn.shopify.com/{n}.png,{n + 1}" for n in range(120)]
    hub.sandbox.fill("\n".join(rows).encode(), replace="1")

    hub.run("import_products")

    assert names_of(queries(record)) == {"Shop", "Products", "Variants", "Media"}


def test_listing_asks_what_the_schema_has(hub: Patchbay, record: Record) -> None:
    first = hub.run("get_products", limit=5)

    hub.run("get_products", limit=5, cursor=first["nextCursor"])

    assert names_of(queries(record)) == {"Shop", "Products"}


def test_publishing_asks_what_the_schema_has(hub: Patchbay, record: Record) -> None:
    (product, *_) = hub.run("get_products", limit=1)["products"]
    picture = Picture.of(PIXEL, filename="pixel.png", content_type="image/png", name="Pixel")

    hub.run("publish_mockup", {LINK: picture}, productId=product["id"], mockupUrls=[LINK])

    assert names_of(queries(record)) == {"Shop", "Products", "Target", "Stage", "AddMedia"}


def test_uninstalling_asks_what_the_schema_has(hub: Patchbay, record: Record) -> None:
    shopify.uninstall(hub.api)

    assert names_of(queries(record)) == {"Shop", "Uninstall"}


def test_every_operation_has_its_test_here() -> None:
    assert {operation.name for operation in shopify.PROVIDER.operations} == set(OPERATIONS)
    assert set(OPERATIONS.values()) <= set(globals())
