"""Whole catalogues on their way from a product file through a shop into records, compared with the file's own lines."""

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.hubs import Hub, Person
from tests.journeys.test_killed_workers import counts

OWN = Path(__file__).parents[1] / "data" / "products.csv"
LARGER = sorted((Path(__file__).parents[3] / "shared" / "data" / "shopify-csv").glob("*.csv"))
Product = dict[str, Any]


@pytest.mark.parametrize("path", [OWN, *LARGER], ids=lambda path: path.stem)
def test_a_catalogue_passes_through_a_shop_into_records_unchanged(hub: Hub, ada: Person, path: Path) -> None:
    shop = f"shop-{path.stem}"
    expected = _expected(path)
    ada.connect("shopify", shop=shop)
    taken = hub.sandbox.fill(path.read_bytes(), shop=shop)

    first = ada.ended(ada.start("shopify", "import_products"))
    stored = {record["data"]["handle"]: record["data"] for record in ada.records(stream="products")}
    second = ada.ended(ada.start("shopify", "import_products"))

    assert taken["products"] == len(expected)
    assert first["counts"] == counts(read=len(expected), created=len(expected))
    assert set(stored) == set(expected)
    for handle, product in expected.items():
        assert _as_comparable(stored[handle]) == product, handle
    assert second["counts"] == counts(read=len(expected), unchanged=len(expected))


def test_a_product_that_left_the_shop_is_marked_deleted_and_may_come_back(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="leaver")
    content = b"Handle,Title,Variant Price\nstays,Stays,1.00\nleaves,Leaves,2.00\n"
    hub.sandbox.fill(content, shop="leaver")
    _import(ada)

    hub.sandbox.remove_product("leaves", shop="leaver")
    after_removal = _import(ada)
    with_deleted, deleted = ada.records(deleted="with"), ada.records(deleted="only")
    shown = ada.records()

    assert after_removal["counts"] == counts(read=1, unchanged=1, deleted=1)
    assert [record["data"]["handle"] for record in shown] == ["stays"]
    assert [record["data"]["handle"] for record in deleted] == ["leaves"]
    assert deleted[0]["deletedAt"]
    assert len(with_deleted) == 2
    assert _import(ada)["counts"] == counts(read=1, unchanged=1)


def test_a_product_that_changed_is_the_only_one_updated(hub: Hub, newcomer: Callable[[], Person]) -> None:
    ada = newcomer()
    ada.connect("shopify", shop="changer")
    hub.sandbox.fill(b"Handle,Title,Variant Price\none,One,1.00\ntwo,Two,2.00\n", shop="changer")
    _import(ada)

    hub.sandbox.fill(b"Handle,Title,Variant Price\ntwo,Two,2.50\n", shop="changer")
    run = _import(ada)

    assert run["counts"] == counts(read=2, updated=1, unchanged=1)
    prices = {record["data"]["handle"]: record["data"]["variants"][0]["price"] for record in ada.records()}
    assert prices == {"one": "1.00", "two": "2.50"}


def test_an_empty_shop_is_an_empty_catalogue(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="nothing-here")

    run = _import(ada)

    assert run["status"] == "succeeded"
    assert run["counts"] == counts()
    assert run["data"]["products"] == []
    assert run["data"]["nextCursor"] is None


def _import(person: Person) -> dict[str, Any]:
    return person.ended(person.start("shopify", "import_products"))


def _expected(path: Path) -> dict[str, Product]:
    """The file read with a few lines of our own: by handle, in the form of `_as_comparable`."""
    products: dict[str, Product] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            product = products.setdefault(row["Handle"], {})
            if not product:
                product |= _head_of(row)
            if row.get("Image Src"):
                place = int(row.get("Image Position") or len(product["images"]) + 1)
                product["images"].append((place, row["Image Src"], row.get("Image Alt Text") or None))
            if row["Variant Price"]:
                product["variants"].append(_variant_of(row, product["names"]))
    for product in products.values():
        product["images"] = [picture[1:] for picture in sorted(product["images"], key=lambda picture: picture[0])]
        del product["names"]
    return products


def _head_of(row: dict[str, str]) -> Product:
    return {
        "title": row["Title"],
        "description": row["Body (HTML)"].strip(),
        "vendor": row["Vendor"] or None,
        "productType": row["Type"] or None,
        "tags": {tag.strip() for tag in row["Tags"].split(",") if tag.strip()},
        "status": "active" if row["Published"].lower() == "true" else "draft",
        "names": [row[f"Option{n} Name"] for n in (1, 2, 3) if row.get(f"Option{n} Name")],
        "variants": [],
        "images": [],
    }


def _variant_of(row: dict[str, str], names: list[str]) -> dict[str, Any]:
    compare_at = row.get("Variant Compare At Price")
    return {
        "sku": row.get("Variant SKU") or None,
        "price": Decimal(row["Variant Price"]),
        "compareAtPrice": Decimal(compare_at) if compare_at else None,
        "barcode": row.get("Variant Barcode") or None,
        "options": {name: row[f"Option{n} Value"] for n, name in enumerate(names, 1)},
    }


def _as_comparable(data: Product) -> Product:
    """What is stored, in the same form: decimals, a set of tags, a stripped description, pictures in turn."""
    return {
        **{name: data[name] for name in ("title", "vendor", "productType", "status")},
        "description": data["description"].strip(),
        "tags": set(data["tags"]),
        "variants": [
            {
                **{name: variant[name] for name in ("sku", "barcode", "options")},
                "price": Decimal(variant["price"]),
                "compareAtPrice": Decimal(variant["compareAtPrice"]) if variant["compareAtPrice"] else None,
            }
            for variant in data["variants"]
        ],
        "images": [(image["url"], image["alt"]) for image in data["images"]],
    }
