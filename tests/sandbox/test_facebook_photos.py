"""Photos of a page: bytes and addresses, drafts, lists, what is refused, and how much may be asked."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.graph_hub import Hub, picture, serving

PAGE = "104857201948377"


class Caller:
    """A person through an app with a long token, and that person's first page."""

    def __init__(self, url: str, **wanted: object) -> None:
        self.url = url
        self.token = str(self.control("POST", "token", json=wanted).json()["access_token"])
        pages = self.get("me/accounts", self.token, fields="id,access_token").json().get("data", [])
        self.pages = {page["id"]: page["access_token"] for page in pages}

    def control(self, method: str, name: str, **more: Any) -> requests.Response:
        return requests.request(method, f"{self.url}/_sandbox/facebook/{name}", timeout=10, **more)

    def get(self, path: str, token: str | None = None, **params: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self.pages[PAGE]}"}
        address = f"{self.url}/graph.facebook.com/v26.0/{path}"
        return requests.get(address, params=params, headers=headers, timeout=10)

    def post(self, content: bytes | None, page: str = PAGE, token: str | None = None, **form: str) -> requests.Response:
        return requests.post(
            f"{self.url}/graph.facebook.com/v26.0/{page}/photos",
            data={"access_token": token or self.pages[page], **form},
            files={"source": ("a.jpg", content, "image/jpeg")} if content is not None else None,
            timeout=20,
        )


def error_of(answer: requests.Response) -> tuple[int, int, int | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("error_subcode")


@pytest.fixture
def ada(url: str) -> Caller:
    return Caller(url)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving() as found:
        yield found


def test_a_photo_is_published_from_its_bytes(ada: Caller) -> None:
    content = picture(800, 600)

    made = ada.post(content, message="Hello 👋", alt_text_custom="A teal sheet").json()

    photo = ada.get(made["id"], fields="name,alt_text_custom,images,link,created_time").json()
    assert made["post_id"] == f"{PAGE}_{made['id']}"
    assert (photo["name"], photo["alt_text_custom"]) == ("Hello 👋", "A teal sheet")
    assert (photo["images"][0]["width"], photo["images"][0]["height"]) == (800, 600)
    served = requests.get(photo["images"][0]["source"].replace("https://", f"{ada.url}/"), timeout=10)
    assert served.content == content
    assert ada.get(f"{PAGE}/photos", type="uploaded", limit="1").json()["data"][0]["id"] == made["id"]


def test_a_photo_is_published_from_an_address_of_the_hub(url: str, hub: Hub) -> None:
    ada = Caller(url, hub=hub.url)

    good = ada.post(None, url=hub.put("/a.png", picture(kind="PNG")))
    bad = ada.post(None, url=f"{hub.url}/nothing.png")

    assert good.json()["post_id"]
    assert error_of(bad) == (400, 100, 1609005)


def test_a_draft_has_no_post_and_stands_in_no_list(ada: Caller) -> None:
    made = ada.post(picture(), published="false", unpublished_content_type="DRAFT").json()

    listed = ada.get(f"{PAGE}/photos", type="uploaded", limit="100").json()["data"]
    assert set(made) == {"id"}
    assert made["id"] not in {photo["id"] for photo in listed}
    assert "page_story_id" not in ada.get(made["id"], fields="page_story_id").json()


@pytest.mark.parametrize(
    "form",
    [
        {"unpublished_content_type": "DRAFT"},
        {"published": "false", "unpublished_content_type": "SECRET"},
        {"published": "false", "unpublished_content_type": "SCHEDULED"},
        {"message": "x" * 63_207},
    ],
)
def test_terms_that_make_no_sense_are_refused(ada: Caller, form: dict[str, str]) -> None:
    assert error_of(ada.post(picture(), **form)) == (400, 100, None)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xd8" + bytes(10 * 1024 * 1024), picture(kind="PPM")])
def test_a_file_that_facebook_does_not_take_is_refused(ada: Caller, content: bytes) -> None:
    answer = ada.post(content)

    assert error_of(answer) == (400, 324, 2069019)
    assert "10 MB" in answer.json()["error"]["error_user_msg"]


def test_neither_file_nor_address_is_refused(ada: Caller) -> None:
    assert error_of(ada.post(None, message="words alone")) == (400, 324, None)


def test_the_default_list_holds_profile_pictures_alone(ada: Caller) -> None:
    assert ada.get(f"{PAGE}/photos").json() == {"data": []}
    assert len(ada.get(f"{PAGE}/photos", type="uploaded").json()["data"]) == 12
    assert error_of(ada.get(f"{PAGE}/photos", type="all")) == (400, 100, None)


def test_photos_come_newest_first_in_pages_and_nested_fields_are_narrowed(ada: Caller) -> None:
    wanted = {"type": "uploaded", "limit": "5", "fields": "id,created_time,images{source}"}
    first = ada.get(f"{PAGE}/photos", **wanted).json()

    second = requests.get(first["paging"]["next"].replace("https://", f"{ada.url}/"), timeout=10).json()

    times = [photo["created_time"] for photo in first["data"] + second["data"]]
    assert times == sorted(times, reverse=True)
    assert len(times) == 10
    assert set(second["data"][0]["images"][0]) == {"source"}


def test_only_the_page_itself_may_post(ada: Caller) -> None:
    assert error_of(ada.post(picture(), token=ada.token)) == (403, 200, None)


def test_posting_wants_the_task_and_all_three_permissions(url: str) -> None:
    ben = Caller(url, account="ben")
    archive, newer, foreign = ben.pages
    ada = Caller(url, scopes=["pages_show_list", "pages_read_engagement"])

    assert ben.post(picture(), page=newer).status_code == 200
    assert error_of(ben.post(picture(), page=archive)) == (403, 200, None)
    assert error_of(ben.post(picture(), page=archive, token=ben.pages[foreign])) == (403, 200, None)
    assert error_of(ada.post(picture())) == (403, 200, None)


def test_the_page_of_somebody_else_is_not_there(url: str) -> None:
    ben = Caller(url, account="ben")

    assert error_of(ben.get(PAGE, ben.token)) == (400, 100, 33)
    assert error_of(ben.get("999", ben.token)) == (400, 100, 33)


@pytest.mark.parametrize("code", [368, 506])
def test_policy_and_duplicates_can_be_played(ada: Caller, code: int) -> None:
    ada.control("POST", "refusals", json={"code": code})

    refused, after = ada.post(picture()), ada.post(picture())

    assert error_of(refused)[:2] == (400, code)
    assert after.status_code == 200


def test_a_photo_can_be_deleted(ada: Caller) -> None:
    made = ada.post(picture()).json()["id"]
    headers = {"Authorization": f"OAuth {ada.pages[PAGE]}"}

    gone = requests.delete(f"{ada.url}/graph.facebook.com/v26.0/{made}", headers=headers, timeout=10)

    assert gone.json() == {"success": True}
    assert error_of(ada.get(made)) == (400, 100, 33)
    assert ada.control("DELETE", f"photos/{made}").status_code == 404


def test_usage_of_a_page_and_of_an_app_stand_in_different_headers(ada: Caller) -> None:
    ada.control("POST", "usage", json={"owner": PAGE, "percent": 90, "minutes": 7})
    ada.control("POST", "usage", json={"owner": "sandbox-facebook", "percent": 40, "minutes": 7})

    page, person = ada.get("me"), ada.get("me", ada.token)

    assert json.loads(page.headers["X-Business-Use-Case-Usage"])[PAGE][0]["call_count"] == 90
    assert json.loads(person.headers["X-App-Usage"])["call_count"] == 40


def test_a_used_up_allowance_is_refused_with_the_wait_in_a_header(ada: Caller) -> None:
    ada.control("POST", "usage", json={"owner": PAGE, "percent": 100, "minutes": 7})
    ada.control("POST", "usage", json={"owner": "sandbox-facebook", "percent": 100, "minutes": 7})

    page, person = ada.get("me"), ada.get("me", ada.token)

    assert error_of(page) == (403, 80001, None)
    assert json.loads(page.headers["X-Business-Use-Case-Usage"])[PAGE][0]["estimated_time_to_regain_access"] == 7
    assert error_of(person) == (403, 4, None)


def test_faults_speak_facebooks_dialect(ada: Caller) -> None:
    ada.control("POST", "faults", json={"kind": "rate_limit", "times": 2, "seconds": 180})
    page, person = ada.get("me"), ada.get("me", ada.token)
    ada.control("POST", "faults", json={"kind": "server_error"})
    broken = ada.get("me")

    assert error_of(page) == (403, 32, None)
    assert '"estimated_time_to_regain_access":3' in page.headers["X-Business-Use-Case-Usage"]
    assert error_of(person) == (403, 4, None)
    assert (broken.status_code, broken.json()["error"]["is_transient"]) == (500, True)


def test_generated_photos_are_the_same_for_the_same_seed_and_replace_those_before(ada: Caller) -> None:
    ada.control("POST", "generate", json={"count": 300, "seed": 3})
    first = ada.control("GET", "state?collection=photos&limit=1000").json()
    ada.control("POST", "generate", json={"count": 299, "seed": 3})

    second = ada.control("GET", "state?collection=photos&limit=1000").json()

    kept = {photo["id"] for photo in second["data"]}
    assert (first["total"], second["total"]) == (12 + 3 * 3 + 300, 12 + 3 * 3 + 299)
    assert [photo["name"] for photo in first["data"] if photo["id"] not in kept] == ["Comet hoodie, no. 300-3"]
