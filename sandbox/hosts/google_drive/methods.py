"""The methods of Drive v3 on files that carry no bytes in.

Source: the discovery document of drive.v3 (revision 20261106) and the method references (read 2026-11). Uploads are in
`uploads`, which shares `insert` and `revise` with these; changes and about are in `overview`.
"""

import msgspec
from werkzeug.http import parse_range_header
from werkzeug.wrappers import Request, Response

from sandbox.hosts.google_drive import fields
from sandbox.hosts.google_drive.access import TO_CHANGE, TO_LOOK, TO_READ, TO_WRITE, Viewer
from sandbox.hosts.google_drive.contents import Content, Contents
from sandbox.hosts.google_drive.listing import Wanted, list_files
from sandbox.hosts.google_drive.refusals import DriveRefused, as_json, invalid, not_found
from sandbox.hosts.google_drive.resource import check_written, fresh, has_bytes, merged, shown
from sandbox.hosts.google_drive.tree import FOLDER, Tree, new_id, now_text
from sandbox.store import Document

DEFAULT_FILE = "kind,id,name,mimeType"
_DEFAULT_LIST = f"kind,incompleteSearch,nextPageToken,files({DEFAULT_FILE})"
_MOST_IDS = 1000


class Methods:
    """Each public method answers one call of the API, for a caller already known."""

    def __init__(self, tree: Tree, contents: Contents) -> None:
        self._tree = tree
        self._contents = contents

    def list_files(self, request: Request, viewer: Viewer) -> Response:
        """files.list."""
        viewer.demand("DriveFiles.List", TO_LOOK)
        arguments = request.args
        if arguments.get("corpora", "user") not in ("user", "allDrives", "domain"):
            raise invalid("corpora")
        if arguments.get("spaces", "drive") != "drive":
            raise invalid("spaces")
        wanted = Wanted(
            arguments.get("q", ""),
            arguments.get("orderBy", ""),
            arguments.get("pageToken") or None,
            number(request, "pageSize", 100, 1, 1000),
        )
        files, token = list_files(self._tree, viewer, wanted)
        answer: Document = {"kind": "drive#fileList", "incompleteSearch": False, "files": files}
        if token:
            answer["nextPageToken"] = token
        return as_json(fields.select(answer, request.args.get("fields", _DEFAULT_LIST), fields.FILE_LIST))

    def get_file(self, request: Request, viewer: Viewer, file_id: str) -> Response:
        """files.get: the metadata, or with `alt=media` the bytes."""
        file = self._visible(viewer, file_id)
        if request.args.get("alt", "json") != "media":
            viewer.demand("DriveFiles.Get", TO_LOOK)
            return file_answer(request.args.get("fields"), shown(file, viewer))
        viewer.demand("DriveFiles.Get", TO_READ)
        if not has_bytes(file["mimeType"]):
            raise DriveRefused(
                403,
                "fileNotDownloadable",
                "Only files with binary content can be downloaded. Use Export with Docs Editors files.",
                location="alt",
            )
        return self._bytes_answer(request, file)

    def create_file(self, request: Request, viewer: Viewer) -> Response:
        """files.create without bytes: a folder, or an empty file."""
        return file_answer(request.args.get("fields"), self.insert(viewer, metadata(request.data), None, None))

    def update_file(self, request: Request, viewer: Viewer, file_id: str) -> Response:
        """files.update without bytes."""
        moves = Moves.read(request)
        return file_answer(
            request.args.get("fields"), self.revise(viewer, file_id, metadata(request.data), moves=moves)
        )

    def delete_file(self, request: Request, viewer: Viewer, file_id: str) -> Response:  # noqa: ARG002 - as its siblings
        """files.delete: for good, past the bin."""
        viewer.demand("DriveFiles.Delete", TO_WRITE)
        with self._tree.transaction():
            self._tree.delete(viewer.email, self._writable(viewer, file_id))
        return Response(status=204)

    def generate_ids(self, request: Request, viewer: Viewer) -> Response:
        """files.generateIds."""
        viewer.demand("DriveFiles.GenerateIds", TO_WRITE)
        count = number(request, "count", 10, 1, _MOST_IDS)
        answer = {"kind": "drive#generatedIds", "space": "drive", "ids": [new_id(viewer.email) for _ in range(count)]}
        return as_json(fields.select(answer, request.args.get("fields", "*"), fields.GENERATED_IDS))

    def insert(self, viewer: Viewer, wanted: Document, content: Content | None, content_type: str | None) -> Document:
        """Make a file of metadata and perhaps bytes; answers its full resource."""
        viewer.demand("DriveFiles.Create", TO_WRITE)
        check_written(wanted, is_update=False)
        parents = wanted.get("parents") or ["root"]
        if len(parents) > 1:
            raise invalid("parents", "A file may only have one parent.")
        with self._tree.transaction():
            file = fresh(viewer, wanted, [self._folder(viewer, parents[0])], content_type)
            kept = (content or self._contents.keep(b"")) if has_bytes(file["mimeType"]) else None
            return shown(self._tree.add(viewer.email, file, kept), viewer)

    def revise(
        self,
        viewer: Viewer,
        file_id: str,
        wanted: Document,
        *,
        moves: "Moves",
        content: Content | None = None,
        content_type: str | None = None,
    ) -> Document:
        """Change metadata, folder or bytes of a file; answers its full resource."""
        viewer.demand("DriveFiles.Update", TO_CHANGE if content is None else TO_WRITE)
        check_written(wanted, is_update=True)
        with self._tree.transaction():
            file = self._writable(viewer, file_id)
            changed = merged(file | {"modifiedTime": now_text()}, wanted, viewer)
            changed["parents"] = self._moved(viewer, file, moves)
            if content is not None and "mimeType" not in wanted and content_type:
                changed["mimeType"] = content_type
            return shown(self._tree.change(viewer.email, changed, content), viewer)

    def _bytes_answer(self, request: Request, file: Document) -> Response:
        size = int(file["size"])
        wanted = parse_range_header(request.headers.get("Range"))
        if wanted is None or wanted.units != "bytes":
            return self._part(file, 0, size)
        bounds = wanted.range_for_length(size)
        if bounds is None:
            response = Response(status=416)
            response.headers["Content-Range"] = f"bytes */{size}"
            return response
        response = self._part(file, *bounds)
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {bounds[0]}-{bounds[1] - 1}/{size}"
        return response

    def _part(self, file: Document, start: int, stop: int) -> Response:
        response = Response(self._tree.content(file, start, stop), content_type=file["mimeType"])
        response.content_length = stop - start
        return response

    def _moved(self, viewer: Viewer, file: Document, moves: "Moves") -> list[str]:
        kept = [parent for parent in file["parents"] if parent not in moves.away(self._tree, viewer)]
        added = [self._folder(viewer, parent) for parent in moves.added]
        parents = [*kept, *(parent for parent in added if parent not in kept)]
        if len(parents) > 1:
            raise DriveRefused(403, "cannotAddParent", "Increasing the number of parents is not allowed")
        if any(self._tree.is_inside(viewer.email, parent, file["id"]) for parent in added):
            raise DriveRefused(403, "cyclicParent", "A folder cannot be moved into itself.")
        return parents or [self._tree.resolve(viewer.email, "root")]

    def _folder(self, viewer: Viewer, folder_id: str) -> str:
        """The real id of a folder the caller may put things into."""
        folder = self._tree.get(viewer.email, folder_id)
        if folder["parents"] and not viewer.sees(folder):
            raise not_found(folder_id)
        if folder["mimeType"] != FOLDER:
            raise DriveRefused(403, "parentNotAFolder", "The specified parent is not a folder.")
        return str(folder["id"])

    def _writable(self, viewer: Viewer, file_id: str) -> Document:
        file = self._visible(viewer, file_id)
        viewer.demand_writable(file)
        if not file["parents"]:
            raise DriveRefused(403, "insufficientFilePermissions", "The root folder cannot be changed.")
        return file

    def _visible(self, viewer: Viewer, file_id: str) -> Document:
        file = self._tree.get(viewer.email, file_id)
        if not viewer.sees(file):
            raise not_found(file_id)
        return file


class Moves(msgspec.Struct, frozen=True):
    """`addParents` and `removeParents` of an update."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @classmethod
    def read(cls, request: Request) -> "Moves":
        """The two parameters, commas between ids."""
        return cls(_ids(request, "addParents"), _ids(request, "removeParents"))

    def away(self, tree: Tree, viewer: Viewer) -> set[str]:
        """Real ids of the folders to leave."""
        return {tree.resolve(viewer.email, folder) for folder in self.removed}


def metadata(body: bytes) -> Document:
    """The JSON metadata of a file, empty for an empty body; raises DriveRefused 400."""
    if not body.strip():
        return {}
    try:
        wanted = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DriveRefused(400, "parseError", "Parse Error") from error
    if not isinstance(wanted, dict):
        raise DriveRefused(400, "parseError", "Parse Error")
    return wanted


def number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number among the parameters; raises DriveRefused 400 outside its range."""
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise DriveRefused(
            400,
            "invalidParameter",
            f"Invalid value '{text}'. Values must be within the range: [{least}, {most}]",
            location=name,
        )
    return int(text)


def file_answer(wanted_fields: str | None, resource: Document) -> Response:
    """A file resource cut down to the wanted fields."""
    return as_json(fields.select(resource, wanted_fields or DEFAULT_FILE, fields.FILE))


def _ids(request: Request, name: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in request.args.get(name, "").split(","))))
