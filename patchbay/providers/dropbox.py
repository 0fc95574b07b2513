"""Dropbox: announced in the catalogue, not connectable yet."""

from patchbay.errors import N_
from patchbay.spec import Category, Provider, Status

PROVIDER = Provider(
    key="dropbox",
    name="Dropbox",
    category=Category.STORAGE,
    description=N_("Save finished mockups to your Dropbox."),
    status=Status.COMING_SOON,
    logo="dropbox",
)
