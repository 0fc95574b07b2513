"""The designs of everybody: kept, found, listed in the platform's orders, and shown as it shows them.

Sources: REST reference "List designs", "Get design" (read 2026-11-21). Pictures of them are made in `delivery`.
"""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from sandbox.hosts.canva.access import Caller
from sandbox.hosts.canva.delivery import Delivery
from sandbox.hosts.canva.people import Person
from sandbox.hosts.canva.refusals import CanvaRefused
from sandbox.store import Document, Store

_WALK_STEP = 200
# the letter of the order in the keys of "places", and whether it is walked from the end
_ORDERS = {
    "relevance": ("m", True),
    "modified_descending": ("m", True),
    "modified_ascending": ("m", False),
    "title_descending": ("t", True),
    "title_ascending": ("t", False),
}
SORTS = tuple(_ORDERS)
OWNERSHIPS = ("any", "owned", "shared")


class Design(msgspec.Struct, frozen=True):
    """A design. `owner` and `shared` are account addresses, times Unix seconds; a document (`doc`) has no pages.

    `premium`: holds elements that nobody has paid for; `approval`: a reviewer must approve it before it is exported.
    """

    id: str
    title: str | None
    owner: str
    width: int
    height: int
    created_at: int
    updated_at: int
    kind: str = "custom"
    pages: int = 1
    shared: tuple[str, ...] = ()
    premium: bool = False
    approval: bool = False


class Asked(msgspec.Struct, frozen=True):
    """A list that is walked through; `after` is the place of the last design shown."""

    sort: str = "relevance"
    ownership: str = "any"
    query: str = ""
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a list and the token of the next one."""

    designs: list[Design]
    continuation: str | None


class Designs:
    """Kept under their id, and under their place in each order of everybody who sees them."""

    def __init__(self, store: Store, delivery: Delivery) -> None:
        self._store = store
        self._delivery = delivery

    def put_many(self, designs: Iterable[Design]) -> None:
        """Keep new designs."""
        kept = list(designs)
        self._store.put_many("designs", ((each.id, msgspec.to_builtins(each)) for each in kept))
        self._store.put_many("places", (place for each in kept for place in _places(each)))

    def delete(self, design_id: str) -> bool:
        """Whether there was such a design."""
        design = self.find(design_id)
        if design is None:
            return False
        with self._store.transaction():
            for key, _ in _places(design):
                self._store.delete("places", key)
            return self._store.delete("designs", design_id)

    def clear(self, email: str) -> None:
        """An account's list is empty: its own designs are gone, those of others no longer shared with it."""
        for _, place in self._store.each("places", f"{email}/m/"):
            if place["owned"]:
                self.delete(place["id"])
        self._store.clear("places", f"{email}/")

    def find(self, design_id: str) -> Design | None:
        """The design, whoever may see it."""
        found = self._store.get("designs", design_id)
        return msgspec.convert(found, Design) if found else None

    def visible(self, design_id: str, caller: Caller) -> Design:
        """The design, if the caller may see it; raises CanvaRefused 404 or 403."""
        design = self.find(design_id)
        if design is None:
            raise CanvaRefused(404, "design_not_found", f"Design with id '{design_id}' not found")
        if caller.email not in (design.owner, *design.shared):
            raise CanvaRefused(403, "permission_denied", f"Not allowed to access design with id {design_id}")
        return design

    def list(self, caller: Caller, asked: Asked, limit: int) -> Found:
        """Up to `limit` designs behind the place where the list stands."""
        shown: list[Design] = []
        last = asked.after
        for key, design in self._walk(caller, asked):
            if len(shown) == limit:
                return Found(shown, packed(msgspec.structs.replace(asked, after=last)))
            shown.append(design)
            last = key
        return Found(shown, None)

    def shown(self, design: Design, client_id: str) -> Document:
        """Canva's `Design`; its addresses are new at each look. Without a title or pages those keys are absent."""
        ticket = urlsafe_b64encode(f"{design.id}:{time.time_ns()}".encode()).rstrip(b"=").decode()
        base = f"https://www.canva.com/api/design/{ticket}"
        document: Document = {
            "id": design.id,
            "owner": Person(design.owner).as_owner(client_id),
            "urls": {"edit_url": f"{base}/edit", "view_url": f"{base}/view"},
            "created_at": design.created_at,
            "updated_at": design.updated_at,
            "design_types": [design.kind],
        }
        if design.title is not None:
            document["title"] = design.title
        if design.kind != "doc":
            document["page_count"] = design.pages
            document["thumbnail"] = self._delivery.thumbnail(design.id, design.width, design.height)
        return document

    def _walk(self, caller: Caller, asked: Asked) -> Iterator[tuple[str, Design]]:
        order, is_reverse = _ORDERS[asked.sort]
        words = asked.query.casefold().split()
        cursor = asked.after
        while True:
            page = self._store.page("places", cursor, _WALK_STEP, prefix=f"{caller.email}/{order}/", reverse=is_reverse)
            for key, place in zip(page.keys, page.documents, strict=True):
                if asked.ownership != "any" and place["owned"] != (asked.ownership == "owned"):
                    continue
                design = self.find(place["id"])
                if design is not None and all(word in (design.title or "").casefold() for word in words):
                    yield key, design
            if page.next_cursor is None:
                return
            cursor = page.next_cursor


def packed(asked: Asked) -> str:
    """A continuation token: it carries the whole question."""
    return urlsafe_b64encode(msgspec.json.encode(asked)).rstrip(b"=").decode()


def unpacked(token: str) -> Asked:
    """The question of a continuation token; raises CanvaRefused 400."""
    try:
        asked = msgspec.json.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=Asked)
    except ValueError:
        raise CanvaRefused(400, "invalid_field", "Invalid continuation token") from None
    if asked.sort not in SORTS or asked.ownership not in OWNERSHIPS:
        raise CanvaRefused(400, "invalid_field", "Invalid continuation token")
    return asked


def _places(design: Design) -> Iterator[tuple[str, Document]]:
    for viewer in (design.owner, *design.shared):
        place = {"id": design.id, "owned": viewer == design.owner}
        yield f"{viewer}/m/{design.updated_at:012d}/{design.id}", place
        yield f"{viewer}/t/{(design.title or '').casefold()}\x1f{design.id}", place
