"""The `fields` parameter: which parts of an answer a client wants (`files(id,owners/me),nextPageToken`).

Source: Drive guide "Return specific fields" (read 2026-11). What the full answer holds is decided elsewhere.
"""

import re
from collections.abc import Mapping

from sandbox.hosts.google_drive.refusals import DriveRefused
from sandbox.store import Document

Selection = dict[str, "Selection | None"]  # None: everything below
Shape = Mapping[str, "Shape | None"]  # names that exist; None: anything below

_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z][A-Za-z0-9_]*|\*)|(?P<mark>[(),/]))")
_DEEPEST = 20

_FILE_NAMES = """
    appProperties capabilities contentHints copyRequiresWriterPermission createdTime description driveId
    explicitlyTrashed exportLinks fileExtension folderColorRgb fullFileExtension hasThumbnail headRevisionId iconLink id
    imageMediaMetadata isAppAuthorized kind lastModifyingUser md5Checksum mimeType modifiedByMe modifiedByMeTime
    modifiedTime name originalFilename ownedByMe owners parents permissionIds permissions properties quotaBytesUsed
    sha1Checksum sha256Checksum shared sharedWithMeTime sharingUser shortcutDetails size spaces starred teamDriveId
    thumbnailLink thumbnailVersion trashed trashedTime trashingUser version videoMediaMetadata viewedByMe
    viewedByMeTime viewersCanCopyContent webContentLink webViewLink writersCanShare
"""


def _named(names: str) -> dict[str, "Shape | None"]:
    return dict.fromkeys(names.split())


FILE: Shape = _named(_FILE_NAMES)
FILE_LIST: Shape = _named("kind incompleteSearch nextPageToken") | {"files": FILE}
_CHANGE: Shape = _named("kind type changeType time removed fileId driveId drive") | {"file": FILE}
CHANGE_LIST: Shape = _named("kind nextPageToken newStartPageToken") | {"changes": _CHANGE}
ABOUT: Shape = _named(
    "appInstalled canCreateDrives canCreateTeamDrives driveThemes exportFormats folderColorPalette importFormats kind "
    "maxImportSizes maxUploadSize storageQuota teamDriveThemes user"
)
GENERATED_IDS: Shape = _named("kind space ids")
START_PAGE_TOKEN: Shape = _named("kind startPageToken")


def select(answer: Document, fields: str, shape: Shape) -> Document:
    """The wanted part of an answer; raises DriveRefused 400 for a field that does not exist or a text that is none."""
    selection = _Parser(fields).whole()
    _check(selection, shape)
    return _picked(answer, selection)


class _Parser:
    """Recursive descent over: list = item ("," item)*; item = name ("/" name)* ["(" list ")"]."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0

    def whole(self) -> Selection:
        selection = self._list(0)
        if self._at < len(self._tokens):
            raise _refused(self._text)
        return selection

    def _list(self, depth: int) -> Selection:
        if depth > _DEEPEST:
            raise _refused(self._text)
        selection: Selection = {}
        while True:
            self._item(selection, depth)
            if self._peek() != ",":
                return selection
            self._at += 1

    def _item(self, selection: Selection, depth: int) -> None:
        path = [self._name()]
        while self._peek() == "/":
            self._at += 1
            path.append(self._name())
            if len(path) > _DEEPEST:
                raise _refused(self._text)
        below: Selection | None = None
        if self._peek() == "(":
            self._at += 1
            below = self._list(depth + 1)
            if self._peek() != ")":
                raise _refused(self._text)
            self._at += 1
        for name in reversed(path[1:]):
            below = {name: below}
        _merge(selection, path[0], below)

    def _name(self) -> str:
        name = self._peek()
        if name is None or name in "(),/":
            raise _refused(self._text)
        self._at += 1
        return name

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            raise _refused(text)
        found.append(match["name"] or match["mark"])
        at = match.end()
    return found


def _merge(selection: Selection, name: str, below: Selection | None) -> None:
    present = selection.get(name, {})
    if below is None or present is None:
        selection[name] = None
        return
    for inner, deeper in below.items():
        _merge(present, inner, deeper)
    selection[name] = present


def _check(selection: Selection, shape: Shape) -> None:
    for name, below in selection.items():
        if name == "*":
            continue
        if name not in shape:
            raise _refused(name)
        known = shape[name]
        if below is not None and known is not None:
            _check(below, known)


def _picked(answer: Document, selection: Selection) -> Document:
    if selection.get("*", {}) is None:
        return answer
    picked: Document = {}
    for name, value in answer.items():
        wanted = selection.get(name, selection.get("*", {}))
        if wanted is None:
            picked[name] = value
        elif wanted and isinstance(value, dict):
            picked[name] = _picked(value, wanted)
        elif wanted and isinstance(value, list):
            picked[name] = [_picked(each, wanted) for each in value if isinstance(each, dict)]
    return picked


def _refused(what: str) -> DriveRefused:
    return DriveRefused(400, "invalidParameter", f"Invalid field selection {what}", location="fields")
