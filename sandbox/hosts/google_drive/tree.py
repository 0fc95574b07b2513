"""Files and folders of every account: made, changed, trashed and deleted, with quota and the log of changes.

Who may do it is decided in `access`, what a file looks like to a client in `resource`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from sandbox.hosts.google_drive.contents import Content, Contents
from sandbox.hosts.google_drive.refusals import DriveRefused, invalid, not_found
from sandbox.store import Document, Store

FOLDER = "application/vnd.google-apps.folder"
QUOTA_BYTES = 15 * 1024**3
_ID_KEY = b"file ids of the sandbox"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Tree:
    """All Drives of the sandbox. A file is kept under `<account>/<id>`; `children` lists the ids in each folder."""

    def __init__(self, store: Store, contents: Contents) -> None:
        self._store = store
        self._contents = contents

    def transaction(self) -> AbstractContextManager[None]:
        """Several calls as one, nobody else in between."""
        return self._store.transaction()

    def open_account(self, account: str) -> Document:
        """The account with `limit` and `used` (bytes) and `root` (id), made with an empty Drive at first sight."""
        with self._store.transaction():
            found = self._store.get("accounts", account)
            if found is None:
                root = "0A" + _letters(f"root:{account}", 15) + "PVA"
                found = {"email": account, "limit": QUOTA_BYTES, "used": 0, "root": root}
                self._store.put("accounts", account, found)
            return found

    def set_limit(self, account: str, limit: int) -> Document:
        """Change the storage limit (bytes)."""
        with self._store.transaction():
            changed = self.open_account(account) | {"limit": limit}
            self._store.put("accounts", account, changed)
            return changed

    def resolve(self, account: str, file_id: str) -> str:
        """The real id behind the alias `root`."""
        return str(self.open_account(account)["root"]) if file_id == "root" else file_id

    def get(self, account: str, file_id: str) -> Document:
        """The stored file, the root folder included; raises DriveRefused 404."""
        root = self.open_account(account)["root"]
        if file_id in ("root", root):
            return _root_folder(root)
        found = self._store.get("files", f"{account}/{file_id}")
        if found is None:
            raise not_found(file_id)
        return found

    def each(self, account: str, after: str | None = None) -> Iterator[Document]:
        """All files of an account in order of their ids, from the one after `after`."""
        prefix = f"{account}/"
        for _, file in self._store.each("files", prefix, prefix + after if after else None):
            yield file

    def children(self, account: str, folder_id: str, after: str | None = None) -> Iterator[Document]:
        """The files in a folder in order of their ids."""
        prefix = f"{account}/{self.resolve(account, folder_id)}/"
        for _, entry in self._store.each("children", prefix, prefix + after if after else None):
            found = self._store.get("files", f"{account}/{entry['id']}")
            if found is not None:  # deleted while we walk
                yield found

    def add(self, account: str, file: Document, content: Content | None) -> Document:
        """Keep a new file, whose `id` may be asked for. Raises DriveRefused: used or foreign id, full quota."""
        with self._store.transaction():
            file_id = file.get("id") or new_id(account)
            if not is_own_id(account, file_id):
                raise invalid("file.id", "The provided file ID is not usable.")
            if self._store.get("files", f"{account}/{file_id}") is not None:
                raise DriveRefused(409, "fileIdInUse", "A file already exists with the provided ID.")
            made = file | {"id": file_id, "version": 0}
            self._link(account, made)
            return self._keep(account, made, content)

    def add_generated(self, account: str, files: list[Document]) -> None:
        """Keep complete new files whose bytes are made from their `seed`; one that is there already stays as it is."""
        with self._store.transaction():
            new = [file for file in files if self._store.get("files", f"{account}/{file['id']}") is None]
            last = self._store.next_number(f"changes:{account}", len(new))
            numbers = range(last - len(new) + 1, last + 1)
            kept = [file | {"change": number} for number, file in zip(numbers, new, strict=True)]
            self._store.put_many("files", ((f"{account}/{file['id']}", file) for file in kept))
            self._store.put_many("changes", (_change(account, file, is_removed=False) for file in kept))
            self._store.put_many("children", (link for file in kept for link in _links(account, file)))
            self._use(account, sum(int(file.get("size", 0)) for file in kept))

    def change(self, account: str, file: Document, content: Content | None) -> Document:
        """Keep a file that was read before and changed since; `content` None leaves the bytes as they are."""
        with self._store.transaction():
            before = self.get(account, file["id"])
            if before["parents"] != file["parents"]:
                self._unlink(account, before)
                self._link(account, file)
            if before["trashed"] != file["trashed"]:
                self._trash_below(account, file["id"], is_trashed=file["trashed"])
            return self._keep(account, file, content)

    def delete(self, account: str, file: Document) -> None:
        """Remove a file for good, a folder with all that is in it."""
        with self._store.transaction():
            for child in list(self.children(account, file["id"])):
                self.delete(account, child)
            self._unlink(account, file)
            self._store.delete("files", f"{account}/{file['id']}")
            self._forget_content(file)
            self._use(account, -int(file.get("size", 0)))
            self._note_change(account, file, is_removed=True)

    def content(self, file: Document, start: int, stop: int) -> Iterator[bytes]:
        """The bytes of a file from `start` up to `stop`; those of generated files are made on the spot."""
        if "seed" in file:
            return iter([generated_content(file["seed"])[start:stop]])
        return self._contents.pieces(file["content"], start, stop)

    def is_inside(self, account: str, folder_id: str, ancestor_id: str) -> bool:
        """Whether a folder is the other one or lies anywhere below it."""
        while folder_id != ancestor_id:
            parents = self.get(account, folder_id)["parents"]
            if not parents:
                return False
            folder_id = parents[0]
        return True

    def demand_space(self, account: str, size: int) -> None:
        """Raise DriveRefused 403 when so many more bytes do not fit."""
        known = self.open_account(account)
        if size > 0 and known["used"] + size > known["limit"]:
            raise DriveRefused(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")

    def next_change(self, account: str) -> int:
        """The number that the next change of an account will get."""
        return self._store.last_number(f"changes:{account}") + 1

    def changes(self, account: str, first: int) -> Iterator[Document]:
        """Changes from a number on, oldest first; each file appears once, at its latest."""
        prefix = f"{account}/"
        for _, change in self._store.each("changes", prefix, f"{prefix}{first - 1:012d}"):
            yield change

    def _keep(self, account: str, file: Document, content: Content | None) -> Document:
        kept = file | {"version": file["version"] + 1}
        if content is not None:
            growth = content.size - int(file.get("size", 0))
            self.demand_space(account, growth)
            self._use(account, growth)
            self._forget_content(file)
            kept = {name: value for name, value in kept.items() if name != "seed"} | content.facts
            kept |= {"content": content.key, "headRevisionId": "0B" + _letters(secrets.token_hex(8), 26)}
        kept["change"] = self._note_change(account, kept, is_removed=False)
        self._store.put("files", f"{account}/{kept['id']}", kept)
        return kept

    def _forget_content(self, file: Document) -> None:
        if "content" in file:
            self._contents.forget(file["content"])

    def _note_change(self, account: str, file: Document, *, is_removed: bool) -> int:
        earlier = file.get("change")
        if earlier is not None:
            self._store.delete("changes", f"{account}/{earlier:012d}")
        number = self._store.next_number(f"changes:{account}")
        self._store.put("changes", *_change(account, file | {"change": number}, is_removed=is_removed))
        return number

    def _link(self, account: str, file: Document) -> None:
        self._store.put_many("children", _links(account, file))

    def _unlink(self, account: str, file: Document) -> None:
        for key, _ in _links(account, file):
            self._store.delete("children", key)

    def _trash_below(self, account: str, folder_id: str, *, is_trashed: bool) -> None:
        for child in list(self.children(account, folder_id)):
            if child["explicitlyTrashed"]:
                continue  # trashed by itself: it stays so, with all below
            self._keep(account, child | {"trashed": is_trashed}, None)
            self._trash_below(account, child["id"], is_trashed=is_trashed)

    def _use(self, account: str, growth: int) -> None:
        known = self.open_account(account)
        self._store.put("accounts", account, known | {"used": max(0, known["used"] + growth)})


def new_id(account: str) -> str:
    """An id that `is_own_id` will know again without having been stored."""
    return _signed(account, "".join(secrets.choice(_ALPHABET) for _ in range(22)))


def numbered_id(account: str, text: str) -> str:
    """The same id for the same text: for generated files."""
    return _signed(account, _letters(text, 22))


def is_own_id(account: str, file_id: str) -> bool:
    """Whether the platform gave out this id for this account."""
    return len(file_id) == 33 and hmac.compare_digest(_signed(account, file_id[1:23]).encode(), file_id.encode())


def generated_content(seed: str) -> bytes:
    """The bytes of a generated file."""
    return f"Generated file {seed}\n".encode()


def now_text() -> str:
    """The present moment as Drive writes it: UTC, milliseconds, Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _change(account: str, file: Document, *, is_removed: bool) -> tuple[str, Document]:
    """Key and document of the change whose number the file carries."""
    change = {
        "number": file["change"],
        "fileId": file["id"],
        "removed": is_removed,
        "time": now_text(),
        "apps": file["apps"],
    }
    return f"{account}/{file['change']:012d}", change


def _links(account: str, file: Document) -> list[tuple[str, Document]]:
    """Keys and documents that put a file into its folders."""
    return [(f"{account}/{parent}/{file['id']}", {"id": file["id"]}) for parent in file["parents"]]


def _signed(account: str, body: str) -> str:
    mark = hmac.new(_ID_KEY, f"{account}:{body}".encode(), hashlib.sha256).hexdigest()
    return f"1{body}{mark[:10]}"


def _letters(text: str, length: int) -> str:
    digest = hashlib.sha512(text.encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:length])


def _root_folder(root: str) -> Document:
    return {
        "id": root,
        "name": "My Drive",
        "mimeType": FOLDER,
        "parents": [],
        "apps": [],
        "createdTime": "2020-01-01T00:00:00.000Z",
        "modifiedTime": "2020-01-01T00:00:00.000Z",
        "trashed": False,
        "explicitlyTrashed": False,
        "starred": False,
        "version": 1,
    }
