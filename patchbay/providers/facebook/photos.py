"""What is asked of Facebook: who it is, which pages there are, and the photos of the chosen page.

The declaration that offers these functions is in the package itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

import msgspec

from patchbay.errors import N_, NetworkError, PlatformError
from patchbay.spec import Account, Api, Item, Page, Picture, Request, by_cursor, which_exist
from patchbay.spec.graph import Paging

NAME = "Facebook"
API = "https://graph.facebook.com/v26.0"
PHOTO_FIELDS = "id,name,alt_text_custom,link,created_time"  # the addresses in `images` end soon and change
LARGEST_BYTES = 10 * 1024 * 1024
LOOKED_AT = 25
MAY_POST = frozenset({"CREATE_CONTENT", "PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_FULL_CONTROL"})
NO_ROLE = N_("You have no role on this page of %(provider)s any more. Choose another page in the settings.")
TOO_LARGE = N_("%(provider)s takes pictures of at most 10 MB. Nothing was posted.")


class Me(msgspec.Struct):
    id: str
    name: str = ""


class Permission(msgspec.Struct):
    permission: str
    status: str


class Permissions(msgspec.Struct):
    data: list[Permission]


class PageNode(msgspec.Struct):
    id: str
    name: str = ""
    category: str = ""
    tasks: tuple[str, ...] = ("CREATE_CONTENT",)


class Pages(msgspec.Struct):
    data: list[PageNode]
    paging: Paging = Paging()


class PageToken(msgspec.Struct):
    access_token: str = ""


class Photo(msgspec.Struct):
    id: str
    name: str = ""
    alt_text_custom: str = ""
    link: str = ""
    created_time: str = ""


class Photos(msgspec.Struct):
    data: list[Photo]
    paging: Paging = Paging()


def identify(api: Api) -> Account:
    """Who connected; the page is chosen after that."""
    me = api.read(api.send(Request("GET", f"{API}/me", params={"fields": "id,name"})), Me)
    return Account(id=me.id, label=me.name or me.id)


def granted(api: Api) -> tuple[str, ...]:
    """What the person allowed: token answers do not say."""
    answers = api.read(api.send(Request("GET", f"{API}/me/permissions")), Permissions).data
    return tuple(answer.permission for answer in answers if answer.status == "granted")


def revoke(api: Api) -> None:
    """Take our app out of the person's account: every token of theirs ends."""
    api.send(Request("DELETE", f"{API}/me/permissions"))


def list_pages(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the pages on which the person may post."""
    params = {"fields": "id,name,category,tasks", "limit": str(values["limit"])}
    params |= {"after": values["cursor"]} if values["cursor"] else {}
    found = api.read(api.send(Request("GET", f"{API}/me/accounts", params=params)), Pages)
    usable = [page for page in found.data if MAY_POST & set(page.tasks)]
    return {
        "pages": [{"id": page.id, "name": page.name or page.id, "category": page.category} for page in usable],
        "nextCursor": found.paging.next_cursor,
    }


def page_token(api: Api) -> str:
    """The token of the chosen page."""
    request = Request("GET", f"{API}/{api.settings['page']}", params={"fields": "access_token"})
    token = api.read(api.send(request), PageToken).access_token
    if not token:
        raise PlatformError("the page gives no token", sentence=NO_ROLE, provider=NAME)
    return token


def list_photos(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the photos that the page has posted, newest first."""
    page = photo_page(api, page_token(api), values["cursor"], values["limit"])
    return {"photos": [item.data for item in page.items], "nextCursor": page.next_cursor}


def import_photos(api: Api, cursor: str | None) -> Iterator[Page]:
    """All photos that the page has posted, newest first."""
    token = page_token(api)
    return by_cursor(lambda after: photo_page(api, token, after, 100), cursor)


def present_photos(api: Api, ids: Sequence[str]) -> set[str]:
    """Those of the ids that the page still has ("Photo"; version 26.0 ended `/?ids=`, read 2026-11-21)."""
    token = page_token(api)
    return which_exist(api, ids, lambda one: Request("GET", f"{API}/{one}", params={"fields": "id"}, token=token))


def photo_page(api: Api, token: str, cursor: str | None, limit: int) -> Page:
    """Some of the page's photos, newest first; without `type` Facebook lists profile pictures alone."""
    params = {"type": "uploaded", "fields": PHOTO_FIELDS, "limit": str(limit)} | ({"after": cursor} if cursor else {})
    request = Request("GET", f"{API}/{api.settings['page']}/photos", params=params, token=token)
    found = api.read(api.send(request), Photos)
    return Page(tuple(item_of(photo) for photo in found.data), found.paging.next_cursor)


def item_of(photo: Photo) -> Item:
    """A photo as it is kept, under the first line of its text."""
    data = {
        "id": photo.id,
        "caption": photo.name or None,
        "altText": photo.alt_text_custom or None,
        "url": photo.link or None,
        "postedAt": photo.created_time or None,
    }
    return Item(photo.id, photo.name.partition("\n")[0][:120] or photo.link, data)


def publish_photo(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Post a picture on the page, or keep it there as a draft.

    Facebook has no key against doing it twice. What was newest before is remembered, so that a photo behind it with the
    same text is known as ours; drafts stand in no list, so a draft whose answer is lost is said to be unknown.
    """
    picture = api.picture(values["mockupUrls"][0])
    if picture.size_bytes > LARGEST_BYTES:
        raise PlatformError(f"{picture.size_bytes} bytes", sentence=TOO_LARGE, provider=NAME)
    token = page_token(api)
    if values["draft"]:
        form = {"published": "false", "unpublished_content_type": "DRAFT"}
        posted = api.once("draft", lambda: upload(api, token, picture, form, values))
    else:
        before = api.remember("newest_before", lambda: newest(api, token))
        posted = api.once(
            "post",
            lambda: upload(api, token, picture, {"published": "true"}, values),
            lambda: earlier_try(api, token, before, values),
        )
    return {"publishedUrl": address_of(api, token, posted), "photoId": posted, "isDraft": bool(values["draft"])}


def upload(api: Api, token: str, picture: Picture, form: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """Send the bytes and their text as one multipart form; the id of the photo."""
    texts = {"message": values["caption"], "alt_text_custom": values["altText"]}
    request = Request(
        "POST",
        f"{API}/{api.settings['page']}/photos",
        form={**form, **{name: text for name, text in texts.items() if text}},
        files={"source": (picture.filename, picture.content, picture.content_type)},
        token=token,
    )
    return api.read(api.send(request), Photo).id


def newest(api: Api, token: str) -> str:
    """The id of the newest photo, "" on a page without any."""
    return next((item.external_id for item in photo_page(api, token, None, 1).items), "")


def earlier_try(api: Api, token: str, before: str, values: Mapping[str, Any]) -> str | None:
    """A photo with our text that is newer than what was newest before: an earlier try has posted it."""
    found = photo_page(api, token, None, LOOKED_AT).items
    newer = takewhile(lambda item: item.external_id != before, found)
    return next((item.external_id for item in newer if item.data["caption"] == (values["caption"] or None)), None)


def address_of(api: Api, token: str, photo_id: str) -> str | None:
    """Where the photo can be seen; it is there all the same when that cannot be read."""
    try:
        request = Request("GET", f"{API}/{photo_id}", params={"fields": "id,link"}, token=token)
        return api.read(api.send(request), Photo).link or None
    except (NetworkError, PlatformError):
        return None
