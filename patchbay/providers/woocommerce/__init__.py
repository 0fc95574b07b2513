"""WooCommerce, REST API v3, of one store at its owner's address. Imports its products and adds mockups to them."""

import contextlib
import re

from patchbay.errors import N_
from patchbay.providers.woocommerce.catalogue import (
    PAGE,
    Listed,
    get_products,
    import_products,
    present_products,
    product_ids,
    show,
)
from patchbay.providers.woocommerce.publishing import publish_mockup
from patchbay.providers.woocommerce.rest import API, read
from patchbay.spec import (
    PRODUCT_TEXTS,
    Account,
    Action,
    Api,
    Category,
    Field,
    Handover,
    Import,
    Keys,
    Kind,
    Meaning,
    Pick,
    Provider,
    Request,
    Rule,
    Scope,
    Throttle,
    Window,
)


def identify(api: Api) -> Account:
    """A store is its address; reading a product shows that the keys open it."""
    read(api, api.send(Request("GET", f"{API}/products", params={"per_page": "1", "_fields": "id"})), list[Listed])
    return Account(id=api.settings["store"], label=api.settings["store"])


def store_address(text: str) -> str:
    """What people type or paste, as host and folder: no scheme, no slash at the end, the host in lower-case ASCII."""
    host, slash, folder = re.sub(r"^https?://", "", text, flags=re.IGNORECASE).rstrip("/").partition("/")
    with contextlib.suppress(UnicodeError):  # the pattern then says that this is no host
        host = host.encode("idna").decode()
    return host.lower() + slash + folder


AT_ONCE = Window("at once", 2, 0)  # nothing is promised; small servers choke on more
KEYS_PAGE = "https://{store}/wp-admin/admin.php?page=wc-settings&tab=advanced&section=keys"
CODE, WORDS = ("code",), ("message",)
NO_API = N_(
    "There is no WooCommerce REST API at this address. Check the address, that WooCommerce is active, and that the "
    "store's permalinks are not plain."
)
FIREWALL = N_("A firewall in front of the store refused the call. Ask its web host to let calls of /wp-json through.")
MOVED = N_("The store has moved. Connect it with the address that your browser shows on its front page.")
ROLE = N_("The keys belong to a user who may not do this. Make keys for an administrator or a shop manager.")
NOT_FETCHED = N_(
    "The store could not use the picture. It must be able to fetch it from this Patchbay, and takes PNG, JPEG, GIF and "
    "WebP."
)
PRODUCT = Pick("get_products", "products", label="title", picture="images", search="search")


def key_field(name: str, label: str, prefix: str) -> Field:
    """One half of a pair of keys, recognised by how it begins."""
    mismatch = N_("Keys of WooCommerce begin with ck_ and cs_. Copy both from the page that made them.")
    return Field(name, label, Kind.SECRET, pattern=rf"{prefix}[0-9A-Za-z]{{16,}}", mismatch=mismatch, max_length=100)


def error_code(means: Meaning, *codes: str, status: int | None = None, says: str = "") -> Rule:
    """Codes are the same in every language, messages are not."""
    return Rule(means, status=status, path=CODE, values=frozenset(codes), text=WORDS, says=says)


PROVIDER = Provider(
    key="woocommerce",
    name="WooCommerce",
    category=Category.ECOMMERCE,
    description=N_("Import products and publish mockups to your own shop."),
    logo="woo",
    hosts=("*.example",),
    token_hosts=("{store}",),
    credentials_name="WOOCOMMERCE",
    auth=Keys(
        fields=(
            key_field("consumer_key", N_("Consumer key"), "ck_"),
            key_field("consumer_secret", N_("Consumer secret"), "cs_"),
        ),
        username="consumer_key",
        password="consumer_secret",
        scopes=(
            Scope(
                "read_write",
                N_("Read and change what is in your shop; WooCommerce offers nothing narrower"),
                N_("to import your products and publish mockups to the ones you choose"),
            ),
        ),
        handover=Handover(
            "https://{store}/wc-auth/v1/authorize",
            params={
                "app_name": "Patchbay",
                "scope": "read_write",
                "user_id": "{nonce}",
                "return_url": "{return_url}",
                "callback_url": "{callback_url}",
            },
            nonce_key="user_id",
            approved_key="success",
            approved_value="1",
        ),
        made_at=KEYS_PAGE,
    ),
    fields=(
        Field(
            "store",
            N_("Address of your store"),
            normalise=store_address,
            pattern=r"(?!.*/wp-)[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?(/[\w.~%-]+)*",
            mismatch=N_("Enter the address of the store's front page, like www.example.com or example.com/shop."),
            placeholder="demo-store.example",
            max_length=200,
        ),
    ),
    identify=identify,
    operations=(
        Import(
            "import_products",
            N_("Import products"),
            "products",
            import_products,
            ("read_write",),
            doing=N_("importing products"),
            ids=product_ids,
            present=present_products,
            editable=PRODUCT_TEXTS,
            show=show,
        ),
        Action(
            "get_products",
            N_("List products"),
            get_products,
            input=(
                Field("search", N_("Search"), required=False, max_length=100),
                Field("cursor", N_("Cursor"), required=False, pattern=r"[0-9]{1,9}"),
                Field("limit", N_("How many"), Kind.NUMBER, required=False, default=20, lowest=1, highest=PAGE),
            ),
            scopes=("read_write",),
            gives=("products", "nextCursor"),
            doing=N_("listing products"),
            is_read_only=True,
        ),
        Action(
            "publish_mockup",
            N_("Publish mockups"),
            publish_mockup,
            input=(
                Field(
                    "productId",
                    N_("Product"),
                    pick=PRODUCT,
                    pattern=r"[0-9]{1,18}",
                    mismatch=N_("This is not the id of a WooCommerce product."),
                ),
                Field("mockupUrls", N_("Mockups"), Kind.PICTURES),
            ),
            scopes=("read_write",),
            gives=("publishedUrl", "productId", "count"),
            doing=N_("publishing mockups"),
            needs_public_address=True,
        ),
    ),
    faults=(
        Rule(
            Meaning.SCOPE_MISSING,
            status=401,
            path=CODE,
            values=frozenset({"woocommerce_rest_authentication_error"}),
            contains=("read permissions", "write permissions"),
            text=WORDS,
        ),
        Rule(Meaning.TOKEN_EXPIRED, status=401, text=WORDS),
        Rule(Meaning.REFUSED, status=403, media="text/html", says=FIREWALL),
        Rule(Meaning.SCOPE_MISSING, status=403, text=WORDS, says=ROLE),
        error_code(Meaning.NOT_FOUND, "rest_no_route", says=NO_API),
        error_code(Meaning.NOT_FOUND, "woocommerce_rest_product_invalid_id"),
        Rule(Meaning.NOT_FOUND, status=404, media="text/html", says=NO_API),
        Rule(
            Meaning.REFUSED,
            path=CODE,
            values=frozenset({"woocommerce_product_image_upload_error"}),
            says=NOT_FETCHED,  # without the platform's words: they repeat the address, which opens the picture
        ),
        Rule(Meaning.REFUSED, status=range(300, 400), says=MOVED),
        Rule(Meaning.REFUSED, status=400, text=WORDS),
    ),
    throttle=Throttle(windows=(AT_ONCE,)),
    access_page=KEYS_PAGE,
    sources=(
        "WooCommerce REST API docs: Authentication; Products; Product variations; Pagination; Errors (read 2026-11-21)",
        "WooCommerce 11 source: WC_Auth, WC_REST_Authentication, WC_REST_Products_Controller (read 2026-11-21)",
    ),
)
