"""Speaking GraphQL to a shop: sending an operation, reading its envelope, its errors and its cost.

What is asked and what is done with it lives in `catalogue` and `publishing`.
"""

from typing import Any, Generic, TypeVar

import msgspec

from patchbay.errors import N_, PlatformError
from patchbay.spec import Answer, Api, Budget, Request

API = "https://{shop}/admin/api/2026-10/graphql.json"

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


def budget(answer: Answer) -> Budget | None:
    """The bucket that every GraphQL answer reports."""
    if b'"throttleStatus"' not in answer.body:
        return None
    try:
        cost = msgspec.json.decode(answer.body, type=Costly).extensions.cost
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # whoever reads the data says what is wrong with the answer
    status = cost.throttle_status
    spent = cost.requested_query_cost or 0.0
    return Budget(status.currently_available, status.maximum_available, status.restore_rate, spent)


def refill_s(answer: Answer) -> float | None:
    """How long until the bucket covers the refused request."""
    left = budget(answer)
    return None if left is None or not left.per_second else max(0.5, (left.cost - left.available) / left.per_second)
