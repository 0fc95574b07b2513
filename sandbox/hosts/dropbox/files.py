"""The functions of the `files` namespace on single entries: look, make, upload, download, delete.

Source: files.stone of github.com/dropbox/dropbox-api-spec, 2026-08-05. Lists are in `listing`, large uploads in
`uploads`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from werkzeug.wrappers import Response

from sandbox.hosts.dropbox.call import Call
from sandbox.hosts.dropbox.commit import CommitInfo, committed
from sandbox.hosts.dropbox.contents import Contents, hash_of
from sandbox.hosts.dropbox.metadata import gone, shown, tagged
from sandbox.hosts.dropbox.paths import demand_allowed, folded
from sandbox.hosts.dropbox.refusals import Problem, as_json, bad_request, failed, stamped, upload_failed
from sandbox.hosts.dropbox.tree import Names, Tree
from sandbox.hosts.dropbox.uploads import MOST_PER_REQUEST, Uploads
from sandbox.store import Document

ReadPath = Annotated[str, msgspec.Meta(pattern=r"(?s)\A(/.*|id:.*|rev:[0-9a-f]{9,}|ns:[0-9]+(/.*)?)?\Z")]
WritePath = Annotated[str, msgspec.Meta(pattern=r"(?s)\A(/.*|ns:[0-9]+(/.*)?)\Z")]
WritePathOrId = Annotated[str, msgspec.Meta(pattern=r"(?s)\A(/.*|id:.*|ns:[0-9]+(/.*)?)\Z")]


class GetMetadataArg(msgspec.Struct, forbid_unknown_fields=True):
    path: ReadPath
    include_media_info: bool = False
    include_deleted: bool = False
    include_has_explicit_shared_members: bool = False
    include_property_groups: Document | None = None


class CreateFolderArg(msgspec.Struct, forbid_unknown_fields=True):
    path: WritePath
    autorename: bool = False


class DeleteArg(msgspec.Struct, forbid_unknown_fields=True):
    path: WritePathOrId
    parent_rev: str | None = None


class DownloadArg(msgspec.Struct, forbid_unknown_fields=True):
    path: ReadPath
    rev: str | None = None


class UploadArg(CommitInfo, forbid_unknown_fields=True):
    content_hash: str | None = None


class Files:
    """Each public method answers one function, for a caller already known."""

    def __init__(self, tree: Tree, kept: Contents, uploads: Uploads) -> None:
        self._tree = tree
        self._contents = kept
        self._uploads = uploads

    def get_metadata(self, call: Call) -> Response:
        """files/get_metadata."""
        wanted = call.read(GetMetadataArg)
        if wanted.path == "":
            raise bad_request("request body: path: The root folder is unsupported.")
        with _told("path"):
            tree, names = call.locate(wanted.path, self._tree)
            entry = self._tree.find(tree, names)
            if entry is None and wanted.include_deleted and (past := self._gone(tree, names)):
                return as_json(gone(call, past["name"], (*names[:-1], past["name"])))
            if entry is None or not names:
                raise Problem("not_found")
        return as_json(tagged(call, entry, self._tree.names_of(entry)))

    def create_folder(self, call: Call) -> Response:
        """files/create_folder_v2."""
        wanted = call.read(CreateFolderArg)
        with _told("path"):
            tree, names = call.locate(wanted.path, self._tree)
            demand_allowed(names)
            if not names:
                raise Problem("conflict", "folder")
            folder = self._tree.make_folder(tree, names, autorename=wanted.autorename)
        return as_json({"metadata": shown(call, folder, self._tree.names_of(folder))})

    def delete(self, call: Call) -> Response:
        """files/delete_v2."""
        wanted = call.read(DeleteArg)
        with self._tree.transaction():
            entry, names = self._existing(call, wanted.path, "path_lookup")
            if wanted.parent_rev is not None and entry.get("rev") != wanted.parent_rev:
                raise failed("path_write", "conflict", entry["tag"])
            self._tree.delete(entry)
        return as_json({"metadata": tagged(call, entry, names)})

    def upload(self, call: Call) -> Response:
        """files/upload: bytes that cannot be saved where they were meant to go wait in a session."""
        wanted = call.read(UploadArg)
        if len(call.body) > MOST_PER_REQUEST:
            raise failed("payload_too_large")
        if wanted.content_hash is not None and wanted.content_hash != hash_of(call.body):
            raise failed("content_hash_mismatch")
        key = self._uploads.stash(call)
        try:
            with self._tree.transaction():
                entry = committed(call, self._tree, self._contents, wanted, key)
        except Problem as problem:
            raise upload_failed(problem, self._uploads.session_for(call, key)) from problem
        return as_json(shown(call, entry, self._tree.names_of(entry)))

    def download(self, call: Call) -> Response:
        """files/download: the metadata stand in a header."""
        wanted = call.read(DownloadArg)
        entry, names = self._existing(call, wanted.path, "path")
        if entry["tag"] != "file":
            raise failed("path", "not_file")
        about = json.dumps(shown(call, entry, names))  # a header is pure ASCII
        response = Response(self._contents.of(entry), content_type="application/octet-stream")
        response.content_length = entry["size"]
        response.headers["Dropbox-API-Result"] = about
        response.headers["ETag"] = f'W/"{entry["rev"]}"'
        return stamped(response)

    def _existing(self, call: Call, path: str, tag: str) -> tuple[Document, Names]:
        with _told(tag):
            tree, names = call.locate(path, self._tree)
            entry = self._tree.find(tree, names)
            if entry is None or not names:
                raise Problem("not_found")
        return entry, self._tree.names_of(entry)

    def _gone(self, tree: str, names: Names) -> Document | None:
        above = self._tree.find(tree, names[:-1])
        if above is None:
            return None
        wanted = folded(names[-1])
        return next((each for each in self._tree.deleted(above["id"]) if folded(each["name"]) == wanted), None)


@contextmanager
def _told(tag: str) -> Iterator[None]:
    """Answer a problem with a path in the union of the called function."""
    try:
        yield
    except Problem as problem:
        raise failed(tag, *problem.tags) from problem
