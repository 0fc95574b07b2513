"""Instagram: announced in the catalogue, not connectable yet."""

from patchbay.errors import N_
from patchbay.spec import Category, Provider, Status

PROVIDER = Provider(
    key="instagram",
    name="Instagram",
    category=Category.MARKETING,
    description=N_("Post mockups to a professional account."),
    status=Status.COMING_SOON,
    logo="instagram",
)
