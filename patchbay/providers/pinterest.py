"""Pinterest: announced in the catalogue, not connectable yet."""

from patchbay.errors import N_
from patchbay.spec import Category, Provider, Status

PROVIDER = Provider(
    key="pinterest",
    name="Pinterest",
    category=Category.MARKETING,
    description=N_("Pin mockups to a board."),
    status=Status.COMING_SOON,
    logo="pinterest",
)
