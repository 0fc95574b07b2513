"""A Python client of Etsy's Open API v3 against the sandbox; each answer is held against the published schemas.

Nothing of the sandbox is imported but its server: what the client understands is the proof.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from etsy_python.v3.auth.OAuth import EtsyOAuth
from etsy_python.v3.enums.Listing import Includes, State, Type, WhenMade, WhoMade
from etsy_python.v3.exceptions.RequestException import RequestException
from etsy_python.v3.models.Listing import CreateDraftListingRequest, UpdateListingRequest, UploadListingImageRequest
from etsy_python.v3.models.Miscellaneous import GetTokenScopes
from etsy_python.v3.resources.Listing import ListingResource
from etsy_python.v3.resources.ListingImage import ListingImageResource
from etsy_python.v3.resources.ListingInventory import ListingInventoryResource
from etsy_python.v3.resources.Miscellaneous import MiscellaneousResource
from etsy_python.v3.resources.ProcessingProfile import ProcessingProfileResource
from etsy_python.v3.resources.Session import EtsyClient
from etsy_python.v3.resources.ShippingProfile import ShippingProfileResource
from etsy_python.v3.resources.Shop import ShopResource
from etsy_python.v3.resources.ShopReturnPolicy import ShopReturnPolicyResource
from etsy_python.v3.resources.Taxonomy import SellerTaxonomyResource
from etsy_python.v3.resources.User import UserResource
from PIL import Image

from tests.conformance import etsy_declarations
from tests.conformance.transport import SandboxAdapter, rewritten
from tests.conformance.witness import Reading, Witness

WITNESS = Witness(
    platform="Etsy",
    name="an independent Python client",
    package="etsy-python",
    subject="the sandbox's answers",
)
UNWITNESSED = (
    "The consent page, and what it sends back for a refusal or a mistake: no client reads it.",
    "The shared secret in x-api-key: this client is older than that rule and is given the header by hand.",
    "Whether a refresh ends the former refresh token at once: no document says it, no client depends on it.",
    "Bodies of errors beyond their sentence, and the sentences themselves: they come from Etsy's issue tracker.",
    "That a draft may come as JSON: the schemas say a form, but this client sends JSON and sellers use it.",
    "Which of Etsy's own rules a listing must keep (characters, prices, tags, return policies), and picture sizes.",
)
READING = Reading(etsy_declarations.names, etsy_declarations.misfits_of_answer)
KEYSTRING, SECRET = "sandbox-etsy", "sandbox-secret-etsy"
SHOP, USER = 50310001, 90210001
BACK = "https://localhost/integrations/callback"


@pytest.fixture
def etsy(url: str) -> Iterator[EtsyClient]:
    made = client(url)
    yield made
    made.session.close()


def client(url: str, **wanted: Any) -> EtsyClient:
    answer = requests.post(
        f"{url}/_sandbox/etsy/token", json={"scopes": "listings_r listings_w listings_d shops_r", **wanted}, timeout=10
    ).json()
    return speaking(url, answer["access_token"], answer["refresh_token"])


def speaking(url: str, access_token: str, refresh_token: str, *, expired: bool = False) -> EtsyClient:
    expiry = datetime.now(UTC) + timedelta(hours=-1 if expired else 1)
    made = EtsyClient(KEYSTRING, access_token, refresh_token, expiry)
    made.session.mount("https://", SandboxAdapter(url))
    made.session.headers["x-api-key"] = f"{KEYSTRING}:{SECRET}"
    return made


def draft(**changed: Any) -> CreateDraftListingRequest:
    values = {
        "quantity": 3,
        "title": "Fern Mug",
        "description": "A mug with a fern.",
        "price": 12.5,
        "who_made": WhoMade.I_DID,
        "when_made": WhenMade.MADE_TO_ORDER,
        "taxonomy_id": 1062,
        "shipping_profile_id": SHOP * 1000 + 1,
        "readiness_state_id": SHOP * 1000 + 501,
        "tags": ["kitchen", "gift"],
        **changed,
    }
    return CreateDraftListingRequest(**values)


def picture() -> bytes:
    target = BytesIO()
    Image.new("RGB", (60, 40), "teal").save(target, "PNG")
    return target.getvalue()


def test_the_client_walks_the_consent_with_pkce(url: str) -> None:
    oauth = EtsyOAuth(KEYSTRING, BACK, ["listings_r", "listings_w", "shops_r"])
    oauth.oauth.mount("https://", SandboxAdapter(url))
    address, state = oauth.get_auth_code()

    back = requests.get(
        rewritten(address, url), params={"sandbox_consent": "allow"}, allow_redirects=False, timeout=10
    ).headers["Location"]
    answer = dict(parse_qsl(urlsplit(back).query))
    oauth.set_authorisation_code(answer["code"], answer["state"])
    token: Any = oauth.get_access_token()

    assert state == answer["state"]
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    me = UserResource(speaking(url, token["access_token"], token["refresh_token"])).get_me()
    assert me.message == {"user_id": USER, "shop_id": SHOP}


def test_a_token_that_has_ended_is_refreshed_by_the_client(url: str) -> None:
    first = client(url)
    late = speaking(url, first.access_token, first.refresh_token, expired=True)

    shop = ShopResource(late).get_shop(SHOP)

    assert shop.message["shop_name"] == "InkfieldStudio"
    assert late.access_token != first.access_token
    assert late.user_id == str(USER)


def test_who_is_asked_and_what_the_key_and_token_may(etsy: EtsyClient) -> None:
    about = MiscellaneousResource(etsy)

    assert about.ping().message["application_id"] == 1
    assert about.token_scopes(GetTokenScopes(etsy.access_token)).code == 200
    assert UserResource(etsy).get_me().message["shop_id"] == SHOP
    assert ShopResource(etsy).get_shop_by_owner_user_id(USER).message["currency_code"] == "EUR"


def test_limits_are_read_from_every_answer(etsy: EtsyClient) -> None:
    limits = UserResource(etsy).get_me().rate_limits

    assert (int(limits.limit_per_second), int(limits.limit_per_day)) == (150, 100_000)
    assert int(limits.remaining_today) < 100_000


@pytest.mark.parametrize("state", [State.ACTIVE, State.INACTIVE, State.SOLD_OUT, State.DRAFT, State.EXPIRED])
def test_listings_in_every_state_with_all_that_belongs_to_them(etsy: EtsyClient, state: State) -> None:
    found = ListingResource(etsy).get_listings_by_shop(SHOP, state, limit=100, includes=list(Includes))

    assert found.message["count"] == len(found.message["results"])
    assert all(each["state"] == state.value for each in found.message["results"])


def test_generated_listings_page_by_page(url: str, etsy: EtsyClient) -> None:
    requests.post(f"{url}/_sandbox/etsy/generate", json={"count": 250, "seed": 7}, timeout=10)
    seen: list[int] = []

    while True:
        page = ListingResource(etsy).get_listings_by_shop(
            SHOP, limit=90, offset=len(seen), includes=[Includes.IMAGES, Includes.INVENTORY]
        )
        seen += [each["listing_id"] for each in page.message["results"]]
        if len(seen) >= page.message["count"]:
            break

    assert len(set(seen)) == len(seen) == 200


def test_one_listing_some_listings_and_their_stock(etsy: EtsyClient) -> None:
    listings = ListingResource(etsy)
    ids = [each["listing_id"] for each in listings.get_listings_by_shop(SHOP, limit=3).message["results"]]

    one = listings.get_listing(ids[0], includes=[Includes.IMAGES, Includes.SHOP, Includes.USER]).message
    some = listings.get_listings_by_listing_ids(ids, includes=[Includes.IMAGES]).message
    stock = listings.get_listings_inventory_by_listing_ids(ids).message
    products = ListingInventoryResource(etsy).get_listing_inventory(ids[0]).message["products"]

    assert one["shop"]["shop_id"] == SHOP
    assert [each["listing_id"] for each in some["results"]] == ids
    assert stock["results"][0]["inventory"]["products"] == products


def test_a_search_among_active_listings(etsy: EtsyClient) -> None:
    found = ListingResource(etsy).find_all_active_listings_by_shop(SHOP, keywords="mug").message

    assert found["count"] == 2


def test_a_draft_gets_pictures_goes_on_sale_and_is_deleted(etsy: EtsyClient) -> None:
    listings, images = ListingResource(etsy), ListingImageResource(etsy)
    made = listings.create_draft_listing(SHOP, draft())
    listing_id = made.message["listing_id"]

    first = images.upload_listing_image(SHOP, listing_id, UploadListingImageRequest(picture(), alt_text="A mug"))
    images.upload_listing_image(SHOP, listing_id, UploadListingImageRequest(picture(), rank=2))
    images.delete_listing_image(SHOP, listing_id, first.message["listing_image_id"])
    left = images.get_listing_images(listing_id).message["results"]
    single = images.get_listing_image(listing_id, left[0]["listing_image_id"]).message
    sold = listings.update_listing(SHOP, listing_id, UpdateListingRequest(state=State.ACTIVE, title="Moss Mug"))
    gone = listings.delete_listing(listing_id)

    assert (made.code, made.message["state"], first.code) == (201, "draft", 201)
    assert (first.message["hex_code"], single["hex_code"]) == (None, "008080")
    assert (sold.message["state"], sold.message["title"]) == ("active", "Moss Mug")
    assert gone.code == 204


def test_a_download_needs_no_shipping(etsy: EtsyClient) -> None:
    wanted = draft(listing_type=Type.DOWNLOAD, shipping_profile_id=None, readiness_state_id=None)

    made = ListingResource(etsy).create_draft_listing(SHOP, wanted).message

    assert made["listing_type"] == "download"


def test_what_a_listing_is_made_with(etsy: EtsyClient) -> None:
    shipping = ShippingProfileResource(etsy).get_shop_shipping_profiles(SHOP).message
    processing = ProcessingProfileResource(etsy).get_shop_readiness_state_definitions(SHOP).message
    returns = ShopReturnPolicyResource(etsy).get_shop_return_policies(SHOP).message
    categories = SellerTaxonomyResource(etsy).get_seller_taxonomy_nodes().message

    assert [each["count"] for each in (shipping, processing, returns, categories)] == [2, 2, 1, 5]


@pytest.mark.parametrize(
    ("kind", "code", "error", "description"),
    [
        ("expired_token", 401, "invalid_token", "access token is expired"),
        ("server_error", 500, "Server Error", None),
        ("rate_limit", 429, "Exceeded daily rate limit", None),
    ],
)
def test_failures_are_what_the_client_takes_them_for(
    url: str, etsy: EtsyClient, kind: str, code: int, error: str, description: str | None
) -> None:
    requests.post(f"{url}/_sandbox/etsy/faults", json={"kind": kind}, timeout=10)

    with pytest.raises(RequestException) as failed:
        UserResource(etsy).get_me()

    assert (failed.value.code, failed.value.error, failed.value.error_description) == (code, error, description)


def test_refusals_are_what_the_client_takes_them_for(url: str, etsy: EtsyClient) -> None:
    few = client(url, scopes="listings_r")
    calls: list[Callable[[], object]] = [
        lambda: UserResource(few).get_me(),
        lambda: ListingResource(etsy).get_listings_by_shop(SHOP + 1),
        lambda: ListingResource(etsy).get_listing(7),
        lambda: ListingResource(etsy).create_draft_listing(SHOP, draft(shipping_profile_id=None)),
    ]
    refusals = []
    for call in calls:
        with pytest.raises(RequestException) as refused:
            call()
        refusals.append((refused.value.code, refused.value.error))

    assert refusals == [
        (403, "insufficient_scope"),
        (403, f"User does not own Shop {SHOP + 1}"),
        (404, "Could not find Listing with listing_id = 7"),
        (400, "A shipping_profile_id is required for physical listings."),
    ]
