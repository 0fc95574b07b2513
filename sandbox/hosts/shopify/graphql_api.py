"""The GraphQL endpoint of a shop: reads a call, prices and throttles it, runs it, words its errors as Shopify does.

What fields mean is in `resolvers` and `mutations`. Sources: shopify.dev "GraphQL Admin API rate limits" and "Shopify
API response status and error codes" (read 2026-11).
"""

import logging
import math
import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    Executor,
    GraphQLError,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)
from werkzeug.wrappers import Request, Response

from sandbox.answers import as_json
from sandbox.grants import App, Grant
from sandbox.hosts.shopify.bucket import Buckets
from sandbox.hosts.shopify.call import Call, Resolver, kind_of, plain
from sandbox.hosts.shopify.catalogue import Catalogue
from sandbox.hosts.shopify.cost import MAX_QUERY_COST, Pricing
from sandbox.hosts.shopify.execution import QuickExecutor
from sandbox.hosts.shopify.file_mutations import FILE_MUTATIONS
from sandbox.hosts.shopify.media import Media
from sandbox.hosts.shopify.mutations import PRODUCT_MUTATIONS
from sandbox.hosts.shopify.oauth import OAuth
from sandbox.hosts.shopify.product_fields import PRODUCT_FIELDS
from sandbox.hosts.shopify.resolvers import ROOT_FIELDS
from sandbox.hosts.shopify.staging import Staging
from sandbox.store import Document, Store

log = logging.getLogger("sandbox.shopify")

BUCKET_SIZE = 2000
RESTORE_RATE = 100  # points a second, plan "Standard"
_DOCUMENTATION = "https://shopify.dev/api/usage/rate-limits"
_MOST_TOKENS = 20_000
_ONE_PRODUCT = frozenset({"product", "productByHandle", "productByIdentifier"})
# graphql-core's sentences and the codes that Shopify gives such errors
_CODES = (
    (re.compile(r"Cannot query field '(?P<fieldName>\w+)' on type '(?P<typeName>\w+)'"), "undefinedField"),
    (re.compile(r"Unknown argument '(?P<argumentName>\w+)' on field '(?P<name>[\w.]+)'"), "argumentNotAccepted"),
    (re.compile(r"Variable '\$(?P<variableName>\w+)' is not defined"), "variableNotDefined"),
    (re.compile(r"(?:Field|Argument) .* is required"), "missingRequiredArguments"),
    (re.compile(r"must have a selection of subfields|must not have a selection"), "selectionMismatch"),
    (re.compile(r"Variable '\$\w+' (?:got invalid|has invalid|of required|of non-null)"), "INVALID_VARIABLE"),
    (re.compile(r"Variable '\$\w+' of type .* used in position"), "variableMismatch"),
    (
        re.compile(r"cannot represent|does not exist in|Expected value of type|Expected type"),
        "argumentLiteralsIncompatible",
    ),
    (re.compile(r"Unknown fragment"), "useAndDefineFragment"),
    (re.compile(r"Unknown type"), "undefinedType"),
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that was read once, with what is wrong with it."""

    document: DocumentNode | None
    errors: list[Document] = field(default_factory=list)


class GraphQLApi:
    """GraphQL for all shops; the grant tells shop, app and scopes."""

    def __init__(self, store: Store, catalogue: Catalogue, media: Media, staging: Staging, oauth: OAuth) -> None:
        self._store, self._catalogue, self._media = store, catalogue, media
        self._staging, self._oauth = staging, oauth
        self.buckets = Buckets(BUCKET_SIZE, RESTORE_RATE)

    def handle(self, request: Request, grant: Grant, app: App) -> Response:
        """Answer one call; whatever is wrong with the query itself is said in HTTP 200."""
        owner = (grant.client_id, grant.account)
        asked = read_call(request)
        if asked is None:
            return as_json({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        query, variables, operation_name = asked
        prepared = prepare(query)
        if prepared.document is None or prepared.errors:
            return self._answer(owner, {"errors": prepared.errors}, 0, 0)
        call = Call(grant, app, self._store, self._catalogue, self._media, self._staging, self._oauth)
        executor = QuickExecutor.build(
            schema(),
            prepared.document,
            context_value=call,
            raw_variable_values=variables,
            operation_name=operation_name,
            field_resolver=plain,
            type_resolver=kind_of,
        )
        if isinstance(executor, list):
            return self._answer(owner, {"errors": [_worded(error) for error in executor]}, 0, 0)
        call.asks_one_product = _asks_one_product(executor.operation)
        return self._run(owner, executor)

    def throttled(self, seconds: float) -> Response:
        """The answer to a call that must wait: so many points are missing as come back in `seconds`, 20 at most."""
        missing = min(math.ceil(seconds * RESTORE_RATE), BUCKET_SIZE)
        requested = max(missing, MAX_QUERY_COST)
        return as_json(_throttled_body(requested, requested - missing))

    def _run(self, owner: tuple[str, str], executor: Executor[Any]) -> Response:
        pricing = Pricing(
            schema(), executor.operation, executor.fragment_definitions, dict(executor.variable_values.coerced)
        )
        requested = pricing.requested()
        if requested > MAX_QUERY_COST:
            return self._answer(owner, {"errors": [_too_dear(requested)]}, requested, None)
        granted, available = self.buckets.take(owner, requested)
        if not granted:
            return as_json(_throttled_body(requested, available))
        result = executor.execute_operation()
        data, errors = result.data, result.errors  # type: ignore[union-attr] # nothing here is awaited
        body: Document = {"data": data}
        if errors:
            body = {"errors": [_worded(error) for error in errors], "data": data}
        actual = min(pricing.actual(data), requested)
        self.buckets.settle(owner, requested - actual)
        return self._answer(owner, body, requested, actual)

    def _answer(self, owner: tuple[str, str], body: Document, requested: int, actual: int | None) -> Response:
        available = self.buckets.settle(owner, 0)
        return as_json({**body, "extensions": {"cost": _cost(requested, actual, available)}})


@cache
def schema() -> GraphQLSchema:
    """The schema with its resolvers; built once, when GraphQL is first used."""
    built = build_schema((Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8"))
    for type_name, fields in _fields().items():
        kind = built.type_map[type_name]
        if not isinstance(kind, GraphQLObjectType):
            raise TypeError(f"{type_name} is no object type")
        for name, resolver in fields.items():
            kind.fields[name].resolve = resolver
    size = built.type_map["UnsignedInt64"]
    if isinstance(size, GraphQLScalarType):
        size.coerce_input_value = _unsigned
    return built


def _fields() -> dict[str, dict[str, Resolver]]:
    return {**ROOT_FIELDS, **PRODUCT_FIELDS, "Mutation": {**PRODUCT_MUTATIONS, **FILE_MUTATIONS}}


@lru_cache(maxsize=256)
def prepare(query: str) -> Prepared:
    """The parsed and validated document, or the errors in Shopify's words."""
    try:
        document = parse(query, max_tokens=_MOST_TOKENS)
        return Prepared(document, [_worded(error) for error in validate(schema(), document)])
    except GraphQLError as error:
        return Prepared(None, [_worded(error)])
    except RecursionError:
        return Prepared(None, [{"message": "The query is nested too deeply"}])


def root_field(request: Request) -> str | None:
    """The first root field that a call asks for, for the ledger; None when it cannot be told."""
    asked = read_call(request)
    prepared = prepare(asked[0]) if asked else None
    if asked is None or prepared is None or prepared.document is None:
        return None
    operations = [node for node in prepared.document.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in operations if asked[2] is None or (node.name and node.name.value == asked[2])]
    names = [getattr(each, "name", None) for node in chosen for each in node.selection_set.selections]
    return str(names[0].value) if names and names[0] is not None else None


def read_call(request: Request) -> tuple[str, dict[str, Any], str | None] | None:
    """(query, variables, operation name) of a call in JSON or as application/graphql; None for what is no call."""
    if request.mimetype == "application/graphql":
        text = request.get_data().decode("utf-8", "replace")
        return (text, {}, None) if text.strip() else None
    try:
        body = msgspec.json.decode(request.get_data())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(body, dict):
        return None
    query, variables = body.get("query"), body.get("variables") or {}
    operation_name = body.get("operationName")
    if not isinstance(query, str) or not query.strip() or not isinstance(variables, dict):
        return None
    return query, variables, operation_name if isinstance(operation_name, str) and operation_name else None


def _asks_one_product(operation: OperationDefinitionNode) -> bool:
    names = [getattr(node, "name", None) for node in operation.selection_set.selections]
    return len(names) == 1 and names[0] is not None and names[0].value in _ONE_PRODUCT


def _unsigned(value: object) -> object:
    if isinstance(value, int | str) and not isinstance(value, bool) and re.fullmatch(r"\d{1,20}", str(value)):
        return str(value)
    raise GraphQLError("Expected an unsigned 64 bit number")


def _worded(error: GraphQLError) -> Document:
    """An error as Shopify lists it: its own code where the sentence is known."""
    worded: Document = {"message": error.message}
    if error.locations:
        worded["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        worded["path"] = error.path
    extensions = dict(error.extensions or {})
    for pattern, code in () if extensions else _CODES:
        match = pattern.search(error.message)
        if match:
            extensions = {"code": code, **match.groupdict()}
            if code == "undefinedField":
                worded["message"] = f"Field '{match['fieldName']}' doesn't exist on type '{match['typeName']}'"
            break
    if not extensions and error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        log.error("A field failed", exc_info=error.original_error)
        worded["message"] = "Internal error. Looks like something went wrong on our end."
        extensions = {"code": "INTERNAL_SERVER_ERROR"}
    return worded | ({"extensions": extensions} if extensions else {})


def _too_dear(cost: int) -> Document:
    return {
        "message": f"Query cost is {cost}, which exceeds the single query max cost limit ({MAX_QUERY_COST}).",
        "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": cost,
            "maxCost": MAX_QUERY_COST,
            "documentation": _DOCUMENTATION,
        },
    }


def _throttled_body(requested: int, available: int) -> Document:
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": _DOCUMENTATION}}
    return {"errors": [error], "extensions": {"cost": _cost(requested, None, available)}}


def _cost(requested: int, actual: int | None, available: int) -> Document:
    return {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": {
            "maximumAvailable": float(BUCKET_SIZE),
            "currentlyAvailable": available,
            "restoreRate": float(RESTORE_RATE),
        },
    }
