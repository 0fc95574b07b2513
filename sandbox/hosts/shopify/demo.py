"""The twelve products with which the demo shop starts: the range of a small print studio.

How products are stored is the catalogue's affair, how their pictures look that of `drawing`.
"""

from itertools import product as combinations

from sandbox.hosts.shopify.products import DEFAULT_OPTION, NewPicture, NewProduct, NewVariant

_SIZES = ("S", "M", "L", "XL")
_VENDOR = "Inkfield Studio"
_PICTURES = "https://cdn.shopify.com/s/files/1/0600/0001/products"


def demo_products() -> list[NewProduct]:
    """The content of the demo shop, the same on every start."""
    return [*_apparel(), *_kitchen_and_home(), *_walls_and_paper()]


def _apparel() -> list[NewProduct]:
    cotton, warm = "<p>Heavy organic cotton, printed by hand.</p>", "<p>Brushed inside, boxy cut, <em>warm</em>.</p>"
    return [
        _wearable("Fern Tee", "forest", ("Forest", "Sand", "Black"), "28.00", cotton),
        _wearable("Harbour Hoodie", "navy", ("Navy", "Sage"), "59.00", warm),
        _simple("Market Tote", "market-tote-natural", "Tote", "18.00", ("bag", "organic"), "TOTE-MKT"),
    ]


def _kitchen_and_home() -> list[NewProduct]:
    volumes, edges = {"250 ml": "14.00", "450 ml": "17.50"}, {"40 cm": "32.00", "50 cm": "38.00"}
    models = {"Slim": "21.00", "Tough": "27.00"}
    return [
        _simple(
            "Enamel Mug “First Light”", "enamel-mug-white", "Mug", "16.00", ("kitchen", "gift"), "MUG-ENM", "19.00"
        ),
        _chosen("Two-Tone Mug", "two-tone-mug-clay", "Mug", "Volume", volumes, ("kitchen",)),
        _chosen("Orchard Cushion", "orchard-cushion-clay", "Cushion", "Edge", edges, ("home",)),
        _simple("Trail Bottle", "trail-bottle-navy", "Bottle", "24.00", ("outdoor", "gift"), "BTL-TRL"),
        _chosen("Wave Phone Case", "wave-case-forest", "Phone case", "Model", models, ("tech",), status="DRAFT"),
    ]


def _walls_and_paper() -> list[NewProduct]:
    small = {"A4": "15.00", "A3": "22.00"}
    large = {"A2": "34.00", "50 × 70 cm": "39.00"}
    return [
        _chosen("Peak Poster", "peak-poster-sky", "Poster", "Format", small | large, ("wall", "bestseller")),
        _chosen("Moth Poster", "moth-poster-plum", "Poster", "Format", small, ("wall",)),
        _simple("Dot Notebook", "dot-notebook-mustard", "Notebook", "12.50", ("paper", "gift"), "NTB-DOT"),
        _simple("Fox Sticker Set", "fox-sticker-rose", "Sticker", "6.00", ("paper",), "STK-FOX"),
    ]


def _wearable(title: str, colour: str, colours: tuple[str, ...], price: str, text: str) -> NewProduct:
    kind = title.rsplit(" ", 1)[-1].lower()
    stem = f"{title.lower().replace(' ', '-')}"
    pictures = [_picture(f"{stem}-{each.lower()}", f"{title} in {each.lower()}") for each in colours]
    return NewProduct(
        title=title,
        handle=stem,
        description_html=text,
        vendor=_VENDOR,
        product_type=kind.capitalize(),
        tags=("apparel", colour, "organic"),
        options=("Size", "Colour"),
        variants=[
            NewVariant(
                values=(size, each),
                price=price,
                sku=f"{kind[:3].upper()}-{each[:3].upper()}-{size}",
                picture=colours.index(each),
                inventory=12 + 3 * len(size) + len(each),
            )
            for size, each in combinations(_SIZES, colours)
        ],
        pictures=pictures,
    )


def _simple(
    title: str, picture: str, kind: str, price: str, tags: tuple[str, ...], sku: str, compare: str | None = None
) -> NewProduct:
    variant = NewVariant((DEFAULT_OPTION[1],), price, sku, compare, inventory=40)
    return _printed(title, picture, kind, tags, (DEFAULT_OPTION[0],), [variant])


def _chosen(
    title: str,
    picture: str,
    kind: str,
    option: str,
    prices: dict[str, str],
    tags: tuple[str, ...],
    status: str = "ACTIVE",
) -> NewProduct:
    code = picture[:3].upper()
    variants = [
        NewVariant((value,), price, f"{kind[:3].upper()}-{code}-{number}", inventory=25 - number)
        for number, (value, price) in enumerate(prices.items(), 1)
    ]
    return _printed(title, picture, kind, tags, (option,), variants, status)


def _printed(
    title: str,
    picture: str,
    kind: str,
    tags: tuple[str, ...],
    options: tuple[str, ...],
    variants: list[NewVariant],
    status: str = "ACTIVE",
) -> NewProduct:
    stem, _, colour = picture.rpartition("-")
    return NewProduct(
        title=title,
        handle=stem,
        description_html=f"<p>{title}, printed to order in our studio.</p><ul><li>Made one by one</li></ul>",
        vendor=_VENDOR,
        product_type=kind,
        tags=tags,
        status=status,
        options=options,
        variants=variants,
        pictures=[_picture(picture, f"{title}, {colour}"), _picture(f"{picture}-detail", f"{title} from near")],
    )


def _picture(name: str, alt: str) -> NewPicture:
    return NewPicture(f"{_PICTURES}/{name}.png?v=1790000000", alt, 1200, 1200)
