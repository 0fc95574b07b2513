"""Etsy: announced in the catalogue, not connectable yet."""

from patchbay.errors import N_
from patchbay.spec import Category, Provider, Status

PROVIDER = Provider(
    key="etsy",
    name="Etsy",
    category=Category.ECOMMERCE,
    description=N_("Import listings and add mockup photos to them."),
    status=Status.COMING_SOON,
    logo="etsy",
)
