"""Post ids: WordPress numbers products, variations and pictures in one row, so an id alone says what it may be.

Computed products have ids from a million on, sixteen for each with its parts; below it ids are given out one by one.
"""

FIRST_COMPUTED = 1_000_000
MOST_COMPUTED = 1 << 24
STEP = 16
_FIRST_VARIATION = 1
_FIRST_PICTURE = 8
FIRST_MADE = 10  # a fresh WordPress has used the ids below for pages of its own


def product_id(index: int) -> int:
    """The id of computed product number `index`."""
    return FIRST_COMPUTED + index * STEP


def variation_id(product: int, number: int) -> int:
    """The id of a computed product's variation, counted from 0."""
    return product + _FIRST_VARIATION + number


def picture_id(product: int, number: int) -> int:
    """The id of a computed product's picture, counted from 0."""
    return product + _FIRST_PICTURE + number


def index_of(post: int) -> int | None:
    """The computed product that an id belongs to, as it is or as a part of it; None for what was made."""
    return (post - FIRST_COMPUTED) // STEP if post >= FIRST_COMPUTED else None


def picture_number(post: int) -> int | None:
    """Which picture of its computed product an id is, counted from 0; None when it is none."""
    place = (post - FIRST_COMPUTED) % STEP
    return place - _FIRST_PICTURE if post >= FIRST_COMPUTED and place >= _FIRST_PICTURE else None
