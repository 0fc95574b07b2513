"""What an entry looks like to a client: `FileMetadata`, `FolderMetadata` and `DeletedMetadata` of files.stone.

How entries are kept is in `tree`.
"""

from sandbox.hosts.dropbox.call import Call
from sandbox.hosts.dropbox.paths import folded
from sandbox.hosts.dropbox.tree import Names
from sandbox.store import Document


def tagged(call: Call, entry: Document, names: Names) -> Document:
    """An entry among others, with its `.tag`; `names` lead to it from the top of its tree."""
    return {".tag": entry["tag"], **shown(call, entry, names)}


def shown(call: Call, entry: Document, names: Names) -> Document:
    """An entry whose kind is known from the call."""
    described = {"name": entry["name"], "id": entry["id"]} | _paths(call, names)
    if entry["tag"] == "folder":
        return described
    return described | {
        "client_modified": entry["client_modified"],
        "server_modified": entry["server_modified"],
        "rev": entry["rev"],
        "size": entry["size"],
        "is_downloadable": True,
        "content_hash": entry["content_hash"],
    }


def gone(call: Call, name: str, names: Names) -> Document:
    """What used to be there."""
    return {".tag": "deleted", "name": name} | _paths(call, names)


def _paths(call: Call, names: Names) -> Document:
    seen = call.shown(names)
    if seen is None:  # not mounted in the caller's root
        return {}
    display = "".join(f"/{name}" for name in seen)
    return {"path_lower": folded(display), "path_display": display}
