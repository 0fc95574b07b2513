"""The sellers of the sandbox, their shops and what a shop has beside listings: shipping, processing, returns.

What they sell is in `listings`; what they allowed which app is in `oauth`.
"""

from dataclasses import dataclass
from typing import Final

from sandbox.store import Document

_OPENED: Final = 1_711_962_000  # 2024-04-01T09:00:00Z


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop; `number` is its small place in the numbers of computed listings."""

    number: int
    shop_id: int
    user_id: int
    name: str
    title: str
    currency: str
    country: str

    @property
    def needs_return_policy(self) -> bool:
        """Shops outside the European Union must name one for physical listings (updateListing, return_policy_id)."""
        return self.country == "US"


@dataclass(frozen=True, slots=True)
class Seller:
    """An account; not everyone has a shop."""

    user_id: int
    email: str
    name: str
    shop: Shop | None

    @property
    def account(self) -> str:
        """How grants and the ledger name the account."""
        return str(self.user_id)


SELLERS: Final = (
    Seller(
        90210001,
        "ada@example.org",
        "Ada",
        Shop(1, 50310001, 90210001, "InkfieldStudio", "Prints and mugs from a small studio", "EUR", "DE"),
    ),
    Seller(
        90210002,
        "ben@example.org",
        "Ben",
        Shop(2, 50310002, 90210002, "PaperAndPine", "Paper goods, printed to order", "USD", "US"),
    ),
    Seller(90210003, "cleo@example.org", "Cleo", None),
)
SHOPS: Final = tuple(each.shop for each in SELLERS if each.shop)
_POLICIES: Final[Document] = {
    "policy_welcome": None,
    "policy_payment": None,
    "policy_shipping": None,
    "policy_refunds": None,
    "policy_additional": None,
    "policy_seller_info": None,
    "policy_update_date": _OPENED,
    "policy_has_private_receipt_info": False,
    "has_unstructured_policies": False,
    "policy_privacy": None,
    "is_using_structured_policies": True,
    "has_onboarded_structured_policies": True,
    "include_dispute_form_link": False,
}
_PROFILES = (("Letters and small parcels", "manual"), ("Framed and fragile", "manual"))
_PROCESSING = (("ready_to_ship", 1, 2), ("made_to_order", 3, 5))


def seller_named(text: str) -> Seller | None:
    """The seller with this e-mail address, user id or shop name."""
    wanted = text.strip().lower()
    for each in SELLERS:
        if wanted in (each.email, each.account) or (
            each.shop and wanted in (each.shop.name.lower(), str(each.shop.shop_id))
        ):
            return each
    return None


def shop_with(shop_id: int) -> Shop | None:
    """The shop with this id."""
    return next((each for each in SHOPS if each.shop_id == shop_id), None)


def shipping_profiles(shop: Shop) -> list[Document]:
    """`ShopShippingProfile` of a shop, with one destination each."""
    return [
        {
            "shipping_profile_id": profile_id,
            "title": title,
            "user_id": shop.user_id,
            "origin_country_iso": shop.country,
            "is_deleted": False,
            "shipping_profile_destinations": [_destination(shop, profile_id)],
            "shipping_profile_upgrades": [],
            "origin_postal_code": "10115" if shop.country == "DE" else "11201",
            "profile_type": kind,
            "domestic_handling_fee": 0,
            "international_handling_fee": 0,
        }
        for profile_id, (title, kind) in enumerate(_PROFILES, shop.shop_id * 1000 + 1)
    ]


def processing_profiles(shop: Shop) -> list[Document]:
    """`ShopProcessingProfile` of a shop: when its things are ready to ship."""
    return [
        {
            "shop_id": shop.shop_id,
            "readiness_state_id": state_id,
            "readiness_state": state,
            "min_processing_days": least,
            "max_processing_days": most,
            "processing_days_display_label": f"{least} - {most} days",
        }
        for state_id, (state, least, most) in enumerate(_PROCESSING, shop.shop_id * 1000 + 501)
    ]


def return_policies(shop: Shop) -> list[Document]:
    """`ShopReturnPolicy` of a shop."""
    return [
        {
            "return_policy_id": shop.shop_id * 1000 + 801,
            "shop_id": shop.shop_id,
            "accepts_returns": True,
            "accepts_exchanges": True,
            "return_deadline": 30,
        }
    ]


def shop_shown(shop: Shop, active: int, digital: int) -> Document:
    """`Shop`, with the numbers of its active and of its digital listings."""
    return {
        "shop_id": shop.shop_id,
        "user_id": shop.user_id,
        "shop_name": shop.name,
        "create_date": _OPENED,
        "created_timestamp": _OPENED,
        "title": shop.title,
        "announcement": None,
        "currency_code": shop.currency,
        "is_vacation": False,
        "vacation_message": None,
        "sale_message": None,
        "digital_sale_message": None,
        "update_date": _OPENED,
        "updated_timestamp": _OPENED,
        "listing_active_count": active,
        "digital_listing_count": digital,
        "login_name": shop.name.lower(),
        "accepts_custom_requests": False,
        "vacation_autoreply": None,
        "url": f"https://www.etsy.com/shop/{shop.name}",
        "image_url_760x100": None,
        "icon_url_fullxfull": None,
        "num_favorers": 0,
        "languages": ["en-US"],
        **_POLICIES,
        "is_direct_checkout_onboarded": True,
        "is_etsy_payments_onboarded": True,
        "is_calculated_eligible": False,
        "is_opted_in_to_buyer_promise": False,
        "is_shop_us_based": shop.country == "US",
        "transaction_sold_count": 0,
        "shipping_from_country_iso": shop.country,
        "shop_location_country_iso": shop.country,
        "review_count": None,
        "review_average": None,
    }


def _destination(shop: Shop, profile_id: int) -> Document:
    return {
        "shipping_profile_destination_id": profile_id * 10 + 1,
        "shipping_profile_id": profile_id,
        "origin_country_iso": shop.country,
        "destination_country_iso": shop.country,
        "destination_region": "none",
        "primary_cost": {"amount": 490, "divisor": 100, "currency_code": shop.currency},
        "secondary_cost": {"amount": 100, "divisor": 100, "currency_code": shop.currency},
        "shipping_carrier_id": 0,
        "mail_class": None,
        "min_delivery_days": 2,
        "max_delivery_days": 5,
    }
