"""Posting on Instagram: a container that is made from an address which Meta fetches, awaited, and published once.

What is read of an account lives in `media`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from patchbay.errors import N_, NetworkError, PlatformError, ProviderUnavailable, QuotaFull
from patchbay.providers.instagram.media import API, Media, media_page
from patchbay.spec import Api, Request

NAME = "Instagram"
PAUSES_S = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 60.0, 60.0)  # Meta: ask for no more than five minutes
LOOKED_AT = 10
PASSING = ("2207001", "2207003", "2207032", "2207053")  # sub-codes of a failed container that another try may mend
QUOTA_FULL = N_(
    "This %(provider)s account has posted as often as it may within 24 hours. Nothing was posted. Try again tomorrow."
)


class Made(msgspec.Struct):
    id: str


class Container(msgspec.Struct):
    status_code: str
    status: str = ""


class Limit(msgspec.Struct):
    quota_usage: int
    config: dict[str, int] = {}


class Limits(msgspec.Struct):
    data: list[Limit]


def publish_photo(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Post a picture: a container, which Meta fills from our address, then its publication."""
    container = api.remember("container", lambda: make_container(api, values))
    api.progress(1, 3)
    status = awaited(api, container)
    if status == "EXPIRED":  # the run has waited for more than a day
        api.forget("container")
        container = api.remember("container", lambda: make_container(api, values))
        status = awaited(api, container)
    api.progress(2, 3)
    media_id = published(api, container, status, values["caption"])
    api.progress(3, 3)
    return {"publishedUrl": address_of(api, media_id) if media_id else None, "mediaId": media_id}


def make_container(api: Api, values: Mapping[str, Any]) -> str:
    """A container for the picture; nobody sees it, and it ends by itself after a day. The quota is asked first."""
    demand_quota(api)
    form = {"image_url": api.public_address(values["mockupUrls"][0], "image/jpeg")}
    form |= {"caption": values["caption"]} if values["caption"] else {}
    form |= {"alt_text": values["altText"]} if values["altText"] else {}
    request = Request("POST", f"{API}/{api.account}/media", form=form, is_repeatable=True)
    return api.read(api.send(request), Made).id


def demand_quota(api: Api) -> None:
    """Raise QuotaFull when the account has posted as much as it may within 24 hours."""
    request = Request("GET", f"{API}/{api.account}/content_publishing_limit", params={"fields": "quota_usage,config"})
    for limit in api.read(api.send(request), Limits).data:
        total = limit.config.get("quota_total")
        if total is not None and limit.quota_usage >= total:
            raise QuotaFull(f"{limit.quota_usage} of {total} posts", sentence=QUOTA_FULL, provider=NAME)


def awaited(api: Api, container: str) -> str:
    """What became of a container: FINISHED, PUBLISHED or EXPIRED; raises for one that failed or takes too long."""
    for pause_s in PAUSES_S:
        found = look(api, container)
        if found.status_code == "ERROR":
            api.forget("container")
            is_passing = any(code in found.status for code in PASSING)
            kind = ProviderUnavailable if is_passing else PlatformError
            raise kind(found.status[:200], provider=NAME, action=N_("posting a picture"))
        if found.status_code != "IN_PROGRESS":
            return found.status_code
        api.pause(pause_s)
    raise ProviderUnavailable("the container is still in progress", provider=NAME, action=N_("posting a picture"))


def look(api: Api, container: str) -> Container:
    """How a container stands."""
    request = Request("GET", f"{API}/{container}", params={"fields": "status_code,status"})
    return api.read(api.send(request), Container)


def published(api: Api, container: str, status: str, caption: str | None) -> str | None:
    """The post of a container, published now or by an earlier try whose answer was lost: Meta publishes it once."""
    if status != "PUBLISHED":
        form = {"creation_id": container}
        request = Request("POST", f"{API}/{api.account}/media_publish", form=form, is_repeatable=True)
        try:
            return api.read(api.send(request), Made).id
        except (NetworkError, PlatformError):
            if look(api, container).status_code != "PUBLISHED":
                raise
    newest = media_page(api, None, LOOKED_AT).items
    return next((item.external_id for item in newest if item.data["caption"] == (caption or None)), None)


def address_of(api: Api, media_id: str) -> str | None:
    """Where the post can be seen; None when that cannot be read: it is published all the same."""
    try:
        request = Request("GET", f"{API}/{media_id}", params={"fields": "id,permalink"})
        return api.read(api.send(request), Media).permalink or None
    except (NetworkError, PlatformError):
        return None
