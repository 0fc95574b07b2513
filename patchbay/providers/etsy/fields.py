"""What Etsy's operations ask for: the fields of lists, of a listing that gets mockups, and of a new draft.

What becomes of the values is decided in `listings` and `publishing`.
"""

from patchbay.errors import N_
from patchbay.providers.etsy.listings import PAGE, STATES
from patchbay.spec import Field, Kind, Pick

NUMBER = r"[0-9]{1,18}"

CURSOR = Field("cursor", N_("Cursor"), required=False, pattern=r"[0-9]{1,9}")
LIMIT = Field("limit", N_("How many"), Kind.NUMBER, required=False, default=50, lowest=1, highest=PAGE)
SEARCH = Field("search", N_("Search"), required=False, max_length=100)
ACTIVE_SEARCH = Field(
    "search", N_("Search"), required=False, max_length=100, help=N_("Etsy searches among active listings.")
)
STATE = Field(
    "state",
    N_("State"),
    Kind.CHOICE,
    required=False,
    default="active",
    choices=STATES,
    words=(N_("Draft"), N_("Active"), N_("Inactive"), N_("Expired"), N_("Sold out")),
)

MOCKUPS = Field("mockupUrls", N_("Mockups"), Kind.PICTURES, most=20)
TARGET = Field(
    "target",
    N_("Where to"),
    Kind.CHOICE,
    default="listing",
    choices=("listing", "draft", "download"),
    words=(N_("A listing that is there"), N_("A new draft of a thing that is sent"), N_("A new draft of a download")),
    help=N_("A draft stays hidden. Etsy charges its fee when you put it on sale there."),
)
LISTING = Field(
    "listingId",
    N_("Listing"),
    pick=Pick("get_listings", "listings", label="title", search="search"),
    only_if=("target", ("listing",)),
    pattern=NUMBER,
    mismatch=N_("This is not the number of an Etsy listing."),
)
FOR_DRAFT = ("target", ("draft", "download"))
FOR_THINGS = ("target", ("draft",))


def picked(name: str, label: str, pick: Pick, *, required: bool = False) -> Field:
    """A field of the draft of a thing, picked from what the shop has set up."""
    return Field(name, label, required=required, pick=pick, only_if=FOR_THINGS, pattern=NUMBER)


DRAFT = (
    Field("title", N_("Title"), only_if=FOR_DRAFT, max_length=140),
    Field("description", N_("Description"), Kind.LONG_TEXT, only_if=FOR_DRAFT, max_length=50_000),
    Field("price", N_("Price"), Kind.MONEY, only_if=FOR_DRAFT, help=N_("In your shop's currency.")),
    Field("quantity", N_("Quantity"), Kind.NUMBER, only_if=FOR_DRAFT, default=1, lowest=1, highest=999),
    Field(
        "taxonomyId",
        N_("Category"),
        pick=Pick("list_categories", "categories", search="search"),
        only_if=FOR_DRAFT,
        pattern=NUMBER,
    ),
    picked("shippingProfileId", N_("Shipping"), Pick("list_shipping_profiles", "shippingProfiles"), required=True),
    picked("readinessStateId", N_("Processing time"), Pick("list_processing_profiles", "processingProfiles")),
    picked("returnPolicyId", N_("Returns"), Pick("list_return_policies", "returnPolicies")),
    Field(
        "whoMade",
        N_("Who made it"),
        Kind.CHOICE,
        only_if=FOR_DRAFT,
        default="i_did",
        choices=("i_did", "collective", "someone_else"),
        words=(N_("I did"), N_("A member of my shop"), N_("Another company or person")),
    ),
    Field(
        "whenMade",
        N_("When it was made"),
        Kind.CHOICE,
        only_if=FOR_DRAFT,
        default="made_to_order",
        choices=(
            "made_to_order", "2020_2026", "2010_2019", "2007_2009", "before_2007", "2000_2006", "1990s", "1980s",
            "1970s", "1960s", "1950s", "1940s", "1930s", "1920s", "1910s", "1900s", "1800s", "1700s", "before_1700",
        ),  # the second changes its name each year
        words=(
            N_("Made to order"), "2020–2026", "2010–2019", "2007–2009", N_("Before 2007"), "2000–2006", N_("1990s"),
            N_("1980s"), N_("1970s"), N_("1960s"), N_("1950s"), N_("1940s"), N_("1930s"), N_("1920s"), N_("1910s"),
            N_("1900s"), N_("1800s"), N_("1700s"), N_("Before 1700"),
        ),
    ),
    Field(
        "tags",
        N_("Tags"),
        required=False,
        only_if=FOR_DRAFT,
        max_length=280,
        help=N_("Up to 13, with commas between them."),
    ),
)  # fmt: skip
