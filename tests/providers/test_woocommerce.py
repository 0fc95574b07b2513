"""WooCommerce: what is special about it. The fixture follows the platform's documents, trimmed and anonymised."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from flask import Flask

from patchbay import assets, connections, runs
from patchbay.connections import Caller, Outcome, Returned
from patchbay.errors import Invalid, NetworkError, ScopeMissing, UnexpectedShape
from patchbay.models import Run, RunStatus, Trigger, User, db, fresh_view
from patchbay.net.sandbox import Rewriting
from patchbay.providers import woocommerce
from patchbay.providers.woocommerce import catalogue, publishing, rest
from patchbay.spec import Answer, Meaning, Request, check, classify
from tests.providers.sample import Sample, mockup_of
from tests.stage import FrozenClock, Queue, Sandbox, Walker, waited_out

pytestmark = pytest.mark.usefixtures("context", "_short_pauses")

RECORDED = json.loads((Path(__file__).parent / "fixtures" / "woocommerce" / "products.json").read_text("utf-8"))
DEMO = "demo-store.example"


def publishing_inputs(user: User, sandbox: Sandbox) -> dict[str, Any]:
    product = sandbox.state("woocommerce", "products")[0]["id"]
    return {"productId": str(product), "mockupUrls": [mockup_of(user), mockup_of(user, "plum")]}


SAMPLE = Sample(
    elsewhere={"store": "second-store.example"},
    found={"products": 312},  # those generated, and the twelve that are there
    inputs={"publish_mockup": publishing_inputs},
    without_scope={"role": "customer"},
    quick={"patchbay.providers.woocommerce.publishing.LOOK_EVERY_S": 0.01},
)


class Recorded:
    """An `Api` that gives recorded answers in turn."""

    def __init__(self, *answers: Answer) -> None:
        self.settings = {"store": "shop.example.org"}
        self.answers = list(answers)
        self.asked: list[Request] = []

    def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answers.pop(0)

    def read(self, given: Answer, shape: Any) -> Any:
        return msgspec.json.decode(given.body, type=shape)


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr(publishing, "LOOK_EVERY_S", 0.01)


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, named, json.dumps(body).encode(), "https://shop.example.org/")


def run_of(user: User, operation: str, queue: Queue, **values: Any) -> Run:
    run = runs.start(user.id, "woocommerce", operation, values, Trigger.API)
    queue.run_all()
    fresh_view()
    return db.session.get_one(Run, run.id, populate_existing=True)


def done(run: Run) -> dict[str, Any]:
    assert run.status is RunStatus.SUCCEEDED, f"{run.error_kind}: {run.error_detail}"
    assert run.result is not None
    return run.result


def demo_product(sandbox: Sandbox) -> dict[str, Any]:
    return next(each for each in sandbox.state("woocommerce", "products") if each["slug"] == "market-bag")


def control(sandbox: Sandbox, call: str, **body: Any) -> None:
    requests.post(f"{sandbox.url}/_sandbox/woocommerce/{call}", json=body, timeout=10).raise_for_status()


# -- the address of a store


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("shop.example.org", "shop.example.org"),
        ("  https://Shop.Example.org/ ", "shop.example.org"),
        ("HTTP://shop.example.org/my/Shop/", "shop.example.org/my/Shop"),
        ("shop.example.org:8443", "shop.example.org:8443"),
        ("https://bücher.example.org", "xn--bcher-kva.example.org"),
    ],
)
def test_an_address_is_taken_as_people_paste_it(typed: str, stored: str) -> None:
    assert check(woocommerce.PROVIDER.fields, {"store": typed}) == {"store": stored}


@pytest.mark.parametrize(
    "typed",
    [
        "shop",
        "shop.example.org/wp-admin/",
        "shop.example.org/?page=1",
        "ada:secret@shop.example.org",
        "shop.example.org/a b",
        "ftp://shop.example.org",
        "shop..example.org",
        "shop.example.org#top",
        "{store}.example.org",
    ],
)
def test_what_is_no_address_of_a_store_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        check(woocommerce.PROVIDER.fields, {"store": typed})


@pytest.mark.parametrize(
    ("address", "is_played"),
    [
        ("https://demo-store.example/wp-json/", True),
        ("https://a.demo-store.example/wp-json/", True),
        ("https://demo-store.example.org/wp-json/", False),
        ("https://example/wp-json/", False),
        ("https://shop.com/demo-store.example", False),
        ("https://demo-store.example@shop.com/", False),
    ],
)
def test_only_stores_below_the_reserved_domain_are_played_by_the_sandbox(address: str, is_played: bool) -> None:
    rewriting = Rewriting("http://localhost:8001", woocommerce.PROVIDER.hosts)

    assert (rewriting.rewritten(address) is not None) is is_played


def test_keys_of_a_real_store_never_reach_the_sandbox(ada: User, sandbox: Sandbox) -> None:
    pasted = {"consumer_key": "ck_" + "0" * 40, "consumer_secret": "cs_" + "0" * 40}

    with pytest.raises(NetworkError):
        connections.connect_with_keys(Caller(ada.id), "woocommerce", {"store": f"{DEMO}.invalid"}, pasted)

    assert sandbox.received("woocommerce") == []


# -- what is stored


def test_a_recorded_page_is_stored_as_documented() -> None:
    api = Recorded(answer(RECORDED["answer"], x_wp_total="2"), answer(RECORDED["variations"], x_wp_total="2"))

    page = catalogue.swept_page(api, None)  # type: ignore[arg-type]  # as much of an Api as is needed

    tee, card = (item.data for item in page.items)
    assert (page.next_cursor, page.total) == (None, 2)
    assert [item.external_id for item in page.items] == ["794", "799"]
    assert (tee["vendor"], tee["productType"], tee["tags"]) == ("North Loom", "Clothing", ["organic"])
    assert tee["options"] == [{"name": "Size", "values": ["S", "M"]}]
    assert tee["variants"][0] == {
        "id": "732", "sku": "TEE-S", "title": "S", "price": "28.00", "compareAtPrice": "35.00", "barcode": None,
        "options": {"Size": "S"},
    }  # fmt: skip
    assert tee["variants"][1]["compareAtPrice"] is None
    assert [image["alt"] for image in tee["images"]] == ["A tee on a line", None]
    assert tee["updatedAt"] == "2026-05-04T09:21:14Z"
    assert (card["vendor"], card["productType"], card["description"], card["url"]) == (None, None, None, None)
    assert card["variants"] == [
        {"id": "799", "sku": None, "title": "Card", "price": "10.50", "compareAtPrice": None,
         "barcode": "4006381333931", "options": {}}
    ]  # fmt: skip
    assert set(card) == set(tee) == {
        "id", "title", "handle", "description", "vendor", "productType", "tags", "status", "url", "options",
        "variants", "images", "updatedAt",
    }  # fmt: skip


def test_a_store_that_counts_more_variations_than_it_has_is_not_asked_for_ever() -> None:
    answers = [answer(RECORDED["variations"], x_wp_total="9000"), *[answer([], x_wp_total="9000")] * 9]
    api = Recorded(answer(RECORDED["answer"], x_wp_total="2"), *answers)

    catalogue.swept_page(api, None)  # type: ignore[arg-type]  # as much of an Api as is needed

    assert len(api.asked) == 3


def test_a_product_that_is_deleted_while_it_is_read_has_no_variants() -> None:
    api = Recorded(answer(RECORDED["answer"], x_wp_total="2"), answer([], x_wp_total="0"))

    page = catalogue.swept_page(api, None)  # type: ignore[arg-type]  # as much of an Api as is needed

    assert page.items[0].data["variants"] == []


@pytest.mark.parametrize(
    ("wire", "stored"),
    [("10", "10.00"), ("10.5", "10.50"), (21.99, "21.99"), (7, "7.00"), ("", None), (None, None), ("free", None)],
)
def test_a_price_has_two_places_or_is_none(wire: str | float | None, stored: str | None) -> None:
    assert catalogue.money(wire) == stored


@pytest.mark.parametrize(
    "before", [b"", b"\xef\xbb\xbf", b"<br />\n<b>Notice</b>: Undefined index: [title] in x.php\n"]
)
def test_notices_before_the_json_are_passed_over(before: bytes) -> None:
    api = Recorded()
    given = Answer(200, {}, before + b'[{"id": 7}]', "")

    found = rest.read(api, given, list[catalogue.Listed])  # type: ignore[arg-type]  # as much of an Api as is needed

    assert [each.id for each in found] == [7]


def test_a_list_that_does_not_say_how_long_it_is_is_not_taken_for_the_end() -> None:
    api = Recorded(answer(RECORDED["answer"]))

    with pytest.raises(UnexpectedShape):
        catalogue.swept_page(api, None)  # type: ignore[arg-type]  # as much of an Api as is needed


# -- the walk through all products


def stored_pages(posts: list[int]) -> Callable[[Request], Answer]:
    """A store that lists these ids as the API does."""

    def answered(request: Request) -> Answer:
        offset, limit = int(request.params["offset"]), int(request.params["per_page"])
        shown = [{**RECORDED["answer"][1], "id": post} for post in posts[offset : offset + limit]]
        return answer(shown, x_wp_total=str(len(posts)))

    return answered


class Shrinking(Recorded):
    """A store from which products vanish while it is read."""

    def __init__(self, posts: list[int]) -> None:
        super().__init__()
        self.posts = posts

    def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return stored_pages(self.posts)(request)


def walked(api: Shrinking, *vanishing: range) -> list[str]:
    """The ids that a walk meets when so many are deleted behind each of its pages."""
    met: list[str] = []
    gone = iter(vanishing)
    for page in catalogue.import_products(api, None):  # type: ignore[arg-type]  # as much of an Api as is needed
        met += [item.external_id for item in page.items]
        lost = set(next(gone, range(0)))
        api.posts = [post for post in api.posts if post not in lost]
    return met


@pytest.mark.parametrize("lost", [range(0), range(1, 2), range(99, 102), range(1, 51), range(1, 101), range(5, 99)])
def test_nothing_is_missed_when_products_are_deleted_meanwhile(lost: range) -> None:
    api = Shrinking(list(range(1, 351)))

    met = walked(api, lost, range(120, 140))

    assert len(met) == len(set(met))
    assert set(map(int, met)) >= set(api.posts)


def test_nothing_is_missed_when_more_than_a_page_is_deleted() -> None:
    api = Shrinking(list(range(1, 601)))

    met = walked(api, range(0), range(0), range(1, 251))

    assert set(map(int, met)) == set(range(1, 601))


def test_a_walk_asks_for_each_page_once() -> None:
    api = Shrinking(list(range(1, 299)))

    met = walked(api)

    assert len(met) == 298
    assert [request.params["offset"] for request in api.asked] == ["0", "99", "198"]


# -- what answers mean


@pytest.mark.parametrize(
    ("status", "code", "message", "meaning"),
    [
        (401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.", Meaning.TOKEN_EXPIRED),
        (401, "woocommerce_rest_authentication_error", "The API key provided does not have write permissions.",
         Meaning.SCOPE_MISSING),
        (401, "woocommerce_rest_cannot_view", "no", Meaning.TOKEN_EXPIRED),
        (403, "woocommerce_rest_cannot_view", "no", Meaning.SCOPE_MISSING),
        (403, "woocommerce_rest_cannot_edit", "no", Meaning.SCOPE_MISSING),
        (404, "rest_no_route", "no", Meaning.NOT_FOUND),
        (404, "woocommerce_rest_product_invalid_id", "no", Meaning.NOT_FOUND),
        (400, "woocommerce_rest_product_invalid_id", "no", Meaning.NOT_FOUND),
        (400, "woocommerce_product_image_upload_error", "no", Meaning.REFUSED),
        (400, "rest_invalid_param", "no", Meaning.REFUSED),
        (429, "too_many", "no", Meaning.THROTTLED),
        (500, "internal_server_error", "no", Meaning.UNAVAILABLE),
        (301, "", "", Meaning.REFUSED),
    ],
)  # fmt: skip
def test_status_and_code_tell_what_a_refusal_means(status: int, code: str, message: str, meaning: Meaning) -> None:
    fault = classify(woocommerce.PROVIDER.faults, answer({"code": code, "message": message}, status))

    assert fault is not None
    assert fault.meaning is meaning


@pytest.mark.parametrize(
    ("status", "meaning", "words"),
    [
        (403, Meaning.REFUSED, "firewall"),
        (404, Meaning.NOT_FOUND, "permalinks"),
        (503, Meaning.UNAVAILABLE, ""),
        (429, Meaning.THROTTLED, ""),
    ],
)
def test_pages_of_the_web_host_are_told_from_answers_of_the_store(status: int, meaning: Meaning, words: str) -> None:
    given = Answer(status, {"content-type": "text/html; charset=UTF-8"}, b"<html></html>", "")

    fault = classify(woocommerce.PROVIDER.faults, given)

    assert fault is not None
    assert fault.meaning is meaning
    assert words in fault.says


def test_the_words_of_a_failed_download_are_kept_back_because_they_repeat_our_link() -> None:
    body = {"code": "woocommerce_product_image_upload_error", "message": "Error getting remote image https://link"}

    fault = classify(woocommerce.PROVIDER.faults, answer(body, 400))

    assert fault is not None
    assert fault.text == ""


# -- connecting


@pytest.fixture
def handed_over(served: None, app: Flask, sandbox: Sandbox, ada: User) -> Callable[[], Returned]:
    """Connects as a browser does: keys come from the store to the hub, which really listens."""

    def connect() -> Returned:
        departure = connections.begin(Caller(ada.id), "woocommerce", {"store": DEMO})
        return connections.come_back(sandbox.consent(departure.url), Caller(ada.id))

    return connect


def test_the_store_hands_keys_over(handed_over: Callable[[], Returned], ada: User, queue: Queue) -> None:
    returned = handed_over()

    assert returned.outcome is Outcome.CONNECTED
    connection = connections.find(ada.id, "woocommerce")
    assert connection is not None
    assert (connection.account_id, connection.account_label) == (DEMO, DEMO)
    assert len(done(run_of(ada, "get_products", queue))["products"]) == 12


def test_the_browser_may_be_back_before_the_keys(handed_over: Callable[[], Returned], sandbox: Sandbox) -> None:
    control(sandbox, "handover", order="browser_first", seconds=0.3)

    assert handed_over().outcome is Outcome.CONNECTED


def test_keys_that_never_come_are_told(
    handed_over: Callable[[], Returned], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchbay.connections.keys.KEYS_ARRIVE_WITHIN", timedelta(seconds=0.1))
    control(sandbox, "handover", order="keys_lost")

    assert handed_over().outcome is Outcome.FAILED


def test_a_store_in_a_folder_is_connected_and_read(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    sandbox.generate("woocommerce", count=3, seed=1, shop="second-store.example/shop")

    connection = connect(ada, "woocommerce", store="https://second-store.example/shop/")

    assert connection.account_id == "second-store.example/shop"
    assert len(done(run_of(ada, "get_products", queue))["products"]) == 3


def test_keys_of_a_user_without_a_part_in_the_shop_are_refused_with_the_reason(ada: User, sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.url}/_sandbox/woocommerce/token", json={"role": "customer"}, timeout=10).json()
    pasted = {name: answer[name] for name in ("consumer_key", "consumer_secret")}

    with pytest.raises(ScopeMissing) as refused:
        connections.connect_with_keys(Caller(ada.id), "woocommerce", {"store": DEMO}, pasted)

    assert "administrator" in refused.value.sentence


@pytest.mark.parametrize(
    "pasted",
    [
        {"consumer_key": "cs_" + "0" * 40, "consumer_secret": "ck_" + "0" * 40},
        {"consumer_key": "ck_" + "0" * 40},
        {"consumer_key": "ck_" + "0" * 40, "consumer_secret": "password"},
    ],
)
def test_what_are_no_keys_is_said_beside_the_field(ada: User, pasted: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        connections.connect_with_keys(Caller(ada.id), "woocommerce", {"store": DEMO}, pasted)

    assert "consumer_secret" in refused.value.fields


@pytest.mark.parametrize(
    ("mode", "words"), [("firewall", "firewall"), ("plain_permalinks", "permalinks"), ("strips_authorization", "")]
)
def test_a_web_host_in_the_way_is_told_in_words(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, mode: str, words: str
) -> None:
    connect(ada, "woocommerce", store=DEMO)
    control(sandbox, "hosting", mode=mode)

    run = run_of(ada, "get_products", queue)

    assert run.status is RunStatus.FAILED
    assert words in str(run.error_params["sentence"])


def test_notices_of_a_careless_store_do_no_harm(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "woocommerce", store=DEMO)
    control(sandbox, "hosting", mode="notice")

    assert done(run_of(ada, "import_products", queue))["counts"]["created"] == 12


# -- reading


def test_products_are_listed_in_pages_and_searched(ada: User, connect: Walker, queue: Queue) -> None:
    connect(ada, "woocommerce", store=DEMO)

    first = done(run_of(ada, "get_products", queue, limit=7))
    second = done(run_of(ada, "get_products", queue, limit=7, cursor=first["nextCursor"]))
    found = done(run_of(ada, "get_products", queue, search="two-tone"))["products"]

    titles = [product["title"] for product in first["products"] + second["products"]]
    assert len(set(titles)) == 12
    assert titles[0] == "Fox Label Set"
    assert second["nextCursor"] is None
    assert [variant["title"] for variant in found[0]["variants"]] == ["250 ml", "450 ml"]
    assert found[0]["images"][0].startswith("https://demo-store.example/wp-content/uploads/")


# -- publishing


@pytest.mark.usefixtures("served")
def test_mockups_are_added_behind_the_pictures_there_are(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "woocommerce", store=DEMO)
    before = demo_product(sandbox)
    mockups = [mockup_of(ada), mockup_of(ada, "plum")]

    result = done(run_of(ada, "publish_mockup", queue, productId=str(before["id"]), mockupUrls=mockups))

    after = demo_product(sandbox)["images"]
    assert result["publishedUrl"] == before["permalink"]
    assert result["count"] == 2
    assert after[:2] == before["images"]
    assert len(after) == 4


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("kind", ["lost_response", "truncated", "slow"])
def test_a_disturbed_answer_adds_no_mockup_twice(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, kind: str
) -> None:
    connect(ada, "woocommerce", store=DEMO)
    product = demo_product(sandbox)
    sandbox.fault("woocommerce", kind, match=f"PUT {DEMO}", seconds=0.1)

    done(run_of(ada, "publish_mockup", queue, productId=str(product["id"]), mockupUrls=[mockup_of(ada)]))

    assert len(demo_product(sandbox)["images"]) == len(product["images"]) + 1


@pytest.mark.usefixtures("served")
def test_what_was_not_added_is_not_said_to_be(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "woocommerce", store=DEMO)
    product = demo_product(sandbox)
    sandbox.fault("woocommerce", "reset", match=f"PUT {DEMO}")

    run = run_of(ada, "publish_mockup", queue, productId=str(product["id"]), mockupUrls=[mockup_of(ada)])

    assert run.error_kind == "OutcomeUnknown"
    assert demo_product(sandbox)["images"] == product["images"]


@pytest.mark.usefixtures("served")
def test_what_a_failing_store_has_not_added_is_added_later(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    connect(ada, "woocommerce", store=DEMO)
    product = demo_product(sandbox)
    sandbox.fault("woocommerce", "server_error", match=f"PUT {DEMO}")

    run = run_of(ada, "publish_mockup", queue, productId=str(product["id"]), mockupUrls=[mockup_of(ada)])
    waited = run.status

    assert waited is RunStatus.WAITING
    assert done(waited_out(run, frozen_clock, queue))["count"] == 1
    assert len(demo_product(sandbox)["images"]) == len(product["images"]) + 1


def test_a_picture_that_the_store_cannot_fetch_is_told_so(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "woocommerce", store=DEMO)
    product = demo_product(sandbox)

    run = run_of(ada, "publish_mockup", queue, productId=str(product["id"]), mockupUrls=[mockup_of(ada)])

    assert run.error_kind == "PlatformError"
    assert "could not use" in str(run.error_params["sentence"])
    assert "/assets/" not in str(run.error_detail)
    assert demo_product(sandbox)["images"] == product["images"]


@pytest.mark.usefixtures("served")
def test_half_done_is_said_to_be_half_done(ada: User, connect: Walker, queue: Queue, sandbox: Sandbox) -> None:
    connect(ada, "woocommerce", store=DEMO)
    product = demo_product(sandbox)
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30"/></svg>'
    unwanted = assets.link(assets.upload(ada.id, drawing, "drawing.svg"))
    addresses = [mockup_of(ada), unwanted, mockup_of(ada, "plum")]

    run = run_of(ada, "publish_mockup", queue, productId=str(product["id"]), mockupUrls=addresses)

    assert run.error_kind == "PartlyDone"
    assert run.error_params["done"] % run.error_params == "1 of 3 pictures"
    assert "could not use" in run.error_params["reason"]
    assert len(demo_product(sandbox)["images"]) == len(product["images"]) + 1


@pytest.mark.parametrize("is_trashed", [False, True])
def test_a_product_that_is_gone_is_told_so(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, is_trashed: bool
) -> None:
    connect(ada, "woocommerce", store=DEMO)
    product = demo_product(sandbox)["id"]
    keys = requests.post(f"{sandbox.url}/_sandbox/woocommerce/token", json={}, timeout=10).json()
    address = f"{sandbox.url}/{DEMO}/wp-json/wc/v3/products/{product}"
    requests.delete(
        address,
        params={} if is_trashed else {"force": "true"},
        auth=(keys["consumer_key"], keys["consumer_secret"]),
        timeout=10,
    ).raise_for_status()

    run = run_of(ada, "publish_mockup", queue, productId=str(product), mockupUrls=[mockup_of(ada)])

    assert run.error_kind == "NotFoundThere"


def test_keys_that_may_only_read_do_not_publish(ada: User, queue: Queue, sandbox: Sandbox) -> None:
    keys = requests.post(f"{sandbox.url}/_sandbox/woocommerce/token", json={"scopes": "read"}, timeout=10).json()
    pasted = {name: keys[name] for name in ("consumer_key", "consumer_secret")}
    connections.connect_with_keys(Caller(ada.id), "woocommerce", {"store": DEMO}, pasted)

    product = str(demo_product(sandbox)["id"])
    run = run_of(ada, "publish_mockup", queue, productId=product, mockupUrls=[mockup_of(ada)])

    assert run.error_kind == "ScopeMissing"
