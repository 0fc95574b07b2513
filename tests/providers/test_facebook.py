"""Facebook: what is special about it. Errors are written as Meta's page "Handling Errors" shows them."""

import json
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from PIL import Image

from patchbay import assets, connections, runs
from patchbay.errors import Conflict
from patchbay.models import Connection, ConnectionState, Run, RunStatus, Trigger, User, db, fresh_view, transaction
from patchbay.oauth.answers import refusal_in
from patchbay.providers import facebook
from patchbay.providers.facebook import photos
from patchbay.spec import Answer, Meaning, OAuth2, classify
from tests.providers.sample import Sample, mockup_of
from tests.stage import FrozenClock, Queue, Sandbox, Walker

NUMBERS = count(1)
SAMPLE = Sample(
    refusable=(facebook.LIST, facebook.READ, facebook.POST),
    found={"photos": 312},
    inputs={"publish_photo": lambda user, _sandbox: words(user)},
    without_scope={"scopes": facebook.READ},
)
FIXTURE = Path(__file__).parent / "fixtures" / "facebook" / "photos.json"
PAGE = "104857201948377"

pytestmark = pytest.mark.usefixtures("context", "_short_pauses")


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


def words(user: User) -> dict[str, Any]:
    return {"mockupUrls": [mockup_of(user)], "caption": f"Mugs, no. {next(NUMBERS)}", "altText": "A mug"}


def run_of(user: User, operation: str, queue: Queue, **values: Any) -> Run:
    run = runs.start(user.id, "facebook", operation, values, Trigger.API)
    queue.run_all()
    fresh_view()
    return db.session.get_one(Run, run.id, populate_existing=True)


def done(run: Run) -> dict[str, Any]:
    assert run.status is RunStatus.SUCCEEDED, f"{run.error_kind}: {run.error_detail}"
    assert run.result is not None
    return run.result


def control(sandbox: Sandbox, name: str, **body: object) -> Any:
    answer = requests.post(f"{sandbox.url}/_sandbox/facebook/{name}", json=body, timeout=10)
    assert answer.ok, answer.text
    return answer.json()


def connection_of(user: User) -> Connection:
    fresh_view()
    found = connections.find(user.id, "facebook")
    assert found is not None
    db.session.refresh(found)
    return found


def as_ben(user: User, sandbox: Sandbox) -> None:
    """Let the connection be of somebody with several pages, none of which is chosen."""
    token, connection = control(sandbox, "token", account="ben")["access_token"], connection_of(user)
    with transaction():
        connection.access_token, connection.settings = token, {}


def photos_of(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [photo for photo in sandbox.state("facebook", "photos") if photo["from"]["id"] == PAGE]


@pytest.mark.parametrize(
    ("status", "code", "subcode", "meaning"),
    [
        (400, 190, 463, Meaning.TOKEN_EXPIRED),
        (400, 190, 458, Meaning.TOKEN_EXPIRED),
        (400, 190, 492, Meaning.REFUSED),
        (403, 10, None, Meaning.SCOPE_MISSING),
        (403, 200, None, Meaning.SCOPE_MISSING),
        (400, 100, 33, Meaning.NOT_FOUND),
        (400, 100, 1609005, Meaning.REFUSED),
        (403, 4, None, Meaning.THROTTLED),
        (403, 32, None, Meaning.THROTTLED),
        (400, 80001, None, Meaning.THROTTLED),
        (400, 324, 2069019, Meaning.REFUSED),
        (400, 368, 1390008, Meaning.REFUSED),
        (400, 506, 1455006, Meaning.REFUSED),
        (500, 2, None, Meaning.UNAVAILABLE),
        (500, 1, None, Meaning.UNAVAILABLE),
    ],
)
def test_the_codes_tell_what_a_refusal_means(status: int, code: int, subcode: int | None, meaning: Meaning) -> None:
    body = {"error": {"message": "no", "type": "OAuthException", "code": code, "error_subcode": subcode}}

    fault = classify(facebook.PROVIDER.faults, Answer(status, {}, json.dumps(body).encode(), ""))

    assert fault is not None
    assert (fault.meaning, fault.text) == (meaning, "no")


def test_the_recorded_answer_is_read_as_it_stands() -> None:
    recorded = json.loads(FIXTURE.read_text(encoding="utf-8"))["answer"]

    found = msgspec.convert(recorded, photos.Photos)

    items = [photos.item_of(photo) for photo in found.data]
    assert found.paging.next_cursor is None
    assert items[0].title == "Market day on Saturday, come and say hello 👋"
    assert items[1].title == recorded["data"][1]["link"]


def test_a_page_that_is_alone_is_chosen_by_itself(ada: User, connect: Walker) -> None:
    connect(ada, "facebook")

    assert connection_of(ada).settings["page"] == PAGE


def test_of_several_pages_one_must_be_chosen_first(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "facebook")
    as_ben(ada, sandbox)

    pages = done(run_of(ada, "list_pages", queue, limit=2))
    with pytest.raises(Conflict):
        run_of(ada, "list_photos", queue)
    connections.change_settings(ada.id, "facebook", {"page": pages["pages"][0]["id"]})
    listed = done(run_of(ada, "list_photos", queue))

    assert pages["nextCursor"]
    assert len(listed["photos"]) == 3


def test_pages_on_which_one_may_not_post_are_not_offered(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "facebook")
    as_ben(ada, sandbox)

    pages = done(run_of(ada, "list_pages", queue))["pages"]

    assert {page["name"] for page in pages} == {"Northern Prints", "Little Kiln"}


def test_a_photo_is_posted_from_its_bytes_as_the_page(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    control(sandbox, "proof", required=1)
    connect(ada, "facebook")

    result = done(run_of(ada, "publish_photo", queue, **words(ada)))
    control(sandbox, "proof", required=0)

    photo = next(photo for photo in photos_of(sandbox) if photo["id"] == result["photoId"])
    assert (photo["link"], photo["published"]) == (result["publishedUrl"], True)
    assert photo["alt_text_custom"] == "A mug"
    tails = {row["path"]: row["tokenTail"] for row in sandbox.received("facebook")}
    assert tails[f"/v26.0/{PAGE}/photos"] != tails["/v26.0/me"]


def test_a_draft_is_kept_and_not_posted(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "facebook")

    result = done(run_of(ada, "publish_photo", queue, **words(ada), draft=True))

    photo = next(photo for photo in photos_of(sandbox) if photo["id"] == result["photoId"])
    assert (photo["published"], result["isDraft"]) == (False, True)


def test_a_lost_answer_is_looked_for_before_anything_is_posted_again(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "facebook")
    before = len(photos_of(sandbox))
    sandbox.fault("facebook", "lost_response", match=f"POST graph.facebook.com/v26.0/{PAGE}/photos")

    result = done(run_of(ada, "publish_photo", queue, **words(ada)))

    assert len(photos_of(sandbox)) == before + 1
    assert result["photoId"] in {photo["id"] for photo in photos_of(sandbox)}


def test_a_request_that_never_arrived_is_said_to_be_unknown(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "facebook")
    before = len(photos_of(sandbox))
    sandbox.fault("facebook", "reset", match=f"POST graph.facebook.com/v26.0/{PAGE}/photos")

    run = run_of(ada, "publish_photo", queue, **words(ada))

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "OutcomeUnknown")
    assert len(photos_of(sandbox)) == before


def test_a_draft_whose_answer_is_lost_is_said_to_be_unknown(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "facebook")
    sandbox.fault("facebook", "lost_response", match=f"POST graph.facebook.com/v26.0/{PAGE}/photos")

    run = run_of(ada, "publish_photo", queue, **words(ada), draft=True)

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "OutcomeUnknown")


def test_a_draft_that_was_throttled_is_made_when_the_wait_is_over(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    from jobs.tick import tick

    connect(ada, "facebook")
    sandbox.fault("facebook", "rate_limit", match=f"POST graph.facebook.com/v26.0/{PAGE}/photos", seconds=60, times=1)
    waiting = run_of(ada, "publish_photo", queue, **words(ada), draft=True)
    status, resumes_at = waiting.status, waiting.resumes_at
    assert resumes_at is not None

    frozen_clock.moment = resumes_at
    tick()
    queue.run_all()
    fresh_view()

    assert status is RunStatus.WAITING
    assert done(db.session.get_one(Run, waiting.id, populate_existing=True))["isDraft"] is True


@pytest.mark.parametrize(("code", "word"), [(368, "disallowed"), (506, "Duplicate")])
def test_policy_and_duplicates_are_told_in_words(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, code: int, word: str
) -> None:
    connect(ada, "facebook")
    control(sandbox, "refusals", code=code)

    run = run_of(ada, "publish_photo", queue, **words(ada))

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "PlatformError")
    assert word in str(run.error_detail)


def test_a_picture_that_is_too_large_is_not_even_sent(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(ada, "facebook")
    monkeypatch.setattr(photos, "LARGEST_BYTES", 50)
    asked = len(sandbox.received("facebook"))

    run = run_of(ada, "publish_photo", queue, **words(ada))

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "PlatformError")
    assert len(sandbox.received("facebook")) == asked


def test_a_file_name_of_any_kind_does_no_harm(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "facebook")
    buffer = BytesIO()
    Image.new("RGB", (60, 60), "teal").save(buffer, "PNG")
    address = assets.link(assets.upload(ada.id, buffer.getvalue(), 'dog 🐕/"..\\' + "x" * 300 + ".png"))

    assert done(run_of(ada, "publish_photo", queue, mockupUrls=[address]))["publishedUrl"]


def test_a_page_that_was_lost_is_told_apart_from_a_dead_connection(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "facebook")
    requests.delete(f"{sandbox.url}/_sandbox/facebook/pages/{PAGE}", timeout=10)

    run = run_of(ada, "list_photos", queue)

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "NotFoundThere")
    assert connection_of(ada).state is ConnectionState.CONNECTED


def test_disconnecting_takes_the_app_out_of_the_account(ada: User, connect: Walker, sandbox: Sandbox) -> None:
    connect(ada, "facebook")
    token = connection_of(ada).access_token

    assert connections.disconnect(ada.id, "facebook") is True

    answer = requests.get(f"{sandbox.url}/graph.facebook.com/v26.0/me", params={"access_token": token}, timeout=10)
    assert answer.json()["error"]["error_subcode"] == 458


def test_usage_of_a_page_slows_a_run_down(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    connect(ada, "facebook")
    control(sandbox, "usage", owner=PAGE, percent=100, minutes=9)

    run = run_of(ada, "list_photos", queue)
    control(sandbox, "usage", owner=PAGE, percent=0, minutes=1)

    assert run.status is RunStatus.WAITING
    assert run.resumes_at is not None
    assert (run.resumes_at - frozen_clock.now()).total_seconds() == 9 * 60


@pytest.mark.parametrize("wrong", [{"client_id": "nobody"}, {"client_secret": "guess"}])
def test_a_wrong_app_is_told_apart_from_a_wrong_code(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    app = {"client_id": "sandbox-facebook", "client_secret": "sandbox-secret-facebook"}
    form = {**app, "redirect_uri": "http://localhost/x", "code": "made-up"}
    address, auth = f"{sandbox.url}/graph.facebook.com/v26.0/oauth/access_token", facebook.PROVIDER.auth

    of_app = refusal_in(requests.post(address, data={**form, **wrong}, timeout=10).json(), 400)
    of_code = refusal_in(requests.post(address, data=form, timeout=10).json(), 400)

    assert isinstance(auth, OAuth2)
    assert of_app is not None
    assert of_code is not None
    assert (of_app.is_one_of(auth.wrong_app), of_code.is_one_of(auth.wrong_app)) == (True, False)
