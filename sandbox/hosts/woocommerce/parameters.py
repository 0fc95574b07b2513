"""The query parameters of lists: read, checked as WordPress checks them, and turned into what `listing` understands.

Source: WooCommerce REST API docs "List all products"; `rest_validate_value_from_schema` of WordPress (read 2026-11-21).
"""

from collections.abc import Callable
from datetime import UTC, datetime

from werkzeug.wrappers import Request

from sandbox.hosts.woocommerce.listing import ORDERS, Test, Wanted
from sandbox.hosts.woocommerce.refusals import invalid_parameters
from sandbox.hosts.woocommerce.stores import GMT_OFFSET, site_time, write_time
from sandbox.store import Document

STATUSES = ("any", "future", "trash", "draft", "pending", "private", "publish")
TYPES = ("simple", "grouped", "external", "variable")
MOST_PER_PAGE = 100
_DATES = ("after", "before", "modified_after", "modified_before")
_SEARCHED = ("name", "description", "short_description")


def read(request: Request) -> Wanted:
    """What a list call asks for. Raises Refused 400 that names every parameter which makes no sense."""
    query = _Query(request)
    per_page = query.number("per_page", 10, least=1, most=MOST_PER_PAGE)
    page = query.number("page", 1, least=1)
    offset = query.number("offset", (page - 1) * per_page)
    order = query.word("orderby", "date", (*ORDERS, "include"))
    direction = query.word("order", "desc", ("asc", "desc"))
    include = query.numbers("include")
    tests = tuple(_tests(query))
    query.check()
    return Wanted(order, direction == "desc", offset, per_page, tests, include)


def page_number(request: Request) -> int:
    """The page that a call asks for, which was checked before."""
    return int(request.args.get("page") or 1)


class _Query:
    """Reads parameters one by one and remembers what was wrong with them."""

    def __init__(self, request: Request) -> None:
        self.args = request.args
        self.problems: dict[str, tuple[str, str]] = {}

    def number(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        text = self.args.get(name)
        if text is None:
            return default
        if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit():
            self.problems[name] = ("rest_invalid_type", f"{name} is not of type integer.")
            return default
        value = int(text[:15])
        if most is not None and not least <= value <= most:
            between = f"{name} must be between {least} (inclusive) and {most} (inclusive)"
            self.problems[name] = ("rest_out_of_bounds", between)
        elif value < least and name != "offset":
            self.problems[name] = ("rest_out_of_bounds", f"{name} must be greater than or equal to {least}")
        return max(value, least)

    def word(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        text = self.args.get(name, default)
        if text not in choices:
            listed = ", ".join(choices[:-1]) + f", and {choices[-1]}"
            self.problems[name] = ("rest_not_in_enum", f"{name} is not one of {listed}.")
        return text

    def numbers(self, name: str) -> tuple[int, ...]:
        texts = [text for given in self.args.getlist(name) for text in given.replace(" ", ",").split(",") if text]
        for place, text in enumerate(texts):
            if not (text.isascii() and text.isdigit()):
                self.problems[name] = ("rest_invalid_type", f"{name}[{place}] is not of type integer.")
        return () if name in self.problems else tuple(int(text[:15]) for text in texts)

    def moment(self, name: str) -> str | None:
        """A time as the platform writes it; one that names a zone is turned into the store's own."""
        text = self.args.get(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.problems[name] = ("rest_invalid_date", "Invalid date.")
            return None
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None) + GMT_OFFSET
        return write_time(moment)

    def check(self) -> None:
        if self.problems:
            raise invalid_parameters(self.problems)


def _tests(query: _Query) -> list[Test]:
    found: list[Test] = []
    status = query.word("status", "any", STATUSES)
    if status != "any":
        found.append(lambda document: document["status"] == status)
    if "type" in query.args:
        kind = query.word("type", "", TYPES)
        found.append(lambda document: document["type"] == kind)
    for name, makes in (("include", _is_in), ("exclude", _is_not_in)):
        posts = query.numbers(name)
        if posts:
            found.append(makes(posts))
    for name in ("search", "sku", "slug"):
        text = query.args.get(name, "").strip()
        if text:
            found.append(_TEXTS[name](text))
    found.extend(_time_tests(query))
    if found and status == "any":
        found.append(lambda document: document["status"] != "trash")
    return found


def _time_tests(query: _Query) -> list[Test]:
    is_gmt = query.args.get("dates_are_gmt", "").lower() in ("1", "true")
    found: list[Test] = []
    for name in _DATES:
        limit = query.moment(name)
        if limit is None:
            continue
        column = "modified" if name.startswith("modified") else "created"
        found.append(_is_beyond(column, limit, is_after=name.endswith("after"), is_gmt=is_gmt))
    return found


def _is_beyond(column: str, limit: str, *, is_after: bool, is_gmt: bool) -> Test:
    def test(document: Document) -> bool:
        time = document[column] if is_gmt else site_time(document[column])
        return bool(time > limit if is_after else time < limit)

    return test


def _is_in(posts: tuple[int, ...]) -> Test:
    return lambda document: document["id"] in posts


def _is_not_in(posts: tuple[int, ...]) -> Test:
    return lambda document: document["id"] not in posts


def _has_words(text: str) -> Test:
    words = text.lower().split()
    return lambda document: all(any(word in document[name].lower() for name in _SEARCHED) for word in words)


def _has_sku(text: str) -> Test:
    wanted = {text, *text.split(",")}
    return lambda document: bool({document["sku"], *(each["sku"] for each in document["variations"])} & wanted)


def _has_slug(text: str) -> Test:
    return lambda document: document["slug"] == text


_TEXTS: dict[str, Callable[[str], Test]] = {"search": _has_words, "sku": _has_sku, "slug": _has_slug}
