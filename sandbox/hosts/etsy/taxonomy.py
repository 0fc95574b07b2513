"""A small part of Etsy's seller taxonomy: the categories that a listing can be put into, as a tree.

Source: SellerTaxonomyNode of the Open API 3.0.0 document (read 2026-11-21). Only a few branches are here, and but for
482 their numbers are the sandbox's own.
"""

from functools import cache
from typing import Final

from sandbox.store import Document

TEE: Final = 482
MUG: Final = 1062
PRINT: Final = 2078
TOTE: Final = 163
STICKER: Final = 1327
CUSHION: Final = 974
DIGITAL: Final = 2079

_Branch = tuple[int, str, tuple["_Branch", ...]]
_TREE: Final[tuple[_Branch, ...]] = (
    (1, "Accessories", ((160, "Bags & Purses", ((TOTE, "Totes", ()),)),)),
    (66, "Art & Collectibles", ((2070, "Prints", ((PRINT, "Giclée", ()), (DIGITAL, "Digital Prints", ()))),)),
    (374, "Clothing", ((448, "Gender-Neutral Adult Clothing", ((481, "Tops & Tees", ((TEE, "T-shirts", ()),)),)),)),
    (
        891,
        "Home & Living",
        (
            (1060, "Kitchen & Dining", ((1061, "Drinkware", ((MUG, "Mugs", ()),)),)),
            (970, "Home Decor", ((972, "Decorative Pillows", ((CUSHION, "Cushions", ()),)),)),
        ),
    ),
    (1320, "Paper & Party Supplies", ((1325, "Paper", ((STICKER, "Stickers", ()),)),)),
)


@cache
def known_ids() -> frozenset[int]:
    """The ids of all nodes, branches too: Etsy takes a listing at any level."""
    found: set[int] = set()
    waiting = list(_TREE)
    while waiting:
        node_id, _, children = waiting.pop()
        found.add(node_id)
        waiting.extend(children)
    return frozenset(found)


def nodes() -> list[Document]:
    """The roots, each with its whole branch."""
    return [_shown(branch, ()) for branch in _TREE]


def _shown(branch: _Branch, above: tuple[int, ...]) -> Document:
    node_id, name, children = branch
    path = (*above, node_id)
    return {
        "id": node_id,
        "level": len(above),
        "name": name,
        "parent_id": above[-1] if above else None,
        "children": [_shown(child, path) for child in children],
        "full_path_taxonomy_ids": list(path),
    }
