"""Etsy, Open API v3: imports a shop's listings in every state, adds mockups to a listing or to a new draft."""

import msgspec

from patchbay.errors import N_, ConnectionFailed
from patchbay.providers.etsy.fields import ACTIVE_SEARCH, CURSOR, DRAFT, LIMIT, LISTING, MOCKUPS, SEARCH, STATE, TARGET
from patchbay.providers.etsy.listings import API, get_listings, import_listings, present_listings, show
from patchbay.providers.etsy.pickers import (
    list_categories,
    list_processing_profiles,
    list_return_policies,
    list_shipping_profiles,
)
from patchbay.providers.etsy.publishing import publish_mockup
from patchbay.providers.etsy.throttle import THROTTLE
from patchbay.spec import (
    PRODUCT_TEXTS,
    Account,
    Action,
    Api,
    Category,
    Grace,
    Import,
    Meaning,
    OAuth2,
    Provider,
    Request,
    Reuse,
    Rule,
    Scope,
    Setup,
    retry_after_s,
)


class Me(msgspec.Struct):
    """A user without a shop has no `shop_id`."""

    shop_id: int | None = None


class Shop(msgspec.Struct):
    shop_name: str


def identify(api: Api) -> Account:
    """The shop is the account: one user has one at most, and everything is asked of it."""
    shop_id = api.read(api.send(Request("GET", f"{API}/users/me")), Me).shop_id
    if shop_id is None:
        raise ConnectionFailed("this Etsy account has no shop", provider="Etsy")
    shop = api.read(api.send(Request("GET", f"{API}/shops/{shop_id}")), Shop)
    return Account(id=str(shop_id), label=shop.shop_name)


WORDS = ("error",)

PROVIDER = Provider(
    key="etsy",
    name="Etsy",
    category=Category.ECOMMERCE,
    description=N_("Import listings and add mockup photos to them."),
    logo="etsy",
    hosts=("www.etsy.com", "api.etsy.com", "openapi.etsy.com", "i.etsystatic.com"),
    token_hosts=("openapi.etsy.com",),
    credentials_name="ETSY",
    auth=OAuth2(
        authorize_url="https://www.etsy.com/oauth/connect",
        token_url="https://api.etsy.com/v3/public/oauth/token",
        scopes=(
            Scope("listings_r", N_("Read all your listings, drafts too"), N_("to import them")),
            Scope("listings_w", N_("Create and change listings"), N_("to add mockups to the ones you choose")),
            Scope("shops_r", N_("Read your shop's profile"), N_("to know your shop and how it ships")),
        ),
        uses_pkce=True,
        client_auth="none",
        tells_redirect=True,
        access_lifetime_s=3600,
        grace=Grace(Reuse.UNTIL_NEXT_IS_USED),  # documented nowhere; nobody tells of a grant that a repetition ended
        wrong_app=frozenset({"invalid_client"}),
        app_headers={"x-api-key": "{client_id}:{client_secret}"},
    ),
    identify=identify,
    operations=(
        Import(
            "import_listings",
            N_("Import listings"),
            "listings",
            import_listings,
            ("listings_r",),
            doing=N_("importing listings"),
            present=present_listings,
            editable=PRODUCT_TEXTS[:2],
            show=show,
        ),
        Action(
            "get_listings",
            N_("List listings"),
            get_listings,
            input=(STATE, ACTIVE_SEARCH, CURSOR, LIMIT),
            scopes=("listings_r",),
            gives=("listings", "nextCursor"),
            doing=N_("listing listings"),
            is_read_only=True,
        ),
        Action(
            "publish_mockup",
            N_("Publish mockups"),
            publish_mockup,
            input=(MOCKUPS, TARGET, LISTING, *DRAFT),
            scopes=("listings_w", "listings_r"),
            gives=("publishedUrl", "listingId", "state", "count"),
            doing=N_("publishing mockups"),
        ),
        Action(
            "list_categories",
            N_("List categories"),
            list_categories,
            input=(SEARCH, CURSOR, LIMIT),
            gives=("categories", "nextCursor"),
            doing=N_("listing categories"),
            is_read_only=True,
        ),
        Action(
            "list_shipping_profiles",
            N_("List shipping profiles"),
            list_shipping_profiles,
            scopes=("shops_r",),
            gives=("shippingProfiles",),
            doing=N_("listing shipping profiles"),
            is_read_only=True,
        ),
        Action(
            "list_processing_profiles",
            N_("List processing times"),
            list_processing_profiles,
            scopes=("shops_r",),
            gives=("processingProfiles",),
            doing=N_("listing processing times"),
            is_read_only=True,
        ),
        Action(
            "list_return_policies",
            N_("List return policies"),
            list_return_policies,
            scopes=("shops_r",),
            gives=("returnPolicies",),
            doing=N_("listing return policies"),
            is_read_only=True,
        ),
    ),
    faults=(
        Rule(Meaning.SCOPE_MISSING, status=403, path=WORDS, values=frozenset({"insufficient_scope"}), text=WORDS),
        Rule(Meaning.SETUP_WRONG, status=403, path=WORDS, begins=("Shared secret", "Invalid API key"), text=WORDS),
        Rule(Meaning.SETUP_WRONG, status=401, path=WORDS, begins=("Missing x-api-key",), text=WORDS),
        Rule(
            Meaning.REFUSED,
            status=403,
            contains=("not own shop", "not owner of shop"),
            text=WORDS,
            says=N_("This belongs to another Etsy shop than the connected one."),
        ),
        Rule(Meaning.REFUSED, status=403, text=WORDS),
        Rule(Meaning.TOKEN_EXPIRED, status=401, text=("error_description",)),
        Rule(Meaning.NOT_FOUND, status=404, text=WORDS),
        Rule(Meaning.THROTTLED, status=429, text=WORDS, wait=retry_after_s),
        Rule(Meaning.REFUSED, status=range(400, 500), text=WORDS),
    ),
    throttle=THROTTLE,
    setup=Setup(
        register_url="https://www.etsy.com/developers/register",
        steps=(
            N_("Register an app at Etsy's developer pages and wait for its approval."),
            N_("Under “Edit your callback URLs”, add the redirect address below, letter for letter."),
            N_("Copy the keystring into “Client ID” and the shared secret into “Client secret”."),
        ),
        limits=(
            N_("Etsy refuses a new app's key until it has approved the app."),
            N_("Etsy sends people back to https addresses only."),
            N_("Shops of others may be connected once Etsy has granted the app commercial access."),
            N_("Etsy has no call that revokes a token; disconnecting there is done under the account's settings."),
        ),
        probe=Request("GET", f"{API}/openapi-ping", with_token=False),
    ),
    access_page="https://www.etsy.com/your/apps",
    sources=(
        "developers.etsy.com: Authentication; Rate Limits; URL Syntax; Listings Tutorial (read 2026-11-21)",
        "etsy.com: Open API 3.0.0 document, as its generated client etsy-ts 8.0.1 has it (read 2026-11-21)",
        "github.com/etsy/open-api: issues 162, 519, 588, 598, 622, 855 and discussion 1529 (read 2026-11-21)",
    ),
)
