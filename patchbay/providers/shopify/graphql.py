"""Speaking GraphQL to a shop: sending an operation, reading its envelope, its errors and its cost.

What is asked and what is done with it lives in `catalogue` and `publishing`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec

from patchbay.errors import N_, PlatformError
from patchbay.spec import Answer, Api, Budget, Request, Throttle

API = "https://{shop}/admin/api/2026-10/graphql.json"

# Points, from "GraphQL Admin API rate limits": mutations cost 10, and no query may cost more than 1,000.
MUTATION_COST, OTHER_QUERY, DEAREST_QUERY = 10.0, 50.0, 1000.0

T = TypeVar("T")


class Answered(msgspec.Struct, Generic[T]):
    """The GraphQL envelope of an answer without errors."""

    data: T


class ThrottleStatus(msgspec.Struct, rename="camel"):
    maximum_available: float
    currently_available: float
    restore_rate: float


class Cost(msgspec.Struct, rename="camel"):
    throttle_status: ThrottleStatus
    requested_query_cost: float | None = None
    actual_query_cost: float | None = None


class Extensions(msgspec.Struct):
    cost: Cost


class Costly(msgspec.Struct):
    """What surrounds an answer; read apart from the data, because it is looked at for every answer."""

    extensions: Extensions


def ask(api: Api, query: str, shape: type[T], *, is_repeatable: bool = True, **variables: Any) -> T:
    """Send a GraphQL operation; `shape` is an `Answered[...]` or a plain dict for small answers."""
    return api.read(send(api, query, is_repeatable=is_repeatable, **variables), shape)


def send(api: Api, query: str, *, is_repeatable: bool = True, **variables: Any) -> Answer:
    """The same, unread."""
    body = {"query": query, "variables": variables}
    return api.send(Request("POST", API, json=body, is_repeatable=is_repeatable))


def mutate(api: Api, query: str, field: str, *, is_repeatable: bool = False, **variables: Any) -> dict[str, Any]:
    """Send a mutation and return its payload. Raises PlatformError with the shop's own words for user errors."""
    answer = ask(api, query, Answered[dict[str, dict[str, Any]]], is_repeatable=is_repeatable, **variables)
    payload = answer.data[field]
    if payload["userErrors"]:
        words = "; ".join(str(error["message"]) for error in payload["userErrors"])
        raise PlatformError(words, sentence=N_("Shopify did not accept this: %(words)s"), words=words)
    return payload


def read_budget(answer: Answer) -> tuple[Budget, ...]:
    """The bucket that every GraphQL answer reports; a refused query costs nothing."""
    if b'"throttleStatus"' not in answer.body:
        return ()
    try:
        cost = msgspec.json.decode(answer.body, type=Costly).extensions.cost
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()  # whoever reads the data says what is wrong with the answer
    status = cost.throttle_status
    return (
        Budget(
            status.currently_available,
            status.maximum_available,
            status.restore_rate,
            cost=cost.requested_query_cost or 0.0,
            spent=cost.actual_query_cost or 0.0,
        ),
    )


def refill_s(answer: Answer) -> float | None:
    """How long until the bucket covers the refused request."""
    for left in read_budget(answer):
        if left.per_second:
            return max(0.5, (left.cost - left.available) / left.per_second)
    return None


def alike(request: Request) -> str:
    """Queries with the same text and sizes cost the same before they run: what connections hold counts as full."""
    query, variables = _asked(request)
    sizes = [len(value) if isinstance(value, list | tuple) else value for value in variables.values()]
    counted = [size for size in sizes if isinstance(size, int)]
    return hashlib.sha256(f"{query} {counted}".encode()).hexdigest()[:16]


def estimate(request: Request) -> float:
    """The cost of a query that was never sent before: of many objects as much as any may cost, lest it be refused."""
    query, variables = _asked(request)
    if query.lstrip().startswith("mutation"):
        return MUTATION_COST
    return DEAREST_QUERY if variables.keys() & {"first", "ids"} else OTHER_QUERY


def _asked(request: Request) -> tuple[str, Mapping[str, Any]]:
    body = request.json if isinstance(request.json, dict) else {}
    return str(body.get("query", "")), body.get("variables", {})


# The smallest of all plans; every answer tells the bucket of the shop's own.
STANDARD_PLAN = Budget(2000.0, 2000.0, 100.0, cost=0.0)
THROTTLE = Throttle(budgets=(STANDARD_PLAN,), read=read_budget, alike=alike, cost=estimate)
