"""The numbers of listings and pictures: which are kept, which are computed, and from what.

Computed listings of a shop have numbers below all kept ones, so that the newest listing always has the highest.
"""

from typing import Final

from sandbox.hosts.etsy.sellers import SHOPS, Shop

MOST_GENERATED: Final = 10_000_000
FIRST_KEPT: Final = 1_900_000_000
MOST_PICTURES: Final = 4  # of a computed listing, so that a picture's number tells whose it is
_FIRST_COMPUTED: Final = 1_000_000_000
_SPAN: Final = 20_000_000  # between the computed listings of two shops
_FIRST_PICTURE: Final = 3_000_000_000


def computed_id(shop: Shop, index: int) -> int:
    """The listing number of the computed listing with this index."""
    return _FIRST_COMPUTED + shop.number * _SPAN + index


def computed_place(listing_id: int) -> tuple[Shop, int] | None:
    """Shop and index of a computed listing, None for what is none."""
    number, index = divmod(listing_id - _FIRST_COMPUTED, _SPAN)
    shop = next((each for each in SHOPS if each.number == number), None)
    return (shop, index) if shop and index < MOST_GENERATED else None


def computed_picture_id(shop: Shop, index: int, place: int) -> int:
    """The number of a computed listing's picture, `place` from 0."""
    return _FIRST_PICTURE + (shop.number * _SPAN + index) * MOST_PICTURES + place


def computed_picture_place(picture_id: int) -> tuple[Shop, int, int] | None:
    """Shop, index and place of a computed picture, None for what is none."""
    listing, place = divmod(picture_id - _FIRST_PICTURE, MOST_PICTURES)
    found = computed_place(_FIRST_COMPUTED + listing) if picture_id >= _FIRST_PICTURE else None
    return (*found, place) if found else None


def kept_id(serial: int) -> int:
    """The number of the listing that was created as the `serial`-th."""
    return FIRST_KEPT + serial


def kept_picture_id(serial: int) -> int:
    """The number of the picture that was added as the `serial`-th, above all computed ones."""
    return _FIRST_PICTURE + (len(SHOPS) + 1) * _SPAN * MOST_PICTURES + serial
