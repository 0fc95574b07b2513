"""Etsy: what is special about it. The fixture follows the platform's documents, trimmed and anonymised."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
import requests

from patchbay import assets, connections, rehearsal, runs
from patchbay.connections import Caller, Outcome
from patchbay.errors import Invalid
from patchbay.models import Run, RunStatus, Trigger, User, db, fresh_view
from patchbay.providers import etsy
from patchbay.providers.etsy import listings, throttle
from patchbay.spec import Answer, Budget, Meaning, OAuth2, Window, classify
from tests.providers.sample import Sample, mockup_of
from tests.providers.trial import Trial, at_answer
from tests.sandbox.etsy_shop import picture
from tests.stage import FrozenClock, Queue, Sandbox, Walker, waited_out

SHOP = "50310001"
DRAFT = {
    "target": "draft",
    "title": "Devil's Mug",
    "description": "A mug.",
    "price": "12.50",
    "taxonomyId": "1062",
    "shippingProfileId": "50310001001",
}

SAMPLE = Sample(
    inputs={
        "publish_mockup": lambda user, _sandbox: {**DRAFT, "mockupUrls": [mockup_of(user), mockup_of(user, "olive")]},
    },
    without_scope={"scopes": "listings_w"},
)

pytestmark = pytest.mark.usefixtures("context", "_short_pauses")

RECORDED = json.loads((Path(__file__).parent / "fixtures" / "etsy" / "listings.json").read_text(encoding="utf-8"))


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


class Recorded:
    """An `Api` that gives recorded answers in turn."""

    account = SHOP

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def send(self, request: Any) -> Answer:
        self.asked.append(request)
        return answer(self.answers.pop(0))

    def read(self, given: Answer, shape: Any) -> Any:
        return msgspec.json.decode(given.body, type=shape)

    def remember(self, _name: str, make: Any) -> Any:
        return make()


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, json.dumps(body).encode(), "https://openapi.etsy.com/")


def run_of(user: User, operation: str, queue: Queue, **values: Any) -> Run:
    return carried_out(runs.start(user.id, "etsy", operation, values, Trigger.API), queue)


def carried_out(run: Run, queue: Queue) -> Run:
    queue.run_all()
    fresh_view()
    return db.session.get_one(Run, run.id, populate_existing=True)


def done(run: Run) -> dict[str, Any]:
    assert run.status is RunStatus.SUCCEEDED, f"{run.error_kind}: {run.error_detail}"
    assert run.result is not None
    return run.result


def told(run: Run) -> str:
    """The sentence that the owner of a failed run reads."""
    assert run.status is RunStatus.FAILED
    assert run.error_params is not None
    return str(run.error_params["sentence"]) % run.error_params


def listing_of(sandbox: Sandbox, title: str) -> dict[str, Any]:
    return next(each for each in sandbox.state("etsy", "listings") if each["title"] == title)


# -- what is stored


def test_a_recorded_page_is_stored_as_documented() -> None:
    page = listings.listings_page(Recorded(RECORDED["answer"]), None)  # type: ignore[arg-type]  # as much of an Api as is needed

    tee, card = (item.data for item in page.items)
    assert page.items[0].external_id == tee["id"] == "1734282181"
    assert (tee["title"], tee["tags"]) == ("Printer's Devil Tee & Tote", ["typography", "printer's gift"])
    assert tee["description"] == "Heavy organic cotton.\n\n&quot;Made to order.&quot;"
    assert (tee["status"], tee["updatedAt"]) == ("active", "2025-11-05T00:00:00Z")
    assert tee["url"] == "https://www.etsy.com/listing/1734282181/printers-devil-tee-tote"
    assert tee["options"] == [
        {"name": "Size", "values": ["S", "M"]},
        {"name": "Primary color", "values": ["Painter's Black"]},
    ]
    assert tee["variants"][1] == {
        "id": "18270954232", "sku": "TEE-M", "title": "M / Painter's Black", "price": "29.50", "compareAtPrice": None,
        "barcode": None, "options": {"Size": "M", "Primary color": "Painter's Black"},
    }  # fmt: skip
    assert [(image["id"], image["alt"]) for image in tee["images"]] == [("4864172720", "A tee on a line")]
    assert (card["options"], card["images"], card["tags"]) == ([], [], [])
    assert [(one["sku"], one["title"], one["price"]) for one in card["variants"]] == [(None, None, "10.00")]
    assert (card["handle"], card["vendor"], card["productType"]) == (None, None, None)


def test_listings_that_went_during_an_import_make_no_gap() -> None:
    full = {"count": 150, "results": RECORDED["answer"]["results"]}
    fewer = {"count": 147, "results": RECORDED["answer"]["results"]}
    api = Recorded(full, fewer, fewer, *[{"count": 0, "results": []}] * 5)

    first = listings.listings_page(api, "active:100:150")  # type: ignore[arg-type]  # as much of an Api as is needed
    api.asked.clear()
    api.answers = [fewer, fewer, *[{"count": 0, "results": []}] * 5]
    listings.listings_page(api, "active:100:150")  # type: ignore[arg-type]  # as much of an Api as is needed

    assert first.next_cursor == "active:102:150"
    assert [request.params["offset"] for request in api.asked[:2]] == ["100", "97"]


def test_an_empty_state_leads_to_the_next_and_the_last_to_the_end() -> None:
    nothing = {"count": 0, "results": []}

    cursors = [
        listings.listings_page(Recorded(*[nothing] * 6), f"{state}:0:0").next_cursor  # type: ignore[arg-type]  # as much of an Api as is needed
        for state in listings.STATES
    ]

    assert cursors == ["active:0:0", "inactive:0:0", "expired:0:0", "sold_out:0:0", None]


def test_an_import_brings_listings_in_every_state(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "etsy")

    run = run_of(ada, "import_listings", queue)

    found = done(run)
    states = [one["status"] for one in found["listings"]]
    assert run.counts["created"] == run.progress_total == 12
    assert {state: states.count(state) for state in set(states)} == {
        "active": 9,
        "inactive": 1,
        "draft": 1,
        "sold_out": 1,
    }
    assert all(isinstance(image, str) for one in found["listings"] for image in one["images"])


# -- what answers mean


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, {"error": "invalid_token", "error_description": "access token is expired"}, Meaning.TOKEN_EXPIRED),
        (401, {"error": "Missing x-api-key header or client_id"}, Meaning.SETUP_WRONG),
        (403, {"error": "Shared secret is required in x-api-key header."}, Meaning.SETUP_WRONG),
        (403, {"error": "Invalid API key"}, Meaning.SETUP_WRONG),
        (403, {"error": "insufficient_scope", "error_description": "Insufficient scope"}, Meaning.SCOPE_MISSING),
        (403, {"error": "User does not own Shop 7"}, Meaning.REFUSED),
        (403, {"error": "User 7 is not owner of Shop 8"}, Meaning.REFUSED),
        (403, {"error": "Something else"}, Meaning.REFUSED),
        (404, {"error": "Resource not found"}, Meaning.NOT_FOUND),
        (409, {"error": "There was a conflict"}, Meaning.REFUSED),
        (400, [{"path": "/title/1", "type": "invalid_characters", "message": "no"}], Meaning.REFUSED),
        (429, {"error": "Exceeded per second rate limit"}, Meaning.THROTTLED),
        (500, {"error": "Server Error"}, Meaning.UNAVAILABLE),
        (503, {"error": "Service Unavailable"}, Meaning.UNAVAILABLE),
    ],
)
def test_status_and_words_tell_what_a_refusal_means(status: int, body: Any, meaning: Meaning) -> None:
    fault = classify(etsy.PROVIDER.faults, answer(body, status))

    assert fault is not None
    assert fault.meaning is meaning


def test_a_refused_call_names_how_long_to_wait() -> None:
    fault = classify(etsy.PROVIDER.faults, answer({"error": "Exceeded daily rate limit"}, 429, {"retry-after": "3600"}))

    assert fault is not None
    assert fault.wait_s == 3600


def test_every_answer_tells_the_size_of_a_second_and_what_the_day_has_left() -> None:
    headers = {"x-limit-per-second": "150", "x-remaining-this-second": "9", "x-limit-per-day": "10000"}

    second, day = throttle.read(answer({}, headers={**headers, "x-remaining-today": "41"}))

    assert isinstance(second, Window)
    assert isinstance(day, Budget)
    assert (second.name, second.most, second.seconds) == ("second", 150, 1.0)
    assert (day.available, day.maximum, round(1 / day.per_second, 2)) == (41, 10_000, 8.64)
    assert throttle.read(answer({})) == ()
    assert throttle.read(answer({}, headers={**headers, "x-remaining-today": "many"})) == ()


def test_the_key_goes_with_every_call_and_the_secret_to_no_token_endpoint(
    ada: User, connect: Walker, sandbox: Sandbox
) -> None:
    connect(ada, "etsy")

    auth = etsy.PROVIDER.auth
    assert isinstance(auth, OAuth2)
    assert auth.client_auth == "none"
    assert auth.headers("t", client_id="key", client_secret="shared") == {
        "Authorization": "Bearer t",
        "x-api-key": "key:shared",
    }
    assert {row["status"] for row in sandbox.received("etsy", host="openapi.etsy.com")} == {200}


def test_an_account_without_a_shop_is_not_connected(ada: User) -> None:
    departure = connections.begin(Caller(ada.id), "etsy", {})
    cleo = {"decision": "allow", "account": "90210003"}
    back = requests.post(departure.url, data=cleo, allow_redirects=False, timeout=10).headers["Location"]

    returned = connections.come_back(dict(parse_qsl(urlsplit(back).query)), Caller(ada.id))

    assert returned.outcome is Outcome.FAILED
    assert connections.find(ada.id, "etsy") is None


def test_the_test_button_finds_key_and_redirect_address_right() -> None:
    verdict = rehearsal.rehearse(etsy.PROVIDER, {})

    assert (verdict.app, verdict.redirect) == (rehearsal.Finding.RIGHT, rehearsal.Finding.RIGHT)


# -- lists


def test_listings_are_listed_page_by_page(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "etsy")

    first = done(run_of(ada, "get_listings", queue, limit=5))
    second = done(run_of(ada, "get_listings", queue, limit=5, cursor=first["nextCursor"]))

    assert (len(first["listings"]), len(second["listings"]), second["nextCursor"]) == (5, 4, None)
    assert not {one["id"] for one in first["listings"]} & {one["id"] for one in second["listings"]}


def test_a_search_finds_active_listings_with_pictures_and_variations(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "etsy")

    found = done(run_of(ada, "get_listings", queue, search="giclée print"))["listings"]
    nothing = done(run_of(ada, "get_listings", queue, search="submarine"))

    assert [one["title"] for one in found] == ["Moth Giclée Print", "Peak Giclée Print"]
    assert all(len(one["variants"]) == 3 and len(one["images"]) == 2 for one in found)
    assert nothing == {"listings": [], "nextCursor": None}


def test_categories_are_found_by_the_words_of_their_path(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "etsy")

    mugs = done(run_of(ada, "list_categories", queue, search="home MUGS"))["categories"]
    page = done(run_of(ada, "list_categories", queue, limit=3))
    rest = done(run_of(ada, "list_categories", queue, limit=100, cursor=page["nextCursor"]))

    assert mugs == [{"id": "1062", "name": "Home & Living › Kitchen & Dining › Drinkware › Mugs"}]
    assert len(page["categories"]) == 3
    assert rest["nextCursor"] is None


def test_what_a_draft_needs_can_be_picked(ada: User, connect: Walker, queue: Queue) -> None:
    connection = connect(ada, "etsy")
    publish = etsy.PROVIDER.operation("publish_mockup")
    assert publish is not None

    offered = {
        field.name: connections.offer(connection, field.pick).options[0] for field in publish.input if field.pick
    }

    assert offered["listingId"].label == "Comet Poster to Print at Home"
    assert offered["shippingProfileId"].label == "Letters and small parcels"
    assert offered["readinessStateId"].label == "ready to ship, 1 - 2 days"
    assert offered["returnPolicyId"].label == "returns and exchanges, 30 days"
    assert offered["taxonomyId"].value == "1"


# -- publishing


def test_mockups_are_added_behind_the_photos_of_a_listing(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "etsy")
    before = listing_of(sandbox, "Fern T-shirt")
    mockups = [mockup_of(ada), mockup_of(ada, "olive")]

    result = done(run_of(ada, "publish_mockup", queue, listingId=str(before["listing_id"]), mockupUrls=mockups))

    after = listing_of(sandbox, "Fern T-shirt")
    assert result == {
        "publishedUrl": before["url"],
        "listingId": str(before["listing_id"]),
        "state": "active",
        "count": 2,
    }
    assert after["images"][:2] == before["images"]
    assert [(image["alt_text"], image["hex_code"]) for image in after["images"][2:]] == [
        ("teal.png", "008080"),
        ("olive.png", "808000"),
    ]


def test_a_new_draft_has_what_was_filled_in_and_stays_a_draft(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "etsy")

    result = done(run_of(ada, "publish_mockup", queue, **DRAFT, tags="kitchen,gift", mockupUrls=[mockup_of(ada)]))

    draft = listing_of(sandbox, "Devil&#39;s Mug")
    assert (result["state"], result["listingId"]) == ("draft", str(draft["listing_id"]))
    assert (draft["state"], draft["price"]["amount"], draft["quantity"]) == ("draft", 1250, 1)
    assert (draft["taxonomy_id"], draft["shipping_profile_id"]) == (1062, 50310001001)
    assert (draft["who_made"], draft["when_made"], draft["listing_type"]) == ("i_did", "made_to_order", "physical")
    assert draft["tags"] == ["kitchen", "gift"]
    assert len(draft["images"]) == 1


def test_a_download_needs_no_shipping(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "etsy")
    values = {name: value for name, value in DRAFT.items() if name != "shippingProfileId"}

    done(run_of(ada, "publish_mockup", queue, **{**values, "target": "download"}, mockupUrls=[mockup_of(ada)]))

    assert listing_of(sandbox, "Devil&#39;s Mug")["listing_type"] == "download"


@pytest.mark.parametrize("lacking", ["title", "description", "price", "taxonomyId", "shippingProfileId"])
def test_a_draft_without_what_it_needs_is_not_begun(ada: User, connect: Walker, lacking: str) -> None:
    connect(ada, "etsy")
    values = {name: value for name, value in DRAFT.items() if name != lacking}

    with pytest.raises(Invalid) as refused:
        runs.start(ada.id, "etsy", "publish_mockup", {**values, "mockupUrls": [mockup_of(ada)]}, Trigger.API)

    assert set(refused.value.fields) == {lacking}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"title": "Mug 😀"}, "Etsy did not accept the listing: contains invalid characters"),
        ({"price": "0.10"}, "Etsy did not accept the listing: The price must be at least 0.20."),
        ({"taxonomyId": "7"}, "Etsy did not accept the listing: Invalid taxonomy_id: 7"),
    ],
)
def test_what_etsy_does_not_accept_is_said_in_its_words(
    changed: dict[str, str], words: str, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "etsy")
    before = len(sandbox.state("etsy", "listings"))

    run = run_of(ada, "publish_mockup", queue, **{**DRAFT, **changed}, mockupUrls=[mockup_of(ada)])

    assert told(run) == words
    assert len(sandbox.state("etsy", "listings")) == before


@pytest.mark.parametrize("listing_id", ["7", "1900000013"], ids=["none", "in another shop"])
def test_a_listing_that_is_not_the_shops_is_not_found(
    listing_id: str, ada: User, connect: Walker, queue: Queue
) -> None:
    connect(ada, "etsy")

    run = run_of(ada, "publish_mockup", queue, listingId=listing_id, mockupUrls=[mockup_of(ada)])

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "NotFoundThere")


def test_a_listing_without_room_is_left_as_it_is(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "etsy")
    listing = listing_of(sandbox, "Fern T-shirt")
    mockups = [mockup_of(ada)] * 19

    run = run_of(ada, "publish_mockup", queue, listingId=str(listing["listing_id"]), mockupUrls=mockups)

    assert run.error_kind == "QuotaFull"
    assert told(run).startswith("An Etsy listing holds 20 photos, and this one has 2.")
    assert listing_of(sandbox, "Fern T-shirt")["images"] == listing["images"]


def test_of_a_picture_that_is_too_large_nothing_is_sent(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(ada, "etsy")
    monkeypatch.setattr("patchbay.providers.etsy.publishing.MOST_MB", 0)

    run = run_of(ada, "publish_mockup", queue, **DRAFT, mockupUrls=[mockup_of(ada)])

    assert told(run).endswith("is too large: Etsy takes pictures of up to 0 MB. Nothing was changed.")
    assert sandbox.received("etsy", method="POST", host="openapi.etsy.com") == []


def test_what_was_done_before_a_refusal_is_said(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "etsy")
    tiny = assets.link(assets.upload(ada.id, picture(size=(8, 8)), "tiny.png"))

    at_once = run_of(ada, "publish_mockup", queue, **DRAFT, mockupUrls=[tiny])
    later = run_of(ada, "publish_mockup", queue, **{**DRAFT, "title": "Moss Mug"}, mockupUrls=[mockup_of(ada), tiny])
    listing_id = str(listing_of(sandbox, "Fern T-shirt")["listing_id"])
    nothing = run_of(ada, "publish_mockup", queue, listingId=listing_id, mockupUrls=[tiny])

    words = "Please make sure both width and height are greater than 10px."
    assert (at_once.error_kind, later.error_kind, nothing.error_kind) == ("PartlyDone", "PartlyDone", "PlatformError")
    assert told(at_once) == f"This much was done: the draft listing was created. Etsy refused the rest: {words}"
    assert told(later) == f"This much was done: some of the mockups were added. Etsy refused the rest: {words}"
    assert told(nothing) == f"Etsy could not use the picture: {words}"


@pytest.mark.parametrize("kind", ["lost_response", "server_error", "reset"])
def test_a_doubtful_answer_makes_no_second_draft(
    kind: str, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    connect(ada, "etsy")
    sandbox.fault("etsy", kind, match=f"POST openapi.etsy.com/v3/application/shops/{SHOP}/listings")

    run = run_of(ada, "publish_mockup", queue, **DRAFT, mockupUrls=[mockup_of(ada)])
    status = run.status
    run = waited_out(run, frozen_clock, queue)
    again = carried_out(runs.retry(ada.id, run.id), queue) if run.status is RunStatus.FAILED else run

    found = [each for each in sandbox.state("etsy", "listings") if each["title"] == "Devil&#39;s Mug"]
    stands = {"lost_response": RunStatus.SUCCEEDED, "server_error": RunStatus.WAITING, "reset": RunStatus.FAILED}
    assert status is stands[kind]
    assert done(again)["listingId"] == str(found[0]["listing_id"])
    assert [len(each["images"]) for each in found] == [1]


@pytest.mark.parametrize("number", range(1, 7))
def test_a_killed_worker_leaves_no_photo_twice_on_a_listing(
    number: int, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    trial = Trial(etsy.PROVIDER, SAMPLE, ada, connect, queue, sandbox, frozen_clock)
    trial.connect()
    listing_id = str(listing_of(sandbox, "Fern T-shirt")["listing_id"])
    values = {"listingId": listing_id, "mockupUrls": [mockup_of(ada), mockup_of(ada, "olive")]}
    run = runs.start(ada.id, "etsy", "publish_mockup", values, Trigger.API)

    was_killed = trial.kill(run, at_answer(number))
    resumed = trial.resume(run) if was_killed else carried_out(run, queue)

    assert done(resumed)["count"] == 2
    after = listing_of(sandbox, "Fern T-shirt")["images"]
    assert [image["hex_code"] for image in after[2:]] == ["008080", "808000"]


def test_a_lost_answer_to_an_upload_makes_no_second_photo(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "etsy")
    listing = listing_of(sandbox, "Fern T-shirt")
    sandbox.fault("etsy", "lost_response", match="/images", times=2)
    mockups = [mockup_of(ada), mockup_of(ada, "olive")]

    done(run_of(ada, "publish_mockup", queue, listingId=str(listing["listing_id"]), mockupUrls=mockups))

    after = listing_of(sandbox, "Fern T-shirt")["images"]
    assert [image["hex_code"] for image in after[2:]] == ["008080", "808000"]
