"""A shop's listings: lists by state with offset and total, search, drafts and their rules, limits, generated ones."""

import time
from typing import Any

import pytest
import requests

from sandbox.hosts.etsy.limits import Limits
from tests.sandbox.etsy_shop import ADA, BENS_SHOP, SHOP, Seller


@pytest.fixture
def ada(url: str) -> Seller:
    return Seller(url, scopes="listings_r listings_w listings_d shops_r")


def test_the_first_shop_has_a_dozen_listings_in_several_states(ada: Seller) -> None:
    counts = {state: ada.listings(state)["count"] for state in ("active", "inactive", "draft", "sold_out", "expired")}

    assert counts == {"active": 9, "inactive": 1, "draft": 1, "sold_out": 1, "expired": 0}


def test_a_list_tells_the_total_and_nothing_of_a_next_page(ada: Seller) -> None:
    first = ada.listings(limit=4)
    second = ada.listings(limit=4, offset=4)
    beyond = ada.listings(limit=4, offset=40)

    assert set(first) == {"count", "results"}
    assert (first["count"], len(first["results"]), len(second["results"]), beyond["results"]) == (9, 4, 4, [])
    assert not {each["listing_id"] for each in first["results"]} & {each["listing_id"] for each in second["results"]}


def test_the_newest_listing_comes_first(ada: Seller) -> None:
    times = [each["created_timestamp"] for each in ada.listings(limit=100)["results"]]

    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    "query",
    [{"limit": 101}, {"limit": 0}, {"limit": "many"}, {"offset": -1}, {"state": "sold"}, {"includes": "Everything"}],
)
def test_a_list_that_makes_no_sense_is_refused(ada: Seller, query: dict[str, Any]) -> None:
    answer = ada.call("GET", f"shops/{SHOP}/listings", params=query)

    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


def test_associations_come_when_they_are_asked_for(ada: Seller) -> None:
    plain = ada.listings(limit=1)["results"][0]
    full = ada.listings(limit=1, includes="Images,Inventory,Shop,Shipping")["results"][0]

    assert not {"images", "inventory", "shop", "shipping_profile"} & set(plain)
    assert [image["rank"] for image in full["images"]] == [1, 2]
    assert full["inventory"]["products"][0]["offerings"][0]["price"] == full["price"]
    assert full["shop"]["shop_name"] == "InkfieldStudio"


def test_variations_are_products_with_property_values(ada: Seller) -> None:
    found = ada.listings(limit=100, includes="Inventory")["results"]
    mug = next(each for each in found if each["title"] == "First Light Mug")

    values = [product["property_values"][0]["values"] for product in mug["inventory"]["products"]]

    assert values == [["250 ml"], ["330 ml"]]
    assert mug["price"] == {"amount": 1400, "divisor": 100, "currency_code": "EUR"}
    assert mug["has_variations"] is True


def test_texts_come_with_html_entities(ada: Seller) -> None:
    titles = [each["title"] for each in ada.listings(limit=100)["results"]]

    assert "Printer&#39;s Devil T-shirt" in titles


def test_what_is_not_on_sale_is_its_owners_alone(url: str, ada: Seller) -> None:
    draft = ada.listings("draft")["results"][0]["listing_id"]
    ben = Seller(url, account="ben@example.org")

    assert ada.call("GET", f"listings/{draft}").status_code == 200
    assert ben.call("GET", f"listings/{draft}").status_code == 404
    assert ben.call("GET", f"listings/{ada.listings()['results'][0]['listing_id']}").status_code == 200


def test_another_sellers_shop_is_refused_by_name(url: str, ada: Seller) -> None:
    answer = ada.call("GET", f"shops/{BENS_SHOP}/listings")

    assert answer.status_code == 403
    assert answer.json() == {"error": f"User does not own Shop {BENS_SHOP}"}
    assert Seller(url, account="cleo@example.org").call("GET", f"shops/{SHOP}/listings").status_code == 403


def test_a_seller_without_a_shop_has_no_shop_id(url: str) -> None:
    assert Seller(url, account="cleo@example.org").call("GET", "users/me").json() == {"user_id": 90210003}


def test_what_does_not_exist_is_404_in_words(ada: Seller) -> None:
    assert ada.call("GET", "nothing/here").json() == {"error": "Resource not found"}
    assert ada.call("GET", "listings/7").status_code == 404
    assert ada.call("GET", "shops/7").status_code == 404
    assert ada.call("PATCH", f"shops/{SHOP}/listings/7", data={"title": "x"}).status_code == 404
    assert ada.call("GET", f"users/{ADA + 7}/shops").json()["error"].endswith(f"user_id = {ADA + 7}")


def test_a_search_finds_active_listings_with_all_the_words(ada: Seller) -> None:
    found = ada.call("GET", f"shops/{SHOP}/listings/active", params={"keywords": "giclée PRINT"}).json()

    assert found["count"] == 2
    assert all("images" not in each for each in found["results"])


def test_a_search_reaches_no_deeper_than_twelve_thousand(ada: Seller) -> None:
    answer = ada.call("GET", f"shops/{SHOP}/listings/active", params={"offset": 12_001})

    assert answer.status_code == 400
    assert answer.json() == {"error": "Offset provided is greater than the maximum offset allowed."}


def test_several_listings_can_be_asked_for_by_number(ada: Seller) -> None:
    ids = [each["listing_id"] for each in ada.listings(limit=3)["results"]]
    query = {"listing_ids": ",".join(map(str, [*ids, 7])), "includes": "Images"}

    found = ada.call("GET", "listings/batch", params=query).json()
    stock = ada.call("GET", "listings/batch/inventory", params=query).json()

    assert [each["listing_id"] for each in found["results"]] == ids
    assert all(each["images"] for each in found["results"])
    assert all(each["inventory"]["products"] for each in stock["results"])
    assert ada.call("GET", "listings/batch", params={"listing_ids": ",".join(["1"] * 101)}).status_code == 400


def test_the_lists_behind_pickers_are_there(ada: Seller) -> None:
    profiles = ada.call("GET", f"shops/{SHOP}/shipping-profiles").json()
    processing = ada.call("GET", f"shops/{SHOP}/readiness-state-definitions").json()
    returns = ada.call("GET", f"shops/{SHOP}/policies/return").json()
    nodes = ada.call("GET", "seller-taxonomy/nodes").json()

    assert [each["title"] for each in profiles["results"]] == ["Letters and small parcels", "Framed and fragile"]
    assert [each["readiness_state"] for each in processing["results"]] == ["ready_to_ship", "made_to_order"]
    assert returns["count"] == 1
    assert nodes["results"][0]["children"][0]["full_path_taxonomy_ids"] == [1, 160]


# -- drafts


def test_a_draft_is_made_from_a_form_with_201(ada: Seller) -> None:
    answer = ada.draft(title="Devil's Mug", tags="kitchen,gift")

    listing = answer.json()
    assert answer.status_code == 201
    assert (listing["state"], listing["title"], listing["tags"]) == ("draft", "Devil&#39;s Mug", ["kitchen", "gift"])
    assert listing["price"] == {"amount": 1250, "divisor": 100, "currency_code": "EUR"}
    assert ada.listings("draft")["results"][0]["listing_id"] == listing["listing_id"]


def test_a_draft_may_come_as_json(ada: Seller) -> None:
    body = {
        "quantity": 5,
        "title": "Fern Mug",
        "description": "A mug.",
        "price": 12.5,
        "who_made": "i_did",
        "when_made": "made_to_order",
        "taxonomy_id": 1062,
        "type": "download",
        "tags": ["kitchen", "gift"],
    }

    answer = ada.call("POST", f"shops/{SHOP}/listings", json=body)

    assert answer.status_code == 201
    assert answer.json()["tags"] == ["kitchen", "gift"]


def test_two_equal_drafts_are_two_listings(ada: Seller) -> None:
    ada.draft()
    ada.draft()

    assert ada.listings("draft")["count"] == 3


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"quantity": None}, "Expected int value for 'quantity' (got NULL)."),
        ({"quantity": "some"}, "Expected int value for 'quantity' (got string)."),
        ({"quantity": "0"}, "Expected a value >= 1 for 'quantity' (got 0)."),
        ({"title": None}, "Expected string value for 'title' (got NULL)."),
        ({"title": "x" * 141}, "Title is too long. The maximum length is 140 characters."),
        ({"title": "This & that & more"}, "You can only use each of these characters once: &"),
        ({"description": " "}, "Expected string value for 'description' (got NULL)."),
        ({"price": None}, "Expected float value for 'price' (got NULL)."),
        ({"price": "cheap"}, "Expected float value for 'price' (got string)."),
        ({"price": "0.19"}, "The price must be at least 0.20."),
        ({"taxonomy_id": "99999"}, "Invalid taxonomy_id: 99999"),
        ({"shipping_profile_id": None}, "A shipping_profile_id is required for physical listings."),
        ({"shipping_profile_id": "50310002001"}, "Invalid shipping_profile_id: 50310002001"),
        ({"readiness_state_id": "1"}, "Invalid readiness_state_id: 1"),
        ({"image_ids": "1"}, "Invalid image_ids: 1"),
    ],
)
def test_a_draft_that_lacks_something_is_told_what(ada: Seller, changed: dict[str, Any], words: str) -> None:
    answer = ada.draft(**changed)

    assert (answer.status_code, answer.json()) == (400, {"error": words})
    assert ada.listings("draft")["count"] == 1


@pytest.mark.parametrize("field", ["who_made", "when_made", "type"])
def test_a_word_that_is_none_of_the_choices_is_refused(ada: Seller, field: str) -> None:
    answer = ada.draft(**{field: "2020_2025"})

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"Invalid value for '{field}' (got 2020_2025). Must be one of: ")


@pytest.mark.parametrize("title", ["Mug 😀", "Mug for 5$", "Mug^2"])
def test_characters_that_a_title_may_not_have_are_refused_as_an_array(ada: Seller, title: str) -> None:
    answer = ada.draft(title=title)

    assert answer.status_code == 400
    assert [each["type"] for each in answer.json()] == ["invalid_characters"]
    assert answer.json()[0]["path"].startswith("/title/")


def test_a_shop_outside_the_union_needs_a_return_policy(url: str) -> None:
    ben = Seller(url, account="ben@example.org")
    form = {
        "quantity": "5",
        "title": "Pine Mug",
        "description": "A mug.",
        "price": "12.50",
        "who_made": "i_did",
        "when_made": "made_to_order",
        "taxonomy_id": "1062",
        "shipping_profile_id": f"{BENS_SHOP}001",
    }

    without = ben.call("POST", f"shops/{BENS_SHOP}/listings", data=form)
    policy = ben.call("GET", f"shops/{BENS_SHOP}/policies/return").json()["results"][0]["return_policy_id"]
    named = ben.call("POST", f"shops/{BENS_SHOP}/listings", data={**form, "return_policy_id": str(policy)})

    assert without.json() == {"error": "There was a problem with /return/policy : cannot be null"}
    assert named.status_code == 201


def test_a_draft_goes_on_sale_once_it_has_a_picture_and_a_processing_profile(ada: Seller) -> None:
    listing_id = ada.draft().json()["listing_id"]
    place = f"shops/{SHOP}/listings/{listing_id}"

    bare = ada.call("PATCH", place, data={"state": "active"})
    ada.upload(listing_id)
    unready = ada.call("PATCH", place, data={"state": "active"})
    ready = ada.draft(readiness_state_id="50310001502").json()["listing_id"]
    ada.upload(ready)
    sold = ada.call("PATCH", f"shops/{SHOP}/listings/{ready}", data={"state": "active"})

    assert bare.json() == [{"path": "/images", "type": "array_too_short", "message": "cannot be less than 1 items"}]
    assert unready.json() == {"error": "A readiness_state_id is required for physical listings."}
    assert (sold.status_code, sold.json()["state"]) == (200, "active")


def test_a_listing_can_be_changed_and_deleted(ada: Seller) -> None:
    listing_id = ada.draft().json()["listing_id"]

    changed = ada.call("PATCH", f"shops/{SHOP}/listings/{listing_id}", data={"title": "Moss Mug", "tags": "moss"})
    deleted = ada.call("DELETE", f"listings/{listing_id}")

    assert (changed.json()["title"], changed.json()["tags"]) == ("Moss Mug", ["moss"])
    assert deleted.status_code == 204
    assert ada.call("GET", f"listings/{listing_id}").status_code == 404


# -- limits


def test_every_answer_tells_what_is_left(ada: Seller) -> None:
    headers = ada.call("GET", "users/me").headers

    assert (headers["x-limit-per-second"], headers["x-limit-per-day"]) == ("150", "100000")
    assert int(headers["x-remaining-this-second"]) < 150
    assert headers["x-remaining-today"] == "99999"
    assert headers["x-etsy-request-uuid"]


def test_a_spent_day_is_429_with_a_long_wait(ada: Seller) -> None:
    ada.control("POST", "limits", json={"perDay": 2})
    ada.call("GET", "users/me")
    ada.call("GET", "users/me")

    answer = ada.call("GET", "users/me")

    assert answer.status_code == 429
    assert answer.json() == {"error": "Exceeded daily rate limit"}
    assert 22 * 3600 < int(answer.headers["retry-after"]) <= 24 * 3600


def test_a_spent_second_is_429_for_a_second(ada: Seller) -> None:
    ada.control("POST", "limits", json={"perSecond": 0})

    answer = ada.call("GET", "users/me")

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.json() == {"error": "Exceeded per second rate limit"}


def test_the_days_budget_comes_back_hour_by_hour() -> None:
    now = [1_800_000_000.0]
    limits = Limits(lambda: now[0])
    limits.per_day = 2
    limits.take("app")
    now[0] += 3600
    limits.take("app")

    refused = limits.take("app").wait_s
    now[0] += 23 * 3600

    assert refused == 23 * 3600
    assert limits.take("app").wait_s is None
    assert limits.take("app").wait_s is not None
    assert limits.take("another app").wait_s is None


def test_an_ordered_throttle_announces_its_wait(ada: Seller) -> None:
    ada.control("POST", "faults", json={"kind": "rate_limit", "seconds": 60})
    ada.control("POST", "faults", json={"kind": "server_error"})

    throttled, failed, well = (ada.call("GET", "users/me") for _ in range(3))

    assert (throttled.status_code, throttled.headers["retry-after"]) == (429, "60")
    assert (failed.status_code, failed.json()) == (500, {"error": "Server Error"})
    assert well.status_code == 200


# -- what is generated


def test_a_million_listings_are_there_at_once_and_are_the_same_every_time(ada: Seller) -> None:
    begin = time.process_time()

    made = ada.control("POST", "generate", json={"count": 1_000_000, "seed": 7}).json()
    first = ada.listings(offset=700_000, limit=100, includes="Images,Inventory")
    ada.control("POST", "generate", json={"count": 1_000_000, "seed": 7})
    second = ada.listings(offset=700_000, limit=100, includes="Images,Inventory")

    assert made["listings"] == 1_000_000
    assert first == second
    assert first["count"] == 800_000
    assert time.process_time() - begin < 10


def test_the_states_of_generated_listings_add_up(ada: Seller) -> None:
    ada.control("POST", "generate", json={"count": 333, "seed": 7})

    pages = {state: ada.listings(state, limit=100) for state in ("active", "inactive", "draft", "sold_out", "expired")}

    assert sum(page["count"] for page in pages.values()) == 333
    for state in ("inactive", "draft", "sold_out", "expired"):
        assert len(pages[state]["results"]) == pages[state]["count"]
        assert {each["state"] for each in pages[state]["results"]} == {state}


def test_a_changed_generated_listing_stays_in_its_place(ada: Seller) -> None:
    ada.control("POST", "generate", json={"count": 100, "seed": 7})
    before = [each["listing_id"] for each in ada.listings(limit=100)["results"]]

    ada.call("PATCH", f"shops/{SHOP}/listings/{before[40]}", data={"title": "Something else"})
    ada.call("PATCH", f"shops/{SHOP}/listings/{before[50]}", data={"state": "inactive"})
    ada.call("DELETE", f"listings/{before[60]}")
    after = ada.listings(limit=100)

    left = [listing_id for listing_id in before if listing_id not in (before[50], before[60])]
    assert [each["listing_id"] for each in after["results"]] == left
    assert after["count"] == len(left)
    assert before[50] in [each["listing_id"] for each in ada.listings("inactive", limit=100)["results"]]
    assert after["results"][40]["title"] == "Something else"


def test_the_state_pages_through_kept_and_generated_listings(ada: Seller) -> None:
    ada.control("POST", "generate", json={"count": 5, "seed": 7})
    ada.draft()

    first = ada.control("GET", "state", params={"collection": "listings", "limit": "4"}).json()
    query = {"collection": "listings", "limit": "4", "cursor": first["nextCursor"]}
    second = ada.control("GET", "state", params=query).json()

    assert (first["total"], len(first["data"]), len(second["data"]), second["nextCursor"]) == (6, 4, 2, None)
    assert second["data"][-1]["title"] == "Fern Mug"


def test_a_control_call_removes_a_listing(ada: Seller) -> None:
    listing_id = ada.listings()["results"][0]["listing_id"]

    removed = ada.control("DELETE", f"listings/{listing_id}")

    assert removed.status_code == 204
    assert ada.call("GET", f"listings/{listing_id}").status_code == 404
    assert ada.control("DELETE", f"listings/{listing_id}").status_code == 404


@pytest.mark.parametrize(
    "wanted", [{"count": -1}, {"count": "many"}, {"count": 5, "seed": "x"}, {"count": 5, "shop": "nobody"}, {"much": 5}]
)
def test_generating_nonsense_is_refused(ada: Seller, wanted: dict[str, Any]) -> None:
    assert ada.control("POST", "generate", json=wanted).status_code == 422


def test_a_listings_page_can_be_opened_in_a_browser(url: str, ada: Seller) -> None:
    listing = ada.listings()["results"][0]

    page = requests.get(listing["url"].replace("https://", f"{url}/"), timeout=10)

    assert page.status_code == 200
    assert listing["title"] in page.text
    assert requests.get(f"{url}/www.etsy.com/listing/7/gone", timeout=10).status_code == 404
