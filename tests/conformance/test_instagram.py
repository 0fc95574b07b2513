"""Meta's own Business SDK against the sandbox's Instagram, and as a judge over what Patchbay asks and is answered.

The SDK has classes of its own for the API with Instagram Login, under the names that end in `ForIGOnlyAPI`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from facebook_business.adobjects.igmediaforigonlyapi import IGMediaForIGOnlyAPI
from facebook_business.adobjects.iguserforigonlyapi import IGUserForIGOnlyAPI
from facebook_business.adobjects.shadowigmediabuilder import ShadowIGMediaBuilder
from facebook_business.exceptions import FacebookRequestError

from patchbay.client import Unwatched
from patchbay.settings import Settings
from patchbay.spec import Action
from tests.conformance.graph_objects import INSTAGRAM, reading, sdk
from tests.conformance.recording import Record
from tests.conformance.transport import session
from tests.conformance.witness import Witness
from tests.sandbox.graph_hub import Hub, picture, serving

WITNESS = Witness(
    platform="Instagram",
    name="Meta's Business SDK and the declarations it is generated from",
    package="facebook-business",
    subject="Patchbay's requests, the sandbox's answers to them and to the SDK",
)
UNWITNESSED = (
    "The consent page, its redirect, and the nested answer of `api.instagram.com` to a code.",
    "That a token must be a day old to be renewed, and the words of the refusal.",
    "What Instagram says of a container that is already published, and which pictures it refuses.",
    "The path of the publication: the guide spells it `media_publish`, the SDK `mediapublish`.",
    "Which permission a call needs; when Instagram throttles, and the usage headers.",
)
READING = reading("graph.instagram.com", INSTAGRAM)
USER = "17841405822304914"
SECRET = "sandbox-secret-instagram"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving() as found:
        found.put("/a.jpg", picture(800, 600))
        yield found


@pytest.fixture
def settings_for(settings_for: Callable[..., Settings], hub: Hub) -> Callable[..., Settings]:
    """With the address that pictures are served at: the sandbox fetches from there alone."""
    return lambda **environment: settings_for(PUBLIC_URL=hub.url, **environment)


@dataclass
class Shown(Unwatched):
    """The watch of an operation under test: all pictures are the one that the hub serves."""

    address: str

    def public_address(self, address: str, content_type: str) -> str:  # noqa: ARG002 - the protocol's names
        """Where the hub serves it."""
        return self.address


def control(url: str, name: str, **body: object) -> Any:
    return requests.post(f"{url}/_sandbox/instagram/{name}", json=body, timeout=10).json()


def long_token(url: str, hub: Hub) -> str:
    short = control(url, "token", hub=hub.url)["data"][0]["access_token"]
    trade = {"grant_type": "ig_exchange_token", "client_secret": SECRET, "access_token": short}
    with session(url) as http:
        return str(
            http.get("https://graph.instagram.com/access_token", params=trade, timeout=10).json()["access_token"]
        )


@pytest.fixture
def api(url: str, hub: Hub) -> Any:
    return sdk(url, long_token(url, hub), host="graph.instagram.com")


def container_of(api: Any, hub: Hub) -> str:
    user = IGUserForIGOnlyAPI(USER, api=api)
    terms = {"image_url": f"{hub.url}/a.jpg", "caption": "Sail away", "alt_text": "A teal sea"}
    container = str(user.create_media(params=terms)["id"])
    for expected in ("IN_PROGRESS", "FINISHED"):
        found = ShadowIGMediaBuilder(container, api=api).api_get(fields=["status_code", "status"])
        assert found["status_code"] == expected
    return container


def test_the_sdk_reads_the_account(api: Any) -> None:
    fields = ["user_id", "username", "account_type", "media_count", "profile_picture_url"]
    me = IGUserForIGOnlyAPI("me", api=api).api_get(fields=fields)

    assert (me["user_id"], me["username"], me["media_count"]) == (USER, "inkfield.studio", 12)


def test_the_sdk_walks_the_posts_page_by_page(api: Any) -> None:
    fields = (
        "id,caption,alt_text,media_type,permalink,timestamp,owner,shortcode"  # the SDK knows no fields on this edge
    )
    posts = list(IGUserForIGOnlyAPI(USER, api=api).get_media(params={"limit": 5, "fields": fields}))

    assert len({post["id"] for post in posts}) == 12
    assert IGMediaForIGOnlyAPI(posts[0]["id"], api=api).api_get(fields=["permalink"])["permalink"]


def test_the_sdk_publishes_a_container_once(api: Any, hub: Hub) -> None:
    terms = {"creation_id": container_of(api, hub)}

    made = api.call("POST", (USER, "media_publish"), params=terms).json()

    post = IGMediaForIGOnlyAPI(made["id"], api=api).api_get(fields=["caption", "alt_text"])
    assert (post["caption"], post["alt_text"]) == ("Sail away", "A teal sea")
    with pytest.raises(FacebookRequestError) as refused:
        api.call("POST", (USER, "media_publish"), params=terms)
    assert refused.value.http_status() == 400
    limit = IGUserForIGOnlyAPI(USER, api=api).get_content_publishing_limit(fields=["quota_usage", "config"])[0]
    assert (limit["quota_usage"], limit["config"]["quota_total"]) == (1, 100)


def test_the_sdk_reads_what_a_picture_was_refused_for(api: Any, hub: Hub) -> None:
    hub.put("/a.jpg", picture(200, 800))

    with pytest.raises(FacebookRequestError) as refused:
        IGUserForIGOnlyAPI(USER, api=api).create_media(params={"image_url": f"{hub.url}/a.jpg"})

    assert (refused.value.api_error_code(), refused.value.api_error_subcode()) == (36003, 2207009)
    assert refused.value.api_transient_error() is False


@pytest.mark.parametrize(("kind", "subcode"), [("expired_token", 463), ("revoked_grant", 458)])
def test_the_sdk_reads_why_a_token_is_dead(url: str, api: Any, kind: str, subcode: int) -> None:
    control(url, "faults", kind=kind)

    with pytest.raises(FacebookRequestError) as refused:
        IGUserForIGOnlyAPI("me", api=api).api_get()

    assert (refused.value.api_error_code(), refused.value.api_error_subcode()) == (190, subcode)


def test_a_token_is_traded_and_renewed_as_the_sdk_declares_it(url: str, hub: Hub) -> None:
    token = long_token(url, hub)
    control(url, "age", hours=25)

    with session(url) as http:
        terms = {"grant_type": "ig_refresh_token", "access_token": token}
        renewed = http.get("https://graph.instagram.com/refresh_access_token", params=terms, timeout=10).json()

    assert renewed["expires_in"] > 59 * 24 * 3600


def test_what_patchbay_asks_is_declared(
    patchbay: Callable[..., Any], record: Record, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchbay.providers.instagram.publishing.PAUSES_S", (0.01,) * 4)
    connected = patchbay("instagram")
    listed, imported = connected.run("list_media", limit=5), connected.run("import_media")

    connected.api.watch = Shown(f"{hub.url}/a.jpg")
    publish = connected.api.provider.operation("publish_photo")
    assert isinstance(publish, Action)
    posted = publish.run(connected.api, {"mockupUrls": ["a"], "caption": "Hello", "altText": "A mug"})

    calls = {operation for exchange in record.exchanges for operation in READING.operations(exchange)}
    assert len(listed["media"]) == 5
    assert sum(len(page.items) for page in imported) == 12
    assert posted["publishedUrl"].startswith("https://www.instagram.com/p/")
    assert calls == {
        *("IGAccessTokenForIGOnlyAPI.api_get", "IGUserForIGOnlyAPI.api_get", "IGUserForIGOnlyAPI.get_media"),
        *("IGUserForIGOnlyAPI.get_content_publishing_limit", "IGUserForIGOnlyAPI.create_media"),
        *("ShadowIGMediaBuilder.api_get", "IGUserForIGOnlyAPI.create_media_publish", "IGMediaForIGOnlyAPI.api_get"),
    }
