"""A store's products in the order and with the filters that a call asks for, a page at a time.

By id and by time computed products stand in a known row, so that any page of millions is found by counting; other
orders and filters look at every product. Which parameters there are says `parameters`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.hosts.woocommerce import generation, numbers
from sandbox.hosts.woocommerce.catalogue import Catalogue
from sandbox.hosts.woocommerce.products import lowest_price
from sandbox.hosts.woocommerce.stores import Store, read_time
from sandbox.store import Document

Key = tuple[Any, ...]
Test = Callable[[Document], bool]

ORDERS: dict[str, Callable[[Document], Key]] = {
    "date": lambda document: (document["created"], document["id"]),
    "id": lambda document: (document["id"],),
    "modified": lambda document: (document["modified"], document["id"]),
    "title": lambda document: (document["name"].lower(), document["id"]),
    "slug": lambda document: (document["slug"], document["id"]),
    "price": lambda document: (float(lowest_price(document) or 0), document["id"]),
    "menu_order": lambda document: (document["menu_order"], document["name"].lower(), document["id"]),
    "popularity": lambda document: (document["id"],),  # nothing is sold here
    "rating": lambda document: (document["id"],),
}
_TIMES = {"date": "created", "modified": "modified"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. `tests` must all pass; `include` gives the ids whose own order is asked for with `include`."""

    order: str = "date"
    is_descending: bool = True
    offset: int = 0
    limit: int = 10
    tests: tuple[Test, ...] = ()
    include: tuple[int, ...] = ()


class Listing:
    """Lists of products; reads the catalogue, changes nothing."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def page(self, store: Store, wanted: Wanted) -> tuple[list[Document], int]:
        """The page, and how many products there are in all pages."""
        if not wanted.tests and wanted.order in ("id", *_TIMES):
            return _Row(self._catalogue, store, wanted.order).page(wanted)
        return self._searched(store, wanted)

    def count(self, store: Store) -> int:
        """How many products the store has outside of the trash."""
        return len(_Row(self._catalogue, store, "id"))

    def _searched(self, store: Store, wanted: Wanted) -> tuple[list[Document], int]:
        if wanted.order == "include":
            places = {post: place for place, post in enumerate(wanted.include)}
            found = sorted((places.get(each["id"], 0), each["id"]) for each in self._passing(store, wanted.tests))
        else:
            key = ORDERS[wanted.order]
            found = sorted((key(each) for each in self._passing(store, wanted.tests)), reverse=wanted.is_descending)
        posts = [key[-1] for key in found[wanted.offset : wanted.offset + wanted.limit]]
        documents = (self._catalogue.product(store, post) for post in posts)
        return [document for document in documents if document is not None], len(found)

    def _passing(self, store: Store, tests: tuple[Test, ...]) -> Iterator[Document]:
        for document in self._all(store):
            if all(test(document) for test in tests):
                yield document

    def _all(self, store: Store) -> Iterator[Document]:
        changed = set()
        for document in self._catalogue.kept(store):
            changed.add(numbers.index_of(document["id"]))
            yield document
        changed.update(self._catalogue.gone(store))
        for index in range(self._catalogue.computed_count(store)):
            if index not in changed:
                yield self._catalogue.computed(store, index)


class _Row:
    """All products of a store outside of the trash, by id or time; places in it are reckoned, not walked to."""

    def __init__(self, catalogue: Catalogue, store: Store, order: str) -> None:
        self._catalogue, self._store, self._time = catalogue, store, _TIMES.get(order)
        everything = list(catalogue.kept(store))
        changed = (numbers.index_of(document["id"]) for document in everything)
        self._away = sorted([*(index for index in changed if index is not None), *catalogue.gone(store)])
        self._count = catalogue.computed_count(store)
        self._kept = sorted((each for each in everything if each["status"] != "trash"), key=ORDERS[order])
        self._places = [place + self._computed_before(document) for place, document in enumerate(self._kept)]

    def __len__(self) -> int:
        return len(self._kept) + self._count - len(self._away)

    def page(self, wanted: Wanted) -> tuple[list[Document], int]:
        """The documents in the places asked for, and the length of the row."""
        places = range(wanted.offset, min(wanted.offset + wanted.limit, len(self)))
        last = len(self) - 1
        return [self._at(last - place if wanted.is_descending else place) for place in places], len(self)

    def _at(self, place: int) -> Document:
        before = bisect_left(self._places, place)
        if before < len(self._places) and self._places[before] == place:
            return self._kept[before]
        index = wanted = place - before
        while (further := wanted + bisect_right(self._away, index)) != index:
            index = further
        return self._catalogue.computed(self._store, index)

    def _computed_before(self, document: Document) -> int:
        """How many computed products that nobody changed stand in front of a kept one."""
        first = self._first_behind(document)
        return first - bisect_left(self._away, first)

    def _first_behind(self, document: Document) -> int:
        if self._time is None:
            index = numbers.index_of(document["id"])
            return 0 if index is None else min(index, self._count)
        passed = read_time(document[self._time]) - generation.BEGIN
        index = min(max(0, -(-passed // generation.STEP)), self._count)
        is_same_second = generation.created_at(index) == document[self._time]
        return index + 1 if is_same_second and numbers.product_id(index) < document["id"] else index
