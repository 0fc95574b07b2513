"""What becomes of uploaded bytes at a path: a new file, a new revision, nothing at all, or a conflict.

Source: `WriteMode` and `CommitInfo` of files.stone (2026-08-05). Where the bytes come from is in `files` and `uploads`.
"""

from typing import Annotated

import msgspec

from sandbox.hosts.dropbox.call import Call
from sandbox.hosts.dropbox.contents import Contents
from sandbox.hosts.dropbox.paths import LONGEST_NAME, demand_allowed
from sandbox.hosts.dropbox.refusals import Problem
from sandbox.hosts.dropbox.tree import Names, Tree, new_rev, now_text
from sandbox.store import Document

_Moment = Annotated[str, msgspec.Meta(pattern=r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")]


class CommitInfo(msgspec.Struct, forbid_unknown_fields=True):
    path: Annotated[str, msgspec.Meta(pattern=r"(?s)\A(/.*|id:.*|ns:[0-9]+(/.*)?)\Z")]
    mode: str | Document = "add"
    autorename: bool = False
    client_modified: _Moment | None = None
    mute: bool = False
    property_groups: list[Document] | None = None
    strict_conflict: bool = False

    def tag(self) -> str:
        """The write mode, however it was written."""
        return self.mode if isinstance(self.mode, str) else str(self.mode.get(".tag"))

    def rev(self) -> object:
        """The revision that is expected to be there, with the mode `update`."""
        return self.mode.get("update") if isinstance(self.mode, dict) else None


def committed(call: Call, tree: Tree, contents: Contents, wanted: CommitInfo, key: str) -> Document:
    """The file that stands there now, with the bytes under `key`; raises Problem. Call it inside a transaction."""
    name, names = call.locate(wanted.path, tree)
    demand_allowed(names)
    content = contents.described(key)
    moment = now_text()
    facts = {"client_modified": wanted.client_modified or moment, "server_modified": moment, "rev": new_rev()}
    present = tree.find(name, names)
    if present is None:
        return tree.save(name, names, content, **facts)
    if _is_same(present, content.content_hash) and not wanted.strict_conflict:
        contents.forget(key)
        return present
    if _may_replace(present, wanted):
        return tree.replace(present, content, **facts)
    if not wanted.autorename:
        raise Problem("conflict", present["tag"])
    return tree.save(name, _renamed(tree, name, names, wanted), content, **facts)


def _is_same(present: Document, content_hash: str) -> bool:
    return bool(present["tag"] == "file" and present["content_hash"] == content_hash)


def _may_replace(present: Document, wanted: CommitInfo) -> bool:
    if present["tag"] != "file":
        return False
    return wanted.tag() == "overwrite" or (wanted.tag() == "update" and bool(wanted.rev() == present["rev"]))


def _renamed(tree: Tree, name: str, names: Names, wanted: CommitInfo) -> Names:
    if wanted.tag() != "update":
        return tree.free_names(name, names)
    stem, dot, extension = names[-1].rpartition(".")
    mark = " (conflicted copy)"
    copy = stem[: LONGEST_NAME - len(mark) - len(extension) - 1] + mark + dot + extension if stem else names[-1] + mark
    chosen = (*names[:-1], copy)
    return chosen if tree.find(name, chosen) is None else tree.free_names(name, chosen)
