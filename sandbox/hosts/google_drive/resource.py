"""Drive's `File` resource: how a stored file looks to a client, and what a client may write into one.

Source: the discovery document of drive.v3 (revision 20261106). Where files are kept is `tree`'s affair.
"""

import mimetypes
from collections.abc import Callable
from datetime import UTC, datetime

from sandbox.hosts.google_drive.access import Viewer
from sandbox.hosts.google_drive.refusals import DriveRefused, invalid
from sandbox.hosts.google_drive.tree import FOLDER, now_text
from sandbox.store import Document

BINARY = "application/octet-stream"
_NATIVE = "application/vnd.google-apps."
_TEXTS = frozenset({"name", "mimeType", "description", "originalFilename", "folderColorRgb"})
_FLAGS = frozenset({"starred", "copyRequiresWriterPermission", "writersCanShare", "trashed"})
_TIMES = frozenset({"createdTime", "modifiedTime", "viewedByMeTime"})
_PAIRS = frozenset({"properties", "appProperties"})
_READ_ONLY = frozenset(
    {"kind", "size", "md5Checksum", "sha1Checksum", "sha256Checksum", "version", "owners", "ownedByMe", "webViewLink"}
    | {"webContentLink", "iconLink", "shared", "capabilities", "headRevisionId", "quotaBytesUsed", "fileExtension"}
    | {"fullFileExtension", "lastModifyingUser", "modifiedByMe", "isAppAuthorized", "spaces", "thumbnailLink"}
)


def shown(file: Document, viewer: Viewer) -> Document:
    """The full resource; `fields` cuts it down afterwards."""
    is_folder = file["mimeType"] == FOLDER
    resource: Document = {
        "kind": "drive#file",
        "id": file["id"],
        "name": file["name"],
        "mimeType": file["mimeType"],
        "starred": file["starred"],
        "trashed": file["trashed"],
        "explicitlyTrashed": file["explicitlyTrashed"],
        "spaces": ["drive"],
        "version": str(file["version"]),
        "webViewLink": _view_link(file),
        "iconLink": f"https://drive-thirdparty.googleusercontent.com/16/type/{file['mimeType']}",
        "hasThumbnail": False,
        "thumbnailVersion": "0",
        "createdTime": file["createdTime"],
        "modifiedTime": file["modifiedTime"],
        "modifiedByMeTime": file["modifiedTime"],
        "modifiedByMe": True,
        "isAppAuthorized": viewer.client_id in file["apps"],
        "quotaBytesUsed": file.get("size", "0"),
        "capabilities": _capabilities(is_folder=is_folder),
        "writersCanShare": file.get("writersCanShare", True),
        "copyRequiresWriterPermission": file.get("copyRequiresWriterPermission", False),
        "viewersCanCopyContent": not file.get("copyRequiresWriterPermission", False),
    }
    if file["parents"]:
        resource["parents"] = file["parents"]
    for name in ("description", "folderColorRgb", "viewedByMeTime", "properties"):
        if file.get(name):
            resource[name] = file[name]
    own_properties = file.get("appProperties", {}).get(viewer.client_id)
    if own_properties:
        resource["appProperties"] = own_properties
    return resource | _owner_facts(viewer) | (_content_facts(file) if "size" in file else {})


def check_written(wanted: Document, *, is_update: bool) -> None:
    """Raise DriveRefused when the metadata has wrong types or names what nobody may write."""
    if any(name in _READ_ONLY for name in wanted):
        raise _not_writable("The resource body includes fields which are not directly writable.")
    if is_update and "parents" in wanted:
        raise _not_writable(
            "The parents field is not directly writable in update requests. "
            "Use the addParents and removeParents parameters instead."
        )
    if is_update and "id" in wanted:
        raise _not_writable("The resource body includes fields which are not directly writable.")
    for name, value in wanted.items():
        if value is not None and not _check_for(name)(value):
            raise invalid(name, f"Invalid value for field {name}.")


def fresh(viewer: Viewer, wanted: Document, parents: list[str], content_type: str | None) -> Document:
    """A new file made of checked metadata; `content_type` is that of the bytes, None when there are none."""
    moment = now_text()
    name = wanted.get("name") or "Untitled"
    mime_type = wanted.get("mimeType") or content_type or mimetypes.guess_type(name)[0] or BINARY
    file: Document = {
        "name": name,
        "mimeType": mime_type,
        "parents": parents,
        "apps": [viewer.client_id],
        "createdTime": moment,
        "modifiedTime": moment,
        "trashed": False,
        "explicitlyTrashed": False,
        "starred": False,
        "originalFilename": name,
    }
    if wanted.get("id"):
        file["id"] = wanted["id"]
    return merged(file, wanted, viewer)


def merged(file: Document, wanted: Document, viewer: Viewer) -> Document:
    """A file with the checked metadata written into it; null values of a property delete it."""
    changed = dict(file)
    for name, value in wanted.items():
        if name in _TEXTS | _FLAGS and value is not None:
            changed[name] = value
        elif name in _TIMES and value is not None:
            changed[name] = _time_text(value)
    if wanted.get("properties"):
        changed["properties"] = _with_pairs(file.get("properties", {}), wanted["properties"])
    if wanted.get("appProperties"):
        by_app = file.get("appProperties", {})
        own = _with_pairs(by_app.get(viewer.client_id, {}), wanted["appProperties"])
        changed["appProperties"] = by_app | {viewer.client_id: own}
    if wanted.get("trashed") is not None:
        changed["explicitlyTrashed"] = wanted["trashed"]
    return changed


def has_bytes(mime_type: str) -> bool:
    """Whether files of this type hold content of their own: folders and editor documents do not."""
    return not mime_type.startswith(_NATIVE)


def _view_link(file: Document) -> str:
    kind = "drive/folders" if file["mimeType"] == FOLDER else "file/d"
    ending = "" if file["mimeType"] == FOLDER else "/view?usp=drivesdk"
    return f"https://drive.google.com/{kind}/{file['id']}{ending}"


def _content_facts(file: Document) -> Document:
    facts = {
        "webContentLink": f"https://drive.google.com/uc?id={file['id']}&export=download",
        "originalFilename": file["originalFilename"],
        "size": file["size"],
    }
    for name in ("md5Checksum", "sha1Checksum", "sha256Checksum", "headRevisionId"):
        facts[name] = file[name]
    _, dot, extension = file["originalFilename"].partition(".")
    if dot:
        facts |= {"fullFileExtension": extension, "fileExtension": extension.rpartition(".")[2]}
    return facts


def _owner_facts(viewer: Viewer) -> Document:
    return {
        "owners": [viewer.person.as_user()],
        "lastModifyingUser": viewer.person.as_user(),
        "ownedByMe": True,
        "shared": False,
        "viewedByMe": False,
        "permissionIds": [viewer.person.permission_id],
        "permissions": [_owner_permission(viewer)],
    }


def _owner_permission(viewer: Viewer) -> Document:
    user = viewer.person.as_user()
    return {
        "kind": "drive#permission",
        "id": viewer.person.permission_id,
        "type": "user",
        "role": "owner",
        "emailAddress": user["emailAddress"],
        "displayName": user["displayName"],
        "photoLink": user["photoLink"],
        "deleted": False,
        "pendingOwner": False,
    }


def _capabilities(*, is_folder: bool) -> Document:
    always = ("canEdit", "canRename", "canShare", "canTrash", "canUntrash", "canDelete", "canDownload", "canComment")
    of_folder = ("canAddChildren", "canListChildren", "canRemoveChildren")
    return dict.fromkeys(always, True) | dict.fromkeys(of_folder, is_folder) | {"canCopy": not is_folder}


def _check_for(name: str) -> Callable[[object], bool]:
    if name in _TEXTS | {"id"}:
        return lambda value: isinstance(value, str)
    if name in _FLAGS:
        return lambda value: isinstance(value, bool)
    if name in _TIMES:
        return _is_time
    if name == "parents":
        return lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value)
    if name in _PAIRS:
        return lambda value: isinstance(value, dict) and all(isinstance(each, str | None) for each in value.values())
    return lambda _value: True  # what the API does not know it ignores


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(_time_text(value))
    except (ValueError, OverflowError):
        return False


def _time_text(value: str) -> str:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _with_pairs(present: Document, wanted: Document) -> Document:
    return {name: value for name, value in (present | wanted).items() if value is not None}


def _not_writable(message: str) -> DriveRefused:
    return DriveRefused(403, "fieldNotWritable", message)
