"""Pages of files: the order, the query and the page tokens of files.list.

Source: Drive reference "Method: files.list" (read 2026-11). What a query means is in `query`.
"""

import heapq
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from sandbox.hosts.google_drive.access import Viewer
from sandbox.hosts.google_drive.query import Condition, asks_full_text, needed_parent, parse
from sandbox.hosts.google_drive.refusals import DriveRefused, invalid, not_found
from sandbox.hosts.google_drive.resource import shown
from sandbox.hosts.google_drive.tree import FOLDER, Tree
from sandbox.store import Document

_TOKEN_KEY = b"page tokens of the sandbox"
_ORDERS = frozenset(
    {"createdTime", "folder", "modifiedByMeTime", "modifiedTime", "name", "name_natural", "quotaBytesUsed", "recency"}
    | {"sharedWithMeTime", "starred", "viewedByMeTime"}
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One files.list call, parameters as received."""

    query: str
    order_by: str
    page_token: str | None
    page_size: int

    def mark(self, at: bytes) -> str:
        """Binds a page token to its query and order; a token changed by hand fits none."""
        text = b"\n".join((self.query.encode(), self.order_by.encode(), at))
        return hmac.new(_TOKEN_KEY, text, sha256).hexdigest()[:16]


def list_files(tree: Tree, viewer: Viewer, wanted: Wanted) -> tuple[list[Document], str | None]:
    """One page of full resources and the token of the next; raises DriveRefused 400 for what makes no sense."""
    condition = parse(wanted.query)
    order = _parsed_order(wanted.order_by)
    if order and asks_full_text(condition):
        raise DriveRefused(
            400,
            "badRequest",
            "Sorting is not supported for queries with fullText terms. "
            "Results are always in descending relevance order.",
            location="orderBy",
        )
    last = _read_token(wanted) if wanted.page_token else None
    if order:
        page = _sorted_page(_matching(tree, viewer, condition, None), order, last, wanted.page_size)
    else:
        page = _next_matches(_matching(tree, viewer, condition, last), wanted.page_size)
    files = [shown(file, viewer) for file in page[: wanted.page_size]]
    if len(page) <= wanted.page_size:
        return files, None
    last_shown = page[wanted.page_size - 1]
    return files, _write_token(wanted, _sort_values(last_shown, order) if order else last_shown["id"])


def _matching(tree: Tree, viewer: Viewer, condition: Condition, after: str | None) -> Iterator[Document]:
    """Stored files in order of their ids."""
    root = tree.resolve(viewer.email, "root")
    parent = needed_parent(condition)
    if parent not in (None, "root", root):
        _demand_folder(tree, viewer, str(parent))
    files = tree.children(viewer.email, parent, after) if parent else tree.each(viewer.email, after)
    for file in files:
        if not viewer.sees(file):
            continue
        if condition.matches(_searchable(file, viewer, root)):
            yield file


def _searchable(file: Document, viewer: Viewer, root: str) -> Document:
    """What a query may ask, without the work of a full resource; `root` is an alias, so both its ids count."""
    parents = [*file["parents"], "root"] if root in file["parents"] else file["parents"]
    own_properties = file.get("appProperties", {}).get(viewer.client_id, {})
    owners = [{"emailAddress": viewer.email}]
    return file | {"parents": parents, "appProperties": own_properties, "owners": owners}


def _demand_folder(tree: Tree, viewer: Viewer, folder_id: str) -> None:
    """The platform answers a listing of a folder that is not there with 404, and does not name it."""
    try:
        known = viewer.sees(tree.get(viewer.email, folder_id))
    except DriveRefused:
        known = False
    if not known:
        raise not_found("")


def _next_matches(files: Iterator[Document], size: int) -> list[Document]:
    return [file for file, _ in zip(files, range(size + 1), strict=False)]


def _sorted_page(
    files: Iterator[Document], order: list[tuple[str, bool]], last: list[Any] | None, size: int
) -> list[Document]:
    def rank(file: Document) -> list[_Rank]:
        return _ranked(_sort_values(file, order), order)

    if last is None:
        return heapq.nsmallest(size + 1, files, key=rank)
    border = _ranked(last, order)
    return heapq.nsmallest(size + 1, (file for file in files if border < rank(file)), key=rank)


@dataclass(frozen=True, slots=True)
class _Rank:
    """One value of a sort key, turned round where the order is descending."""

    value: Any  # texts, numbers or lists of them, alike for all files
    is_descending: bool

    def __lt__(self, other: "_Rank") -> bool:
        return bool(other.value < self.value if self.is_descending else self.value < other.value)


def _ranked(values: list[Any], order: list[tuple[str, bool]]) -> list[_Rank]:
    directions = [is_descending for _, is_descending in order] + [False]
    return [_Rank(value, direction) for value, direction in zip(values, directions, strict=True)]


def _sort_values(file: Document, order: list[tuple[str, bool]]) -> list[Any]:
    """JSON values, the id last so that no two files are equal."""
    return [_sort_value(file, key) for key, _ in order] + [file["id"]]


def _sort_value(file: Document, key: str) -> Any:
    if key == "folder":
        return 0 if file["mimeType"] == FOLDER else 1
    if key == "name":
        return file["name"].casefold()
    if key == "name_natural":
        parts = re.split(r"(\d+)", file["name"].casefold())
        return [_number_rank(part) if part.isdecimal() else [-1, part] for part in parts]
    if key == "quotaBytesUsed":
        return int(file.get("size", 0))
    if key == "starred":
        return 0 if file["starred"] else 1
    if key in ("recency", "modifiedByMeTime"):
        return file["modifiedTime"]
    return file.get(key, "")


def _number_rank(digits: str) -> list[Any]:
    """Sorts like the number: shorter is less, without reading digits of any length as an int."""
    significant = digits.lstrip("0")
    return [len(significant), significant]


def _parsed_order(text: str) -> list[tuple[str, bool]]:
    order: list[tuple[str, bool]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, _, direction = part.partition(" ")
        if key not in _ORDERS or direction.strip() not in ("", "desc", "asc"):
            raise invalid("orderBy")
        order.append((key, direction.strip() == "desc"))
    return order


def _write_token(wanted: Wanted, at: object) -> str:
    packed = msgspec.json.encode(at)
    return "~!!~" + urlsafe_b64encode(wanted.mark(packed).encode() + packed).decode()


def _read_token(wanted: Wanted) -> Any:
    try:
        packed = urlsafe_b64decode((wanted.page_token or "").removeprefix("~!!~").encode())
    except ValueError as error:
        raise invalid("pageToken") from error
    mark, at = packed[:16], packed[16:]
    if not hmac.compare_digest(mark, wanted.mark(at).encode()):
        raise invalid("pageToken")
    return msgspec.json.decode(at)
