"""Reads product files in the format of Shopify's own export and fills a shop with them, all of it or nothing.

Source: help.shopify.com "Using CSV files to import and export products" (read 2026-11); what a column becomes is in the
project's contract. How products are kept is the catalogue's affair.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import IO

from sandbox.hosts.shopify.catalogue import Catalogue
from sandbox.hosts.shopify.products import DEFAULT_OPTION, MOST_MEDIA, MOST_VARIANTS, NewPicture, NewProduct, NewVariant

_NEEDED = ("Handle", "Title")
_PRICE = re.compile(r"\d{1,12}(\.\d{1,6})?")
_STATUS = {"true": "ACTIVE", "": "ACTIVE", "false": "DRAFT"}
_MOST_PROBLEMS = 100
_LONGEST_CELL = 16 * 1024 * 1024
csv.field_size_limit(_LONGEST_CELL)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file; `line` is the physical line on which the row begins, counted from 1."""

    line: int
    text: str


class CsvRefused(Exception):
    """A file that cannot be taken, with its problems in the order of their lines."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"Line {problems[0].line}: {problems[0].text}")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Row:
    """One row by column name; cells are as written."""

    line: int
    cells: dict[str, str]

    def cell(self, name: str) -> str:
        """The cell, or an empty text where the file has no such column."""
        return self.cells.get(name, "")


def import_products(catalogue: Catalogue, shop: str, file: IO[bytes], *, replace: bool) -> dict[str, int]:
    """Fill a shop from a file that can be read twice; answers how many of what. Raises CsvRefused and takes nothing."""
    scattered = _check(file)
    counts = {"products": 0, "variants": 0, "images": 0}
    with catalogue.transaction():
        if replace:
            catalogue.clear(shop)
        for rows in _groups(file, scattered):
            product = _product(rows, [])
            catalogue.put_content(shop, product)
            counts["products"] += 1
            counts["variants"] += len(product.variants)
            counts["images"] += len(product.pictures)
    return counts


def _check(file: IO[bytes]) -> set[str]:
    """Read the whole file once; answers the handles whose rows do not stand together. Raises CsvRefused."""
    problems: list[Problem] = []
    seen: set[str] = set()
    scattered: set[str] = set()
    for rows in _groups(file, set(), problems):
        handle = rows[0].cell("Handle")
        if handle in seen:
            scattered.add(handle)
        else:
            seen.add(handle)
            _product(rows, problems)
        if len(problems) >= _MOST_PROBLEMS:
            break
    if scattered and not problems:
        for rows in _groups(file, scattered):
            if rows[0].cell("Handle") in scattered:
                _product(rows, problems)
    if problems:
        raise CsvRefused(sorted(problems, key=lambda problem: problem.line))
    return scattered


def _groups(file: IO[bytes], scattered: set[str], problems: list[Problem] | None = None) -> Iterator[list[Row]]:
    """Rows that share a handle, in the order of the file; scattered ones come together at their first place."""
    gathered: dict[str, list[Row]] = {}
    if scattered:
        for row in _rows(file, []):
            if row.cell("Handle") in scattered:
                gathered.setdefault(row.cell("Handle"), []).append(row)
    group: list[Row] = []
    for row in _rows(file, problems if problems is not None else []):
        handle = row.cell("Handle")
        if group and group[0].cell("Handle") != handle:
            yield group
            group = []
        if handle in scattered:
            rows = gathered.pop(handle, None)
            if rows:
                yield rows
        else:
            group.append(row)
    if group:
        yield group


def _rows(file: IO[bytes], problems: list[Problem]) -> Iterator[Row]:
    """Rows that have a handle; what cannot be read is noted. A byte order mark and any line ending are fine."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = next(reader, None)
        faults = _header_faults(header or [])
        problems.extend(Problem(1, fault) for fault in faults)
        if header is None or faults:
            return
        line = reader.line_num + 1
        for cells in reader:
            begin, line = line, reader.line_num + 1
            if len(cells) != len(header) and any(cells):
                problems.append(Problem(begin, f"has {len(cells)} cells, the header has {len(header)}"))
            elif any(cells) and not cells[header.index("Handle")].strip():
                problems.append(Problem(begin, "has no Handle"))
            elif any(cells):
                yield Row(begin, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        problems.append(Problem(reader.line_num, f"is no CSV: {error}"))
    except UnicodeDecodeError:
        problems.append(Problem(reader.line_num + 1, "is not UTF-8"))
    finally:
        text.detach()


def _header_faults(header: list[str]) -> list[str]:
    if not any(header):
        return ["there is no header row"]
    missing = [f"the header has no column {name}" for name in _NEEDED if name not in header]
    double = sorted({name for name in header if name and header.count(name) > 1})
    return missing + [f"the header has the column {name} twice" for name in double]


def _product(rows: list[Row], problems: list[Problem]) -> NewProduct:
    """The product that a group of rows describes; what is wrong with it is added to the problems."""
    first = rows[0]
    if not first.cell("Title"):
        problems.append(Problem(first.line, f"begins the product {first.cell('Handle')!r} without a Title"))
    status = _STATUS.get(first.cell("Published").strip().lower())
    if status is None:
        problems.append(Problem(first.line, f"Published is {first.cell('Published')!r}, not true or false"))
    pictures = _pictures(rows, problems)
    options = tuple(filter(None, (first.cell(f"Option{n} Name") for n in (1, 2, 3))))
    return NewProduct(
        title=first.cell("Title"),
        handle=first.cell("Handle"),
        description_html=first.cell("Body (HTML)"),
        vendor=first.cell("Vendor"),
        product_type=first.cell("Type"),
        tags=tuple(tag.strip() for tag in first.cell("Tags").split(",") if tag.strip()),
        status=status or "DRAFT",
        options=options,
        variants=_variants(rows, options, pictures, problems),
        pictures=pictures,
    )


def _pictures(rows: list[Row], problems: list[Problem]) -> list[NewPicture]:
    placed: list[tuple[int, NewPicture]] = []
    for row in rows:
        address = row.cell("Image Src").strip()
        if not address:
            continue
        if not re.match(r"https?://[^\s/]+", address):
            problems.append(Problem(row.line, f"Image Src is no address: {address[:80]!r}"))
        position = row.cell("Image Position").strip()
        if position and not re.fullmatch(r"[1-9]\d{0,5}", position):
            problems.append(Problem(row.line, f"Image Position is {position[:40]!r}, not a number from 1"))
            position = ""
        place = int(position) if position else len(placed) + 1
        placed.append((place, NewPicture(address, row.cell("Image Alt Text") or None)))
    if len(placed) > MOST_MEDIA:
        problems.append(Problem(rows[0].line, f"the product has {len(placed)} pictures, more than {MOST_MEDIA}"))
    return [picture for _, picture in sorted(placed, key=lambda pair: pair[0])]


def _variants(
    rows: list[Row], options: tuple[str, ...], pictures: list[NewPicture], problems: list[Problem]
) -> list[NewVariant]:
    variants: dict[tuple[str, ...], NewVariant] = {}
    places = {picture.url: index for index, picture in reversed(list(enumerate(pictures)))}
    for row in rows:
        if not row.cell("Variant Price").strip():
            continue
        values = _values(row, options, problems)
        if values in variants:
            problems.append(Problem(row.line, f"repeats the variant {' / '.join(values)!r}"))
        variants[values] = NewVariant(
            values=values,
            price=_price(row, "Variant Price", problems) or "0.00",
            sku=row.cell("Variant SKU") or None,
            compare_at_price=_price(row, "Variant Compare At Price", problems),
            barcode=row.cell("Variant Barcode") or None,
            picture=places.get(row.cell("Variant Image").strip()),
        )
    if len(variants) > MOST_VARIANTS:
        problems.append(Problem(rows[0].line, f"the product has {len(variants)} variants, more than {MOST_VARIANTS}"))
    return list(variants.values())


def _values(row: Row, options: tuple[str, ...], problems: list[Problem]) -> tuple[str, ...]:
    if not options:
        return (row.cell("Option1 Value") or DEFAULT_OPTION[1],)
    values = tuple(row.cell(f"Option{n} Value") for n in range(1, len(options) + 1))
    problems.extend(
        Problem(row.line, f"Option{n} Value is empty, but the product has the option {name!r}")
        for n, (name, value) in enumerate(zip(options, values, strict=True), 1)
        if not value
    )
    return values


def _price(row: Row, column: str, problems: list[Problem]) -> str | None:
    """The amount with two places, or None for an empty cell."""
    text = row.cell(column).strip()
    if not text:
        return None
    if not _PRICE.fullmatch(text):
        problems.append(Problem(row.line, f"{column} is {text[:40]!r}, not an amount"))
        return None
    return str(Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_UP))
