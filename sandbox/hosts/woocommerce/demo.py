"""The twelve products with which the demo store starts: what a small print studio sells.

How they are kept is the business of `catalogue`, how their pictures look that of `media`.
"""

from collections.abc import Callable, Iterator

from sandbox.hosts.woocommerce.products import choice, product, slug_of, variations
from sandbox.store import Document

CREATED = "2024-03-01T07:00:{:02d}"
_SIZES = {"S": "26.00", "M": "26.00", "L": "26.00", "XL": "28.00"}
# name, category, what it costs: one price, or an option with a price for each value
_RANGE: tuple[tuple[str, str, str | tuple[str, dict[str, str]]], ...] = (
    ("Birch Tee", "Clothing", ("Size", _SIZES)),
    ("Harbour Sweatshirt", "Clothing", ("Size", dict.fromkeys(_SIZES, "54.00"))),
    ("Market Bag", "Bags", "18.00"),
    ("Enamel Cup “Dawn”", "Kitchen", "16.00"),
    ("Two-Tone Cup", "Kitchen", ("Volume", {"250 ml": "14.00", "450 ml": "17.50"})),
    ("Orchard Pillow", "Home", ("Edge", {"40 cm": "32.00", "50 cm": "38.00"})),
    ("Trail Flask", "Outdoor", "24.00"),
    ("Tide Phone Cover", "Tech", ("Model", {"Slim": "21.00", "Tough": "27.00"})),
    ("Ridge Print", "Prints", ("Format", {"A4": "15.00", "A3": "22.00", "A2": "34.00"})),
    ("Heron Print", "Prints", ("Format", {"A4": "15.00", "A3": "22.00"})),
    ("Dot Notepad", "Paper", "12.50"),
    ("Fox Label Set", "Paper", "6.00"),
)


def demo_products(next_id: Callable[[int], int]) -> Iterator[tuple[Document, list[Document]]]:
    """Each product with its pictures; `next_id` takes so many ids and answers the first of them."""
    for number, (name, category, costs) in enumerate(_RANGE):
        option, prices = costs if isinstance(costs, tuple) else ("", {})
        post = next_id(3 + len(prices))
        created = CREATED.format(number)
        stem, first_picture = slug_of(name), post + 1 + len(prices)
        pictures = [_picture(first_picture + view, stem, view, name, created) for view in range(2)]
        ids = [picture["id"] for picture in pictures]
        sku = "".join(word[:3] for word in stem.split("-")).upper()
        yield (
            product(
                post,
                created,
                name=name,
                slug=stem,
                type="variable" if prices else "simple",
                status="draft" if number == 7 else "publish",
                description=f"<p>{name}, printed to order in our studio.</p>\n",
                short_description="<p>Made one by one.</p>\n",
                sku=sku,
                global_unique_id="4006381333931" if number == 2 else "",
                regular_price="" if isinstance(costs, tuple) else costs,
                sale_price="14.90" if number == 2 else "",
                tags=["studio", "gift"] if number % 2 else ["studio"],
                categories=[category],
                attributes=[choice(option, list(prices))] if prices else [],
                images=ids,
                variations=variations(post, option, prices, sku, ids),
            ),
            pictures,
        )


def _picture(post: int, stem: str, view: int, name: str, created: str) -> Document:
    file = f"{stem}{'' if view == 0 else '-detail'}.png"
    alt = name if view == 0 else f"{name} from near"
    return {"id": post, "file": f"2024/03/{file}", "name": file, "alt": alt, "created": created}
