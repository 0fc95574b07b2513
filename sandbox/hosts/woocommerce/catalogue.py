"""The products and pictures of every store: made ones, which are kept, and computed ones, which are not.

Sorting, filtering and counting is in `listing`, what a product consists of in `products`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager

from sandbox.hosts.woocommerce import generation, numbers
from sandbox.hosts.woocommerce.demo import demo_products
from sandbox.hosts.woocommerce.products import slug_of
from sandbox.hosts.woocommerce.stores import Store, now_text
from sandbox.store import Document
from sandbox.store import Store as Shelf


class Catalogue:
    """Reads and writes; every write is one transaction. Keys are `store|id`, so that ids come in order."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def transaction(self) -> AbstractContextManager[None]:
        """Several reads and writes as one."""
        return self._shelf.transaction()

    def fill_demo(self, store: Store) -> None:
        """Give the store its first products."""
        for document, pictures in demo_products(lambda count: self.next_ids(store, count)):
            self.keep(store, document)
            for picture in pictures:
                self.keep_picture(store, picture)

    def product(self, store: Store, post: int) -> Document | None:
        """The product with this id, those in the trash too."""
        kept = self._shelf.get("products", _place(store, post))
        index = numbers.index_of(post)
        if kept is not None or index is None or numbers.product_id(index) != post:
            return kept
        if index >= self.computed_count(store) or self._shelf.get("gone", _place(store, post)) is not None:
            return None
        return self.computed(store, index)

    def kept(self, store: Store) -> Iterator[Document]:
        """Made products, and computed ones that were changed, by id."""
        return (document for _, document in self._shelf.each("products", f"{store.key}|"))

    def gone(self, store: Store) -> list[int]:
        """The indexes of computed products that were deleted."""
        found = (numbers.index_of(int(key.rpartition("|")[2])) for key, _ in self._shelf.each("gone", f"{store.key}|"))
        return [index for index in found if index is not None]

    def computed_count(self, store: Store) -> int:
        """How many computed products the store was given."""
        return int(self._recipe(store)["count"])

    def computed(self, store: Store, index: int) -> Document:
        """A computed product as it was before anybody changed it."""
        return generation.computed(self._recipe(store)["seed"], index)

    def generate(self, store: Store, count: int, seed: int) -> None:
        """Let the store have so many computed products; earlier computed ones go, made ones stay."""
        with self._shelf.transaction():
            for document in list(self.kept(store)):
                if numbers.index_of(document["id"]) is not None:
                    self._shelf.delete("products", _place(store, document["id"]))
            self._shelf.clear("gone", f"{store.key}|")
            self._shelf.put("recipes", store.key, {"count": count, "seed": seed})

    def add(self, store: Store, document: Document) -> Document:
        """Keep a new product under the next id; a slug that is taken gets a number behind it."""
        with self._shelf.transaction():
            document["id"] = self.next_ids(store, 1)
            wanted = slug_of(document["slug"] or document["name"])
            document["slug"] = self._free_slug(store, wanted or str(document["id"]))
            self.keep(store, document)
            return document

    def change(self, store: Store, document: Document) -> None:
        """Keep a changed product; its time of change moves."""
        document["modified"] = now_text()
        self.keep(store, document)

    def keep(self, store: Store, document: Document) -> None:
        """Keep a product as it is."""
        self._shelf.put("products", _place(store, document["id"]), document)

    def delete(self, store: Store, post: int) -> None:
        """Take a product out for good. Its pictures stay in the media library."""
        with self._shelf.transaction():
            self._shelf.delete("products", _place(store, post))
            if numbers.index_of(post) is not None:
                self._shelf.put("gone", _place(store, post), {})

    def picture(self, store: Store, post: int) -> Document | None:
        """The picture with this id."""
        kept = self._shelf.get("pictures", _place(store, post))
        index, number = numbers.index_of(post), numbers.picture_number(post)
        if kept is not None or index is None or number is None or index >= self.computed_count(store):
            return kept
        document = self.computed(store, index)
        return generation.computed_picture(document, number) if post in document["images"] else None

    def keep_picture(self, store: Store, picture: Document) -> None:
        """Keep a picture's entry in the media library."""
        self._shelf.put("pictures", _place(store, picture["id"]), picture)

    def count_pictures(self, store: Store) -> int:
        """How many pictures are kept in the media library; computed ones are not."""
        return self._shelf.count("pictures", f"{store.key}|")

    def pictures(self, store: Store, after: int, limit: int) -> list[Document]:
        """The kept pictures behind an id."""
        return self._shelf.page("pictures", _place(store, after), limit, prefix=f"{store.key}|").documents

    def next_ids(self, store: Store, count: int) -> int:
        """The first of so many new post ids."""
        return self._shelf.next_number(f"posts|{store.key}", count) - count + numbers.FIRST_MADE

    def _free_slug(self, store: Store, wanted: str) -> str:
        taken = {document["slug"] for document in self.kept(store)}
        slug, number = wanted, 1
        while slug in taken:
            number += 1
            slug = f"{wanted}-{number}"
        return slug

    def _recipe(self, store: Store) -> Document:
        return self._shelf.get("recipes", store.key) or {"count": 0, "seed": 0}


def _place(store: Store, post: int) -> str:
    return f"{store.key}|{post:012d}"
