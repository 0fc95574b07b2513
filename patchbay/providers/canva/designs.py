"""Reading designs: listed, imported as records, exported as files, kept here as pictures."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from patchbay.errors import N_, Invalid, PlatformError, UnexpectedShape
from patchbay.providers.canva.jobs import API, begun, over
from patchbay.spec import Answer, Api, Item, Page, Request, by_cursor, which_exist

PAGE = 100
QUALITY = 90  # of a JPEG: the platform wants it said
UNTITLED = N_("Untitled design")


class Thumbnail(msgspec.Struct):
    url: str


class Urls(msgspec.Struct):
    edit_url: str


class Owner(msgspec.Struct):
    user_id: str


class Design(msgspec.Struct):
    """A design without a title has none; a text document has neither thumbnail nor pages."""

    id: str
    owner: Owner
    urls: Urls
    created_at: int
    updated_at: int
    design_types: list[str]
    title: str = ""
    thumbnail: Thumbnail | None = None
    page_count: int | None = None


class DesignAnswer(msgspec.Struct):
    design: Design


class DesignList(msgspec.Struct):
    items: list[Design]
    continuation: str | None = None


def list_designs(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of designs, the latest first; with `search`, the fittest first."""
    found = designs_page(
        api,
        {
            "query": values["search"],
            "sort_by": "relevance" if values["search"] else "modified_descending",
            "limit": str(values["limit"]),
            "continuation": values["cursor"],
        },
    )
    designs = [
        {
            "id": design.id,
            "name": design.title or UNTITLED,
            "thumbnail_url": design.thumbnail.url if design.thumbnail else None,
            "url": design.urls.edit_url,
            "pageCount": design.page_count,
        }
        for design in found.items
    ]
    return {"designs": designs, "nextCursor": found.continuation or None}


def import_designs(api: Api, cursor: str | None) -> Iterator[Page]:
    """All designs, the longest unchanged first: one that is changed meanwhile moves to the end and is not missed."""

    def page(after: str | None) -> Page:
        params = {"sort_by": "modified_ascending", "limit": str(PAGE), "continuation": after}
        found = designs_page(api, params)
        return Page(tuple(item(design) for design in found.items), found.continuation or None)

    return by_cursor(page, cursor)


def present_designs(api: Api, ids: Sequence[str]) -> set[str]:
    """Those of the ids that this account may still see ("Get design", read 2026-11-21).

    A design that is no longer shared with it has gone from the account, and stands in no list of it.
    """

    def look(design_id: str) -> Request:
        return Request("GET", f"{API}/designs/{design_id}", accept_if=is_unshared)

    return which_exist(api, ids, look)


def is_unshared(answer: Answer) -> bool:
    """Whether the account may not see the design; a missing scope has a code of its own ("Error responses")."""
    return answer.status == 403 and answer.at("code") == "permission_denied"


def designs_page(api: Api, params: Mapping[str, str | None]) -> DesignList:
    """One page of the list."""
    given = {name: value for name, value in params.items() if value}
    return api.read(api.send(Request("GET", f"{API}/designs", params=given)), DesignList)


def item(design: Design) -> Item:
    """What is stored of a design. The platform's own links to it are new at each look, so this one is made here."""
    values = {
        "id": design.id,
        "title": design.title or None,
        "url": f"https://www.canva.com/design/{design.id}/edit",
        "ownerId": design.owner.user_id,
        "pageCount": design.page_count,
        "designTypes": design.design_types,
        "createdAt": moment(design.created_at),
        "updatedAt": moment(design.updated_at),
    }
    return Item(design.id, design.title or UNTITLED, values)


def moment(seconds: int) -> str:
    """A Unix time in ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def export_design(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Export a design, a file for each page; with `keep`, the pictures become designs here as well."""
    form = values["format"]
    if values["keep"] and form == "pdf":
        raise Invalid({"keep": N_("A PDF cannot be kept as a design. Choose PNG or JPG.")})
    urls = exported(api, values["designId"], form, values["page"])
    kept = kept_pictures(api, values["designId"], form, urls, values["page"] or 1) if values["keep"] else []
    return {"imageUrl": urls[0], "fileUrls": urls, "assetIds": [asset["id"] for asset in kept]}


def import_design(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """A page of a design becomes a design here."""
    urls = exported(api, values["designId"], "png", values["page"])
    (asset,) = kept_pictures(api, values["designId"], "png", urls[:1], values["page"])
    return {
        "assetId": asset["id"],
        "name": asset["name"],
        "imageUrl": asset["url"],
        "width": asset["width"],
        "height": asset["height"],
    }


def exported(api: Api, design_id: str, form: str, page: int | None) -> list[str]:
    """Where the exported files lie, for a day. An export changes nothing, so that one too many does no harm."""
    wanted: dict[str, Any] = {"type": form}
    if form == "jpg":
        wanted["quality"] = QUALITY
    if page:
        wanted["pages"] = [page]
    body = {"design_id": design_id, "format": wanted}
    request = Request("POST", f"{API}/exports", json=body, is_repeatable=True)
    job_id = api.remember("export", lambda: begun(api, request))
    try:
        urls = over(api, "exports", job_id).urls
        if not urls:
            raise UnexpectedShape("canva: the export has no files", provider="Canva")
        return urls
    except PlatformError:
        api.forget("export")
        raise


def kept_pictures(api: Api, design_id: str, form: str, urls: list[str], first_page: int) -> list[Mapping[str, Any]]:
    """Fetch exported pictures and keep them under the design's title and their page."""
    design = api.read(api.send(Request("GET", f"{API}/designs/{design_id}")), DesignAnswer).design
    title = (design.title or UNTITLED).replace("/", "-").replace("\\", "-")[:100]
    kept = []
    for number, url in enumerate(urls):
        picture = api.send(Request("GET", url, with_token=False)).body
        kept.append(api.keep(picture, f"{title} {first_page + number}.{form}"))
        api.progress(number + 1, len(urls))
    return kept
