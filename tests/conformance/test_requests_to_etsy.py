"""Each request that Patchbay sends to Etsy, and each answer of the sandbox, against Etsy's published declarations.

The fixture `record` holds all exchanges against them when a test ends; the tests see to it that there is something to
hold.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from patchbay import providers
from patchbay.providers.etsy.listings import STATES
from patchbay.spec import Kind, Picture
from tests.conformance import etsy_declarations
from tests.conformance.conftest import Patchbay
from tests.conformance.recording import Exchange, Record
from tests.conformance.witness import Reading, Witness

WITNESS = Witness(
    platform="Etsy",
    name="the declarations of Etsy's OpenAPI document",
    package="etsy-ts",
    subject="Patchbay's requests, the sandbox's answers to them",
)
UNWITNESSED = (
    "The calls of the token endpoint: the document has none of OAuth.",
    "Which scope a call needs: the declarations do not say it.",
    "That a picture behind a listing's last goes to the rank that was asked for.",
)
READING = Reading(etsy_declarations.names, etsy_declarations.misfits)
LINK = "https://patchbay.example/assets/mockup"
DRAFT = {
    "title": "Devil's Mug",
    "description": "A mug.\nWith a devil on it.",
    "price": "12.50",
    "quantity": 3,
    "taxonomyId": "1062",
    "whoMade": "i_did",
    "whenMade": "made_to_order",
    "tags": "kitchen,gift",
}
FOR_A_THING = {
    "shippingProfileId": "50310001001",
    "readinessStateId": "50310001501",
    "returnPolicyId": "50310001801",
}
OPERATIONS = {
    "import_listings": "test_importing_listings_fits",
    "get_listings": "test_listing_and_searching_fit",
    "publish_mockup": "test_a_new_draft_fits",
    "list_categories": "test_what_fields_are_picked_from_fits",
    "list_shipping_profiles": "test_what_fields_are_picked_from_fits",
    "list_processing_profiles": "test_what_fields_are_picked_from_fits",
    "list_return_policies": "test_what_fields_are_picked_from_fits",
}


@pytest.fixture
def hub(patchbay: Callable[..., Patchbay]) -> Patchbay:
    return patchbay("etsy")


@pytest.fixture
def picture() -> Picture:
    """A picture that can be opened, with a name that is longer than Etsy takes."""
    target = BytesIO()
    Image.new("RGB", (60, 40), "teal").save(target, "PNG")
    return Picture.of(target.getvalue(), filename="Mug 😀.png", content_type="image/png", name="x" * 600)


def called(record: Record) -> list[str]:
    """The calls of the document that were made, in order."""
    return [name for exchange in record.exchanges for name in etsy_declarations.names(exchange)]


def calls_of(record: Record, name: str) -> list[Exchange]:
    return [exchange for exchange in record.exchanges if etsy_declarations.names(exchange) == (name,)]


def test_asking_whose_shop_it_is_fits(hub: Patchbay, record: Record) -> None:
    assert called(record) == ["GetMe", "GetShop"]
    assert hub.api.account == "50310001"


def test_every_call_carries_key_secret_and_token(hub: Patchbay, record: Record) -> None:
    hub.run("list_shipping_profiles")

    for exchange in record.to("openapi.etsy.com"):
        assert exchange.headers["x-api-key"] == "sandbox-etsy:sandbox-secret-etsy"
        assert exchange.headers["authorization"].startswith("Bearer 90210001.")


def test_the_exchange_of_the_code_has_a_verifier_and_no_secret(hub: Patchbay, record: Record) -> None:
    (exchange,) = record.to("api.etsy.com")

    form = etsy_declarations.form_of(exchange)
    assert hub.api.account
    assert (exchange.path, exchange.status) == ("/v3/public/oauth/token", 200)
    assert set(form) == {"grant_type", "client_id", "redirect_uri", "code", "code_verifier"}
    assert len(form["code_verifier"]) >= 43
    assert "secret" not in exchange.body.decode() + str(exchange.headers)


def test_importing_listings_fits(hub: Patchbay, record: Record) -> None:
    hub.sandbox.generate("etsy", count=250, seed=7)

    pages = hub.run("import_listings")

    found = [item.external_id for page in pages for item in page.items]
    assert len(set(found)) == len(found) == pages[-1].total == 250
    assert set(called(record)[2:]) == {"GetListingsByShop"}


def test_listing_and_searching_fit(hub: Patchbay, record: Record) -> None:
    first = hub.run("get_listings", limit=4)
    rest = hub.run("get_listings", limit=4, cursor=first["nextCursor"])
    hub.run("get_listings", state="sold_out")
    found = hub.run("get_listings", search="giclée & print")

    assert (len(first["listings"]), len(rest["listings"]), len(found["listings"])) == (4, 4, 0)
    assert called(record)[2:] == ["GetListingsByShop"] * 3 + ["FindAllActiveListingsByShop"]


def test_a_search_asks_for_pictures_and_stock_by_number(hub: Patchbay, record: Record) -> None:
    found = hub.run("get_listings", search="mug")["listings"]

    assert all(one["images"] and one["variants"] for one in found)
    assert called(record)[3:] == ["GetListingsByListingIds", "GetListingsInventoryByListingIds"]


def test_a_new_draft_fits(hub: Patchbay, record: Record, picture: Picture) -> None:
    made = hub.run("publish_mockup", {LINK: picture}, target="draft", mockupUrls=[LINK], **DRAFT, **FOR_A_THING)

    (created,) = calls_of(record, "CreateDraftListing")
    (uploaded,) = calls_of(record, "UploadListingImage")
    assert (made["state"], created.status, uploaded.status) == ("draft", 201, 201)
    assert etsy_declarations.form_of(created) == {
        "title": "Devil's Mug",
        "description": "A mug.\nWith a devil on it.",
        "price": "12.50",
        "quantity": "3",
        "taxonomy_id": "1062",
        "who_made": "i_did",
        "when_made": "made_to_order",
        "tags": "kitchen,gift",
        "type": "physical",
        "shipping_profile_id": "50310001001",
        "readiness_state_id": "50310001501",
        "return_policy_id": "50310001801",
    }
    assert etsy_declarations.form_of(uploaded)["alt_text"] == "x" * 500


def test_a_draft_of_a_download_fits(hub: Patchbay, record: Record, picture: Picture) -> None:
    hub.run("publish_mockup", {LINK: picture}, target="download", mockupUrls=[LINK], **DRAFT)

    (created,) = calls_of(record, "CreateDraftListing")
    assert etsy_declarations.form_of(created)["type"] == "download"


def test_adding_to_a_listing_fits(hub: Patchbay, record: Record, picture: Picture) -> None:
    listing = hub.run("get_listings", limit=1)["listings"][0]

    hub.run("publish_mockup", {LINK: picture}, listingId=listing["id"], mockupUrls=[LINK, LINK])

    forms = [etsy_declarations.form_of(exchange) for exchange in calls_of(record, "UploadListingImage")]
    assert [form["rank"] for form in forms] == ["3", "4"]


def test_looking_for_what_a_lost_answer_left_fits(hub: Patchbay, record: Record, picture: Picture) -> None:
    hub.sandbox.fault("etsy", "lost_response", match="POST openapi.etsy.com/v3/application/shops", times=2)

    hub.run("publish_mockup", {LINK: picture}, target="draft", mockupUrls=[LINK], **DRAFT, **FOR_A_THING)

    drafts = [each for each in hub.sandbox.state("etsy", "listings") if each["state"] == "draft"]
    assert [len(each["images"]) for each in drafts] == [0, 1]
    looked = called(record)[2:]  # the lost answers themselves went past the door
    assert looked == sorted(looked, key=["GetListingsByShop", "GetListing"].index)
    assert set(looked) == {"GetListingsByShop", "GetListing"}


def test_what_fields_are_picked_from_fits(hub: Patchbay, record: Record) -> None:
    for operation in ("list_shipping_profiles", "list_processing_profiles", "list_return_policies"):
        assert hub.run(operation)
    assert hub.run("list_categories", search="mugs")["categories"]

    assert called(record)[2:] == [
        "GetShopShippingProfiles",
        "GetShopReadinessStateDefinitions",
        "GetShopReturnPolicies",
        "GetSellerTaxonomyNodes",
    ]


@pytest.mark.parametrize(("ours", "theirs"), [("whoMade", "who_made"), ("whenMade", "when_made")])
def test_the_choices_of_a_form_are_those_of_the_document(ours: str, theirs: str) -> None:
    operation = providers.get("etsy").operation("publish_mockup")
    field: Any = next(one for one in operation.input if one.name == ours) if operation else None
    declared = etsy_declarations.interfaces()["CreateDraftListingPayload"][theirs].kind

    assert field.kind is Kind.CHOICE
    assert {f'"{choice}"' for choice in field.choices} == set(declared.split(" | "))


def test_the_states_of_an_import_are_those_of_the_document() -> None:
    declared = etsy_declarations.interfaces()["GetListingsByShopParams"]["state"].kind

    assert {f'"{state}"' for state in STATES} == set(declared.split(" | "))


def test_every_operation_has_its_test_here() -> None:
    operations = {operation.name for operation in providers.get("etsy").operations}

    assert operations == set(OPERATIONS)
    assert set(OPERATIONS.values()) <= set(globals())
