"""The six templates that a design can be set onto: their names, their print areas, and the plates drawn for them.

What does not live here: the drawing of each (the module of its name) and setting a design onto it (`render`). Listing
the templates loads no picture library; a plate is drawn at its first use and the last few are kept in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from patchbay.errors import N_, NotFound

if TYPE_CHECKING:
    from patchbay.pictures.templates.plate import Plate

SIZE = 1600
_PLATES_KEPT = 2  # about 12 MB each; drawing one anew takes a fraction of a second


@dataclass(frozen=True)
class Template:
    """A product to print on: `name` is a message id; `print_width` × `print_height` pixels is the print area unbent."""

    id: str
    name: str
    print_width: int
    print_height: int
    width: int = SIZE
    height: int = SIZE


_TEMPLATES = (
    Template("tpl_shirt", N_("Shirt"), 500, 620),
    Template("tpl_mug", N_("Mug"), 793, 630),
    Template("tpl_tote", N_("Tote bag"), 600, 660),
    Template("tpl_framed-poster", N_("Framed poster"), 680, 1040),
    Template("tpl_phone-case", N_("Phone case"), 625, 1235),
    Template("tpl_cushion", N_("Cushion"), 960, 960),
)


def all() -> tuple[Template, ...]:  # noqa: A001 - read as `templates.all()`
    """Every template, in the order in which people see them."""
    return _TEMPLATES


def named(template_id: str) -> Template:
    """The template of that id; raises `NotFound`."""
    for template in _TEMPLATES:
        if template.id == template_id:
            return template
    raise NotFound(template_id)


@lru_cache(maxsize=_PLATES_KEPT)
def plate_of(template_id: str) -> Plate:
    """The template's drawing, not to be changed; raises `NotFound`."""
    module = named(template_id).id.removeprefix("tpl_").replace("-", "_")
    drawn: Plate = import_module(f"{__name__}.{module}").draw()
    return drawn


def preview(template_id: str, box: int) -> bytes:
    """The template without a design, as a WebP of at most `box` × `box` pixels; raises `NotFound`."""
    from patchbay.pictures import thumbnails

    return thumbnails.encoded(plate_of(template_id).picture.copy(), box=box)
