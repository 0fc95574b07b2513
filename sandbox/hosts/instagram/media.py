"""The account as a node, its posts as a list and as nodes, and synthetic posts however many.

Sources: "IG User", "IG Media" references (read 2026-11-21). How a post comes to be is in `publishing`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from werkzeug.wrappers import Request

from sandbox.graph_api import Edge, read_edge, select, unknown_object
from sandbox.graph_pictures import address
from sandbox.hosts.instagram.access import BASIC, Caller
from sandbox.hosts.instagram.accounts import Account, made_up_prefix, media_key, place_of, post
from sandbox.platform import count_and_seed
from sandbox.store import Document, Store

CDN = "scontent.cdninstagram.com"
MOST_GENERATED = 10_000_000
_USER_FIELDS = frozenset(
    {"account_type", "biography", "followers_count", "follows_count", "id", "media_count", "name"}
    | {"profile_picture_url", "user_id", "username", "website"}
)
_MEDIA_FIELDS = frozenset(
    {"alt_text", "caption", "comments_count", "id", "is_comment_enabled", "like_count", "media_product_type"}
    | {"media_type", "media_url", "owner", "permalink", "shortcode", "thumbnail_url", "timestamp", "username"}
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_GENERATED_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_SUBJECTS = ("Fern tee", "Blue mug", "Canvas tote", "Harbour poster", "Moth print", "Comet hoodie", "Studio cushion")
_BATCH = 5_000


class Library:
    """Accounts and posts, as a caller may read them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def user(self, request: Request, caller: Caller) -> Document:
        """GET /me or /<ig id>."""
        caller.demand(BASIC)
        account = caller.account
        node = {
            "id": account.scoped_id(caller.client_id),
            "user_id": account.user_id,
            "username": account.username,
            "name": account.name,
            "account_type": account.account_type,
            "profile_picture_url": address(CDN, "t51.2885-19", f"profile_{account.user_id}"),
            "media_count": self._store.count("media", f"{account.user_id}/"),
            "followers_count": 312,
            "follows_count": 87,
        }
        return select(node, request.args.get("fields", ""), _USER_FIELDS, "id")

    def listing(self, request: Request, caller: Caller, base: str) -> Document:
        """GET /<ig id>/media."""
        caller.demand(BASIC)
        account = caller.account
        wanted = request.args.get("fields", "")
        edge_address = f"https://{base}/{account.user_id}/media"
        edge = Edge(self._store, "media", f"{account.user_id}/", edge_address)
        return read_edge(request, edge, lambda found: select(shown(account, found), wanted, _MEDIA_FIELDS, "id"))

    def one(self, request: Request, caller: Caller, media_id: str) -> Document:
        """GET /<media id>."""
        caller.demand(BASIC)
        place = place_of(media_id)
        found = self._store.get("media", media_key(*place)) if place and place[0] == caller.account else None
        if found is None:
            raise unknown_object(request, media_id, "IGApiException")
        return select(shown(caller.account, found), request.args.get("fields", ""), _MEDIA_FIELDS, "id")

    def remove(self, account: Account, media_id: str) -> bool:
        """As if the owner had deleted a post; whether there was one."""
        place = place_of(media_id)
        return place is not None and place[0] == account and self._store.delete("media", media_key(*place))

    def generate(self, account: Account, wanted: Document) -> Document:
        """Make `count` posts from `seed` in place of those made up before; answers `{"media": n}`.

        Raises ControlRefused.
        """
        count, seed = count_and_seed(wanted, MOST_GENERATED)
        self._store.clear("media", made_up_prefix(account))
        for start in range(1, count + 1, _BATCH):
            self._store.put_many("media", _synthetic(account, seed, range(start, min(start + _BATCH, count + 1))))
        return {"media": count}


def shown(account: Account, found: Document) -> Document:
    """A stored post with all its fields."""
    code = _shortcode(int(found["id"]))
    return {
        "id": found["id"],
        "caption": found["caption"],
        "alt_text": found["alt_text"],
        "media_type": "IMAGE",
        "media_product_type": "FEED",
        "media_url": address(CDN, "t51.82787-15", found["picture"]),
        "permalink": f"https://www.instagram.com/p/{code}/",
        "shortcode": code,
        "timestamp": found["timestamp"],
        "username": account.username,
        "owner": {"id": account.user_id},
        "like_count": 0,
        "comments_count": 0,
        "is_comment_enabled": True,
    }


def _synthetic(account: Account, seed: int, numbers: range) -> Iterator[tuple[str, Document]]:
    for number in numbers:
        subject = _SUBJECTS[(number * 5 + seed) % len(_SUBJECTS)]
        posted_at = _GENERATED_FROM + timedelta(seconds=number)
        yield media_key(account, number), post(account, number, f"{subject}, no. {number}-{seed}", posted_at)


def _shortcode(number: int) -> str:
    text = ""
    while number:
        number, place = divmod(number, len(_LETTERS))
        text = _LETTERS[place] + text
    return text
