"""The listings of every shop: kept ones and computed ones as one list, newest first.

What a listing looks like on the wire is in `shown`, what a new one must have in `drafts`.
"""

import heapq
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import islice

from sandbox.hosts.etsy import generation
from sandbox.hosts.etsy.ids import FIRST_KEPT, computed_id, computed_place, kept_id
from sandbox.hosts.etsy.sellers import SHOPS, Shop, shop_with
from sandbox.store import Document, Store


class Listings:
    """Reads and writes listings; a computed one is kept from its first change on, under its own number."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def transaction(self) -> AbstractContextManager[None]:
        """Several reads and writes as one."""
        return self._store.transaction()

    def get(self, listing_id: int) -> Document | None:
        """The listing with this number, whosever it is."""
        for shop in SHOPS:
            kept = self._store.get("listings", _key(shop, listing_id))
            if kept is not None:
                return kept
        place = computed_place(listing_id)
        if place is None or self._store.get("gone", _key(place[0], listing_id)) is not None:
            return None
        recipe = self._recipe(place[0])
        return generation.generated_listing(place[0], recipe["seed"], place[1]) if place[1] < recipe["count"] else None

    def add(self, shop: Shop, document: Document) -> Document:
        """Keep a new listing under the next number."""
        with self._store.transaction():
            document["listing_id"] = kept_id(self._store.next_number("listing"))
            for place, product in enumerate(document["products"]):
                product["id"] = document["listing_id"] * 10 + place
            self._store.put("listings", _key(shop, document["listing_id"]), document)
            return document

    def change(self, document: Document) -> Document:
        """Keep a changed listing; its time of change moves."""
        document["updated"] = int(time.time())
        self.keep(document)
        return document

    def keep(self, document: Document) -> None:
        """Keep a listing as it is."""
        self._store.put("listings", _key(_shop_of(document), document["listing_id"]), document)

    def delete(self, document: Document) -> None:
        """Take a listing out of its shop."""
        shop, listing_id = _shop_of(document), document["listing_id"]
        with self._store.transaction():
            self._store.delete("listings", _key(shop, listing_id))
            if listing_id < FIRST_KEPT:
                self._store.put("gone", _key(shop, listing_id), {})

    def generate(self, shop: Shop, count: int, seed: int) -> None:
        """Let the shop have exactly `count` computed listings; all it had before goes."""
        with self._store.transaction():
            for collection in ("listings", "gone", "images"):
                self._store.clear(collection, f"{shop.shop_id}/")
            self._store.put("recipes", str(shop.shop_id), {"count": count, "seed": seed})

    def count(self, shop: Shop, state: str | None = None) -> int:
        """How many listings the shop has, in one state or in all."""
        recipe = self._recipe(shop)
        kept = sum(1 for each in self._kept(shop) if state in (None, each["state"]))
        untouched = recipe["count"] if state is None else generation.count_in(state, recipe["count"])
        return kept + untouched - sum(1 for index in self._touched(shop) if state in (None, generation.state_of(index)))

    def count_pictures(self, shop: Shop) -> int:
        """How many pictures the shop's listings show."""
        kept = sum(len(each["images"]) for each in self._kept(shop))
        untouched = generation.picture_total(self._recipe(shop)["count"])
        return kept + untouched - sum(generation.picture_count(index) for index in self._touched(shop))

    def in_state(self, shop: Shop, state: str, offset: int, limit: int) -> list[Document]:
        """Part of a shop's listings in one state, newest first."""
        kept = [each for each in self._kept(shop) if each["state"] == state]
        recipe = self._recipe(shop)
        touched = frozenset(self._touched(shop))
        new = [each["listing_id"] for each in reversed(kept) if each["listing_id"] >= FIRST_KEPT]
        if len(new) == len(kept) and not touched:
            ids = new[offset : offset + limit]
            skipped = max(0, offset - len(new))
            ids += [computed_id(shop, index) for index in _newest(state, recipe["count"], skipped, limit - len(ids))]
        else:
            changed = (each["listing_id"] for each in reversed(kept))
            untouched = (
                computed_id(shop, index)
                for index in _newest(state, recipe["count"], 0, recipe["count"])
                if index not in touched
            )
            ids = list(islice(heapq.merge(changed, untouched, reverse=True), offset, offset + limit))
        return [found for listing_id in ids if (found := self.get(listing_id)) is not None]

    def after(self, shop: Shop, listing_id: int | None = None) -> Iterator[Document]:
        """All listings of a shop, oldest first, from behind one of them; fetched as they are asked for."""
        touched = frozenset(self._touched(shop))
        first = 0
        if listing_id is not None:
            place = computed_place(listing_id)
            first = place[1] + 1 if place and place[0] == shop else self._recipe(shop)["count"]
        computed = (
            computed_id(shop, index) for index in range(first, self._recipe(shop)["count"]) if index not in touched
        )
        begin = None if listing_id is None else _key(shop, listing_id)
        kept = (each["listing_id"] for _, each in self._store.each("listings", f"{shop.shop_id}/", begin))
        for each in heapq.merge(computed, kept):
            found = self.get(each)
            if found is not None:
                yield found

    def _kept(self, shop: Shop) -> list[Document]:
        return [document for _, document in self._store.each("listings", f"{shop.shop_id}/")]

    def _touched(self, shop: Shop) -> list[int]:
        """Indices of computed listings that were changed or deleted."""
        prefix = f"{shop.shop_id}/"
        end = f"{prefix}{FIRST_KEPT:012d}"
        found = [key for name in ("listings", "gone") for key, _ in self._store.each(name, prefix) if key < end]
        places = (computed_place(int(key.removeprefix(prefix))) for key in found)
        return [place[1] for place in places if place is not None]

    def _recipe(self, shop: Shop) -> Document:
        return self._store.get("recipes", str(shop.shop_id)) or {"count": 0, "seed": 0}


def _newest(state: str, count: int, offset: int, limit: int) -> Iterator[int]:
    """Indices of computed listings in a state, newest first."""
    total = generation.count_in(state, count)
    for number in range(total - 1 - offset, max(-1, total - 1 - offset - max(limit, 0)), -1):
        yield generation.nth_in(state, number)


def _key(shop: Shop, listing_id: int) -> str:
    return f"{shop.shop_id}/{listing_id:012d}"


def _shop_of(document: Document) -> Shop:
    shop = shop_with(document["shop_id"])
    if shop is None:
        raise LookupError("the listing belongs to no shop")
    return shop
