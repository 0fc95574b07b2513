"""The people and pages of the sandbox's Facebook: who may do what on which page, and the pages' first photos.

What they allow which app is in `oauth`.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.graph_api import graph_time
from sandbox.store import Document, Store

FIRST_PHOTO_ID = 122_000_000_000_000_000
_FIRST_POSTED = 100_000_000  # numbers below are for made-up photos, which are older than all others
_PER_PAGE = 1_000_000_000_000
_FIRST_POST = datetime(2026, 4, 6, 8, 15, tzinfo=UTC)
_EVERYTHING = ("ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE")
_EVERYTHING_NEW = ("PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_MANAGE", "PROFILE_PLUS_MODERATE")  # of newer pages
_MESSAGES = (
    "Our new fern tee is here.",
    "Market day on Saturday, come and say hello 👋",
    "A wall full of harbour posters.",
    "",
    "How we print: a short tour of the workshop.",
    "Mugs, mugs, mugs.",
    "The moth series, complete.",
    "Tote bags in heavy canvas.",
    "Last stickers of the season.",
    "Cushions for the cold months.",
    "Notebooks with dotted pages.",
    "The comet hoodie in navy.",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with a Facebook account; each app knows them by a number of its own."""

    handle: str
    name: str

    def scoped_id(self, client_id: str) -> str:
        """The id of this person for one app."""
        digest = hashlib.sha256(f"{client_id}/{self.handle}".encode()).digest()
        return str(10_000_000_000_000_000 + int.from_bytes(digest[:6], "big"))


@dataclass(frozen=True, slots=True)
class FacebookPage:
    """A page; `number` is its place in `PAGES`."""

    number: int
    id: str
    name: str
    category: str

    def photo_id(self, number: int) -> str:
        """The id of the page's photo of that number."""
        return str(FIRST_PHOTO_ID + self.number * _PER_PAGE + number)


PEOPLE = {
    person.handle: person
    for person in (Person("ada", "Ada Inkfield"), Person("ben", "Ben North"), Person("cleo", "Cleo Reader"))
}
PAGES = (
    FacebookPage(0, "104857201948377", "Inkfield Studio", "Art"),
    FacebookPage(1, "109314470083526", "Northern Prints", "Shopping & Retail"),
    FacebookPage(2, "112640938157204", "Little Kiln", "Home Decor"),
    FacebookPage(3, "101775524396018", "Harbour Press Archive", "Publisher"),
)
_ROLES = (
    ("ada", PAGES[0], _EVERYTHING),
    ("ben", PAGES[1], _EVERYTHING),
    ("ben", PAGES[2], _EVERYTHING_NEW),
    ("ben", PAGES[3], ("ANALYZE", "MODERATE")),
)


def page_of(page_id: str) -> FacebookPage | None:
    """The page of an id."""
    return next((page for page in PAGES if page.id == page_id), None)


def place_of(photo_id: str) -> tuple[FacebookPage, int] | None:
    """Whose photo an id means, and its number."""
    if not (photo_id.isascii() and photo_id.isdigit() and len(photo_id) < 20):
        return None
    owner, number = divmod(int(photo_id) - FIRST_PHOTO_ID, _PER_PAGE)
    return (PAGES[owner], number) if 0 <= owner < len(PAGES) and number > 0 else None


def role_key(handle: str, page: FacebookPage) -> str:
    """Where the tasks that a person has on a page are stored."""
    return f"{handle}/{page.number:03d}"


def photo_key(page: FacebookPage, number: int) -> str:
    """Where a photo is stored; keys of a page follow one another in the order of posting."""
    return f"{page.id}/{number:012d}"


def made_up_prefix(page: FacebookPage) -> str:
    """How the keys of made-up photos begin, and no others."""
    return f"{page.id}/0000"


def next_place(store: Store, page: FacebookPage) -> int:
    """The number of a new photo."""
    return _FIRST_POSTED + store.next_number(f"photos:{page.id}")


def photo(page: FacebookPage, number: int, message: str, made_at: datetime) -> Document:
    """A published photo as it is stored; its picture is drawn from its name."""
    return {
        "id": page.photo_id(number),
        "name": message or None,
        "alt_text_custom": None,
        "created_time": graph_time(made_at),
        "published": True,
        "picture": f"{page.id}_{number}_n",
        "width": 1080,
        "height": 1080,
    }


def fill(store: Store) -> None:
    """The first state: who manages what, a dozen photos on the first page, three on the others."""
    for handle, page, tasks in _ROLES:
        store.put("roles", role_key(handle, page), {"page": page.id, "tasks": list(tasks)})
    for page in PAGES:
        for step, message in enumerate(_MESSAGES[: 12 if page.number == 0 else 3]):
            number = next_place(store, page)
            made_at = _FIRST_POST + timedelta(days=step * 11, hours=step)
            store.put("photos", photo_key(page, number), photo(page, number, message, made_at))
