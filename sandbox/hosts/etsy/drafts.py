"""What a listing must have: the rules for creating a draft, changing a listing and putting it on sale.

Sources: createDraftListing and updateListing of the Open API 3.0.0 document; the words of refusals from etsy/open-api
issues #385 (missing value), #605 and #622 (characters), #855 (return policy) and anitabyte/etsyv3#13 (read 2026-11-21).
"""

import time
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from sandbox.hosts.etsy import parameters as given
from sandbox.hosts.etsy import taxonomy
from sandbox.hosts.etsy.refusals import EtsyRefused, FieldRefused
from sandbox.hosts.etsy.sellers import Shop, processing_profiles, return_policies, shipping_profiles
from sandbox.store import Document

WHO_MADE: Final = ("i_did", "someone_else", "collective")
WHEN_MADE: Final = (
    "made_to_order", "2020_2026", "2010_2019", "2007_2009", "before_2007", "2000_2006", "1990s", "1980s", "1970s",
    "1960s", "1950s", "1940s", "1930s", "1920s", "1910s", "1900s", "1800s", "1700s", "before_1700",
)  # fmt: skip
TYPES: Final = ("physical", "download", "both")
LISTED_S: Final = 121 * 24 * 3600  # four months, as a listing runs
_LONGEST_TITLE: Final = 140
_ONCE: Final = "%:&+"
_CHEAPEST_CENTS: Final = 20
_MOST_QUANTITY: Final = 999
_MOST_TAGS: Final = 13
_LONGEST_TAG: Final = 20
_SWITCHES: Final = ("is_supply", "should_auto_renew", "is_taxable")
_TITLE_KINDS: Final = frozenset({"Nd", "Sm", "Zs"})


def new_draft(shop: Shop, values: Mapping[str, str]) -> Document:
    """The document of a new draft; raises EtsyRefused 400."""
    quantity = given.needed_whole(values, "quantity", least=1, most=_MOST_QUANTITY)
    title = _title(given.needed_text(values, "title"))
    description = given.needed_text(values, "description")
    cents = _price(values)
    kind = given.choice(values, "type", TYPES, "physical")
    now = int(time.time())
    return {
        "shop_id": shop.shop_id,
        "user_id": shop.user_id,
        "title": title,
        "description": description,
        "state": "draft",
        "created": now,
        "original": now,
        "updated": now,
        "state_at": now,
        "ending": now + LISTED_S,
        "type": kind,
        "tags": _tags(values),
        "materials": given.words(values, "materials"),
        "styles": given.words(values, "styles"),
        "who_made": given.choice(values, "who_made", WHO_MADE),
        "when_made": given.choice(values, "when_made", WHEN_MADE),
        "is_supply": given.truth(values, "is_supply", default=False),
        "taxonomy_id": _category(given.needed_whole(values, "taxonomy_id", least=1)),
        "shipping_profile_id": _shipping(shop, values, kind),
        "return_policy_id": _returns(shop, values, kind),
        "readiness_state_id": _processing(shop, values),
        "should_auto_renew": given.truth(values, "should_auto_renew", default=False),
        "is_taxable": given.truth(values, "is_taxable", default=True),
        "images": [],
        "products": [{"id": 0, "sku": "", "cents": cents, "quantity": quantity, "values": {}}],
    }


def changed(shop: Shop, listing: Document, values: Mapping[str, str]) -> Document:
    """The listing with the changes of an updateListing call; raises EtsyRefused 400."""
    listing = dict(listing)
    kind = given.choice(values, "type", TYPES, listing["type"])
    fresh: dict[str, Callable[[], object]] = {
        "title": lambda: _title(given.needed_text(values, "title")),
        "description": lambda: given.needed_text(values, "description"),
        "tags": lambda: _tags(values),
        "materials": lambda: given.words(values, "materials"),
        "type": lambda: kind,
        "who_made": lambda: given.choice(values, "who_made", WHO_MADE),
        "when_made": lambda: given.choice(values, "when_made", WHEN_MADE),
        "taxonomy_id": lambda: _category(given.needed_whole(values, "taxonomy_id", least=1)),
        "shipping_profile_id": lambda: _shipping(shop, values, kind),
        "return_policy_id": lambda: _returns(shop, values, kind),
        **{name: partial(given.truth, values, name, default=listing[name]) for name in _SWITCHES},
    }
    listing |= {name: read() for name, read in fresh.items() if name in values}
    if "state" in values:
        _move(shop, listing, given.choice(values, "state", ("active", "inactive")))
    return listing


def _move(shop: Shop, listing: Document, state: str) -> None:
    """Put a listing on sale, or take it off."""
    if state == listing["state"]:
        return
    if state == "inactive" and listing["state"] != "active":
        raise EtsyRefused(400, "Only active listings can be made inactive.")
    if state == "active":
        if not listing["images"]:
            raise FieldRefused("/images", "array_too_short", "cannot be less than 1 items")
        if listing["type"] != "download" and listing["readiness_state_id"] is None:
            raise EtsyRefused(400, "A readiness_state_id is required for physical listings.")
        if listing["type"] != "download" and shop.needs_return_policy and listing["return_policy_id"] is None:
            raise EtsyRefused(400, "There was a problem with /return/policy : cannot be null")
        if listing["state"] == "sold_out":
            listing["products"] = [product | {"quantity": 1} for product in listing["products"]]
        listing["ending"] = int(time.time()) + LISTED_S
    listing["state"], listing["state_at"] = state, int(time.time())


def _title(text: str) -> str:
    title = text.strip()
    if len(title) > _LONGEST_TITLE:
        raise EtsyRefused(400, f"Title is too long. The maximum length is {_LONGEST_TITLE} characters.")
    for place, letter in enumerate(title):
        kind = unicodedata.category(letter)
        if kind[0] not in "LP" and kind not in _TITLE_KINDS and letter not in "™©®" and not letter.isspace():
            raise FieldRefused(f"/title/{place}", "invalid_characters", "contains invalid characters")
    repeated = [letter for letter in _ONCE if title.count(letter) > 1]
    if repeated:
        raise EtsyRefused(400, f"You can only use each of these characters once: {' '.join(repeated)}")
    return title


def _price(values: Mapping[str, str]) -> int:
    cents = given.needed_cents(values, "price")
    if cents < _CHEAPEST_CENTS:
        raise EtsyRefused(400, "The price must be at least 0.20.")
    return cents


def _tags(values: Mapping[str, str]) -> list[str]:
    tags = given.words(values, "tags")
    if len(tags) > _MOST_TAGS:
        raise EtsyRefused(400, f"A listing can have at most {_MOST_TAGS} tags.")
    for place, tag in enumerate(tags):
        kinds = {unicodedata.category(letter) for letter in tag if letter not in "-'™©®"}
        if any(kind[0] != "L" and kind not in ("Nd", "Zs") for kind in kinds):
            raise FieldRefused(f"/tags/{place}", "invalid_characters", "contains invalid characters")
        if len(tag) > _LONGEST_TAG:
            raise FieldRefused(f"/tags/{place}", "string_too_long", f"cannot be longer than {_LONGEST_TAG} characters")
    return tags


def _category(taxonomy_id: int) -> int:
    if taxonomy_id not in taxonomy.known_ids():
        raise EtsyRefused(400, f"Invalid taxonomy_id: {taxonomy_id}")
    return taxonomy_id


def _shipping(shop: Shop, values: Mapping[str, str], kind: str) -> int | None:
    profile_id = given.whole(values, "shipping_profile_id", least=1)
    if profile_id is None and kind != "download":
        raise EtsyRefused(400, "A shipping_profile_id is required for physical listings.")
    return _one_of(profile_id, "shipping_profile_id", shipping_profiles(shop))


def _returns(shop: Shop, values: Mapping[str, str], kind: str) -> int | None:
    policy_id = given.whole(values, "return_policy_id", least=1)
    if policy_id is None and kind != "download" and shop.needs_return_policy:
        raise EtsyRefused(400, "There was a problem with /return/policy : cannot be null")
    return _one_of(policy_id, "return_policy_id", return_policies(shop))


def _processing(shop: Shop, values: Mapping[str, str]) -> int | None:
    state_id = given.whole(values, "readiness_state_id", least=1)
    return _one_of(state_id, "readiness_state_id", processing_profiles(shop))


def _one_of(number: int | None, name: str, known: list[Document]) -> int | None:
    if number is not None and all(each[name] != number for each in known):
        raise EtsyRefused(400, f"Invalid {name}: {number}")
    return number
