"""Shopify: the GraphQL Admin API of one shop. Imports its catalogue and adds mockups to its products."""

from datetime import date

import msgspec

from patchbay.errors import N_
from patchbay.providers.shopify.catalogue import (
    PAGE,
    changed_products,
    get_products,
    import_products,
    outline_products,
    present_products,
    show,
)
from patchbay.providers.shopify.graphql import THROTTLE, Answered, ask, mutate, refill_s
from patchbay.providers.shopify.publishing import publish_mockup
from patchbay.spec import (
    PRODUCT_TEXTS,
    Account,
    Action,
    Api,
    Category,
    Changes,
    Field,
    Grace,
    Import,
    Kind,
    Meaning,
    OAuth2,
    Pick,
    Provider,
    Reuse,
    Rule,
    Scope,
    Setup,
    SignedCallback,
    retry_after_s,
)

SHOP = "query Shop { shop { name myshopifyDomain } }"
UNINSTALL = "mutation Uninstall { appUninstall { userErrors { field message } } }"


class Shop(msgspec.Struct, rename="camel"):
    myshopify_domain: str


class ShopAnswer(msgspec.Struct):
    shop: Shop


def identify(api: Api) -> Account:
    """The shop's own domain names the account: it is what people type and what the callback is signed for."""
    shop = ask(api, SHOP, Answered[ShopAnswer]).data.shop
    return Account(id=shop.myshopify_domain, label=shop.myshopify_domain)


def uninstall(api: Api) -> None:
    """Remove our app from the shop for good: Shopify has no revocation that leaves it installed."""
    mutate(api, UNINSTALL, "appUninstall")


def shop_host(text: str) -> str:
    """`NAME` or `NAME.myshopify.com`, as the shop's host name; nothing is cut off, lest a mistake pass for a shop."""
    host = text.lower()
    return host if "." in host or not host else f"{host}.myshopify.com"


def product_gid(text: str) -> str:
    """A bare number, or the address of a product's page in the admin, as the global id it stands for."""
    number = text.partition("?")[0].rpartition("/products/")[2] if text.startswith("https://") else text
    return f"gid://shopify/Product/{number}" if number.isdigit() else text


PRODUCT_ID = Field(
    "productId",
    N_("Product"),
    pick=Pick("get_products", "products", label="title", picture="images", search="search"),
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
        grace=Grace(Reuse.UNTIL_NEXT_IS_USED),  # changelog of 2026-08-28, read 2026-11
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
            changes=Changes(outline_products, changed_products),
            ids=outline_products,
            present=present_products,
            editable=PRODUCT_TEXTS,
            show=show,
        ),
        Action(
            "get_products",
            N_("List products"),
            get_products,
            input=(
                Field("search", N_("Words in the title"), required=False, max_length=100),
                Field("cursor", N_("Cursor"), required=False),
                Field("limit", N_("How many"), Kind.NUMBER, required=False, default=50, lowest=1, highest=PAGE),
            ),
            scopes=("read_products",),
            gives=("products", "nextCursor"),
            doing=N_("listing products"),
            is_read_only=True,
        ),
        Action(
            "publish_mockup",
            N_("Publish mockups"),
            publish_mockup,
            input=(PRODUCT_ID, Field("mockupUrls", N_("Mockups"), Kind.PICTURES)),
            scopes=("write_products",),
            gives=("publishedUrl", "productId", "count"),
            doing=N_("publishing mockups"),
        ),
    ),
    faults=(
        Rule(Meaning.THROTTLED, path=CODE, values=frozenset({"THROTTLED"}), text=WORDS, wait=refill_s),
        Rule(Meaning.SCOPE_MISSING, path=CODE, values=frozenset({"ACCESS_DENIED"}), text=WORDS),
        Rule(Meaning.UNAVAILABLE, path=CODE, values=frozenset({"INTERNAL_SERVER_ERROR"}), text=WORDS),
        Rule(Meaning.CURSOR_EXPIRED, path=WORDS, begins=("Invalid cursor",), text=WORDS),
        Rule(Meaning.REFUSED, status=200, path=("errors",), text=WORDS),
        Rule(Meaning.TOKEN_EXPIRED, status=401, text=("errors",)),
        Rule(Meaning.SCOPE_MISSING, status=403, text=("errors",)),
        Rule(Meaning.THROTTLED, status=430, wait=retry_after_s),
        Rule(Meaning.REFUSED, status=range(400, 429), text=("errors",)),
    ),
    throttle=THROTTLE,
    access_page="https://{shop}/admin/settings/apps",
    api_ends=date(2027, 10, 1),  # 2026-10 is supported for twelve months
    setup=Setup(
        register_url="https://dev.shopify.com/dashboard",
        steps=(
            N_("Create an app, and a version of it with the scopes below."),
            N_("Turn off embedding in the admin: people come back to this Patchbay."),
            N_("Copy the client id and the client secret from the settings of the app."),
        ),
        limits=(
            N_("A new app can be installed in your own and in development stores; other stores need its release."),
            N_("Public apps made since April 2026 get tokens that end after an hour; Patchbay renews them."),
        ),
    ),
    sources=(
        "shopify.dev: Implement authorization code grant manually; About offline access tokens (read 2026-11-21)",
        "shopify.dev: GraphQL Admin API 2026-10 reference; GraphQL Admin API rate limits (read 2026-11-21)",
        "shopify.dev: About Shopify API versioning (read 2026-11-21)",
        "shopify.dev: Add media to products; API response status and error codes (read 2026-11-21)",
    ),
)
