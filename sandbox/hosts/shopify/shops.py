"""What a shop says of itself, in GraphQL's and in REST's words; every name of the pattern is a shop.

Its products are in `catalogue`.
"""

from sandbox.hosts.shopify.ids import DEMO_SHOP, SHOP_PATTERN, gid, shop_number
from sandbox.store import Document

CURRENCY = "EUR"
_CREATED = "2024-03-01T09:00:00Z"


def shop_domain(text: str) -> str | None:
    """The domain of `NAME` or `NAME.myshopify.com`, lower case; None for what is no shop name."""
    domain = text.strip().lower()
    domain = domain if domain.endswith(".myshopify.com") else f"{domain}.myshopify.com"
    return domain if SHOP_PATTERN.fullmatch(domain) else None


def shop_name(shop: str) -> str:
    """The name a merchant would see."""
    if shop == DEMO_SHOP:
        return "Demo Shop"
    return shop.removesuffix(".myshopify.com").replace("-", " ").title()


def graphql_node(shop: str) -> Document:
    """The Shop object."""
    number = shop_number(shop) + 60_000_000_000
    return {
        "id": gid("Shop", number),
        "contactEmail": f"owner@{shop}",
        "createdAt": _CREATED,
        "currencyCode": CURRENCY,
        "description": None,
        "email": f"owner@{shop}",
        "ianaTimezone": "Etc/UTC",
        "myshopifyDomain": shop,
        "name": shop_name(shop),
        "plan": {
            "displayName": "Basic",
            "partnerDevelopment": True,
            "publicDisplayName": "Basic",
            "shopifyPlus": False,
        },
        "primaryDomain": {"id": gid("Domain", number), "host": shop, "sslEnabled": True, "url": f"https://{shop}"},
        "shopOwnerName": "Ada Example",
        "timezoneAbbreviation": "UTC",
        "timezoneOffset": "+0000",
        "url": f"https://{shop}",
        "weightUnit": "KILOGRAMS",
    }


def rest_json(shop: str) -> Document:
    """The shop as `shop.json` shows it."""
    return {
        "id": shop_number(shop) + 60_000_000_000,
        "name": shop_name(shop),
        "email": f"owner@{shop}",
        "customer_email": f"owner@{shop}",
        "domain": shop,
        "myshopify_domain": shop,
        "shop_owner": "Ada Example",
        "currency": CURRENCY,
        "money_format": "€{{amount}}",
        "timezone": "(GMT+00:00) UTC",
        "iana_timezone": "Etc/UTC",
        "country_code": "DE",
        "plan_name": "partner_test",
        "plan_display_name": "Development",
        "primary_locale": "en",
        "weight_unit": "kg",
        "created_at": _CREATED,
        "updated_at": _CREATED,
    }
