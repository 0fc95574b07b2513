"""Files and folders of every root namespace: found, made, replaced and deleted, with quota and the log of changes.

Which namespace a call may look into is decided in `call`; what an entry looks like to a client is in `metadata`.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from sandbox.hosts.dropbox.contents import Content, Contents
from sandbox.hosts.dropbox.paths import folded, numbered
from sandbox.hosts.dropbox.people import lettered
from sandbox.hosts.dropbox.refusals import Problem
from sandbox.store import Document, Store

ALLOCATED_BYTES = 2 * 1024**3
Names = tuple[str, ...]


class Tree:
    """All Dropboxes of the sandbox. An entry is kept under `<id of its folder>/<folded name>`; `ids` leads there."""

    def __init__(self, store: Store, contents: Contents) -> None:
        self._store = store
        self._contents = contents

    def transaction(self) -> AbstractContextManager[None]:
        """Several calls as one, nobody else in between."""
        return self._store.transaction()

    def space(self, tree: str) -> Document:
        """`used` and `allocated` (bytes) of a root namespace."""
        return self._store.get("spaces", tree) or {"namespace": tree, "used": 0, "allocated": ALLOCATED_BYTES}

    def allocate(self, tree: str, size: int) -> Document:
        """Change the storage limit (bytes)."""
        with self._store.transaction():
            changed = self.space(tree) | {"allocated": size}
            self._store.put("spaces", tree, changed)
            return changed

    def find(self, tree: str, names: Names) -> Document | None:
        """The entry at a path, the root folder for no names."""
        entry = _root(tree)
        for name in names:
            if entry["tag"] != "folder":
                return None
            found = self._store.get("entries", _key(entry["id"], name))
            if found is None:
                return None
            entry = found
        return entry

    def by_id(self, entry_id: str) -> Document | None:
        """The entry with this id."""
        if entry_id.startswith("root:"):
            return _root(entry_id.removeprefix("root:"))
        link = self._store.get("ids", entry_id)
        return self._store.get("entries", link["key"]) if link else None

    def names_of(self, entry: Document) -> Names:
        """The names from the top of the tree down to the entry, as they are written."""
        names: list[str] = []
        while entry["parent"] is not None:
            names.append(entry["name"])
            above = self.by_id(entry["parent"])
            if above is None:  # its folder is being deleted
                break
            entry = above
        return tuple(reversed(names))

    def children(self, folder_id: str, after: str | None = None) -> Iterator[Document]:
        """The entries in a folder by folded name, from the one after `after` (a folded name) on."""
        prefix = f"{folder_id}/"
        for _, entry in self._store.each("entries", prefix, prefix + after if after else None):
            yield entry

    def deleted(self, folder_id: str) -> Iterator[Document]:
        """What used to be in a folder."""
        for _, gone in self._store.each("deleted", f"{folder_id}/"):
            yield gone

    def make_folder(self, tree: str, names: Names, *, autorename: bool = False) -> Document:
        """A new folder, the folders above it included. Raises Problem `conflict` with what is in the way."""
        with self._store.transaction():
            present = self.find(tree, names)
            if present is not None and not autorename:
                raise Problem("conflict", present["tag"])
            above = self._folder_at(tree, names[:-1])
            name = names[-1] if present is None else self._free_name(above["id"], names[-1])
            return self._keep(above, {"tag": "folder", "id": _new_id(), "name": name})

    def save(self, tree: str, names: Names, content: Content, **facts: object) -> Document:
        """A new file. Raises Problem: full space, a file among the folders above."""
        with self._store.transaction():
            self._use(tree, content.size)
            above = self._folder_at(tree, names[:-1])
            return self._keep(above, {"tag": "file", "id": _new_id(), "name": names[-1]} | facts | content.facts())

    def replace(self, file: Document, content: Content, **facts: object) -> Document:
        """New bytes for a file, which keeps its id. Raises Problem: full space."""
        with self._store.transaction():
            self._use(file["tree"], content.size - file["size"])
            self._contents.drop(file)
            above = self.by_id(file["parent"])
            if above is None:
                raise Problem("not_found")
            kept = {name: value for name, value in file.items() if name != "seed"}
            return self._keep(above, kept | facts | content.facts())

    def add_generated(self, tree: str, folder_id: str, entries: Iterable[Document]) -> None:
        """Keep complete new entries of one folder; one that is there already stays as it is.

        There is no line in the log for them: cursors must be reset afterwards.
        """
        with self._store.transaction():
            new = [entry for entry in entries if self._store.get("ids", entry["id"]) is None]
            placed = [entry | {"tree": tree, "parent": folder_id, "change": 0} for entry in new]
            self._store.put_many("entries", ((_key(folder_id, each["name"]), each) for each in placed))
            self._store.put_many("ids", ((each["id"], {"key": _key(folder_id, each["name"])}) for each in placed))
            growth = sum(each.get("size", 0) for each in placed)
            self._store.put("spaces", tree, (space := self.space(tree)) | {"used": space["used"] + growth})

    def delete(self, entry: Document) -> None:
        """Remove an entry, a folder with all that is in it."""
        with self._store.transaction():
            for child in list(self.children(entry["id"])) if entry["tag"] == "folder" else ():
                self.delete(child)
            gone = {"name": entry["name"], "tree": entry["tree"], "parent": entry["parent"], "id": entry["id"]}
            self._note(entry | {"names": self.names_of(entry)}, is_removed=True)
            key = _key(entry["parent"], entry["name"])
            self._store.delete("entries", key)
            self._store.delete("ids", entry["id"])
            self._store.put("deleted", key, gone)
            self._contents.drop(entry)
            self._use(entry["tree"], -entry.get("size", 0))

    def free_names(self, tree: str, names: Names) -> Names:
        """The path that autorename chooses when this one is taken."""
        above = self.find(tree, names[:-1])
        return names if above is None else (*names[:-1], self._free_name(above["id"], names[-1]))

    def last_change(self, tree: str) -> int:
        """The number of the latest change in a tree."""
        return self._store.last_number(f"changes:{tree}")

    def changes(self, tree: str, after: int) -> Iterator[tuple[int, Document]]:
        """(number, change) after a number, oldest first; a change has `id`, `names`, `parent` and `removed`."""
        for _, change in self._store.each("changes", f"{tree}/", f"{tree}/{after:012d}"):
            yield change["number"], change

    def _folder_at(self, tree: str, names: Names) -> Document:
        """The folder at a path, made with all above it where there is none; raises Problem `conflict`."""
        folder = _root(tree)
        for depth, name in enumerate(names, 1):
            present = self.find(tree, names[:depth])
            if present is not None and present["tag"] != "folder":
                raise Problem("conflict", "file_ancestor")
            folder = present or self._keep(folder, {"tag": "folder", "id": _new_id(), "name": name})
        return folder

    def _free_name(self, folder_id: str, name: str) -> str:
        number = 1
        while self._store.get("entries", _key(folder_id, numbered(name, number))) is not None:
            number += 1
        return numbered(name, number)

    def _keep(self, above: Document, entry: Document) -> Document:
        placed = entry | {"tree": above["tree"], "parent": above["id"]}
        placed["change"] = self._note(placed | {"names": (*self.names_of(above), entry["name"])}, is_removed=False)
        key = _key(above["id"], entry["name"])
        self._store.put("entries", key, placed)
        self._store.put("ids", entry["id"], {"key": key})
        self._store.delete("deleted", key)
        return placed

    def _note(self, entry: Document, *, is_removed: bool) -> int:
        number = self._store.next_number(f"changes:{entry['tree']}")
        change = {"number": number, "removed": is_removed}
        change |= {name: entry[name] for name in ("id", "name", "names", "parent")}
        self._store.put("changes", f"{entry['tree']}/{number:012d}", change)
        return number

    def _use(self, tree: str, growth: int) -> None:
        space = self.space(tree)
        if growth > 0 and space["used"] + growth > space["allocated"]:
            raise Problem("insufficient_space")
        self._store.put("spaces", tree, space | {"used": max(0, space["used"] + growth)})


def numbered_id(text: str) -> str:
    """The same id for the same text: for generated entries."""
    return "id:" + lettered(text, 22)


def now_text() -> str:
    """The present moment as Dropbox writes it: UTC, whole seconds, Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_rev() -> str:
    """A fresh revision: hexadecimal, longer than nine digits."""
    return f"01{secrets.token_hex(9)}"


def _new_id() -> str:
    return "id:" + lettered(secrets.token_hex(16), 22)


def _key(folder_id: str, name: str) -> str:
    return f"{folder_id}/{folded(name)}"


def _root(tree: str) -> Document:
    return {"tag": "folder", "id": f"root:{tree}", "name": "", "parent": None, "tree": tree}
