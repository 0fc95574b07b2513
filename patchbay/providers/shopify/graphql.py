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


class Cost(msgspec.Struct):
    """What surrounds an answer; read apart from the data, because it is looked at for every answer."""

    extensions: dict[str, Any] = {}


def ask(api: Api, query: str, shape: type[T], *, is_repeatable: bool = True, **variables: Any) -> T:
    """Send a GraphQL operation; `shape` is an `Answered[...]` or a plain dict for small answers."""
    body = {"query": query, "variables": variables}
    return api.read(api.send(Request("POST", API, json=body, is_repeatable=is_repeatable)), shape)


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
    cost = (
        msgspec.json.decode(answer.body, type=Cost).extensions.get("cost")
        if b'"throttleStatus"' in answer.body
        else None
    )
    if not cost:
        return None
    status = cost["throttleStatus"]
    spent = float(cost.get("requestedQueryCost") or 0)
    return Budget(
        float(status["currentlyAvailable"]), float(status["maximumAvailable"]), float(status["restoreRate"]), spent
    )


def refill_s(answer: Answer) -> float | None:
    """How long until the bucket covers the refused request."""
    left = budget(answer)
    return None if left is None or not left.per_second else max(0.5, (left.cost - left.available) / left.per_second)
