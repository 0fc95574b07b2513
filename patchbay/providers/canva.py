"""Canva: announced in the catalogue, not connectable yet."""

from patchbay.errors import N_
from patchbay.spec import Category, Provider, Status

PROVIDER = Provider(
    key="canva",
    name="Canva",
    category=Category.DESIGN_TOOLS,
    description=N_("Bring designs over and send pictures back."),
    status=Status.COMING_SOON,
)
