"""Pictures for a product: uploads announced and sent, processing step by step, failures, the delivery network."""

import io
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from PIL import Image

from tests.sandbox.shopify_shop import Shop

STAGE = """
mutation ($input: [StagedUploadInput!]!) {
  stagedUploadsCreate(input: $input) {
    stagedTargets { url resourceUrl parameters { name value } } userErrors { field message } } }
"""
UPDATE = """
mutation ($id: ID!, $media: [CreateMediaInput!]) {
  productUpdate(product: {id: $id}, media: $media) {
    product { id media(first: 50) { nodes { id status alt } } } userErrors { field message } } }
"""
LOOK = """
query ($id: ID!) { product(id: $id) { media(last: 1) { nodes {
  id status alt mediaErrors { code message } preview { image { url } }
  ... on MediaImage { image { url width height } } } } } }
"""


@pytest.fixture
def shop(url: str) -> Shop:
    return Shop(url)


@pytest.fixture
def product(shop: Shop) -> str:
    """Global id of a product."""
    found: str = shop.ask("{products(first: 1) {nodes {id}}}")["products"]["nodes"][0]["id"]
    return found


def picture(kind: str = "PNG", size: tuple[int, int] = (30, 20)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, (200, 80, 60)).save(target, kind)
    return target.getvalue()


def announce(shop: Shop, method: str = "POST", **changed: Any) -> Any:
    wanted = {"filename": "mockup.png", "mimeType": "image/png", "resource": "IMAGE", "httpMethod": method, **changed}
    return shop.ask(STAGE, input=[wanted])["stagedUploadsCreate"]


def send(shop: Shop, target: Any, content: bytes, *, file_last: bool = True) -> requests.Response:
    """The announced form, over the sandbox."""
    fields: list[tuple[str, tuple[str | None, bytes]]] = [
        (each["name"], (None, each["value"].encode())) for each in target["parameters"]
    ]
    file: tuple[str, tuple[str | None, bytes]] = ("file", ("mockup.png", content))
    address = target["url"].replace("https://", f"{shop.url}/")
    return requests.post(address, files=[*fields, file] if file_last else [file, *fields], timeout=20)


def settled(shop: Shop, product: str) -> tuple[list[str], Any]:
    """What each look at the newest picture says, and the picture in the end."""
    seen: list[str] = []
    while True:
        entry = shop.ask(LOOK, id=product)["product"]["media"]["nodes"][0]
        seen.append(entry["status"])
        if entry["status"] in ("READY", "FAILED"):
            return seen, entry
        assert len(seen) < 10


def attached(shop: Shop, product: str, source: str, alt: str | None = "A mockup") -> Any:
    media = [{"originalSource": source, "mediaContentType": "IMAGE", "alt": alt}]
    return shop.ask(UPDATE, id=product, media=media)["productUpdate"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_uploaded_picture_becomes_ready_after_some_looks(shop: Shop, product: str, kind: str) -> None:
    content = picture(kind)
    target = announce(shop)["stagedTargets"][0]
    upload = send(shop, target, content)

    update = attached(shop, product, target["resourceUrl"])
    seen, entry = settled(shop, product)

    assert upload.status_code == 201
    assert ElementTree.fromstring(upload.text).findtext("Location") == target["resourceUrl"]  # noqa: S314 - our own XML
    assert update["userErrors"] == []
    assert update["product"]["media"]["nodes"][-1]["status"] in ("UPLOADED", "PROCESSING")
    assert seen[:-1]
    assert set(seen[:-1]) <= {"UPLOADED", "PROCESSING"}
    assert (entry["status"], entry["alt"]) == ("READY", "A mockup")
    assert (entry["image"]["width"], entry["image"]["height"]) == (30, 20)
    assert entry["image"]["url"].startswith("https://cdn.shopify.com/s/files/")
    served = requests.get(entry["image"]["url"].replace("https://", f"{shop.url}/"), timeout=10)
    assert served.content == content
    assert served.headers["Content-Type"] == f"image/{kind.lower()}"


def test_bytes_can_be_put_to_a_signed_address(shop: Shop, product: str) -> None:
    target = announce(shop, "PUT")["stagedTargets"][0]
    address = target["url"].replace("https://", f"{shop.url}/")

    unsigned = requests.put(address.split("?")[0], data=picture(), headers={"Content-Type": "image/png"}, timeout=10)
    upload = requests.put(address, data=picture(), headers={"Content-Type": "image/png"}, timeout=10)
    attached(shop, product, target["resourceUrl"])

    assert (unsigned.status_code, upload.status_code) == (403, 200)
    assert settled(shop, product)[1]["status"] == "READY"


def test_the_file_must_come_last(shop: Shop) -> None:
    target = announce(shop)["stagedTargets"][0]

    answer = send(shop, target, picture(), file_last=False)

    assert answer.status_code in (400, 403)
    assert "<Error>" in answer.text


@pytest.mark.parametrize("name", ["policy", "x-goog-signature", "key", "Content-Type"])
def test_a_form_that_is_not_as_announced_is_refused(shop: Shop, name: str) -> None:
    target = announce(shop)["stagedTargets"][0]
    target["parameters"] = [
        {**each, "value": "other"} if each["name"] == name else each for each in target["parameters"]
    ]

    answer = send(shop, target, picture())

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no picture at all", "IMAGE_PROCESSING_FAILURE"),
        (picture("PNG", (5000, 4100)), "INVALID_IMAGE_RESOLUTION"),
        (picture("BMP"), "UNSUPPORTED_IMAGE_FILE_TYPE"),
        (picture()[:60], "IMAGE_PROCESSING_FAILURE"),
    ],
)
def test_what_is_no_proper_picture_fails_in_processing(shop: Shop, product: str, content: bytes, code: str) -> None:
    target = announce(shop)["stagedTargets"][0]
    send(shop, target, content)

    attached(shop, product, target["resourceUrl"])
    _, entry = settled(shop, product)

    assert entry["status"] == "FAILED"
    assert entry["mediaErrors"][0]["code"] == code
    assert entry["image"] is None


def test_too_large_a_file_is_refused_by_the_storage(shop: Shop) -> None:
    target = announce(shop)["stagedTargets"][0]

    answer = send(shop, target, b"x" * (20 * 1024 * 1024 + 1))

    assert answer.status_code == 400
    assert "EntityTooLarge" in answer.text


def test_an_upload_that_never_came_fails(shop: Shop, product: str) -> None:
    target = announce(shop)["stagedTargets"][0]

    attached(shop, product, target["resourceUrl"])

    assert settled(shop, product)[1]["mediaErrors"][0]["code"] == "IMAGE_DOWNLOAD_FAILURE"


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("https://images.example.org/a.png", "READY"),
        ("http://127.0.0.1:8000/a.png", "FAILED"),
        ("https://10.0.0.1/a", "FAILED"),
    ],
)
def test_only_public_addresses_can_be_fetched(shop: Shop, product: str, source: str, status: str) -> None:
    attached(shop, product, source)

    assert settled(shop, product)[1]["status"] == status


def test_an_input_that_is_no_address_is_a_user_error_and_changes_nothing(shop: Shop, product: str) -> None:
    before = len(shop.state("media"))

    update = attached(shop, product, "mockup.png")

    assert update["userErrors"][0]["field"] == ["media", "0", "originalSource"]
    assert update["product"] is None
    assert len(shop.state("media")) == before


def test_an_unknown_product_is_a_user_error(shop: Shop) -> None:
    update = attached(shop, "gid://shopify/Product/1", "https://images.example.org/a.png")

    assert update["userErrors"] == [{"field": ["id"], "message": "Product does not exist"}]


@pytest.mark.parametrize(
    "changed", [{"mimeType": "text/html"}, {"filename": " "}, {"fileSize": "20971521"}, {"resource": "VIDEO"}]
)
def test_an_upload_that_could_never_be_a_picture_is_not_announced(shop: Shop, changed: dict[str, str]) -> None:
    answer = announce(shop, **changed)

    assert answer["userErrors"]
    assert answer["stagedTargets"][0]["url"] is None


def test_the_deprecated_mutation_still_adds_pictures(shop: Shop, product: str) -> None:
    answer = shop.ask(
        "mutation ($id: ID!, $media: [CreateMediaInput!]!) {productCreateMedia(productId: $id, media: $media)"
        " {media {id status alt} mediaUserErrors {code field message} product {mediaCount {count}}}}",
        id=product,
        media=[{"originalSource": "https://images.example.org/a.png", "mediaContentType": "IMAGE", "alt": "Old way"}],
    )["productCreateMedia"]

    assert answer["mediaUserErrors"] == []
    assert answer["media"][0]["alt"] == "Old way"


def test_a_ready_picture_can_be_replaced_and_renamed(shop: Shop, product: str) -> None:
    attached(shop, product, "https://images.example.org/a.png")
    early = settled(shop, product)[1]

    answer = shop.ask(
        "mutation ($files: [FileUpdateInput!]!) {fileUpdate(files: $files)"
        " {files {id fileStatus alt} userErrors {code field message}}}",
        files=[{"id": early["id"], "alt": "New", "originalSource": "https://images.example.org/b.png"}],
    )["fileUpdate"]
    late = settled(shop, product)[1]

    assert answer["userErrors"] == []
    assert answer["files"][0]["fileStatus"] == "UPLOADED"
    assert (late["id"], late["alt"]) == (early["id"], "New")
    assert late["image"]["url"] != early["image"]["url"]


def test_a_picture_on_its_way_cannot_be_changed(shop: Shop, product: str) -> None:
    entry = attached(shop, product, "https://images.example.org/a.png")["product"]["media"]["nodes"][-1]

    answer = shop.ask(
        "mutation ($files: [FileUpdateInput!]!) {fileUpdate(files: $files) {files {id} userErrors {code}}}",
        files=[{"id": entry["id"], "alt": "New"}],
    )["fileUpdate"]

    assert answer == {"files": None, "userErrors": [{"code": "NON_READY_STATE"}]}


def test_writing_needs_the_scope(url: str, product: str) -> None:
    answer = Shop(url, scopes="read_products").graphql(UPDATE, id=product, media=[])

    assert answer["data"] == {"productUpdate": None}
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


def test_pictures_of_the_demo_shop_are_served_and_the_same_every_time(shop: Shop) -> None:
    answer = shop.ask("{products(first: 12) {nodes {featuredMedia {preview {image {url}}}}}}")
    addresses = [node["featuredMedia"]["preview"]["image"]["url"] for node in answer["products"]["nodes"]]

    first = requests.get(addresses[0].replace("https://", f"{shop.url}/"), timeout=20)
    again = requests.get(first.url, headers={"If-None-Match": first.headers["ETag"]}, timeout=20)
    small = requests.get(f"{first.url}&width=120", timeout=20)

    assert len(set(addresses)) == 12
    assert Image.open(io.BytesIO(first.content)).size == (1200, 1200)
    assert again.status_code == 304
    assert Image.open(io.BytesIO(small.content)).size == (120, 120)


def test_a_path_that_is_no_picture_is_not_found(url: str) -> None:
    answer = requests.get(f"{url}/cdn.shopify.com/s/files/nothing.txt", timeout=10)

    assert answer.status_code == 404
