"""Search by name, page by page: files/search_v2 and its continuation.

Source: the search routes of files.stone (2026-08-05); content is not searched here.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import msgspec
from werkzeug.wrappers import Response

from sandbox.hosts.dropbox.call import Call
from sandbox.hosts.dropbox.cursors import Cursors, Reset
from sandbox.hosts.dropbox.listing import ContinueArg
from sandbox.hosts.dropbox.metadata import tagged
from sandbox.hosts.dropbox.paths import folded
from sandbox.hosts.dropbox.refusals import Problem, as_json, bad_request, failed
from sandbox.hosts.dropbox.tree import Names, Tree
from sandbox.store import Document

MOST_MATCHES = 10_000
_EXTENSIONS = {
    "image": ("png", "jpg", "jpeg", "gif", "webp", "svg"),
    "document": ("txt", "doc", "docx"),
    "pdf": ("pdf",),
}


class SearchOptions(msgspec.Struct, forbid_unknown_fields=True):
    path: Annotated[str, msgspec.Meta(pattern=r"(?s)\A((/.*)?|id:.*|ns:[0-9]+(/.*)?)\Z")] | None = None
    max_results: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    order_by: str | Document | None = None
    file_status: str | Document = "active"
    filename_only: bool = False
    file_extensions: list[str] | None = None
    file_categories: list[str | Document] | None = None
    account_id: Annotated[str, msgspec.Meta(min_length=40, max_length=40)] | None = None


class SearchArg(msgspec.Struct, forbid_unknown_fields=True):
    query: Annotated[str, msgspec.Meta(max_length=1000)]
    options: SearchOptions = msgspec.field(default_factory=SearchOptions)
    match_field_options: Document | None = None
    include_highlights: bool | None = None


class Found(msgspec.Struct, frozen=True):
    """What is searched for, and how many matches have been told."""

    tree: str
    folder: str
    words: tuple[str, ...]
    categories: tuple[str, ...] | None
    extensions: tuple[str, ...] | None
    limit: int
    told: int = 0


class Searching:
    """Each public method answers one function, for a caller already known."""

    def __init__(self, tree: Tree, cursors: Cursors) -> None:
        self._tree = tree
        self._cursors = cursors

    def search(self, call: Call) -> Response:
        """files/search_v2."""
        wanted = call.read(SearchArg)
        words = tuple(folded(wanted.query).split())
        if not words:
            raise failed("invalid_argument", invalid_argument="query is empty")
        options = wanted.options
        try:
            tree, names = call.locate(options.path or "", self._tree)
            folder = self._tree.find(tree, names)
            if folder is None:
                raise Problem("not_found")
        except Problem as problem:
            raise failed("path", *problem.tags) from problem
        categories = None if options.file_categories is None else tuple(map(_tag, options.file_categories))
        extensions = None if options.file_extensions is None else tuple(map(folded, options.file_extensions))
        return self._answered(call, Found(tree, folder["id"], words, categories, extensions, options.max_results))

    def go_on(self, call: Call) -> Response:
        """files/search/continue_v2."""
        try:
            return self._answered(call, self._cursors.read(call.read(ContinueArg).cursor, Found))
        except Reset as reset:
            raise bad_request('Invalid "cursor" parameter: it has expired') from reset

    def _answered(self, call: Call, found: Found) -> Response:
        folder = self._tree.by_id(found.folder)
        if folder is None:
            raise failed("path", "not_found")
        matches = self._matches(folder, self._tree.names_of(folder), found)
        page = list(islice(matches, found.told, min(found.told + found.limit + 1, MOST_MATCHES)))
        shown = [_match(tagged(call, entry, names)) for entry, names in page[: found.limit]]
        has_more = len(page) > found.limit
        answer: Document = {"matches": shown, "has_more": has_more}
        if has_more:
            following = msgspec.structs.replace(found, told=found.told + found.limit)
            answer["cursor"] = self._cursors.write(following)
        return as_json(answer)

    def _matches(self, folder: Document, names: Names, found: Found) -> Iterator[tuple[Document, Names]]:
        for entry in self._tree.children(folder["id"]):
            path = (*names, entry["name"])
            if _fits(entry, found):
                yield entry, path
            if entry["tag"] == "folder":
                yield from self._matches(entry, path, found)


def _fits(entry: Document, found: Found) -> bool:
    name = folded(entry["name"])
    if not all(word in name for word in found.words):
        return False
    extension = name.rpartition(".")[2] if entry["tag"] == "file" else ""
    if found.extensions is not None and extension not in found.extensions:
        return False
    return found.categories is None or _category(entry, extension) in found.categories


def _category(entry: Document, extension: str) -> str:
    if entry["tag"] == "folder":
        return "folder"
    return next((name for name, known in _EXTENSIONS.items() if extension in known), "others")


def _match(entry: Document) -> Document:
    return {"metadata": {".tag": "metadata", "metadata": entry}, "match_type": {".tag": "filename"}}


def _tag(value: str | Document) -> str:
    return value if isinstance(value, str) else str(value.get(".tag"))
