"""Shopify's own Python client, REST resources and GraphQL, against the sandbox.

Nothing of the sandbox is imported but its server: what the client understands is the proof.
"""

import base64
import json
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import shopify
from pyactiveresource.connection import ClientError, ForbiddenAccess, ResourceNotFound, UnauthorizedAccess

from tests.conformance.shopify_calls import calls_of
from tests.conformance.transport import rewritten
from tests.conformance.witness import Reading, Witness

WITNESS = Witness(
    platform="Shopify",
    name="Shopify's Python client",
    package="ShopifyAPI",
    subject="the sandbox's OAuth, REST and GraphQL answers",
)
UNWITNESSED = (
    "The form that a staged upload takes, and what becomes of media after it.",
    "Expiring offline tokens and their rotation: the client knows only tokens without an end.",
    "Bodies of errors: the client reads the status alone.",
)
READING = Reading(calls_of)
SHOP = "demo-shop.myshopify.com"
VERSION = "2026-10"
OWN_FILE = Path(__file__).parents[1] / "data" / "products.csv"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class SandboxHandler(urllib.request.HTTPSHandler):
    """The client speaks urllib: its https calls go to the sandbox."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        """Send the request to the sandbox; method, headers and body stay."""
        headers = dict(req.header_items())
        headers.pop("Host", None)
        moved = urllib.request.Request(  # noqa: S310 - the sandbox's own http address
            rewritten(req.full_url, self._url), data=req.data, headers=headers, method=req.get_method()
        )
        return self.parent.open(moved, timeout=20)  # type: ignore[no-any-return] # what the opener gives


@pytest.fixture(autouse=True)
def _client_leads_to_the_sandbox(url: str) -> Iterator[None]:
    urllib.request.install_opener(urllib.request.build_opener(SandboxHandler(url)))
    yield
    urllib.request.install_opener(urllib.request.build_opener())
    shopify.ShopifyResource.clear_session()


def control(url: str, call: str, **named: Any) -> Any:
    return requests.post(f"{url}/_sandbox/shopify/{call}", timeout=20, **named).json()


def sign_in(url: str, shop: str = SHOP, **wanted: str) -> shopify.Session:
    token = control(url, "token", json={"shop": shop, **wanted})
    session = shopify.Session(shop, VERSION, token["access_token"])
    shopify.ShopifyResource.activate_session(session)
    return session


@pytest.fixture
def session(url: str) -> shopify.Session:
    return sign_in(url)


def call_often(times: int) -> None:
    for _ in range(times):
        shopify.Shop.current()


def graphql(query: str, **variables: Any) -> Any:
    return json.loads(shopify.GraphQL().execute(query, variables))


def test_the_client_connects_by_its_own_signature_check(url: str) -> None:
    shopify.Session.setup(api_key="sandbox-shopify", secret="sandbox-secret-shopify")
    session = shopify.Session(SHOP, VERSION)
    address = session.create_permission_url(
        ["read_products", "write_products"], "http://127.0.0.1:8000/integrations/callback", "nonce"
    )
    answer = requests.get(f"{rewritten(address, url)}&sandbox_consent=allow", allow_redirects=False, timeout=10)
    query = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    token = session.request_token(query)

    assert token.startswith("shpat_")
    assert str(session.access_scopes) == "write_products"


def test_the_client_refuses_a_callback_that_was_changed(url: str) -> None:
    shopify.Session.setup(api_key="sandbox-shopify", secret="sandbox-secret-shopify")
    query = {"code": "c", "shop": SHOP, "timestamp": str(int(time.time())), "hmac": "0" * 64}

    with pytest.raises(shopify.ValidationException):
        shopify.Session(SHOP, VERSION).request_token(query)


def test_the_shop_is_read(session: shopify.Session) -> None:
    shop = shopify.Shop.current()

    assert shop.name == "Demo Shop"
    assert shop.myshopify_domain == SHOP


def test_products_are_counted_and_paged(session: shopify.Session) -> None:
    page = shopify.Product.find(limit=5)
    titles = [product.title for product in page]
    while page.has_next_page():
        page = page.next_page()
        titles += [product.title for product in page]

    assert shopify.Product.count() == len(titles) == len(set(titles)) == 12
    assert page.has_previous_page()


def test_a_whole_file_arrives(url: str) -> None:
    control(url, "products?shop=csv-shop", data=OWN_FILE.read_bytes(), headers={"Content-Type": "text/csv"})
    sign_in(url, "csv-shop.myshopify.com")

    products = shopify.Product.find(limit=250)

    assert sum(len(product.variants) for product in products) == 112
    assert sum(len(product.images) for product in products) == 8
    assert max(len(product.variants) for product in products) == 100


def test_an_image_is_attached(session: shopify.Session) -> None:
    product = shopify.Product.find(limit=1)[0]
    image = shopify.Image({"product_id": product.id})
    image.attach_image(PIXEL, "pixel.png")

    saved = image.save()

    assert saved
    assert shopify.Product.find(product.id).images[-1].src.startswith("https://cdn.shopify.com/")


def test_what_is_not_there_is_not_found(session: shopify.Session) -> None:
    with pytest.raises(ResourceNotFound):
        shopify.Product.find(1)


def test_scopes_are_listed(session: shopify.Session) -> None:
    handles = {scope.handle for scope in shopify.AccessScope.find()}

    assert {"read_products", "write_products"} <= handles


def test_a_missing_scope_is_forbidden(url: str) -> None:
    sign_in(url, scopes="write_files")

    with pytest.raises(ForbiddenAccess):
        shopify.Product.find()


def test_too_many_calls_are_refused_and_counted(session: shopify.Session) -> None:
    with pytest.raises(ClientError) as refused:
        call_often(200)  # 41 where calls are quick; the bucket leaks meanwhile

    assert refused.value.code == 429
    assert refused.value.response.headers["Retry-After"] == "2.0"


def test_the_client_reads_its_credit(session: shopify.Session) -> None:
    shopify.Shop.current()

    assert shopify.Limits.credit_used() == 1
    assert shopify.Limits.credit_limit() == 40


def test_graphql_pages_through_products(session: shopify.Session) -> None:
    fields = "{edges {cursor node {title}} pageInfo {hasNextPage}}"
    query = f"query ($after: String) {{products(first: 5, after: $after) {fields}}}"
    titles: list[str] = []
    after = None
    while True:
        page = graphql(query, after=after)["data"]["products"]
        titles += [edge["node"]["title"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["edges"][-1]["cursor"]

    assert len(set(titles)) == 12


def test_graphql_errors_come_in_http_200(session: shopify.Session) -> None:
    answer = graphql("{nothing}")

    assert answer["errors"][0]["extensions"]["code"] == "undefinedField"


def test_a_picture_is_published_by_staged_upload(url: str, session: shopify.Session) -> None:
    product = graphql("{products(first: 1) {nodes {id}}}")["data"]["products"]["nodes"][0]["id"]
    stage = (
        "mutation ($input: [StagedUploadInput!]!) {stagedUploadsCreate(input: $input)"
        " {stagedTargets {url resourceUrl parameters {name value}} userErrors {message}}}"
    )
    wanted = {"filename": "p.png", "mimeType": "image/png", "resource": "PRODUCT_IMAGE", "httpMethod": "POST"}
    target = graphql(stage, input=[wanted])["data"]["stagedUploadsCreate"]["stagedTargets"][0]
    fields = [(each["name"], (None, each["value"])) for each in target["parameters"]]
    upload = requests.post(rewritten(target["url"], url), files=[*fields, ("file", ("p.png", PIXEL))], timeout=10)

    update = graphql(
        "mutation ($id: ID!, $media: [CreateMediaInput!]) {productUpdate(product: {id: $id}, media: $media)"
        " {userErrors {field message}}}",
        id=product,
        media=[{"originalSource": target["resourceUrl"], "mediaContentType": "IMAGE", "alt": "Pixel"}],
    )
    look = "query ($id: ID!) {product(id: $id) {media(last: 1) {nodes {status preview {image {url}}}}}}"
    seen = [graphql(look, id=product)["data"]["product"]["media"]["nodes"][0] for _ in range(4)]

    assert upload.status_code == 201
    assert update["data"]["productUpdate"]["userErrors"] == []
    assert seen[0]["status"] != "READY"
    assert seen[-1]["status"] == "READY"
    assert requests.get(rewritten(seen[-1]["preview"]["image"]["url"], url), timeout=10).content == PIXEL


def test_a_token_of_another_shop_is_unauthorized(url: str, session: shopify.Session) -> None:
    shopify.ShopifyResource.activate_session(shopify.Session("other-shop.myshopify.com", VERSION, session.token))

    with pytest.raises(UnauthorizedAccess):
        shopify.Shop.current()
