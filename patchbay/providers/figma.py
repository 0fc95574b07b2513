"""Figma: announced in the catalogue, not connectable yet."""

from patchbay.errors import N_
from patchbay.spec import Category, Provider, Status

PROVIDER = Provider(
    key="figma",
    name="Figma",
    category=Category.DESIGN_TOOLS,
    description=N_("Import frames as designs, export them as pictures."),
    status=Status.COMING_SOON,
    logo="figma",
)
