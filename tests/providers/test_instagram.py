"""Instagram: what is special about it. Errors are written as Meta's page "Error Codes" shows them."""

import json
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from PIL import Image

from patchbay import assets, connections, runs, tokens
from patchbay.client import Client
from patchbay.models import Connection, ConnectionState, Run, RunStatus, Trigger, User, db, fresh_view
from patchbay.oauth.answers import refusal_in
from patchbay.providers import instagram
from patchbay.providers.instagram import media
from patchbay.spec import Answer, Meaning, OAuth2, Request, classify
from patchbay.spec.graph import Paging
from tests.providers.sample import Sample, mockup_of
from tests.stage import FrozenClock, Queue, Sandbox, Walker, waited_out

NUMBERS = count(1)
SAMPLE = Sample(
    refusable=(instagram.PUBLISH,),
    found={"media": 312},
    inputs={"publish_photo": lambda user, _sandbox: words(user)},
    without_scope={"scopes": instagram.PUBLISH},
    quick={"patchbay.providers.instagram.publishing.PAUSES_S": (0.01,) * 4},
    exempt={
        "test_a_token_that_will_end_soon_is_renewed_ahead": "Instagram renews no token that is younger than a day; "
        "a test of Instagram's own lets that day pass.",
    },
)
ME = {"user_id": 17841405822304914, "username": "inkfield.studio", "id": "25012345678901234"}
FIXTURE = Path(__file__).parent / "fixtures" / "instagram" / "media.json"

pytestmark = pytest.mark.usefixtures("context", "served", "_short_pauses")


class Says(Client):
    """A client to which Instagram always says the same."""

    def __init__(self, body: bytes) -> None:
        nobody = tokens.StoredToken("con_nobody")
        super().__init__(instagram.PROVIDER, None, {}, is_sandbox=True, source=nobody, budget_key="none")
        self._body = body

    def send(self, request: Request) -> Answer:
        return Answer(200, {}, self._body, request.url)


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr("patchbay.providers.instagram.publishing.PAUSES_S", (0.01,) * 4)


def words(user: User) -> dict[str, Any]:
    return {"mockupUrls": [mockup_of(user)], "caption": f"Mugs, no. {next(NUMBERS)}", "altText": "A mug"}


def run_of(user: User, operation: str, queue: Queue, **values: Any) -> Run:
    run = runs.start(user.id, "instagram", operation, values, Trigger.API)
    queue.run_all()
    fresh_view()
    return db.session.get_one(Run, run.id, populate_existing=True)


def done(run: Run) -> dict[str, Any]:
    assert run.status is RunStatus.SUCCEEDED, f"{run.error_kind}: {run.error_detail}"
    assert run.result is not None
    return run.result


def control(sandbox: Sandbox, name: str, **body: object) -> Any:
    answer = requests.post(f"{sandbox.url}/_sandbox/instagram/{name}", json=body, timeout=10)
    assert answer.ok, answer.text
    return answer.json()


def connection_of(user: User) -> Connection:
    fresh_view()
    found = connections.find(user.id, "instagram")
    assert found is not None
    db.session.refresh(found)
    return found


def error(code: int, subcode: int | None = None, **more: Any) -> Answer:
    told = {"message": "no", "type": "OAuthException", "code": code, "error_subcode": subcode, **more}
    return Answer(more.pop("status", 400), {}, json.dumps({"error": told}).encode(), "")


@pytest.mark.parametrize(
    ("code", "subcode", "meaning"),
    [
        (190, 463, Meaning.TOKEN_EXPIRED),
        (190, 460, Meaning.TOKEN_EXPIRED),
        (190, 458, Meaning.TOKEN_EXPIRED),
        (102, None, Meaning.TOKEN_EXPIRED),
        (10, None, Meaning.SCOPE_MISSING),
        (200, None, Meaning.SCOPE_MISSING),
        (299, None, Meaning.SCOPE_MISSING),
        (100, 33, Meaning.NOT_FOUND),
        (100, None, Meaning.REFUSED),
        (4, None, Meaning.THROTTLED),
        (17, None, Meaning.THROTTLED),
        (32, None, Meaning.THROTTLED),
        (613, None, Meaning.THROTTLED),
        (80002, None, Meaning.THROTTLED),
        (4, 2207051, Meaning.REFUSED),
        (9, 2207042, Meaning.FULL),
        (-1, 2207001, Meaning.UNAVAILABLE),
        (-2, 2207003, Meaning.UNAVAILABLE),
        (2, None, Meaning.UNAVAILABLE),
        (9007, 2207027, Meaning.UNAVAILABLE),
        (36000, 2207004, Meaning.REFUSED),
        (36003, 2207009, Meaning.REFUSED),
        (9004, 2207052, Meaning.REFUSED),
        (24, 2207008, Meaning.REFUSED),
        (368, None, Meaning.REFUSED),
    ],
)
def test_the_codes_tell_what_a_refusal_means(code: int, subcode: int | None, meaning: Meaning) -> None:
    fault = classify(instagram.PROVIDER.faults, error(code, subcode))

    assert fault is not None
    assert (fault.meaning, fault.text) == (meaning, "no")


def test_the_address_of_a_picture_does_not_reach_the_log_with_the_platforms_words() -> None:
    answer = error(9004, 2207052, error_user_msg="The media could not be fetched from this URI: https://x/?key=secret")

    fault = classify(instagram.PROVIDER.faults, answer)

    assert fault is not None
    assert "secret" not in fault.text + fault.says


def test_the_recorded_answer_is_read_as_it_stands() -> None:
    recorded = json.loads(FIXTURE.read_text(encoding="utf-8"))["answer"]

    found = msgspec.convert(recorded, media.MediaList)

    items = [media.item_of(one) for one in found.data]
    assert found.paging.next_cursor == recorded["paging"]["cursors"]["after"]
    assert [item.title for item in items] == [
        "New in the shop: the fern tee in sand.",
        "https://www.instagram.com/p/C0zYxWvUtSr/",
    ]
    assert items[1].data["caption"] is None


def test_a_list_ends_where_no_next_page_is_named() -> None:
    assert Paging().next_cursor is None
    assert msgspec.convert({"cursors": {"before": "a", "after": "b"}}, Paging).next_cursor is None


def test_the_account_is_the_one_that_stands_in_paths(ada: User, connect: Walker) -> None:
    connect(ada, "instagram")

    connection = connection_of(ada)
    assert (connection.account_id, connection.account_label) == ("17841405822304914", "@inkfield.studio")


@pytest.mark.parametrize("body", [ME, {"data": [ME]}, {**ME, "user_id": "17841405822304914"}])
def test_an_account_is_read_flat_as_it_comes_and_wrapped_as_the_guide_shows_it(body: Any) -> None:
    account = media.identify(Says(json.dumps(body).encode()))

    assert (account.id, account.label) == ("17841405822304914", "@inkfield.studio")


def test_a_post_is_a_container_that_is_awaited_and_published(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "instagram")

    result = done(run_of(ada, "publish_photo", queue, **words(ada)))

    posts = sandbox.state("instagram", "media")
    post = next(post for post in posts if post["id"] == result["mediaId"])
    assert post["permalink"] == result["publishedUrl"]
    assert post["caption"].startswith("Mugs, no. ")
    assert post["alt_text"] == "A mug"
    calls = [row["path"].rpartition("/")[2] for row in sandbox.received("instagram") if row["method"] == "POST"]
    assert calls == ["access_token", "media", "media_publish"]


def test_the_quota_is_asked_before_anything_is_posted(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "instagram")
    control(sandbox, "quota", used=100)

    run = run_of(ada, "publish_photo", queue, **words(ada))

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "QuotaFull")
    assert [row for row in sandbox.received("instagram") if row["path"].endswith("/media")] == []


def test_a_lost_answer_of_the_publication_posts_nothing_twice(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "instagram")
    before = len(sandbox.state("instagram", "media"))
    sandbox.fault("instagram", "lost_response", match="/media_publish")

    result = done(run_of(ada, "publish_photo", queue, **words(ada)))

    posts = sandbox.state("instagram", "media")
    assert len(posts) == before + 1
    assert result["mediaId"] in {post["id"] for post in posts}


def test_a_container_that_ended_meanwhile_is_made_anew(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "instagram")
    control(sandbox, "containers", outcome="EXPIRED")

    assert done(run_of(ada, "publish_photo", queue, **words(ada)))["publishedUrl"]


def test_a_container_that_failed_for_good_is_told_so(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "instagram")
    before = len(sandbox.state("instagram", "media"))
    control(sandbox, "containers", outcome="ERROR", status="2207026")

    run = run_of(ada, "publish_photo", queue, **words(ada))

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "PlatformError")
    assert "2207026" in str(run.error_detail)
    assert len(sandbox.state("instagram", "media")) == before


def test_a_container_that_may_yet_be_filled_is_made_again_later(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    connect(ada, "instagram")
    before = len(sandbox.state("instagram", "media"))
    control(sandbox, "containers", outcome="ERROR", status="2207003")

    waiting = run_of(ada, "publish_photo", queue, **words(ada))
    status = waiting.status

    assert status is RunStatus.WAITING
    assert done(waited_out(waiting, frozen_clock, queue))["publishedUrl"]
    assert len(sandbox.state("instagram", "media")) == before + 1


def test_a_tall_picture_of_any_name_and_kind_is_made_to_fit(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "instagram")
    buffer = BytesIO()
    Image.new("RGBA", (100, 400), "teal").save(buffer, "PNG")
    address = assets.link(assets.upload(ada.id, buffer.getvalue(), "tall 🐕/../" + "x" * 300 + ".png"))

    assert done(run_of(ada, "publish_photo", queue, mockupUrls=[address]))["publishedUrl"]


def test_throttling_pauses_for_the_minutes_that_the_header_names(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    connect(ada, "instagram")
    control(sandbox, "usage", percent=100, minutes=7)

    run = run_of(ada, "list_media", queue)

    assert run.status is RunStatus.WAITING
    assert run.resumes_at is not None
    assert (run.resumes_at - frozen_clock.now()).total_seconds() == 7 * 60
    control(sandbox, "usage", percent=0, minutes=1)


def test_a_token_is_renewed_two_weeks_ahead(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    connect(ada, "instagram")
    before = connection_of(ada)
    token, ends = before.access_token, before.token_expires_at
    assert ends is not None
    assert 59 <= (ends - frozen_clock.now()).days <= 60
    control(sandbox, "age", hours=46 * 24)
    frozen_clock.advance(days=46)

    done(run_of(ada, "list_media", queue))

    after = connection_of(ada)
    assert after.access_token != token
    assert after.token_expires_at is not None
    assert 59 <= (after.token_expires_at - frozen_clock.now()).days <= 60


def test_a_token_that_has_ended_asks_for_its_owner(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "instagram")
    sandbox.fault("instagram", "expired_token")

    run = run_of(ada, "list_media", queue)

    assert run.status is RunStatus.FAILED
    assert connection_of(ada).state is ConnectionState.RECONNECT_NEEDED


def test_the_first_answer_is_unwrapped_and_its_permissions_are_read() -> None:
    auth = instagram.PROVIDER.auth

    assert isinstance(auth, OAuth2)
    assert (auth.answer_root, auth.scope_key, auth.scope_separator) == (("data", 0), "permissions", ",")


@pytest.mark.parametrize("wrong", [{"client_id": "nobody"}, {"client_secret": "guess"}])
def test_a_wrong_app_is_told_apart_from_a_wrong_code(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    app = {"client_id": "sandbox-instagram", "client_secret": "sandbox-secret-instagram"}
    form = {**app, "grant_type": "authorization_code", "redirect_uri": "http://localhost/x", "code": "made-up"}
    address, auth = f"{sandbox.url}/api.instagram.com/oauth/access_token", instagram.PROVIDER.auth

    of_app = refusal_in(requests.post(address, data={**form, **wrong}, timeout=10).json(), 400)
    of_code = refusal_in(requests.post(address, data=form, timeout=10).json(), 400)

    assert isinstance(auth, OAuth2)
    assert of_app is not None
    assert of_code is not None
    assert (of_app.is_one_of(auth.wrong_app), of_code.is_one_of(auth.wrong_app)) == (True, False)
