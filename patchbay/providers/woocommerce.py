"""WooCommerce: announced in the catalogue, not connectable yet."""

from patchbay.errors import N_
from patchbay.spec import Category, Provider, Status

PROVIDER = Provider(
    key="woocommerce",
    name="WooCommerce",
    category=Category.ECOMMERCE,
    description=N_("Import products and publish mockups to your own shop."),
    status=Status.COMING_SOON,
    logo="woo",
)
