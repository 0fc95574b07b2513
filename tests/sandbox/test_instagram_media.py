"""Reading and publishing on Instagram: two ids, pages, containers, the picture that is really fetched, the quota."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.graph_hub import Hub, picture, serving

SECRET = "sandbox-secret-instagram"
BASIC = "instagram_business_basic"
USER = "17841405822304914"


class Caller:
    """Ada's studio, as an app with a long token that came from the hub."""

    def __init__(self, url: str, hub: str = "", **wanted: object) -> None:
        self.url = url
        short = self.control("POST", "token", json={"hub": hub, **wanted}).json()["data"][0]["access_token"]
        trade = {"grant_type": "ig_exchange_token", "client_secret": SECRET, "access_token": short}
        answer = requests.get(f"{url}/graph.instagram.com/access_token", params=trade, timeout=10)
        self.token = answer.json()["access_token"]

    def control(self, method: str, name: str, **more: Any) -> requests.Response:
        return requests.request(method, f"{self.url}/_sandbox/instagram/{name}", timeout=10, **more)

    def get(self, path: str, **params: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{self.url}/graph.instagram.com/v26.0/{path}"
        return requests.get(address, params=params, headers=headers, timeout=20)

    def post(self, path: str, **form: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.post(f"{self.url}/graph.instagram.com/v26.0/{path}", data=form, headers=headers, timeout=20)

    def container(self, address: str, **form: str) -> str:
        answer = self.post(f"{USER}/media", image_url=address, **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def status(self, container: str) -> str:
        return str(self.get(container, fields="status_code").json()["status_code"])

    def ready(self, address: str, **form: str) -> str:
        container = self.container(address, **form)
        assert self.status(container) == "IN_PROGRESS"
        assert self.status(container) == "FINISHED"
        return container


def error_of(answer: requests.Response) -> tuple[int, int, int | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("error_subcode")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving() as found:
        yield found


@pytest.fixture
def ada(url: str, hub: Hub) -> Caller:
    return Caller(url, hub.url)


def test_an_account_has_two_ids(ada: Caller) -> None:
    me = ada.get("me", fields="user_id,username,account_type,media_count").json()

    assert me["user_id"] == USER
    assert me["id"] != USER
    assert (me["username"], me["account_type"], me["media_count"]) == ("inkfield.studio", "BUSINESS", 12)
    assert error_of(ada.get(f"{me['id']}/media")) == (400, 100, 33)


def test_a_field_that_does_not_exist_is_named(ada: Caller) -> None:
    answer = ada.get("me", fields="id,shoe_size")

    assert error_of(answer) == (400, 100, None)
    assert "(shoe_size)" in answer.json()["error"]["message"]


def test_posts_come_newest_first_in_pages_that_lead_on(ada: Caller) -> None:
    page = ada.get(f"{USER}/media", fields="id,caption,timestamp", limit="5").json()
    second = requests.get(page["paging"]["next"].replace("https://", f"{ada.url}/"), timeout=10).json()
    third = ada.get(f"{USER}/media", fields="id", limit="5", after=second["paging"]["cursors"]["after"]).json()

    times = [post["timestamp"] for post in page["data"] + second["data"]]
    assert times == sorted(times, reverse=True)
    assert [len(each["data"]) for each in (page, second, third)] == [5, 5, 2]
    assert "next" not in third["paging"]
    assert f"access_token={ada.token}" in page["paging"]["next"]


def test_the_way_back_leads_to_the_page_before(ada: Caller) -> None:
    first = ada.get(f"{USER}/media", fields="id", limit="5").json()
    second = ada.get(f"{USER}/media", fields="id", limit="5", after=first["paging"]["cursors"]["after"]).json()

    back = ada.get(f"{USER}/media", fields="id", limit="5", before=second["paging"]["cursors"]["before"]).json()

    assert back["data"] == first["data"]


def test_a_full_last_page_has_no_next(ada: Caller) -> None:
    page = ada.get(f"{USER}/media", limit="12").json()

    assert len(page["data"]) == 12
    assert "next" not in page["paging"]


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "x"}, {"after": "~"}])
def test_paging_that_makes_no_sense_is_refused(ada: Caller, params: dict[str, str]) -> None:
    assert error_of(ada.get(f"{USER}/media", **params)) == (400, 100, None)


def test_an_empty_caption_is_left_out(ada: Caller) -> None:
    posts = ada.get(f"{USER}/media", fields="caption", limit="100").json()["data"]

    assert [set(post) for post in posts].count({"id"}) == 1


def test_a_picture_can_be_fetched_while_its_address_holds(ada: Caller) -> None:
    post = ada.get(f"{USER}/media", fields="media_url", limit="1").json()["data"][0]
    address = post["media_url"].replace("https://", f"{ada.url}/")

    good = requests.get(address, timeout=10)
    forged = requests.get(address.replace("oe=", "oe=F"), timeout=10)

    assert good.headers["Content-Type"] == "image/jpeg"
    assert good.content.startswith(b"\xff\xd8")
    assert forged.status_code == 403


def test_a_post_of_another_account_is_not_there(ada: Caller) -> None:
    foreign = Caller(ada.url, account="northern.prints").get("me/media").json()["data"][0]["id"]

    assert error_of(ada.get(foreign)) == (400, 100, 33)
    assert error_of(ada.get("17900000000099999")) == (400, 100, 33)


def test_publishing_is_three_steps_and_the_picture_is_really_fetched(ada: Caller, hub: Hub) -> None:
    content = picture(800, 600)
    container = ada.ready(hub.put("/a.jpg", content), caption="Sail away", alt_text="A teal sea")

    media = ada.post(f"{USER}/media_publish", creation_id=container).json()["id"]

    post = ada.get(media, fields="caption,alt_text,media_url,permalink,media_type").json()
    assert (post["caption"], post["alt_text"], post["media_type"]) == ("Sail away", "A teal sea", "IMAGE")
    assert post["permalink"].startswith("https://www.instagram.com/p/")
    assert requests.get(post["media_url"].replace("https://", f"{ada.url}/"), timeout=10).content == content
    assert ada.get(f"{USER}/media", limit="1").json()["data"] == [{"id": media}]
    assert {agent.partition("/")[0] for _, agent in hub.asked} == {"facebookexternalhit"}


def test_a_container_is_published_once(ada: Caller, hub: Hub) -> None:
    container = ada.ready(hub.put("/a.jpg", picture()))
    ada.post(f"{USER}/media_publish", creation_id=container)

    again = ada.post(f"{USER}/media_publish", creation_id=container)

    assert error_of(again) == (400, 24, 2207008)
    assert ada.status(container) == "PUBLISHED"
    assert ada.get("me", fields="media_count").json()["media_count"] == 13


def test_a_container_is_not_ready_at_once(ada: Caller, hub: Hub) -> None:
    container = ada.container(hub.put("/a.jpg", picture()))

    assert error_of(ada.post(f"{USER}/media_publish", creation_id=container)) == (400, 9007, 2207027)


@pytest.mark.parametrize(("outcome", "code"), [("ERROR", 9007), ("EXPIRED", 24)])
def test_a_container_can_end_badly(ada: Caller, hub: Hub, outcome: str, code: int) -> None:
    ada.control("POST", "containers", json={"outcome": outcome, "status": "2207003"})
    container = ada.container(hub.put("/a.jpg", picture()))
    ada.status(container)

    assert ada.status(container) == outcome
    assert error_of(ada.post(f"{USER}/media_publish", creation_id=container))[1] == code
    assert ("2207003" in ada.get(container, fields="status").json()["status"]) == (outcome == "ERROR")


def test_a_container_lives_for_a_day(ada: Caller, hub: Hub) -> None:
    container = ada.ready(hub.put("/a.jpg", picture()))
    ada.control("POST", "age", json={"hours": 25})

    assert ada.status(container) == "EXPIRED"


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (picture(kind="PNG"), (36001, 2207005)),
        (picture(400, 1000), (36003, 2207009)),
        (picture(1000, 400), (36003, 2207009)),
        (b"\xff\xd8" + bytes(8 * 1024 * 1024), (36000, 2207004)),
        (b"", (9004, 2207052)),
        (b"<html>", (9004, 2207052)),
    ],
)
def test_a_picture_that_instagram_does_not_take_is_refused(
    ada: Caller, hub: Hub, content: bytes, codes: tuple[int, int]
) -> None:
    answer = ada.post(f"{USER}/media", image_url=hub.put("/a.jpg", content))

    assert error_of(answer) == (400, *codes)
    assert answer.json()["error"]["error_user_msg"]


def test_what_cannot_be_fetched_is_refused(ada: Caller, hub: Hub) -> None:
    gone = ada.post(f"{USER}/media", image_url=f"{hub.url}/nothing.jpg")
    nowhere = ada.post(f"{USER}/media", image_url="no address")
    none = ada.post(f"{USER}/media", caption="words alone")

    assert error_of(gone) == error_of(nowhere) == (400, 9004, 2207052)
    assert error_of(none) == (400, 100, 2207023)


def test_the_robot_obeys_robots_txt(ada: Caller, hub: Hub) -> None:
    hub.put("/robots.txt", b"User-agent: *\nDisallow: /private/\n")

    answer = ada.post(f"{USER}/media", image_url=hub.put("/private/a.jpg", picture()))

    assert error_of(answer) == (400, 9004, 2207052)
    assert ("/private/a.jpg", hub.asked[0][1]) not in hub.asked


def test_loopback_is_open_to_the_hub_alone(ada: Caller, hub: Hub) -> None:
    with serving() as other:
        direct = ada.post(f"{USER}/media", image_url=other.put("/a.jpg", picture()))
        hub.put("/b.jpg", b"", 302, Location=f"{other.url}/a.jpg")
        led_there = ada.post(f"{USER}/media", image_url=f"{hub.url}/b.jpg")

        assert other.asked == []
    assert error_of(direct) == error_of(led_there) == (400, 9004, 2207052)


def test_a_caption_has_at_most_2200_characters(ada: Caller, hub: Hub) -> None:
    address = hub.put("/a.jpg", picture())

    assert error_of(ada.post(f"{USER}/media", image_url=address, caption="x" * 2201)) == (400, 36004, 2207010)
    assert ada.container(address, caption="x" * 2200)


def test_the_quota_is_told_and_enforced(ada: Caller, hub: Hub) -> None:
    container = ada.ready(hub.put("/a.jpg", picture()))
    ada.control("POST", "quota", json={"used": 100})

    told = ada.get(f"{USER}/content_publishing_limit", fields="quota_usage,config").json()["data"][0]

    assert told == {"quota_usage": 100, "config": {"quota_total": 100, "quota_duration": 86400}}
    assert error_of(ada.post(f"{USER}/media_publish", creation_id=container)) == (400, 9, 2207042)


def test_each_published_post_counts(ada: Caller, hub: Hub) -> None:
    ada.post(f"{USER}/media_publish", creation_id=ada.ready(hub.put("/a.jpg", picture())))

    assert ada.get(f"{USER}/content_publishing_limit").json()["data"] == [{"quota_usage": 1}]


def test_every_call_wants_its_permission(url: str, hub: Hub) -> None:
    reader = Caller(url, hub.url, scopes=[BASIC])

    assert reader.get(f"{USER}/media").status_code == 200
    assert error_of(reader.post(f"{USER}/media", image_url="https://x.example/a.jpg")) == (403, 10, None)
    assert error_of(reader.get(f"{USER}/content_publishing_limit")) == (403, 10, None)


def test_usage_stands_in_a_header_as_json_and_100_percent_is_a_403(ada: Caller) -> None:
    quiet = ada.get("me")
    ada.control("POST", "usage", json={"percent": 85, "minutes": 5})
    busy = ada.get("me")
    ada.control("POST", "usage", json={"percent": 100, "minutes": 5})
    full = ada.get("me")

    assert "X-Business-Use-Case-Usage" not in quiet.headers
    assert json.loads(busy.headers["X-Business-Use-Case-Usage"])[USER][0]["call_count"] == 85
    told = json.loads(full.headers["X-Business-Use-Case-Usage"])[USER][0]
    assert (full.status_code, full.json()["error"]["code"], full.json()["error"]["is_transient"]) == (403, 80002, True)
    assert told["estimated_time_to_regain_access"] == 5


def test_faults_speak_instagrams_dialect(ada: Caller) -> None:
    ada.control("POST", "faults", json={"kind": "rate_limit", "seconds": 120})
    limited = ada.get("me")
    ada.control("POST", "faults", json={"kind": "server_error"})
    broken = ada.get("me")

    assert error_of(limited) == (403, 4, None)
    assert '"estimated_time_to_regain_access":2' in limited.headers["X-Business-Use-Case-Usage"]
    assert (broken.status_code, broken.json()["error"]["code"], broken.json()["error"]["is_transient"]) == (
        500,
        2,
        True,
    )


def test_old_versions_fall_forward_and_future_ones_do_not_exist(ada: Caller) -> None:
    token = {"access_token": ada.token}
    old = requests.get(f"{ada.url}/graph.instagram.com/v12.0/me", params=token, timeout=10)
    future = requests.get(f"{ada.url}/graph.instagram.com/v99.0/me", params=token, timeout=10)

    assert old.headers["facebook-api-version"] == "v21.0"
    assert error_of(future) == (400, 2500, None)


def test_generated_posts_are_the_same_for_the_same_seed_and_replace_those_before(ada: Caller) -> None:
    ada.control("POST", "generate", json={"count": 250, "seed": 7})
    first = ada.control("GET", "state?collection=media&limit=1000").json()
    ada.control("POST", "generate", json={"count": 249, "seed": 7})

    second = ada.control("GET", "state?collection=media&limit=1000").json()

    assert (first["total"], second["total"]) == (15 + 250, 15 + 249)
    assert [post["id"] for post in first["data"] if post not in second["data"]] == [first["data"][252]["id"]]
    assert ada.get("me", fields="media_count").json()["media_count"] == 12 + 249


def test_a_deleted_post_is_gone(ada: Caller) -> None:
    newest = ada.get(f"{USER}/media", limit="1").json()["data"][0]["id"]

    deleted = ada.control("DELETE", f"media/{newest}")

    assert deleted.status_code == 204
    assert error_of(ada.get(newest)) == (400, 100, 33)
    assert ada.control("DELETE", f"media/{newest}").status_code == 404
