"""Facebook: announced in the catalogue, not connectable yet."""

from patchbay.errors import N_
from patchbay.spec import Category, Provider, Status

PROVIDER = Provider(
    key="facebook",
    name="Facebook",
    category=Category.MARKETING,
    description=N_("Post mockups to a page that you manage."),
    status=Status.COMING_SOON,
    logo="facebook",
)
