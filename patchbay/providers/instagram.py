"""Instagram, API with Instagram Login: photos of a professional account, published from an address that Meta fetches.

The token renews itself; a post is a container that is made, awaited and then published, which works once.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from patchbay.errors import N_, NetworkError, PlatformError, ProviderUnavailable, QuotaFull
from patchbay.spec import (
    Account,
    Action,
    Api,
    Category,
    Field,
    Import,
    Item,
    Kind,
    Meaning,
    OAuth2,
    Page,
    Provider,
    Request,
    Scope,
    Setup,
    TokenCall,
    by_cursor,
)
from patchbay.spec.graph import FAULTS, THROTTLE, Paging, subcoded

NAME = "Instagram"
API = "https://graph.instagram.com/v26.0"
BASIC = "instagram_business_basic"
PUBLISH = "instagram_business_content_publish"
MEDIA_FIELDS = "id,caption,alt_text,media_type,permalink,timestamp"  # media_url ends soon and differs at every look
PAUSES_S = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 60.0, 60.0)  # Meta: ask for no more than five minutes
LOOKED_AT = 10
PASSING = ("2207001", "2207003", "2207032", "2207053")  # sub-codes of a failed container that another try may mend


class Me(msgspec.Struct):
    user_id: str | int
    username: str


class Wrapped(msgspec.Struct):
    data: list[Me]


class Made(msgspec.Struct):
    id: str


class Container(msgspec.Struct):
    status_code: str
    status: str = ""


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


class Limit(msgspec.Struct):
    quota_usage: int
    config: dict[str, int] = {}


class Limits(msgspec.Struct):
    data: list[Limit]


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


QUOTA_FULL = N_(
    "This %(provider)s account has posted as often as it may within 24 hours. Nothing was posted. Try again tomorrow."
)
REFUSED = {
    2207004: N_("%(provider)s takes pictures of at most 8 MB."),
    2207005: N_("%(provider)s takes JPEG pictures only."),
    2207009: N_("%(provider)s takes pictures between 4:5 and 1.91:1 only. This one is too tall or too wide."),
    2207010: N_("This caption is too long for %(provider)s."),
    2207050: N_("%(provider)s restricts this account for now. Open the app of %(provider)s to see why."),
    2207051: N_("%(provider)s takes this for spam and restricts the account. Open the app of %(provider)s to see why."),
    2207052: N_("%(provider)s could not fetch the picture. Ask your administrator whether it can reach PUBLIC_URL."),
}
RENEWED = {"grant_type": "ig_refresh_token", "access_token": "{token}"}
TRADED = {"grant_type": "ig_exchange_token", "client_secret": "{client_secret}", "access_token": "{token}"}

PROVIDER = Provider(
    key="instagram",
    name=NAME,
    category=Category.MARKETING,
    description=N_("Post mockups to a professional account."),
    logo="instagram",
    hosts=("www.instagram.com", "api.instagram.com", "graph.instagram.com", "*.cdninstagram.com"),
    token_hosts=("graph.instagram.com",),
    credentials_name="INSTAGRAM",
    auth=OAuth2(
        authorize_url="https://www.instagram.com/oauth/authorize",
        token_url="https://api.instagram.com/oauth/access_token",
        scopes=(
            Scope(BASIC, N_("See your profile and your posts"), N_("to show and import what you have posted")),
            Scope(PUBLISH, N_("Publish posts for you"), N_("to post mockups when you ask for it"), is_optional=True),
        ),
        scope_separator=",",
        answer_root=("data", 0),
        scope_key="permissions",
        access_lifetime_s=3600,
        long_lived=TokenCall("https://graph.instagram.com/access_token", TRADED),
        renewal=TokenCall("https://graph.instagram.com/refresh_access_token", RENEWED),
        refresh_ahead_s=15 * 24 * 3600,
        dead_grant=frozenset({"102", "190", "452"}),
        wrong_app=frozenset({"Invalid platform app", "Error validating client secret"}),
    ),
    identify=identify,
    setup=Setup(
        register_url="https://developers.facebook.com/apps/",
        steps=(
            N_("Create an app, add the product Instagram, and open “API setup with Instagram login”."),
            N_("Under “Business login settings”, paste the redirect URI below, exactly as it stands."),
            N_("Copy the Instagram app ID and the Instagram app secret: they are not those of the Meta app."),
            N_("While the app is in development, add each account as a tester and accept the invitation in Instagram."),
        ),
        limits=(
            N_("Only professional accounts (business or creator) can be connected."),
            N_("Accounts of other people need the app review of Meta (advanced access)."),
            N_("Pictures are fetched by Meta: this Patchbay needs a public https address."),
        ),
    ),
    operations=(
        Action(
            "publish_photo",
            N_("Post to Instagram"),
            publish_photo,
            input=(
                Field("mockupUrls", N_("Picture"), Kind.PICTURES, most=1),
                Field("caption", N_("Caption"), Kind.LONG_TEXT, required=False, max_length=2200),
                Field("altText", N_("Description for people who cannot see it"), required=False, max_length=1000),
            ),
            scopes=(PUBLISH,),
            gives=("publishedUrl", "mediaId"),
            doing=N_("posting a picture"),
            needs_public_address=True,
        ),
        Action(
            "list_media",
            N_("List posts"),
            list_media,
            input=(
                Field("cursor", N_("Cursor"), required=False),
                Field("limit", N_("How many"), Kind.NUMBER, required=False, default=25, lowest=1, highest=100),
            ),
            scopes=(BASIC,),
            gives=("media", "nextCursor"),
            doing=N_("listing posts"),
            is_read_only=True,
        ),
        Import("import_media", N_("Import posts"), "media", import_media, (BASIC,), N_("importing posts")),
    ),
    faults=(
        subcoded(Meaning.FULL, 2207042, says=QUOTA_FULL),
        subcoded(Meaning.UNAVAILABLE, 2207001, 2207003, 2207027, 2207032, 2207053),
        *(subcoded(Meaning.REFUSED, subcode, says=sentence) for subcode, sentence in REFUSED.items()),
        *FAULTS,
    ),
    throttle=THROTTLE,
    access_page="https://www.instagram.com/accounts/manage_access/",
    sources=(
        "developers.facebook.com: Business Login for Instagram; Access Token; Refresh Access Token (read 2026-11-21)",
        "developers.facebook.com: Instagram Platform, Content Publishing; IG Container; Error Codes (read 2026-11-21)",
        "developers.facebook.com: Graph API, Handling Errors; Rate Limits (read 2026-11-21)",
    ),
)
