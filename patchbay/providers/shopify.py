"""Shopify: the GraphQL Admin API of one shop. Imports its catalogue and adds mockups to its products."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

from patchbay.errors import N_, NotFoundThere, OutcomeUnknown, PlatformError
from patchbay.spec import (
    Account,
    Action,
    Answer,
    Api,
    Budget,
    Category,
    Field,
    Import,
    Item,
    Kind,
    Meaning,
    OAuth2,
    Page,
    Picture,
    Provider,
    Request,
    Rule,
    Scope,
    SignedCallback,
    Throttle,
    by_cursor,
    retry_after_s,
)

API = "https://{shop}/admin/api/2026-10/graphql.json"
PAGE = 250
MEDIA_POLLS = 40

PRODUCT = """
  id title handle descriptionHtml vendor productType tags status onlineStoreUrl updatedAt
  options { name values }
  variants(first: 100) { nodes { ...variant } pageInfo { hasNextPage endCursor } }
  media(first: 50) { nodes { ...picture } pageInfo { hasNextPage endCursor } }"""
PARTS = """
fragment variant on ProductVariant { id sku title price compareAtPrice barcode selectedOptions { name value } }
fragment picture on Media { id alt status ... on MediaImage { image { url } } }"""
PRODUCTS = f"""query Products($first: Int!, $after: String) {{
  productsCount(limit: null) {{ count }}
  products(first: $first, after: $after, sortKey: ID) {{
    nodes {{ {PRODUCT} }} pageInfo {{ hasNextPage endCursor }} }}
}}{PARTS}"""
MORE_VARIANTS = f"""query Variants($id: ID!, $after: String) {{ product(id: $id) {{
  part: variants(first: 250, after: $after) {{ nodes {{ ...variant }} pageInfo {{ hasNextPage endCursor }} }} }}
}}{PARTS.split("fragment picture", maxsplit=1)[0]}"""
MORE_MEDIA = f"""query Media($id: ID!, $after: String) {{ product(id: $id) {{
  part: media(first: 250, after: $after) {{ nodes {{ ...picture }} pageInfo {{ hasNextPage endCursor }} }} }}
}}fragment picture{PARTS.split("fragment picture")[1]}"""
TARGET = """query Target($id: ID!) { product(id: $id) { handle onlineStoreUrl
  media(first: 250, reverse: true) { nodes { id status mediaErrors { message } } } } }"""
STAGE = """mutation Stage($input: [StagedUploadInput!]!) { stagedUploadsCreate(input: $input) {
  stagedTargets { url resourceUrl parameters { name value } } userErrors { field message } } }"""
ADD_MEDIA = """mutation AddMedia($id: ID!, $media: [CreateMediaInput!]!) {
  productUpdate(product: {id: $id}, media: $media) { product { id } userErrors { field message } } }"""
SHOP = "query Shop { shop { name myshopifyDomain } }"
UNINSTALL = "mutation Uninstall { appUninstall { userErrors { field message } } }"

T = TypeVar("T")


class Wire(msgspec.Struct, rename="camel"):
    """The wire writes camelCase; unknown fields are passed over."""


class PageInfo(Wire):
    has_next_page: bool
    end_cursor: str | None


class Nodes(Wire, Generic[T]):
    """A Relay connection."""

    nodes: list[T]
    page_info: PageInfo


class Option(Wire):
    name: str
    values: list[str]


class Choice(Wire):
    name: str
    value: str


class Variant(Wire):
    id: str
    sku: str | None
    title: str
    price: str
    compare_at_price: str | None
    barcode: str | None
    selected_options: list[Choice]


class ImageAddress(Wire):
    url: str


class Media(Wire):
    """`image` is null until the platform has processed the picture, and absent for films and models."""

    id: str
    alt: str | None = None
    image: ImageAddress | None = None


class Product(Wire):
    id: str
    title: str
    handle: str
    description_html: str
    vendor: str
    product_type: str
    tags: list[str]
    status: str
    online_store_url: str | None
    updated_at: str
    options: list[Option]
    variants: Nodes[Variant]
    media: Nodes[Media]


class Count(Wire):
    count: int


class Catalogue(Wire):
    products: Nodes[Product]
    products_count: Count


class Part(Wire, Generic[T]):
    part: Nodes[T]


class PartOf(Wire, Generic[T]):
    product: Part[T] | None


class Answered(msgspec.Struct, Generic[T]):
    """The GraphQL envelope of an answer without errors."""

    data: T


class Cost(msgspec.Struct):
    """What surrounds an answer; read apart from the data, because it is looked at for every answer."""

    extensions: dict[str, Any] = {}


def ask(api: Api, query: str, shape: type[T], *, is_repeatable: bool = True, **variables: Any) -> T:
    """Send a GraphQL operation; `shape` is an `Answered[...]` or a plain dict for small answers."""
    body = {"query": query, "variables": variables}
    return api.read(api.send(Request("POST", API, json=body, is_repeatable=is_repeatable)), shape)


def mutate(api: Api, query: str, field: str, *, is_repeatable: bool = False, **variables: Any) -> dict[str, Any]:
    """Send a mutation and return its payload. Raises PlatformError with the shop's own words for user errors."""
    answer = ask(api, query, Answered[dict[str, dict[str, Any]]], is_repeatable=is_repeatable, **variables)
    payload = answer.data[field]
    if payload["userErrors"]:
        words = "; ".join(str(error["message"]) for error in payload["userErrors"])
        raise PlatformError(words, sentence=N_("Shopify did not accept this: %(words)s"), words=words)
    return payload


def identify(api: Api) -> Account:
    """The shop's own domain names the account: it is what people type and what the callback is signed for."""
    shop = ask(api, SHOP, Answered[dict[str, dict[str, str]]]).data["shop"]
    return Account(id=shop["myshopifyDomain"], label=shop["myshopifyDomain"])


def import_products(api: Api, cursor: str | None) -> Iterator[Page]:
    """The whole catalogue by id, an order that paging keeps."""
    return by_cursor(lambda after: products_page(api, after, PAGE), cursor)


def products_page(api: Api, after: str | None, first: int) -> Page:
    """Up to 250 products behind the cursor, each with all of its variants and pictures."""
    found = ask(api, PRODUCTS, Answered[Catalogue], first=first, after=after).data
    items = tuple(item(api, product) for product in found.products.nodes)
    info = found.products.page_info
    return Page(items, info.end_cursor if info.has_next_page else None, found.products_count.count)


def item(api: Api, product: Product) -> Item:
    """What is stored of a product: docs/contract "What a stream stores"."""
    variants = all_of(api, product.variants, product.id, MORE_VARIANTS, Answered[PartOf[Variant]])
    media = all_of(api, product.media, product.id, MORE_MEDIA, Answered[PartOf[Media]])
    values = {
        "id": product.id,
        "title": product.title,
        "handle": product.handle,
        "description": product.description_html,
        "vendor": product.vendor or None,
        "productType": product.product_type or None,
        "tags": product.tags,
        "status": product.status.lower(),
        "url": product.online_store_url,
        "options": [{"name": option.name, "values": option.values} for option in product.options],
        "variants": [variant_values(variant) for variant in variants],
        "images": [
            {"id": medium.id, "url": medium.image.url, "alt": medium.alt or None} for medium in media if medium.image
        ],
        "updatedAt": product.updated_at,
    }
    return Item(product.id, product.title, values)


def variant_values(variant: Variant) -> dict[str, Any]:
    """A variant as stored."""
    return {
        "id": variant.id,
        "sku": variant.sku or None,
        "title": variant.title,
        "price": money(variant.price),
        "compareAtPrice": money(variant.compare_at_price) if variant.compare_at_price else None,
        "barcode": variant.barcode or None,
        "options": {choice.name: choice.value for choice in variant.selected_options},
    }


def money(text: str) -> str:
    """Two decimal places, whatever the wire has."""
    return text if text[-3:-2] == "." else f"{Decimal(text):.2f}"


def all_of(api: Api, first: Nodes[T], product_id: str, query: str, shape: type[Answered[PartOf[T]]]) -> list[T]:
    """The connection's nodes with those that did not fit into the product's own answer."""
    nodes, info = list(first.nodes), first.page_info
    while info.has_next_page:
        product = ask(api, query, shape, id=product_id, after=info.end_cursor).data.product
        if product is None:
            break  # deleted while we read it: the next import will not meet it
        nodes += product.part.nodes
        info = product.part.page_info
    return nodes


def show(values: Mapping[str, Any]) -> dict[str, Any]:
    """A stored product in an operation's answer: pictures as plain addresses."""
    return {**values, "images": [image["url"] for image in values["images"]]}


def get_products(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the catalogue as it is now."""
    page = products_page(api, values["cursor"], values["limit"])
    return {"products": [show(item.data) for item in page.items], "nextCursor": page.next_cursor}


def publish_mockup(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Add pictures to a product: staged upload, then `productUpdate`, then wait until the shop has processed them."""
    product_id = values["productId"]
    before = api.remember(
        "media_before", lambda: [medium["id"] for medium in target(api, product_id)["media"]["nodes"]]
    )
    pictures = [api.picture(address) for address in values["mockupUrls"]]
    if not added(api, product_id, before):
        media = [
            {"originalSource": stage(api, picture, number), "mediaContentType": "IMAGE", "alt": picture.name}
            for number, picture in enumerate(pictures)
        ]
        try:
            mutate(api, ADD_MEDIA, "productUpdate", id=product_id, media=media)
        except OutcomeUnknown:
            if not added(api, product_id, before):
                raise
    wait_until_ready(api, product_id, before)
    product = target(api, product_id)
    address = product["onlineStoreUrl"] or f"https://{api.settings['shop']}/products/{product['handle']}"
    return {"publishedUrl": address, "productId": product_id, "count": len(pictures)}


def target(api: Api, product_id: str) -> dict[str, Any]:
    """The product that pictures are added to, with its media. Raises NotFoundThere."""
    product = ask(api, TARGET, Answered[dict[str, Any]], id=product_id).data["product"]
    if not isinstance(product, dict):
        raise NotFoundThere(product_id, provider="Shopify")
    return product


def added(api: Api, product_id: str, before: list[str]) -> list[dict[str, Any]]:
    """The media that the product has now and had not before: after a lost answer it tells what became of the call."""
    return [medium for medium in target(api, product_id)["media"]["nodes"] if medium["id"] not in before]


def stage(api: Api, picture: Picture, number: int) -> str:
    """Upload one picture to the shop's staging area; the address that a mutation takes."""
    api.progress(number, None)
    wanted = {
        "filename": picture.filename,
        "mimeType": picture.content_type,
        "resource": "IMAGE",
        "httpMethod": "POST",
        "fileSize": str(len(picture.content)),
    }
    place = mutate(api, STAGE, "stagedUploadsCreate", is_repeatable=True, input=[wanted])["stagedTargets"][0]
    form = {parameter["name"]: parameter["value"] for parameter in place["parameters"]}
    files = {"file": (picture.filename, picture.content, picture.content_type)}
    api.send(Request("POST", place["url"], form=form, files=files, with_token=False, is_repeatable=True))
    return str(place["resourceUrl"])


def wait_until_ready(api: Api, product_id: str, before: list[str]) -> None:
    """Media is processed behind the mutation's back. Raises PlatformError when the shop could not use a picture."""
    for _ in range(MEDIA_POLLS):
        media = added(api, product_id, before)
        failed = [
            error["message"] for medium in media for error in medium["mediaErrors"] if medium["status"] == "FAILED"
        ]
        if failed:
            words = "; ".join(failed)
            raise PlatformError(words, sentence=N_("Shopify could not use the picture: %(words)s"), words=words)
        if media and all(medium["status"] == "READY" for medium in media):
            return
        api.pause(0.5)
    api.log(N_("Shopify is still processing the pictures; they will appear by themselves."))


def uninstall(api: Api) -> None:
    """Remove our app from the shop for good: Shopify has no revocation that leaves it installed."""
    mutate(api, UNINSTALL, "appUninstall")


def budget(answer: Answer) -> Budget | None:
    """The bucket that every GraphQL answer reports."""
    cost = (
        msgspec.json.decode(answer.body, type=Cost).extensions.get("cost")
        if b'"throttleStatus"' in answer.body
        else None
    )
    if not cost:
        return None
    status = cost["throttleStatus"]
    spent = float(cost.get("requestedQueryCost") or 0)
    return Budget(
        float(status["currentlyAvailable"]), float(status["maximumAvailable"]), float(status["restoreRate"]), spent
    )


def refill_s(answer: Answer) -> float | None:
    """How long until the bucket covers the refused request."""
    left = budget(answer)
    return None if left is None or not left.per_second else max(0.5, (left.cost - left.available) / left.per_second)


def shop_host(text: str) -> str:
    """`NAME`, `NAME.myshopify.com` or a pasted address, as the shop's host name."""
    host = text.lower().removeprefix("https://").split("/")[0]
    return host if "." in host or not host else f"{host}.myshopify.com"


def product_gid(text: str) -> str:
    """A bare number as the global id it stands for."""
    return f"gid://shopify/Product/{text}" if text.isdigit() else text


PRODUCT_ID = Field(
    "productId",
    N_("Product"),
    normalise=product_gid,
    pattern=r"gid://shopify/Product/[0-9]{1,20}",
    mismatch=N_("This is not the id of a Shopify product."),
)
CODE = ("errors", 0, "extensions", "code")
WORDS = ("errors", 0, "message")

PROVIDER = Provider(
    key="shopify",
    name="Shopify",
    category=Category.ECOMMERCE,
    description=N_("Import products and publish mockups to your store."),
    logo="shopify",
    hosts=("*.myshopify.com", "shopify-staged-uploads.storage.googleapis.com", "cdn.shopify.com"),
    token_hosts=("*.myshopify.com",),
    credentials_name="SHOPIFY",
    auth=OAuth2(
        authorize_url="https://{shop}/admin/oauth/authorize",
        token_url="https://{shop}/admin/oauth/access_token",
        scopes=(
            Scope("read_products", N_("Read your products and their pictures"), N_("to import your catalogue")),
            Scope("write_products", N_("Change your products"), N_("to publish mockups to the ones you choose")),
        ),
        scope_separator=",",
        token_params={"expiring": "1"},
        token_header="X-Shopify-Access-Token",
        token_prefix="",
        signed_callback=SignedCallback("hmac", must_equal={"shop": "shop"}),
        implies={"write_products": ("read_products",)},
        account_field="shop",
        grant_is_exclusive=True,
    ),
    fields=(
        Field(
            "shop",
            N_("Your store"),
            normalise=shop_host,
            pattern=r"[a-zA-Z0-9][a-zA-Z0-9-]*\.myshopify\.com",
            mismatch=N_("Enter the name of a store, like northwind or northwind.myshopify.com."),
            placeholder="northwind",
            suffix=".myshopify.com",
            max_length=120,
        ),
    ),
    identify=identify,
    uninstall=uninstall,
    operations=(
        Import(
            "import_products",
            N_("Import products"),
            "products",
            import_products,
            ("read_products",),
            doing=N_("importing products"),
            show=show,
        ),
        Action(
            "get_products",
            N_("List products"),
            get_products,
            input=(
                Field("cursor", N_("Cursor"), required=False),
                Field("limit", N_("How many"), Kind.NUMBER, required=False, default=50, lowest=1, highest=PAGE),
            ),
            scopes=("read_products",),
            doing=N_("listing products"),
            is_read_only=True,
        ),
        Action(
            "publish_mockup",
            N_("Publish mockups"),
            publish_mockup,
            input=(PRODUCT_ID, Field("mockupUrls", N_("Mockups"), Kind.PICTURES)),
            scopes=("write_products",),
            doing=N_("publishing mockups"),
        ),
    ),
    faults=(
        Rule(Meaning.THROTTLED, path=CODE, values=frozenset({"THROTTLED"}), text=WORDS, wait=refill_s),
        Rule(Meaning.SCOPE_MISSING, path=CODE, values=frozenset({"ACCESS_DENIED"}), text=WORDS),
        Rule(Meaning.UNAVAILABLE, path=CODE, values=frozenset({"INTERNAL_SERVER_ERROR"}), text=WORDS),
        Rule(Meaning.REFUSED, status=200, path=("errors",), text=WORDS),
        Rule(Meaning.TOKEN_EXPIRED, status=401, text=("errors",)),
        Rule(Meaning.SCOPE_MISSING, status=403, text=("errors",)),
        Rule(Meaning.THROTTLED, status=430, wait=retry_after_s),
        Rule(Meaning.REFUSED, status=range(400, 429), text=("errors",)),
    ),
    throttle=Throttle(budget),
    access_page="https://{shop}/admin/settings/apps",
    sources=(
        "shopify.dev: Implement authorization code grant manually; About offline access tokens (read 2026-11-21)",
        "shopify.dev: GraphQL Admin API 2026-10 reference; GraphQL Admin API rate limits (read 2026-11-21)",
        "shopify.dev: Add media to products; API response status and error codes (read 2026-11-21)",
    ),
)
