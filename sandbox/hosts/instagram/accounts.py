"""The professional accounts of the sandbox's Instagram, each known by two ids, and their first posts.

What apps may do with them is in `oauth` and `access`.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.graph_api import graph_time
from sandbox.store import Document, Store

FIRST_MEDIA_ID = 17_900_000_000_000_000
_FIRST_POSTED = 100_000_000  # numbers below are for made-up posts, which are older than all others
_PER_ACCOUNT = 1_000_000_000_000
_FIRST_POST = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
_CAPTIONS = (
    "New in the shop: the fern tee in sand.",
    "Coffee tastes better from a blue mug ☕",
    "Poster of the week: quiet harbour, A2.",
    "Behind the scenes: first test prints of the moth series.",
    "",
    "Tote bags are back. Heavy canvas, long handles.",
    "Autumn colours: clay, mustard, forest 🍂 #autumn",
    "A cushion for every corner.",
    "Two new stickers, one small dog 🐕",
    "The comet hoodie, printed to order.",
    "Which one for the studio wall?",
    "Notebooks with dotted pages, at last.",
)


@dataclass(frozen=True, slots=True)
class Account:
    """A professional account; `user_id` stands in paths and webhooks, what each app sees as `id` is another number."""

    number: int
    username: str
    name: str
    user_id: str
    account_type: str

    def scoped_id(self, client_id: str) -> str:
        """The id of this account for one app alone."""
        digest = hashlib.sha256(f"{client_id}/{self.user_id}".encode()).digest()
        return str(25_000_000_000_000_000 + int.from_bytes(digest[:6], "big"))

    def media_id(self, number: int) -> str:
        """The id of the account's post of that number."""
        return str(FIRST_MEDIA_ID + self.number * _PER_ACCOUNT + number)


ACCOUNTS = (
    Account(0, "inkfield.studio", "Inkfield Studio", "17841405822304914", "BUSINESS"),
    Account(1, "northern.prints", "Northern Prints", "17841401193377215", "MEDIA_CREATOR"),
)
BY_USERNAME = {account.username: account for account in ACCOUNTS}


def by_username(username: str) -> Account | None:
    """The account that calls itself so."""
    return BY_USERNAME.get(username)


def by_user_id(user_id: str) -> Account | None:
    """The account of a professional-account id."""
    return next((each for each in ACCOUNTS if each.user_id == user_id), None)


def place_of(media_id: str) -> tuple[Account, int] | None:
    """Whose post an id means, and its number."""
    if not (media_id.isascii() and media_id.isdigit() and len(media_id) < 20):
        return None
    owner, number = divmod(int(media_id) - FIRST_MEDIA_ID, _PER_ACCOUNT)
    return (ACCOUNTS[owner], number) if 0 <= owner < len(ACCOUNTS) and number > 0 else None


def media_key(account: Account, number: int) -> str:
    """Where a post is stored; keys of an account follow one another in the order of posting."""
    return f"{account.user_id}/{number:012d}"


def made_up_prefix(account: Account) -> str:
    """How the keys of made-up posts begin, and no others."""
    return f"{account.user_id}/0000"


def next_place(store: Store, account: Account) -> int:
    """The number of a new post."""
    return _FIRST_POSTED + store.next_number(f"media:{account.user_id}")


def post(account: Account, number: int, caption: str, posted_at: datetime, alt_text: str = "") -> Document:
    """A post as it is stored; its picture has the name `<user_id>_<number>`."""
    return {
        "id": account.media_id(number),
        "caption": caption or None,
        "alt_text": alt_text or None,
        "timestamp": graph_time(posted_at),
        "picture": f"{account.user_id}_{number}",
    }


def fill(store: Store) -> None:
    """The first state: a dozen posts of the first account, three of the second."""
    for account, captions in ((ACCOUNTS[0], _CAPTIONS), (ACCOUNTS[1], _CAPTIONS[:3])):
        for step, caption in enumerate(captions):
            number = next_place(store, account)
            posted_at = _FIRST_POST + timedelta(days=step * 9, hours=step)
            store.put("media", media_key(account, number), post(account, number, caption, posted_at))
