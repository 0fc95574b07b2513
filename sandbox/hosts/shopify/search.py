"""Shopify's search syntax for `query:` arguments, as a test that a product passes or not.

Source: shopify.dev "Shopify API search syntax" and the filters of `products` (2026-10). The order of results is in
`listing`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.store import Document

Test = Callable[[Document], bool]
_TOKEN = re.compile(
    r"""\s*(?:(\()|(\))|(-)(?=\S)|"""
    r"""((?:[A-Za-z_.]+:)?(?:<=|>=|<|>)?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s()]+)))"""
)
_TERM = re.compile(r"(?:([A-Za-z_.]+):)?(<=|>=|<|>)?(.*)", re.DOTALL)
_TIMES = {"created_at": "createdAt", "updated_at": "updatedAt", "published_at": "publishedAt"}
_FIRST_YEAR, _LAST_YEAR = 1900, 9000  # room for sums of times on both sides
_PLAIN = {name: name for name in ("title", "handle", "vendor", "status")} | {"product_type": "productType"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "": lambda left, right: left == right,
}


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed query; `since` and `until` bound the times of update that can pass: ISO 8601 in UTC."""

    test: Test
    since: str | None = None
    until: str | None = None


def parse(query: str | None) -> Search:
    """The test behind a query; words and fields that mean nothing here are left out, as Shopify does."""
    tokens = list(_tokens(query or ""))
    if not tokens:
        return Search(lambda _: True)
    since, until = _window(tokens)
    return Search(_alternatives(tokens), since, until)


def _tokens(query: str) -> Iterator[str]:
    position = 0
    while match := _TOKEN.match(query, position):
        position = match.end()
        yield match[1] or match[2] or match[3] or match[4]


def _window(tokens: list[str]) -> tuple[str | None, str | None]:
    """Bounds of `updated_at` that hold whatever else is asked: only plain conjunctions have them."""
    since = until = None
    if any(token in {"OR", "(", "NOT", "-"} for token in tokens):
        return None, None
    for token in tokens:
        name, sign, value = _split(token)
        moment = _moment(value) if name == "updated_at" else None
        if moment is None:
            continue
        begin, is_day = moment
        if sign in {">", ">="}:
            since = max(since or "", begin.isoformat())
        elif sign in {"<", "<="}:
            until = min(until or "9999", (begin + timedelta(days=is_day)).isoformat())
    return since, until


def _alternatives(tokens: list[str]) -> Test:
    tests = [_conjunction(tokens)]
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        tests.append(_conjunction(tokens))
    return tests[0] if len(tests) == 1 else lambda product: any(test(product) for test in tests)


def _conjunction(tokens: list[str]) -> Test:
    tests: list[Test] = []
    while tokens and tokens[0] not in {"OR", ")"}:
        if tokens[0] == "AND":
            tokens.pop(0)
            continue
        tests.append(_single(tokens))
    return tests[0] if len(tests) == 1 else lambda product: all(test(product) for test in tests)


def _single(tokens: list[str]) -> Test:
    first = tokens.pop(0)
    if first in {"NOT", "-"}:
        if not tokens:
            return lambda _: True
        inner = _single(tokens)
        return lambda product: not inner(product)
    if first == "(":
        inner = _alternatives(tokens)
        if tokens and tokens[0] == ")":
            tokens.pop(0)
        return inner
    return _term(*_split(first))


def _split(token: str) -> tuple[str, str, str]:
    match = _TERM.fullmatch(token)
    name, sign, value = match.groups() if match else (None, None, token)
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return name or "", sign or "", value


def _term(name: str, sign: str, value: str) -> Test:
    if name in _TIMES:
        return _time_term(_TIMES[name], sign, value)
    if name == "id":
        return _number_term(lambda product: [product["number"]], sign, value.rsplit("/", 1)[-1])
    if name == "inventory_total":
        return _number_term(lambda product: [sum(v["inventoryQuantity"] for v in product["variants"])], sign, value)
    if name in {"price", "variants.price"}:
        return _number_term(lambda product: [float(v["price"]) for v in product["variants"]], sign, value)
    if name == "tag_not":
        matches = _matcher(value)
        return lambda product: not any(matches(tag) for tag in product["tags"])
    if name == "published_status":
        wanted = value in {"published", "visible", "approved"}
        return lambda product: (product["publishedAt"] is not None) == wanted
    texts = _texts(name)
    matches = _matcher(value, inside=name in {"", "default", "title"})
    return (lambda product: any(matches(text) for text in texts(product))) if texts else (lambda _: True)


def _texts(name: str) -> Callable[[Document], list[str]] | None:
    """The texts of a product that a filter looks at; None for an unknown filter."""
    if name in _PLAIN:
        return lambda product: [product[_PLAIN[name]]]
    if name == "tag":
        return lambda product: product["tags"]
    if name in {"sku", "barcode"}:
        return lambda product: [variant[name] or "" for variant in product["variants"]]
    if name in {"", "default"}:
        return lambda product: [
            *(product[key] for key in ("title", "handle", "vendor", "productType")),
            *product["tags"],
            *(variant["sku"] or "" for variant in product["variants"]),
        ]
    return None


def _matcher(value: str, *, inside: bool = False) -> Callable[[str], bool]:
    """Case does not matter; `*` at the end matches a beginning; `inside` finds whole words in a longer text."""
    wanted = value.casefold()
    if wanted == "*":
        return bool
    if wanted.endswith("*"):
        start = wanted[:-1]
        return lambda text: any(part.startswith(start) for part in (text.casefold(), *text.casefold().split()))
    if inside:
        pattern = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
        return lambda text: pattern.search(text.casefold()) is not None
    return lambda text: any(wanted == each for each in text.casefold().split(",")) or text.casefold() == wanted


def _number_term(numbers: Callable[[Document], list[float]], sign: str, value: str) -> Test:
    try:
        wanted = float(value)
    except ValueError:
        return lambda _: False
    compare = _COMPARE[sign]
    return lambda product: any(compare(number, wanted) for number in numbers(product))


def _time_term(key: str, sign: str, value: str) -> Test:
    moment = _moment(value)
    if moment is None:
        return lambda _: False
    begin, is_day = moment
    compare = _COMPARE[sign]

    def passes(product: Document) -> bool:
        if product[key] is None:
            return False
        found = datetime.fromisoformat(product[key])
        if is_day and sign in {"", "<=", ">"}:
            end = begin + timedelta(days=1)
            return {"": begin <= found < end, "<=": found < end, ">": found >= end}[sign]
        return compare(found, begin)

    return passes


def _moment(value: str) -> tuple[datetime, bool] | None:
    """A time and whether it is a whole day; a time without zone is taken as UTC, the zone of the sandbox's shops."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)), len(value) == 10
