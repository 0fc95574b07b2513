"""The pictures of a listing: uploading, ranks, replacing, taking off, putting back, and fetching what was uploaded."""

from io import BytesIO

import pytest
import requests
from PIL import Image

from tests.sandbox.etsy_shop import BENS_SHOP, SHOP, Seller, picture


@pytest.fixture
def ada(url: str) -> Seller:
    return Seller(url)


@pytest.fixture
def listing_id(ada: Seller) -> int:
    """A draft without pictures."""
    return int(ada.draft().json()["listing_id"])


def ids_of(ada: Seller, listing_id: int) -> list[int]:
    return [image["listing_image_id"] for image in ada.call("GET", f"listings/{listing_id}/images").json()["results"]]


def test_an_upload_is_answered_before_the_picture_was_looked_at(ada: Seller, listing_id: int) -> None:
    answer = ada.upload(listing_id, alt_text="A red mug")

    image = answer.json()
    seen = ada.call("GET", f"listings/{listing_id}/images/{image['listing_image_id']}").json()
    assert answer.status_code == 201
    assert (image["hex_code"], image["full_width"], image["alt_text"]) == (None, None, "A red mug")
    assert (seen["hex_code"], seen["full_width"], seen["full_height"], seen["rank"]) == ("C80A0A", 60, 40, 1)


def test_an_uploaded_picture_can_be_fetched_in_all_its_sizes(url: str, ada: Seller, listing_id: int) -> None:
    content = picture(size=(900, 600))
    image = ada.upload(listing_id, content).json()

    def fetched(size: str) -> requests.Response:
        return requests.get(image[f"url_{size}"].replace("https://", f"{url}/"), timeout=10)

    assert fetched("fullxfull").content == content
    for size, width in (("75x75", 75), ("170x135", 170), ("570xN", 570)):
        assert Image.open(BytesIO(fetched(size).content)).width == width


def test_the_first_pictures_are_drawn(url: str, ada: Seller) -> None:
    image = ada.listings(limit=1, includes="Images")["results"][0]["images"][0]

    answer = requests.get(image["url_fullxfull"].replace("https://", f"{url}/"), timeout=10)
    astray = requests.get(image["url_fullxfull"].replace("https://", f"{url}/").replace("/il/", "/il/x"), timeout=10)

    drawn = Image.open(BytesIO(answer.content))
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert drawn.size == (image["full_width"], image["full_height"])
    assert astray.status_code == 404


def test_without_a_rank_a_picture_goes_to_the_front(ada: Seller, listing_id: int) -> None:
    first, second = (ada.upload(listing_id).json()["listing_image_id"] for _ in range(2))

    assert ids_of(ada, listing_id) == [second, first]


def test_a_rank_behind_the_last_appends(ada: Seller, listing_id: int) -> None:
    ranks = [ada.upload(listing_id, rank=rank).json()["rank"] for rank in (1, 2, 9)]

    assert ranks == [1, 2, 3]


def test_overwrite_replaces_what_stands_at_the_rank(ada: Seller, listing_id: int) -> None:
    first, second = (ada.upload(listing_id, rank=rank).json()["listing_image_id"] for rank in (1, 2))

    third = ada.upload(listing_id, rank=1, overwrite="true").json()["listing_image_id"]

    assert ids_of(ada, listing_id) == [third, second]
    assert ada.call("GET", f"listings/{listing_id}/images/{first}").status_code == 404


def test_a_deleted_picture_can_be_put_back_by_its_number(ada: Seller, listing_id: int) -> None:
    image_id = ada.upload(listing_id).json()["listing_image_id"]
    place = f"shops/{SHOP}/listings/{listing_id}/images"

    deleted = ada.call("DELETE", f"{place}/{image_id}")
    gone = ids_of(ada, listing_id)
    form = {"listing_image_id": (None, str(image_id))}
    back = ada.call("POST", place, files=form)

    assert (deleted.status_code, gone) == (204, [])
    assert back.status_code == 201
    assert ids_of(ada, listing_id) == [image_id]
    assert ada.call("DELETE", f"{place}/7").status_code == 404


def test_twenty_pictures_are_the_most(ada: Seller, listing_id: int) -> None:
    for rank in range(1, 21):
        ada.upload(listing_id, rank=rank)

    full = ada.upload(listing_id)
    replaced = ada.upload(listing_id, rank=20, overwrite="true")

    assert full.status_code == 400
    assert full.json()["error"].startswith("Listings are only allowed 20 images.")
    assert replaced.status_code == 201


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Either a valid image file or a listing_image_id must be provided."),
        (b"no picture at all", "Either a valid image file or a listing_image_id must be provided."),
        (picture()[:60], "Either a valid image file or a listing_image_id must be provided."),
        (picture(size=(9, 40)), "Please make sure both width and height are greater than 10px."),
        (b"\0" * (10 * 1024 * 1024 + 1), "The image file is too large. The maximum size is 10 MB."),
    ],
    ids=["nothing", "text", "cut short", "tiny", "huge"],
)
def test_what_is_no_usable_picture_is_refused(ada: Seller, listing_id: int, content: bytes, words: str) -> None:
    answer = ada.upload(listing_id, content)

    assert (answer.status_code, answer.json()) == (400, {"error": words})
    assert ids_of(ada, listing_id) == []


def test_an_alternative_text_has_an_end(ada: Seller, listing_id: int) -> None:
    assert ada.upload(listing_id, alt_text="x" * 501).status_code == 400
    assert ada.upload(listing_id, alt_text="x" * 500).status_code == 201


def test_pictures_need_the_scope_the_shop_and_the_listing(url: str, ada: Seller, listing_id: int) -> None:
    reader = Seller(url, scopes="listings_r")
    ben = Seller(url, account="ben@example.org")

    assert reader.upload(listing_id).json()["error"] == "insufficient_scope"
    assert ben.upload(listing_id).json() == {"error": f"User does not own Shop {SHOP}"}
    assert ada.upload(7).status_code == 404
    files = {"image": ("a.png", picture(), "image/png")}
    foreign = ben.call("POST", f"shops/{BENS_SHOP}/listings/{listing_id}/images", files=files)
    assert foreign.status_code == 404


def test_the_state_shows_every_picture(ada: Seller, listing_id: int) -> None:
    ada.upload(listing_id)

    totals = ada.control("GET", "state").json()["collections"]
    page = ada.control("GET", "state", params={"collection": "images", "limit": "500"}).json()

    assert totals == {"listings": 13, "images": 23}
    assert len(page["data"]) == page["total"] == 23
