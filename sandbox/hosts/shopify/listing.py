"""Relay connections: one page of products in any sort order, and one page of a list that is at hand.

Which products exist is the catalogue's affair, what passes a `query:` that of `search`.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sandbox.hosts.shopify.catalogue import Catalogue, Span
from sandbox.hosts.shopify.ids import decode_cursor, encode_cursor, serial_of
from sandbox.hosts.shopify.search import Search, parse
from sandbox.store import Document

MOST_ENTRIES = 250
Value = str | int
_SORT_VALUES: dict[str, Callable[[Document], Value]] = {
    "TITLE": lambda product: product["title"].casefold(),
    "VENDOR": lambda product: product["vendor"].casefold(),
    "PRODUCT_TYPE": lambda product: product["productType"].casefold(),
    "UPDATED_AT": lambda product: product["updatedAt"],
    "INVENTORY_TOTAL": lambda product: sum(variant["inventoryQuantity"] for variant in product["variants"]),
}


class PagingRefused(Exception):
    """Paging arguments that Shopify refuses; the text is its answer."""


@dataclass(frozen=True, slots=True)
class Paging:
    """The arguments that every connection has; exactly one of `first` and `last`."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    reverse: bool = False

    def checked(self, most: int = MOST_ENTRIES) -> "Paging":
        """Itself; raises PagingRefused."""
        if self.first is None and self.last is None:
            raise PagingRefused("you must provide one of first or last")
        if self.first is not None and self.last is not None:
            raise PagingRefused("providing both first and last is not supported")
        name, size = ("first", self.first) if self.first is not None else ("last", self.last)
        if size is not None and size > most:
            raise PagingRefused(f"{name} cannot exceed {most}")
        if size is not None and size < 0:
            raise PagingRefused(f"{name} must be a positive integer")
        return self

    @property
    def size(self) -> int:
        """How many entries are wanted at most."""
        return self.first if self.first is not None else self.last or 0

    @property
    def is_backward(self) -> bool:
        """Whether the page is counted from the end."""
        return self.last is not None

    @property
    def start(self) -> tuple[Value, int] | None:
        """Where the page begins: what the cursor says; raises PagingRefused."""
        cursor = self.before if self.is_backward else self.after
        if cursor is None:
            return None
        try:
            return decode_cursor(cursor)
        except ValueError as error:
            raise PagingRefused("Invalid cursor for current pagination sort.") from error


@dataclass(frozen=True, slots=True)
class Slice:
    """One page; `cursors` stand beside `nodes`."""

    nodes: Sequence[Document]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool

    def connection(self) -> Document:
        """The page as a connection, ready for the executor."""
        return {
            "nodes": self.nodes,
            "edges": [{"cursor": c, "node": n} for c, n in zip(self.cursors, self.nodes, strict=True)],
            "pageInfo": {
                "hasNextPage": self.has_next,
                "hasPreviousPage": self.has_previous,
                "startCursor": self.cursors[0] if self.cursors else None,
                "endCursor": self.cursors[-1] if self.cursors else None,
            },
        }


def list_products(catalogue: Catalogue, shop: str, paging: Paging, sort: str = "ID", query: str | None = None) -> Slice:
    """One page of a shop's products; raises PagingRefused. In id and time order it costs as much as it shows."""
    paging = paging.checked()
    search = parse(query)
    start = paging.start
    found = list(islice(_ordered(catalogue, shop, paging, sort, search, start), paging.size + 1))
    more, shown = len(found) > paging.size, found[: paging.size]
    if paging.is_backward:
        shown.reverse()
    value_of = _SORT_VALUES.get(sort)
    cursors = [encode_cursor(p["number"], value_of(p) if value_of else p["number"]) for p in shown]
    return Slice(shown, cursors, *_edges(paging, more, start))


def count_products(catalogue: Catalogue, shop: str, query: str | None, limit: int | None) -> Document:
    """A Count: exact up to `limit`, else the limit and AT_LEAST."""
    if not query:
        total = catalogue.count(shop)
    else:
        search = parse(query)
        span = Span(since=search.since, until=search.until)
        passing = (product for product in catalogue.entries(shop, span) if search.test(product))
        total = sum(1 for _ in (passing if limit is None else islice(passing, limit + 1)))
    if limit is not None and total > limit:
        return {"count": limit, "precision": "AT_LEAST"}
    return {"count": total, "precision": "EXACT"}


def list_at_hand(entries: Sequence[Document], paging: Paging, most: int = MOST_ENTRIES) -> Slice:
    """One page of a short list, such as a product's variants; raises PagingRefused."""
    paging = paging.checked(most)
    ordered = list(reversed(entries)) if paging.reverse else list(entries)
    start = paging.start
    if start is not None:
        place = next((index for index, entry in enumerate(ordered) if entry["number"] == start[1]), None)
        if place is None:
            raise PagingRefused("Invalid cursor for current pagination sort.")
        ordered = ordered[:place] if paging.is_backward else ordered[place + 1 :]
    more = len(ordered) > paging.size
    shown = ordered[max(0, len(ordered) - paging.size) :] if paging.is_backward else ordered[: paging.size]
    return Slice(shown, [encode_cursor(e["number"], e["number"]) for e in shown], *_edges(paging, more, start))


def _edges(paging: Paging, more: bool, start: tuple[Value, int] | None) -> tuple[bool, bool]:
    """(has_next, has_previous): beyond the page in its direction, and whether it began behind something."""
    return (start is not None, more) if paging.is_backward else (more, start is not None)


def _ordered(
    catalogue: Catalogue, shop: str, paging: Paging, sort: str, search: Search, start: tuple[Value, int] | None
) -> Iterator[Document]:
    """Products from the start of the page on, in the page's direction, filtered."""
    descending = paging.reverse != paging.is_backward
    if sort == "UPDATED_AT":
        source = _by_update(catalogue, shop, descending, search, start)
    elif sort in _SORT_VALUES:
        source = _by_value(catalogue, shop, descending, search, start, _SORT_VALUES[sort], paging.size + 1)
    else:
        after = _serial(shop, start) if start else None
        source = catalogue.entries(shop, Span(after, descending, search.since, search.until))
    return filter(search.test, source)


def _serial(shop: str, start: tuple[Value, int]) -> int:
    serial = serial_of(shop, start[1])
    if serial is None or start[0] != start[1]:
        raise PagingRefused("Invalid cursor for current pagination sort.")
    return serial


def _by_update(
    catalogue: Catalogue, shop: str, descending: bool, search: Search, start: tuple[Value, int] | None
) -> Iterator[Document]:
    """Computed products come in the order of their times by themselves, so only the kept ones are sorted."""
    since, until = search.since, search.until
    if start and not _is_time(start[0]):
        raise PagingRefused("Invalid cursor for current pagination sort.")
    kept = sorted(catalogue.kept(shop), key=_moment, reverse=descending)
    if start and not descending:
        since = max(since or "", str(start[0]))
    elif start:
        until = min(until or "9999", str(start[0]))
    computed = catalogue.untouched(shop, Span(reverse=descending, since=since, until=until))
    merged = heapq.merge(kept, computed, key=_moment, reverse=descending)
    return (product for product in merged if start is None or _is_beyond(_moment(product), start, descending))


def _by_value(
    catalogue: Catalogue,
    shop: str,
    descending: bool,
    search: Search,
    start: tuple[Value, int] | None,
    value_of: Callable[[Document], Value],
    size: int,
) -> Iterator[Document]:
    """The page's share of all products, picked in one walk over the shop without holding more than the page."""

    def rank(product: Document) -> tuple[Any, int]:
        return value_of(product), product["number"]

    if start is not None and type(start[0]) is not (int if value_of is _SORT_VALUES["INVENTORY_TOTAL"] else str):
        raise PagingRefused("Invalid cursor for current pagination sort.")
    walk = (
        product
        for product in catalogue.entries(shop)
        if (start is None or _is_beyond(rank(product), start, descending)) and search.test(product)
    )
    pick = heapq.nlargest if descending else heapq.nsmallest
    return iter(pick(size, walk, key=rank))


def _moment(product: Document) -> tuple[str, int]:
    return product["updatedAt"], product["number"]


def _is_time(value: Value) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def _is_beyond(rank: tuple[Any, int], start: tuple[Any, int], descending: bool) -> bool:
    return rank < start if descending else rank > start
