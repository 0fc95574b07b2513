"""The products of every shop: stored ones and computed ones as one list in the order of their ids.

Sorting and filtering for the API is in `listing`, what a product consists of in `products`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sandbox.hosts.shopify import generator
from sandbox.hosts.shopify.ids import FIRST_GENERATED, now_text, product_number, product_of, serial_of
from sandbox.hosts.shopify.products import NewProduct, assemble
from sandbox.store import Document, Store

_STEP = 251  # a full API page and the one entry that tells whether there is more


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a shop's list in id order: after this serial (before it with `reverse`), and a window of update times.

    The times are hints: computed products outside the window are left out unseen, others are the caller's to check.
    """

    after: int | None = None
    reverse: bool = False
    since: str | None = None
    until: str | None = None


class Catalogue:
    """Reads and writes products; every write is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def transaction(self) -> AbstractContextManager[None]:
        """Several reads and writes as one."""
        return self._store.transaction()

    def product(self, shop: str, number: int) -> Document | None:
        """The product with this number in this shop."""
        serial = serial_of(shop, number)
        if serial is None:
            return None
        if serial < FIRST_GENERATED:
            return self._store.get("products", _key(shop, serial))
        return self._computed(shop, serial)

    def owner_of(self, shop: str, part: int) -> Document | None:
        """The product that a variant, picture or option belongs to by its number."""
        return self.product(shop, product_of(part))

    def by_handle(self, shop: str, handle: str) -> Document | None:
        """The product with this handle in this shop."""
        found = self._store.get("handles", f"{shop}/{handle}")
        if found:
            return self.product(shop, product_number(shop, found["serial"]))
        index = generator.index_of_handle(handle)
        document = self._computed(shop, FIRST_GENERATED + index) if index is not None else None
        return document if document and document["handle"] == handle else None

    def count(self, shop: str) -> int:
        """How many products the shop has."""
        computed: int = self._recipe(shop)["count"]
        return self._store.count("products", f"{shop}/") + computed - self._store.count("gone", f"{shop}/")

    def count_media(self, shop: str) -> int:
        """How many pictures the shop's products have."""
        return sum(self._media_totals(shop).values())

    def entries(self, shop: str, span: Span | None = None) -> Iterator[Document]:
        """Products in id order, fetched as they are asked for."""
        span = span or Span()
        parts: list[Callable[[str, Span], Iterator[Document]]] = [self._stored_entries, self._computed_entries]
        for part in reversed(parts) if span.reverse else parts:
            yield from part(shop, span)

    def kept(self, shop: str) -> Iterator[Document]:
        """Stored products and changed computed ones, in no order that matters."""
        yield from self._stored_entries(shop, Span())
        yield from (document for _, document in self._store.each("overrides", f"{shop}/"))

    def untouched(self, shop: str, span: Span) -> Iterator[Document]:
        """Computed products that nobody changed, in the order of their ids, which is that of their times."""
        changed = {key for key, _ in self._store.each("overrides", f"{shop}/")}
        for serial, document in self._computed_range(shop, span):
            if _key(shop, serial) not in changed:
                yield document

    def add(self, shop: str, new: NewProduct) -> Document:
        """Store a new product; a taken handle gets the next free number behind it, as Shopify does."""
        with self._store.transaction():
            serial = self._store.next_number(f"serial/{shop}")
            document = assemble(shop, serial, new, now_text())
            document["handle"] = self.free_handle(shop, new.handle)
            self._write(shop, serial, document, None)
            return document

    def put_content(self, shop: str, new: NewProduct) -> Document:
        """Store a product under its handle: in place when the handle is known, else as a new one."""
        with self._store.transaction():
            previous = self.by_handle(shop, new.handle)
            serial = serial_of(shop, previous["number"]) if previous else None
            if serial is None:
                serial = self._store.next_number(f"serial/{shop}")
            document = assemble(shop, serial, new, now_text(), previous)
            if document is not previous:
                self._write(shop, serial, document, previous)
            return document

    def change(self, shop: str, document: Document, *, touch: bool = True) -> Document:
        """Store a changed product; its time of change moves unless `touch` is false."""
        with self._store.transaction():
            previous = self.product(shop, document["number"])
            serial = serial_of(shop, document["number"])
            if previous is None or serial is None:
                raise LookupError("the product is not in this shop")
            if touch:
                document["updatedAt"] = now_text()
            self._write(shop, serial, document, previous)
            return document

    def delete(self, shop: str, document: Document) -> None:
        """Take a product out of the shop."""
        serial = serial_of(shop, document["number"])
        if serial is None:
            raise LookupError("the product is not in this shop")
        with self._store.transaction():
            self._count_media(shop, serial, -len(document["media"]))
            self._store.delete("handles", f"{shop}/{document['handle']}")
            if serial < FIRST_GENERATED:
                self._store.delete("products", _key(shop, serial))
                return
            self._store.delete("overrides", _key(shop, serial))
            self._store.put("gone", _key(shop, serial), {})

    def clear(self, shop: str) -> None:
        """Take everything out of the shop, computed products too."""
        with self._store.transaction():
            self._store.clear("products", f"{shop}/")
            self._store.clear("handles", f"{shop}/")
            self._store.delete("media_totals", shop)
            self._forget_computed(shop)

    def generate(self, shop: str, count: int, seed: int) -> None:
        """Let the shop have `count` computed products; earlier computed ones go, stored ones stay."""
        with self._store.transaction():
            self._forget_computed(shop)
            self._store.put("recipes", shop, {"count": count, "seed": seed})
            self._count_media(shop, FIRST_GENERATED, generator.totals(count)["images"])

    def free_handle(self, shop: str, handle: str) -> str:
        """The handle, or with the first number behind it that nobody has."""
        wanted, number = handle, 0
        while self.by_handle(shop, wanted) is not None:
            number += 1
            wanted = f"{handle}-{number}"
        return wanted

    def _write(self, shop: str, serial: int, document: Document, previous: Document | None) -> None:
        if previous and previous["handle"] != document["handle"]:
            self._store.delete("handles", f"{shop}/{previous['handle']}")
        before = len(previous["media"]) if previous else 0
        self._count_media(shop, serial, len(document["media"]) - before)
        self._store.put("handles", f"{shop}/{document['handle']}", {"serial": serial})
        collection = "products" if serial < FIRST_GENERATED else "overrides"
        self._store.put(collection, _key(shop, serial), document)

    def _forget_computed(self, shop: str) -> None:
        for _, document in self._store.each("overrides", f"{shop}/"):
            self._store.delete("handles", f"{shop}/{document['handle']}")
        self._store.clear("overrides", f"{shop}/")
        self._store.clear("gone", f"{shop}/")
        self._store.delete("recipes", shop)
        self._store.put("media_totals", shop, self._media_totals(shop) | {"computed": 0})

    def _media_totals(self, shop: str) -> dict[str, int]:
        return self._store.get("media_totals", shop) or {"stored": 0, "computed": 0}

    def _count_media(self, shop: str, serial: int, more: int) -> None:
        """Keep the totals as pictures come and go; counting them anew would read every product."""
        if more:
            totals = self._media_totals(shop)
            totals["stored" if serial < FIRST_GENERATED else "computed"] += more
            self._store.put("media_totals", shop, totals)

    def _recipe(self, shop: str) -> Document:
        return self._store.get("recipes", shop) or {"count": 0, "seed": 0}

    def _computed(self, shop: str, serial: int) -> Document | None:
        recipe = self._recipe(shop)
        if serial - FIRST_GENERATED >= recipe["count"] or self._store.get("gone", _key(shop, serial)) is not None:
            return None
        changed = self._store.get("overrides", _key(shop, serial))
        return changed or generator.generated_product(shop, recipe["seed"], serial - FIRST_GENERATED)

    def _stored_entries(self, shop: str, span: Span) -> Iterator[Document]:
        cursor = None if span.after is None else _key(shop, span.after)
        while True:
            page = self._store.page("products", cursor, _STEP, prefix=f"{shop}/", reverse=span.reverse)
            yield from page.documents
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def _computed_entries(self, shop: str, span: Span) -> Iterator[Document]:
        changed = dict(self._store.each("overrides", f"{shop}/"))
        window = bool(span.since or span.until)
        # A changed product has left the window of its computed time, so all of them are looked at together.
        whole = Span(span.after, span.reverse) if window and changed else span
        for serial, document in self._computed_range(shop, whole):
            yield changed.get(_key(shop, serial), document)

    def _computed_range(self, shop: str, span: Span) -> Iterator[tuple[int, Document]]:
        recipe = self._recipe(shop)
        first, last = 0, recipe["count"]
        if span.since:
            first = max(first, generator.first_index_since(span.since, recipe["seed"]))
        if span.until:
            last = min(last, generator.first_index_since(span.until, recipe["seed"]) + 1)
        if span.after is not None and span.reverse:
            last = min(last, span.after - FIRST_GENERATED)
        elif span.after is not None:
            first = max(first, span.after - FIRST_GENERATED + 1)
        if first >= last:
            return
        gone = {key for key, _ in self._store.each("gone", f"{shop}/")}
        indexes = range(last - 1, first - 1, -1) if span.reverse else range(first, last)
        for index in indexes:
            serial = FIRST_GENERATED + index
            if _key(shop, serial) not in gone:
                yield serial, generator.generated_product(shop, recipe["seed"], index)


def _key(shop: str, serial: int) -> str:
    return f"{shop}/{serial:08d}"
