"""Which calls of Shopify's APIs an exchange carries out, by the names of Shopify's documents.

Whether the calls are right is for the tests to say.
"""

import json
import re

from graphql import OperationDefinitionNode, parse
from graphql.language import FieldNode

from tests.conformance.recording import Exchange

_GRAPHQL = re.compile(r"/admin/api/[\d-]+/graphql\.json")
_REST = re.compile(r"/admin/(?:api/[\d-]+/)?(?P<resource>.+)\.json")


def calls_of(exchange: Exchange) -> list[str]:
    """`query products`, `mutation productUpdate`, `GET products/{id}.json`; none for what was refused."""
    if not exchange.host.endswith(".myshopify.com") or exchange.status >= 400:
        return []
    if _GRAPHQL.fullmatch(exchange.path):
        is_refused = "errors" in json.loads(exchange.answer)
        return [] if is_refused else root_fields(str(json.loads(exchange.body)["query"]))
    rest = _REST.fullmatch(exchange.path)
    if rest is None:
        return []
    return [f"{exchange.method} {re.sub('[0-9]+', '{id}', rest['resource'])}.json"]


def root_fields(document: str) -> list[str]:
    """The root fields that a GraphQL document asks for."""
    return [
        f"{definition.operation.value} {selection.name.value}"
        for definition in parse(document).definitions
        if isinstance(definition, OperationDefinitionNode)
        for selection in definition.selection_set.selections
        if isinstance(selection, FieldNode)
    ]
