"""OneDrive: announced in the catalogue, not connectable yet."""

from patchbay.errors import N_
from patchbay.spec import Category, Provider, Status

PROVIDER = Provider(
    key="onedrive",
    name="OneDrive",
    category=Category.STORAGE,
    description=N_("Save finished mockups to a folder of your OneDrive."),
    status=Status.COMING_SOON,
)
