"""Meta's own Business SDK against the sandbox's Facebook, and as a judge over what Patchbay asks and is answered."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import requests
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.photo import Photo
from facebook_business.adobjects.user import User
from facebook_business.exceptions import FacebookRequestError
from PIL import Image

from patchbay.spec import Picture
from tests.conformance.graph_objects import FACEBOOK, reading, sdk
from tests.conformance.recording import Record
from tests.conformance.witness import Witness

WITNESS = Witness(
    platform="Facebook",
    name="Meta's Business SDK and the declarations it is generated from",
    package="facebook-business",
    subject="Patchbay's requests, the sandbox's answers to them and to the SDK",
)
UNWITNESSED = (
    "The dialog and its redirect, the exchange of a code, the exchange for a long-lived token, `debug_token`.",
    "Which permission and which task a call needs.",
    "`post_id` in the answer to a photo, `tasks` of a page: the reference pages have them, the SDK has not.",
    "When Facebook throttles, and the usage headers.",
)
READING = reading("graph.facebook.com", FACEBOOK)
SECRET = "sandbox-secret-facebook"
ADAS_PAGE = "104857201948377"


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").save(target, "PNG")
    return target.getvalue()


def control(url: str, name: str, **body: object) -> Any:
    return requests.post(f"{url}/_sandbox/facebook/{name}", json=body, timeout=10).json()


def person(url: str, account: str = "ada", **more: Any) -> Any:
    return sdk(url, control(url, "token", account=account)["access_token"], **more)


def page_of(url: str, number: int = 0, **more: Any) -> tuple[Any, Any]:
    """A page of Ada's, and the SDK speaking as that page."""
    page = User("me", api=person(url)).get_accounts(fields=["id", "access_token"])[number]
    return page, sdk(url, page["access_token"], **more)


def post(api: Any, page: str, **terms: str) -> Any:
    return api.call("POST", (page, "photos"), params=terms, files={"source": ("a.png", picture(), "image/png")}).json()


def test_the_sdk_walks_the_pages_of_a_person(url: str) -> None:
    found = User("me", api=person(url, "ben")).get_accounts(fields=["id", "name"], params={"limit": 2})

    assert [page["name"] for page in found] == ["Harbour Press Archive", "Little Kiln", "Northern Prints"]


def test_the_sdk_reads_person_permissions_and_page(url: str) -> None:
    api = person(url)
    me = User("me", api=api).api_get(fields=["id", "name"])
    permissions = User("me", api=api).get_permissions()
    page = Page(ADAS_PAGE, api=api).api_get(fields=["name", "category", "link"])

    assert me["name"] == "Ada Inkfield"
    assert {each["permission"]: each["status"] for each in permissions}["pages_manage_posts"] == "granted"
    assert page["category"] == "Art"


def test_the_sdk_posts_reads_lists_and_deletes_a_photo(url: str) -> None:
    page, api = page_of(url, secret=SECRET)

    made = post(api, page["id"], message="Hello", alt_text_custom="A teal sheet")
    photo = Photo(made["id"], api=api).api_get(fields=["name", "alt_text_custom", "images", "width", "from", "album"])
    listed = Page(page["id"], api=api).get_photos(
        fields=["id", "created_time"], params={"type": "uploaded", "limit": 5}
    )
    Photo(made["id"], api=api).api_delete()

    assert (photo["name"], photo["width"], photo["images"][0]["width"]) == ("Hello", 80, 80)
    assert len(list(listed)) == 13
    with pytest.raises(FacebookRequestError) as refused:
        Photo(made["id"], api=api).api_get()
    assert (refused.value.api_error_code(), refused.value.api_error_subcode()) == (100, 33)


def test_the_sdk_saves_a_draft(url: str) -> None:
    page, api = page_of(url)

    draft = post(api, page["id"], published="false", unpublished_content_type="DRAFT")

    assert set(draft) == {"id"}


def test_the_proof_of_the_sdk_is_taken_and_a_wrong_one_is_not(url: str) -> None:
    control(url, "proof", required=1)

    assert User("me", api=person(url, secret=SECRET)).api_get(fields=["id"])["id"]
    with pytest.raises(FacebookRequestError) as refused:
        User("me", api=person(url, secret="another secret")).api_get(fields=["id"])
    assert "appsecret_proof" in refused.value.api_error_message()


@pytest.mark.parametrize(("kind", "code", "subcode"), [("expired_token", 190, 463), ("revoked_grant", 190, 458)])
def test_the_sdk_reads_why_a_token_is_dead(url: str, kind: str, code: int, subcode: int) -> None:
    api = person(url)
    control(url, "faults", kind=kind)

    with pytest.raises(FacebookRequestError) as refused:
        User("me", api=api).api_get()

    assert (refused.value.api_error_code(), refused.value.api_error_subcode()) == (code, subcode)


def test_the_sdk_reads_throttling_and_outages_as_transient(url: str) -> None:
    api = person(url)
    for kind, code in (("rate_limit", 4), ("server_error", 2)):
        control(url, "faults", kind=kind)

        with pytest.raises(FacebookRequestError) as refused:
            User("me", api=api).api_get()

        assert refused.value.api_transient_error() is True
        assert refused.value.api_error_code() == code


def test_the_sdk_reads_what_a_file_was_refused_for(url: str) -> None:
    page, api = page_of(url)

    with pytest.raises(FacebookRequestError) as refused:
        api.call("POST", (page["id"], "photos"), files={"source": ("a.png", b"", "image/png")})

    assert (refused.value.http_status(), refused.value.api_error_code()) == (400, 324)


def test_an_app_that_the_sdk_removes_is_gone(url: str) -> None:
    api = person(url)

    User("me", api=api).delete_permissions()

    with pytest.raises(FacebookRequestError) as refused:
        User("me", api=api).api_get()
    assert refused.value.api_error_subcode() == 458


def test_what_patchbay_asks_is_declared(patchbay: Callable[..., Any], record: Record) -> None:
    hub = patchbay("facebook")
    image = Picture.of(picture(), filename="mug 🐕.png", content_type="image/png")
    values = {"mockupUrls": ["a"], "caption": "Hello", "altText": "A teal sheet"}

    pages = hub.run("list_pages")["pages"]
    posted = hub.run("publish_photo", {"a": image}, **values)
    listed = hub.run("list_photos", limit=5)
    draft = hub.run("publish_photo", {"a": image}, **values, draft=True)
    imported = hub.run("import_photos")
    hub.api.provider.revoke(hub.api)

    calls = {operation for exchange in record.exchanges for operation in READING.operations(exchange)}
    assert [page["id"] for page in pages] == [ADAS_PAGE]
    assert posted["photoId"] != draft["photoId"]
    assert len(listed["photos"]) == 5
    assert sum(len(page.items) for page in imported) == 13
    assert calls == {
        *("User.api_get", "User.get_accounts", "User.get_permissions", "User.delete_permissions"),
        *("Page.api_get", "Page.get_photos", "Page.create_photo", "Photo.api_get"),
    }
