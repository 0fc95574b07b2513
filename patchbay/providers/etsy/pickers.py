"""What the fields of a new draft are picked from: categories, shipping, processing and return profiles of the shop.

The fields themselves stand in the declaration.
"""

from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any, Generic, TypeVar

import msgspec

from patchbay.providers.etsy.listings import API
from patchbay.spec import Api, Request

T = TypeVar("T")


class Found(msgspec.Struct, Generic[T]):
    results: list[T]


class Node(msgspec.Struct):
    id: int
    name: str
    children: list["Node"]


class ShippingProfile(msgspec.Struct):
    shipping_profile_id: int
    title: str | None = None
    is_deleted: bool = False


class ProcessingProfile(msgspec.Struct):
    readiness_state_id: int
    readiness_state: str = ""
    processing_days_display_label: str = ""


class ReturnPolicy(msgspec.Struct):
    return_policy_id: int
    accepts_returns: bool = False
    accepts_exchanges: bool = False
    return_deadline: int | None = None


def list_categories(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Categories whose path has all the words, by path; Etsy hands out its whole tree at once."""
    words = (values["search"] or "").lower().split()
    roots = api.read(api.send(Request("GET", f"{API}/seller-taxonomy/nodes")), Found[Node]).results
    found = [{"id": str(number), "name": path} for number, path in paths(roots, "") if has_all(path, words)]
    offset, limit = int(values["cursor"] or 0), values["limit"]
    end = offset + limit
    return {"categories": found[offset:end], "nextCursor": str(end) if end < len(found) else None}


def paths(nodes: list[Node], above: str) -> Iterator[tuple[int, str]]:
    """Each category with the names that lead to it."""
    for node in nodes:
        path = f"{above} › {unescape(node.name)}" if above else unescape(node.name)
        yield node.id, path
        yield from paths(node.children, path)


def has_all(text: str, words: list[str]) -> bool:
    """Whether every word occurs, case aside."""
    return all(word in text.lower() for word in words)


def list_shipping_profiles(api: Api, _values: Mapping[str, Any]) -> dict[str, Any]:
    """How the shop ships."""
    found = of_shop(api, "shipping-profiles", Found[ShippingProfile]).results
    profiles = [
        {"id": str(each.shipping_profile_id), "name": unescape(each.title or str(each.shipping_profile_id))}
        for each in found
        if not each.is_deleted
    ]
    return {"shippingProfiles": profiles}


def list_processing_profiles(api: Api, _values: Mapping[str, Any]) -> dict[str, Any]:
    """How long the shop takes until a thing is sent."""
    found = of_shop(api, "readiness-state-definitions", Found[ProcessingProfile], limit="100").results
    profiles = [
        {
            "id": str(each.readiness_state_id),
            "name": f"{each.readiness_state.replace('_', ' ')}, {each.processing_days_display_label}".strip(", "),
        }
        for each in found
    ]
    return {"processingProfiles": profiles}


def list_return_policies(api: Api, _values: Mapping[str, Any]) -> dict[str, Any]:
    """What the shop takes back."""
    found = of_shop(api, "policies/return", Found[ReturnPolicy]).results
    return {"returnPolicies": [{"id": str(each.return_policy_id), "name": policy_name(each)} for each in found]}


def policy_name(policy: ReturnPolicy) -> str:
    """A return policy has no name of its own, so its terms stand for it."""
    taken = [
        word for word, is_so in (("returns", policy.accepts_returns), ("exchanges", policy.accepts_exchanges)) if is_so
    ]
    days = f", {policy.return_deadline} days" if taken and policy.return_deadline else ""
    return (" and ".join(taken) or "no returns") + days


def of_shop(api: Api, resource: str, shape: type[T], **params: str) -> T:
    """A list of the connected shop."""
    return api.read(api.send(Request("GET", f"{API}/shops/{api.account}/{resource}", params=params)), shape)
