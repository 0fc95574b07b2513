"""What is read of an Instagram account: whose it is, and its posts.

Posting lives in `publishing`, the declaration that offers these functions in the package itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from patchbay.spec import Account, Api, Item, Page, Request, by_cursor, which_exist
from patchbay.spec.graph import Paging

API = "https://graph.instagram.com/v26.0"
MEDIA_FIELDS = "id,caption,alt_text,media_type,permalink,timestamp"  # media_url ends soon and differs at every look


class Me(msgspec.Struct):
    user_id: str | int
    username: str


class Wrapped(msgspec.Struct):
    data: list[Me]


class Media(msgspec.Struct):
    id: str
    caption: str = ""
    alt_text: str = ""
    media_type: str = ""
    permalink: str = ""
    timestamp: str = ""


class MediaList(msgspec.Struct):
    data: list[Media]
    paging: Paging = Paging()


def identify(api: Api) -> Account:
    """Whose account it is. `user_id` is the one that stands in paths; `id` is another, for this app alone."""
    answer = api.send(Request("GET", f"{API}/me", params={"fields": "user_id,username"}))
    me = api.read(answer, Wrapped).data[0] if answer.at("data", 0) else api.read(answer, Me)  # the guide wraps it
    return Account(id=str(me.user_id), label=f"@{me.username}")


def list_media(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of posts, newest first."""
    page = media_page(api, values["cursor"], values["limit"])
    return {"media": [item.data for item in page.items], "nextCursor": page.next_cursor}


def import_media(api: Api, cursor: str | None) -> Iterator[Page]:
    """All posts of the account, newest first."""
    return by_cursor(lambda after: media_page(api, after, 100), cursor)


def present_media(api: Api, ids: Sequence[str]) -> set[str]:
    """Those of the ids that the account still has ("IG Media"; no call takes several, read 2026-11-21)."""
    return which_exist(api, ids, lambda one: Request("GET", f"{API}/{one}", params={"fields": "id"}))


def media_page(api: Api, cursor: str | None, limit: int) -> Page:
    """Some of the account's posts, newest first."""
    params = {"fields": MEDIA_FIELDS, "limit": str(limit)} | ({"after": cursor} if cursor else {})
    found = api.read(api.send(Request("GET", f"{API}/{api.account}/media", params=params)), MediaList)
    return Page(tuple(item_of(media) for media in found.data), found.paging.next_cursor)


def item_of(media: Media) -> Item:
    """A post as it is kept, under the first line of its caption."""
    data = {
        "id": media.id,
        "caption": media.caption or None,
        "altText": media.alt_text or None,
        "mediaType": media.media_type or None,
        "url": media.permalink or None,
        "postedAt": media.timestamp or None,
    }
    return Item(media.id, media.caption.partition("\n")[0][:120] or media.permalink, data)
