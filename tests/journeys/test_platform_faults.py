"""What platforms do on a bad day, ordered from the sandbox, and what comes of it for the person who asked."""

from collections.abc import Callable

import pytest

from tests.journeys.hubs import Hub, Person, at_once, eventually, pages_of
from tests.journeys.pictures import large_design, mockup_of, uploaded_by
from tests.journeys.test_killed_workers import assert_same_products, counts

GRAPHQL = "/graphql.json"
TOKEN_CALLS = {"path": "/admin/oauth/access_token", "grantType": "refresh_token"}
PAGES_BEFORE = 3  # of an import until a fault strikes it


@pytest.fixture
def shop(hub: Hub, ada: Person) -> str:
    """Ada's connected shop with 2,000 products; its host."""
    name = f"shop-of-{ada.user_id.removeprefix('usr_')}".replace("_", "-")
    ada.connect("shopify", shop=name)
    hub.sandbox.generate("shopify", count=2000, seed=9, shop=name)
    return f"{name}.myshopify.com"


def fault_in_the_middle(hub: Hub, shop: str, kind: str, seconds: float) -> None:
    """A fault that strikes an import of that shop after some pages: those are "slow" by nothing at all."""
    hub.sandbox.fault("shopify", "slow", match=shop, times=PAGES_BEFORE, seconds=0)
    hub.sandbox.fault("shopify", kind, match=shop, seconds=seconds)


def test_a_token_that_expires_in_the_middle_is_refreshed_once(hub: Hub, ada: Person, shop: str) -> None:
    with hub.unhurried():
        run_id = ada.start("shopify", "import_products")
        ada.run_that(run_id, lambda run: run["progress"]["done"] >= 250)
        hub.sandbox.fault("shopify", "expired_token")
    run = ada.ended(run_id)

    assert run["status"] == "succeeded", run
    assert run["counts"] == counts(read=2000, created=2000)
    assert len(hub.sandbox.received("shopify", host=shop, **TOKEN_CALLS)) == 1


def test_two_runs_that_meet_the_same_expired_token_refresh_it_once(hub: Hub, ada: Person, shop: str) -> None:
    hub.sandbox.fault("shopify", "expired_token")

    import_id, listing_id = ada.start("shopify", "import_products"), ada.start("shopify", "get_products", limit=10)

    assert ada.ended(listing_id)["status"] == "succeeded"
    assert ada.ended(import_id)["status"] == "succeeded"
    assert len(hub.sandbox.received("shopify", host=shop, **TOKEN_CALLS)) == 1


def test_a_revoked_grant_asks_for_a_reconnect_which_heals_all(hub: Hub, ada: Person, shop: str) -> None:
    first = ada.ended(ada.start("shopify", "import_products"))
    before = {record["id"]: record["data"] for record in ada.records()}

    hub.sandbox.fault("shopify", "revoked_grant")
    refused = ada.sync("shopify", "import_products")
    card, page = ada.card("shopify"), ada.call("GET", "/integrations").text
    again = ada.sync("shopify", "import_products")
    ada.connect("shopify", shop=shop)
    healed = ada.ended(ada.start("shopify", "import_products"))

    assert first["status"] == "succeeded"
    assert (refused.status_code, refused.json()["type"]) in {(409, "TOKEN_EXPIRED"), (409, "INVALID_CREDENTIALS")}
    assert refused.json()["runId"]
    assert card["state"] == "needs_attention"
    assert "Reconnect needed" in page
    assert again.status_code == 409
    assert healed["status"] == "succeeded"
    assert healed["counts"] == counts(read=2000, unchanged=2000)
    assert {record["id"]: record["data"] for record in ada.records()} == before
    assert ada.card("shopify")["account"] == shop


def test_a_platform_that_asks_for_patience_gets_it(hub: Hub, ada: Person, shop: str) -> None:
    fault_in_the_middle(hub, shop, "rate_limit", seconds=8)

    run_id = ada.start("shopify", "import_products")
    waiting = ada.run_that(run_id, lambda run: run["status"] == "waiting")
    run = ada.ended(run_id)

    assert waiting["resumesAt"] > waiting["startedAt"]
    assert 250 <= waiting["progress"]["done"] < 2000
    assert run["status"] == "succeeded", run
    assert "resumesAt" not in run
    assert run["counts"] == counts(read=2000, created=2000)


def test_a_platform_that_only_answers_errors_fails_the_run_with_its_id(hub: Hub, ada: Person, shop: str) -> None:
    hub.sandbox.fault("shopify", "server_error", times=0, match=shop)

    answer = ada.sync("shopify", "import_products")
    body = answer.json()

    assert (answer.status_code, body["type"], body["success"]) == (502, "API_ERROR", False)
    assert body["platform"] == "shopify"
    assert ada.run(body["runId"])["status"] == "failed"
    assert ada.records() == []


@pytest.mark.parametrize("kind", ["server_error", "reset", "malformed", "truncated", "slow", "lost_response"])
def test_a_fault_that_passes_costs_an_import_nothing(hub: Hub, ada: Person, shop: str, kind: str) -> None:
    fault_in_the_middle(hub, shop, kind, seconds=2)

    run = ada.ended(ada.start("shopify", "import_products"))

    struck = hub.sandbox.received("shopify", host=shop, fault=kind)
    assert len(struck) == 1 + (PAGES_BEFORE if kind == "slow" else 0)
    if kind == "malformed":  # an answer that is no JSON is said, not guessed at; what was read before is kept
        assert run["status"] == "failed"
        run = ada.ended(str(_retried(ada, run["id"])))
    assert run["status"] == "succeeded", run
    assert_same_products(hub, ada, shop, 2000)


def test_a_platform_that_hangs_is_not_waited_for_without_end(hub: Hub, ada: Person, shop: str) -> None:
    hub.sandbox.fault("shopify", "hang", match=shop, seconds=30)

    run = ada.ended(ada.start("shopify", "get_products", limit=5))

    assert run["status"] == "succeeded", run
    assert [row["status"] for row in pages_of(hub.sandbox.received("shopify", host=shop))][-1] == 200


def test_a_lost_answer_to_a_publication_does_not_double_the_picture(hub: Hub, ada: Person) -> None:
    name = "publisher"
    ada.connect("shopify", shop=name)
    hub.sandbox.fill(b"Handle,Title,Variant Price\nshirt,A shirt,12.00\n", shop=name)
    product = ada.sync("shopify", "import_products").json()["data"]["products"][0]
    mockup = mockup_of(ada)
    hub.sandbox.fault("shopify", "lost_response", match="productUpdate")

    run = ada.ended(ada.start("shopify", "publish_mockup", productId=product["id"], mockupUrls=[mockup["url"]]))

    assert run["status"] == "succeeded", run
    assert len(hub.sandbox.state("shopify", "media", shop=name)) == 1
    sent = hub.sandbox.received("shopify", host=f"{name}.myshopify.com", operation="productUpdate")
    assert [row["status"] for row in sent] == [None]


@pytest.mark.parametrize(("method", "is_large"), [("POST", False), ("PUT", True)], ids=["multipart", "resumable"])
def test_a_lost_answer_to_an_upload_does_not_double_the_file(
    hub: Hub, ada: Person, method: str, is_large: bool
) -> None:
    ada.connect("google-drive")
    picture = uploaded_by(ada, large_design()) if is_large else mockup_of(ada)
    before = len(hub.sandbox.state("google-drive", "files"))
    struck_before = len(hub.sandbox.received("google-drive", fault="lost_response"))
    hub.sandbox.fault("google-drive", "lost_response", match=f"{method} www.googleapis.com/upload/")

    run = ada.ended(ada.start("google-drive", "upload_file", mockupUrls=[picture["url"]]))

    assert run["status"] == "succeeded", run
    assert len(hub.sandbox.state("google-drive", "files")) == before + 1
    assert len(hub.sandbox.received("google-drive", fault="lost_response")) == struck_before + 1


@pytest.mark.parametrize("kind", ["server_error", "reset", "malformed", "truncated", "hang", "lost_response"])
@pytest.mark.parametrize("integration", ["shopify", "google-drive"])
def test_a_code_exchange_that_fails_connects_nothing_and_a_new_try_does(
    hub: Hub, ada: Person, integration: str, kind: str
) -> None:
    values = {"shop": f"exchange-{ada.user_id[-8:]}"} if integration == "shopify" else {}
    query = hub.sandbox.consent(ada.leave(integration, **values))
    hub.sandbox.fault(integration, kind, match="token", seconds=12)

    failed = ada.come_back(query)
    card = ada.card(integration)
    hub.sandbox.clear_faults(integration)
    ada.connect(integration, **values)

    assert failed.status_code in {502, 504}, failed.text
    assert failed.json()["type"] in {"CONNECTION_FAILED", "NETWORK_ERROR", "API_ERROR"}
    assert card["isConnected"] is False
    assert ada.card(integration)["isConnected"] is True


def test_twenty_clicks_make_one_run(hub: Hub, ada: Person, shop: str) -> None:
    with hub.unhurried():
        answers = at_once(lambda: ada.sync("shopify", "import_products", wait=0), 20)

    assert {answer.status_code for answer in answers} <= {200, 202}
    (run_id,) = {answer.json()["runId"] for answer in answers}
    assert ada.ended(run_id)["counts"] == counts(read=2000, created=2000)
    assert len(ada.asked("GET", "/api/runs")["data"]) == 1


def test_actions_with_other_values_run_side_by_side(hub: Hub, newcomer: Callable[[], Person]) -> None:
    ada = newcomer()
    ada.connect("google-drive")

    first = ada.start("google-drive", "create_folder", folderName="One")
    second = ada.start("google-drive", "create_folder", folderName="Two")

    assert first != second
    assert eventually(lambda: {ada.run(run_id)["status"] for run_id in (first, second)} == {"succeeded"})


def _retried(person: Person, run_id: str) -> str:
    """The id of the run that a press on "Try again" makes."""
    answer = person.call("POST", f"/runs/{run_id}/retry")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].rpartition("/")[2]
