"""Lists of folders, page by page, and what changed since: list_folder, its continuations and the long poll.

Source: the list_folder routes of files.stone (2026-08-05). Search is in `searching`.
"""

import time
from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import msgspec
from werkzeug.wrappers import Request, Response

from sandbox.hosts.dropbox.call import Call
from sandbox.hosts.dropbox.cursors import Cursors, Reset
from sandbox.hosts.dropbox.metadata import gone, tagged
from sandbox.hosts.dropbox.paths import folded
from sandbox.hosts.dropbox.refusals import Problem, as_json, bad_request, failed
from sandbox.hosts.dropbox.tree import Names, Tree
from sandbox.store import Document, Store

DEFAULT_LIMIT = 500  # Dropbox promises no number
_POLL_STEP_S = 0.2
ListedPath = Annotated[str, msgspec.Meta(pattern=r"(?s)\A((/.*)?|id:.*|ns:[0-9]+(/.*)?)\Z")]


class ListFolderArg(msgspec.Struct, forbid_unknown_fields=True):
    path: ListedPath
    recursive: bool = False
    include_media_info: bool = False
    include_deleted: bool = False
    include_has_explicit_shared_members: bool = False
    include_mounted_folders: bool = True
    limit: Annotated[int, msgspec.Meta(ge=1, le=2000)] | None = None
    shared_link: Document | None = None
    include_property_groups: Document | None = None
    include_non_downloadable_files: bool = True
    include_restorable_info: bool = False


class ContinueArg(msgspec.Struct, forbid_unknown_fields=True):
    cursor: Annotated[str, msgspec.Meta(min_length=1)]


class LongpollArg(msgspec.Struct, forbid_unknown_fields=True):
    cursor: Annotated[str, msgspec.Meta(min_length=1)]
    timeout: Annotated[int, msgspec.Meta(ge=30, le=480)] = 30


class Place(msgspec.Struct, frozen=True):
    """How far a list has come: behind the entry `after` (its names, folded) or, once all is told, behind a change."""

    tree: str
    folder: str
    recursive: bool
    include_deleted: bool
    limit: int
    change: int
    after: tuple[str, ...] | None = ()


class Listing:
    """Each public method answers one function, for a caller already known."""

    def __init__(self, store: Store, tree: Tree, cursors: Cursors) -> None:
        self._store = store
        self._tree = tree
        self._cursors = cursors

    def list_folder(self, call: Call) -> Response:
        """files/list_folder."""
        return self._answered(call, self._begun(call))

    def go_on(self, call: Call) -> Response:
        """files/list_folder/continue."""
        place = self._place(call.read(ContinueArg).cursor)
        return self._answered(call, place)

    def latest_cursor(self, call: Call) -> Response:
        """files/list_folder/get_latest_cursor."""
        place = msgspec.structs.replace(self._begun(call), after=None)
        return as_json({"cursor": self._cursors.write(place)})

    def longpoll(self, request: Request) -> Response:
        """files/list_folder/longpoll, which takes no token: answers at a change, else after `timeout` seconds."""
        try:
            wanted = msgspec.json.decode(request.data, type=LongpollArg)
        except msgspec.DecodeError as error:
            raise bad_request(f"request body: {error}") from error
        until = time.monotonic() + wanted.timeout
        place = self._place(wanted.cursor)
        while not (changed := self._has_changed(place)) and time.monotonic() < until:
            time.sleep(_POLL_STEP_S)
            place = self._place(wanted.cursor)
        return as_json({"changes": changed})

    def empty_pages(self, count: int) -> int:
        """Let the next pages come empty, though there is more: Dropbox may do that at any time."""
        with self._store.transaction():
            self._store.put("switches", "empty-pages", {"left": count})
        return count

    def _begun(self, call: Call) -> Place:
        wanted = call.read(ListFolderArg)
        try:
            tree, names = call.locate(wanted.path, self._tree)
            folder = self._tree.find(tree, names)
            if folder is None:
                raise Problem("not_found")
            if folder["tag"] != "folder":
                raise Problem("not_folder")
        except Problem as problem:
            raise failed("path", *problem.tags) from problem
        limit = wanted.limit or DEFAULT_LIMIT
        change = self._tree.last_change(tree)
        return Place(tree, folder["id"], wanted.recursive, wanted.include_deleted, limit, change)

    def _place(self, cursor: str) -> Place:
        try:
            return self._cursors.read(cursor, Place)
        except Reset as reset:
            raise failed("reset") from reset

    def _answered(self, call: Call, place: Place) -> Response:
        if place.after is not None and self._takes_empty_page():
            return as_json({"entries": [], "cursor": self._cursors.write(place), "has_more": True})
        entries, following = self._changes(call, place) if place.after is None else self._entries(call, place)
        has_more = following.after is not None if place.after is not None else len(entries) == place.limit
        return as_json({"entries": entries, "cursor": self._cursors.write(following), "has_more": has_more})

    def _takes_empty_page(self) -> bool:
        with self._store.transaction():
            left = (self._store.get("switches", "empty-pages") or {"left": 0})["left"]
            if left:
                self._store.put("switches", "empty-pages", {"left": left - 1})
            return bool(left)

    def _entries(self, call: Call, place: Place) -> tuple[list[Document], Place]:
        folder = self._tree.by_id(place.folder)
        if folder is None:
            raise failed("path", "not_found")
        walk = self._walk(folder, (), place)
        found = list(islice(walk, place.limit + 1))
        top = self._tree.names_of(folder)
        shown = [self._shown(call, entry, top + names) for entry, names in found[: place.limit]]
        after = tuple(map(folded, found[place.limit - 1][1])) if len(found) > place.limit else None
        return shown, msgspec.structs.replace(place, after=after)

    def _walk(self, folder: Document, names: Names, place: Place) -> Iterator[tuple[Document, Names]]:
        """Entries below a folder behind `place.after`, each with its names from the listed folder on."""
        after = place.after or ()
        passed = after[: len(names)] == tuple(map(folded, names)) and len(after) > len(names)
        start = after[len(names)] if passed else None
        if start is not None and place.recursive:  # go on inside the folder where the last page ended
            inside = self._tree.find(place.tree, (*self._tree.names_of(folder), start))
            if inside is not None and inside["tag"] == "folder":
                yield from self._walk(inside, (*names, inside["name"]), place)
        for entry in self._tree.children(folder["id"], start):
            path = (*names, entry["name"])
            yield entry, path
            if place.recursive and entry["tag"] == "folder":
                yield from self._walk(entry, path, msgspec.structs.replace(place, after=()))
        if place.include_deleted:
            for past in self._tree.deleted(folder["id"]):
                if start is None or folded(past["name"]) > start:
                    yield past | {"tag": "deleted"}, (*names, past["name"])

    def _shown(self, call: Call, entry: Document, names: Names) -> Document:
        return gone(call, entry["name"], names) if entry["tag"] == "deleted" else tagged(call, entry, names)

    def _changes(self, call: Call, place: Place) -> tuple[list[Document], Place]:
        entries: list[Document] = []
        told = place.change
        for number, change in self._tree.changes(place.tree, place.change):
            if len(entries) == place.limit:
                break
            told = number
            if self._concerns(place, change):
                entries.append(self._change_shown(call, change))
        return entries, msgspec.structs.replace(place, change=told)

    def _has_changed(self, place: Place) -> bool:
        return any(self._concerns(place, change) for _, change in self._tree.changes(place.tree, place.change))

    def _concerns(self, place: Place, change: Document) -> bool:
        if not place.recursive:
            return bool(change["parent"] == place.folder)
        folder = self._tree.by_id(place.folder)
        top = [] if folder is None else list(self._tree.names_of(folder))
        return list(map(folded, change["names"][: len(top)])) == list(map(folded, top))

    def _change_shown(self, call: Call, change: Document) -> Document:
        entry = None if change["removed"] else self._tree.by_id(change["id"])
        names = tuple(change["names"])
        return gone(call, change["name"], names) if entry is None else tagged(call, entry, names)
