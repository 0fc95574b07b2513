"""Product files: what a shop takes, what becomes of it, and what it refuses with line numbers."""

import csv
import io
from pathlib import Path

import pytest

from tests.sandbox.shopify_shop import Shop

OWN_FILE = Path(__file__).parents[1] / "data" / "products.csv"
SHARED_FILES = Path(__file__).parents[3] / "shared" / "data" / "shopify-csv"
HEADER = "Handle,Title,Published,Option1 Name,Option1 Value,Variant Price,Image Src,Image Position\r\n"


@pytest.fixture
def shop(url: str) -> Shop:
    """An empty shop."""
    return Shop(url, "csv-shop.myshopify.com")


def larger_files() -> list[bytes]:
    """Three files with 318 products, 665 variants and 453 pictures in all: those at hand, else made of our own."""
    shared = sorted(SHARED_FILES.glob("*.csv"))
    if shared:
        return [path.read_bytes() for path in shared]
    names = next(csv.reader(io.StringIO(OWN_FILE.read_text(encoding="utf-8-sig"))))
    sizes = ((20, 22, 20), (20, 21, 21), (278, 622, 412))
    return [file_of(names, f"part{number}", *size) for number, size in enumerate(sizes)]


def file_of(names: list[str], prefix: str, products: int, variants: int, pictures: int) -> bytes:
    """A product file of given totals in the columns of our own."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    for index in range(products):
        own = range(index, variants, products)
        shown = list(range(index, pictures, products))
        for row, variant in enumerate(own):
            first = {"Title": f"Product {index}", "Published": "true", "Option1 Name": "Size"} if row == 0 else {}
            picture = {"Image Src": f"https://images.example.org/{shown[row]}.png"} if row < len(shown) else {}
            writer.writerow(
                {
                    "Handle": f"{prefix}-{index}",
                    "Option1 Value": f"Size {variant}",
                    "Variant Price": "10",
                    **first,
                    **picture,
                }
            )
    return text.getvalue().encode()


def by_handle(shop: Shop, handle: str) -> dict[str, object]:
    return next(product for product in shop.state("products") if product["handle"] == handle)


def test_our_own_file_fills_a_shop(shop: Shop) -> None:
    answer = shop.fill(OWN_FILE.read_bytes())

    assert answer.status_code == 200
    assert answer.json() == {"products": 5, "variants": 112, "images": 8}


def test_all_products_of_larger_files_arrive(shop: Shop) -> None:
    answers = [shop.fill(content).json() for content in larger_files()]

    totals = {name: sum(answer[name] for answer in answers) for name in ("products", "variants", "images")}
    products = shop.state("products")
    assert totals == {"products": 318, "variants": 665, "images": 453}
    assert len(products) == 318
    assert sum(len(product["variants"]) for product in products) == 665
    assert sum(len(product["images"]) for product in products) == 453


def test_texts_arrive_as_written(shop: Shop) -> None:
    shop.fill(OWN_FILE.read_bytes())

    zine = by_handle(shop, "riso-zine")

    assert zine["title"] == 'Riso Zine, "Night Walks" 🌙'
    assert '<li>24 pages, "soy" ink</li>\r\n' in str(zine["body_html"])
    assert zine["tags"] == "paper, night, risograph"
    assert [v["sku"] for v in zine["variants"]] == ['ZINE-"N"-BL', "ZINE-N-PI"]  # type: ignore[attr-defined] # JSON
    assert [v["option1"] for v in zine["variants"]] == ["Blue", "Fluo, pink"]  # type: ignore[attr-defined] # JSON


def test_pictures_stand_in_their_positions(shop: Shop) -> None:
    shop.fill(OWN_FILE.read_bytes())

    images = by_handle(shop, "riso-zine")["images"]

    assert [image["src"].rsplit("/", 1)[1] for image in images] == ["zine-front.png", "zine-back.png"]  # type: ignore[attr-defined] # JSON
    assert [image["alt"] for image in images] == ["Front of the zine", 'Back of the zine, "signed"']  # type: ignore[attr-defined] # JSON


def test_a_variant_has_its_own_picture(shop: Shop) -> None:
    shop.fill(OWN_FILE.read_bytes())

    answer = shop.ask('{productByHandle(handle: "studio-tee"){variants(first: 8){nodes{title image{url}}}}}')

    pictures = {node["title"]: node["image"]["url"] for node in answer["productByHandle"]["variants"]["nodes"]}
    assert pictures["S / Sand / Boxy"].endswith("tee-sand.png")
    assert pictures["M / Sage / Straight"].endswith("tee-sage.png")


def test_amounts_have_two_places_and_empty_cells_are_null(shop: Shop) -> None:
    shop.fill(OWN_FILE.read_bytes())

    card = by_handle(shop, "letterpress-card")["variants"][0]  # type: ignore[index] # JSON
    draft = by_handle(shop, "test-print")

    assert (card["price"], card["compare_at_price"], card["barcode"]) == ("4.50", None, "4006381333931")
    assert draft["status"] == "draft"
    assert draft["variants"][0]["sku"] is None  # type: ignore[index] # JSON
    assert draft["images"] == []


def test_a_second_import_keeps_ids_and_times_of_what_is_the_same(shop: Shop) -> None:
    shop.fill(OWN_FILE.read_bytes())
    before = shop.state("products")

    shop.fill(OWN_FILE.read_bytes())

    assert shop.state("products") == before


def test_a_changed_product_keeps_its_id(shop: Shop) -> None:
    shop.fill((HEADER + "tee,Tee,true,Size,S,10,https://a.example/1.png,\r\n").encode())
    before = by_handle(shop, "tee")

    shop.fill((HEADER + "tee,New Tee,true,Size,S,12,https://a.example/1.png,\r\n").encode())

    after = by_handle(shop, "tee")
    assert after["title"] == "New Tee"
    assert after["id"] == before["id"]
    assert after["variants"][0]["id"] == before["variants"][0]["id"]  # type: ignore[index] # JSON
    assert after["variants"][0]["price"] == "12.00"  # type: ignore[index] # JSON


def test_replace_leaves_only_the_file(shop: Shop) -> None:
    shop.fill(OWN_FILE.read_bytes())

    shop.fill((HEADER + "tee,Tee,true,,,10,,\r\n").encode(), replace="1")

    assert [product["handle"] for product in shop.state("products")] == ["tee"]


def test_rows_of_a_product_may_stand_apart(shop: Shop) -> None:
    rows = "tee,Tee,true,Size,S,10,,\r\nmug,Mug,true,,,8,,\r\ntee,,,,M,11,,\r\n"

    answer = shop.fill((HEADER + rows).encode())

    assert answer.json() == {"products": 2, "variants": 3, "images": 0}


@pytest.mark.parametrize(
    ("rows", "line", "word"),
    [
        ("tee,Tee,true,,,ten,,\r\n", 2, "Variant Price"),
        ("tee,Tee,true,,,-1,,\r\n", 2, "Variant Price"),
        ("tee,,true,,,10,,\r\n", 2, "Title"),
        (",Tee,true,,,10,,\r\n", 2, "Handle"),
        ("tee,Tee,maybe,,,10,,\r\n", 2, "Published"),
        ("tee,Tee,true,,,10,no address,\r\n", 2, "Image Src"),
        ("tee,Tee,true,,,10,https://a.example/1.png,first\r\n", 2, "Image Position"),
        ("tee,Tee,true,Size,S,10,,\r\ntee,,,,S,10,,\r\n", 3, "repeats"),
        ("tee,Tee,true,Size,,10,,\r\n", 2, "Option1 Value"),
        ('tee,"Tee\r\nwith a line",true,,,10,,\r\nmug,Mug,true,,,x,,\r\n', 4, "Variant Price"),
        ("tee,Tee,true\r\n", 2, "cells"),
        ('tee,"Tee,true,,,10,,\r\n', 2, "CSV"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_taken(shop: Shop, rows: str, line: int, word: str) -> None:
    answer = shop.fill((HEADER + rows).encode())

    assert answer.status_code == 422
    assert answer.json()["lines"][0]["line"] == line
    assert word in answer.json()["lines"][0]["error"]
    assert shop.state("products") == []


def test_good_rows_beside_a_bad_one_are_not_taken(shop: Shop) -> None:
    rows = "mug,Mug,true,,,8,,\r\ntee,Tee,true,,,ten,,\r\nbag,Bag,what,,,x,,\r\n"

    answer = shop.fill((HEADER + rows).encode())

    assert [problem["line"] for problem in answer.json()["lines"]] == [3, 4, 4]
    assert shop.state("products") == []


@pytest.mark.parametrize("content", [b"", b"Title,Price\r\na,b\r\n", b"Handle,Title\r\n\xff\xfe,x\r\n"])
def test_what_is_no_product_file_is_refused(shop: Shop, content: bytes) -> None:
    answer = shop.fill(content)

    assert answer.status_code == 422
    assert answer.json()["error"].startswith("Line ")


def test_a_product_can_be_removed_by_its_handle(shop: Shop) -> None:
    shop.fill(OWN_FILE.read_bytes())

    removed = shop.control("DELETE", "products/riso-zine", params={"shop": "csv-shop"})
    again = shop.control("DELETE", "products/riso-zine", params={"shop": "csv-shop"})

    assert (removed.status_code, again.status_code) == (204, 404)
    assert "riso-zine" not in {product["handle"] for product in shop.state("products")}
