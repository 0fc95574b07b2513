"""Bytes on their way in: simple, multipart and resumable uploads.

Source: Drive guide "Upload file data" (read 2026-11). What becomes of metadata and bytes is in `methods`.
"""

import re
import secrets
import time
from base64 import b64decode
from binascii import Error as NotBase64
from email.parser import BytesParser
from email.policy import HTTP

import msgspec
from werkzeug.http import parse_options_header
from werkzeug.wrappers import Request, Response

from sandbox.grants import digest_of
from sandbox.hosts.google_drive.access import TO_WRITE, Viewer
from sandbox.hosts.google_drive.contents import Content, Contents
from sandbox.hosts.google_drive.methods import Methods, Moves, file_answer, metadata
from sandbox.hosts.google_drive.people import Person
from sandbox.hosts.google_drive.refusals import DriveRefused
from sandbox.hosts.google_drive.resource import BINARY, check_written
from sandbox.hosts.google_drive.tree import Tree
from sandbox.store import Document, Store

SIMPLE_LIMIT = 5 * 1024 * 1024
CHUNK_STEP = 256 * 1024
SESSION_LIFETIME_S = 7 * 24 * 3600.0
_RANGE = re.compile(r"bytes (?:(?P<first>\d{1,15})-(?P<last>\d{1,15})|\*)/(?P<total>\d{1,15}|\*)")


class Session(msgspec.Struct, frozen=True):
    """A resumable upload under way; `file_id` is set when it replaces a file, `answer` once it is complete."""

    email: str
    client_id: str
    scopes: tuple[str, ...]
    wanted: Document
    moves: Moves
    content_type: str
    expires_at: float
    file_id: str | None = None
    fields: str | None = None
    total: int | None = None
    received: int = 0
    answer: Document | None = None

    @property
    def viewer(self) -> Viewer:
        """Who began it: the session address carries that authority."""
        return Viewer(Person(self.email), self.client_id, frozenset(self.scopes))


class Uploads:
    """All kinds of upload; `file_id` None makes a file, else replaces the bytes of one."""

    def __init__(self, store: Store, tree: Tree, methods: Methods, contents: Contents) -> None:
        self._store = store
        self._tree = tree
        self._methods = methods
        self._contents = contents

    def begin(self, request: Request, viewer: Viewer, file_id: str | None) -> Response:
        """The first (often only) request of an upload, by its `uploadType`."""
        match request.args.get("uploadType"):
            case "media":
                return self._simple(request, viewer, file_id)
            case "multipart":
                return self._multipart(request, viewer, file_id)
            case "resumable":
                return self._open_session(request, viewer, file_id)
        raise DriveRefused(400, "badRequest", "Bad Request: uploadType must be media, multipart or resumable.")

    def go_on(self, request: Request) -> Response:
        """A chunk, a question about the status, or the end of a session."""
        upload_id = request.args.get("upload_id", "")
        with self._store.transaction():
            found = self._store.get("uploads", digest_of(upload_id))
            session = msgspec.convert(found, Session) if found else None
            if session is None or session.expires_at <= time.time():
                return Response("Not Found", 404, content_type="text/plain; charset=utf-8")
            if request.method == "DELETE":
                self._drop(digest_of(upload_id), session)
                return Response(status=499)
            if session.answer is not None:
                return file_answer(session.fields, session.answer)
            return self._take(request, digest_of(upload_id), session)

    def lose_all(self) -> int:
        """Forget every session, as the platform may at any time; answers how many."""
        lost = list(self._store.each("uploads"))
        for key, found in lost:
            self._drop(key, msgspec.convert(found, Session))
        return len(lost)

    def _simple(self, request: Request, viewer: Viewer, file_id: str | None) -> Response:
        _demand_simple_size(len(request.data))
        content_type = request.mimetype or BINARY
        return self._finish(request, viewer, file_id, {}, request.data, content_type)

    def _multipart(self, request: Request, viewer: Viewer, file_id: str | None) -> Response:
        wanted, content_type, content = _related_parts(request)
        _demand_simple_size(len(content))
        return self._finish(request, viewer, file_id, wanted, content, content_type)

    def _finish(
        self,
        request: Request,
        viewer: Viewer,
        file_id: str | None,
        wanted: Document,
        content: bytes,
        content_type: str,
    ) -> Response:
        with self._store.transaction():
            kept = self._contents.keep(content)
            resource = self._stored(viewer, file_id, wanted, Moves.read(request), kept, content_type)
        return file_answer(request.args.get("fields"), resource)

    def _stored(
        self, viewer: Viewer, file_id: str | None, wanted: Document, moves: Moves, content: Content, content_type: str
    ) -> Document:
        if file_id is None:
            return self._methods.insert(viewer, wanted, content, content_type)
        return self._methods.revise(viewer, file_id, wanted, moves=moves, content=content, content_type=content_type)

    def _open_session(self, request: Request, viewer: Viewer, file_id: str | None) -> Response:
        viewer.demand("DriveFiles.Create", TO_WRITE)
        wanted = metadata(request.data)
        check_written(wanted, is_update=file_id is not None)
        announced = request.headers.get("X-Upload-Content-Length")
        if announced is not None and not (announced.isascii() and announced.isdigit() and len(announced) < 16):
            raise DriveRefused(400, "badRequest", "Invalid X-Upload-Content-Length header.")
        self._tree.demand_space(viewer.email, int(announced or 0))
        session = Session(
            viewer.email,
            viewer.client_id,
            tuple(sorted(viewer.scopes)),
            wanted,
            Moves.read(request),
            request.headers.get("X-Upload-Content-Type", BINARY),
            time.time() + SESSION_LIFETIME_S,
            file_id,
            request.args.get("fields"),
            int(announced) if announced is not None else None,
        )
        upload_id = "ABPnz" + secrets.token_urlsafe(48)
        self._save(digest_of(upload_id), session)
        response = Response(status=200)
        response.headers["Location"] = (
            f"https://www.googleapis.com{_target(file_id)}?uploadType=resumable&upload_id={upload_id}"
        )
        response.headers["X-GUploader-UploadID"] = upload_id
        return response

    def _take(self, request: Request, key: str, session: Session) -> Response:
        """One PUT of a session, inside a transaction: store what is new, finish when all is there."""
        first, last, total = _content_range(request, session)
        if total is not None and session.total is not None and total != session.total:
            raise _bad_range(f"the total of {total} bytes differs from the announced {session.total}")
        total = session.total if total is None else total
        if first is None or last is None:
            whole = total == 0 and session.received == 0
            return self._complete(key, session) if whole else _incomplete(session)
        _check_chunk(request.data, session, first, last, total)
        fresh = request.data[session.received - first :]
        if fresh:
            self._contents.put(key, session.received, fresh)
        session = msgspec.structs.replace(session, received=max(session.received, last + 1), total=total)
        if total is not None and session.received == total:
            return self._complete(key, session)
        self._save(key, session)
        return _incomplete(session)

    def _complete(self, key: str, session: Session) -> Response:
        content = self._contents.described(key)
        resource = self._stored(
            session.viewer, session.file_id, session.wanted, session.moves, content, session.content_type
        )
        self._save(key, msgspec.structs.replace(session, answer=resource))
        return file_answer(session.fields, resource)

    def _save(self, key: str, session: Session) -> None:
        self._store.put("uploads", key, msgspec.to_builtins(session))

    def _drop(self, key: str, session: Session) -> None:
        self._store.delete("uploads", key)
        if session.answer is None:  # else the bytes are a file's
            self._contents.forget(key)


def _target(file_id: str | None) -> str:
    return "/upload/drive/v3/files" + (f"/{file_id}" if file_id else "")


def _demand_simple_size(size: int) -> None:
    if size > SIMPLE_LIMIT:
        raise DriveRefused(413, "uploadTooLarge", "Request Too Large: use a resumable upload above 5 MB.")


def _content_range(request: Request, session: Session) -> tuple[int | None, int | None, int | None]:
    """First and last byte (None in a status query) and the total (None while unknown) of a PUT."""
    text = request.headers.get("Content-Range")
    size = len(request.data)
    if text is None:  # the rest in one go
        end = session.received + size
        return (session.received, end - 1, end) if size else (None, None, end)
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise _bad_range("Failed to parse Content-Range header")
    total = None if match["total"] == "*" else int(match["total"])
    if match["first"] is None:
        return None, None, total
    return int(match["first"]), int(match["last"]), total


def _check_chunk(content: bytes, session: Session, first: int, last: int, total: int | None) -> None:
    if last - first + 1 != len(content) or not content:
        raise _bad_range(f"the Content-Range names {last - first + 1} bytes, the request has {len(content)}")
    if first > session.received:
        raise _bad_range(
            f"the upload offset is {first} byte(s), which exceeds already uploaded size of {session.received} byte(s)"
        )
    if total is not None and last >= total:
        raise _bad_range("the range ends beyond the total")
    is_final = total is not None and last + 1 == total
    if not is_final and len(content) % CHUNK_STEP:
        raise _bad_range(f"the chunk of {len(content)} bytes is not a multiple of {CHUNK_STEP}")


def _bad_range(why: str) -> DriveRefused:
    return DriveRefused(400, "badRequest", f"Invalid request. {why}.")


def _incomplete(session: Session) -> Response:
    response = Response(status="308 Resume Incomplete")
    response.headers["Content-Length"] = "0"
    if session.received:
        response.headers["Range"] = f"bytes=0-{session.received - 1}"
    return response


def _related_parts(request: Request) -> tuple[Document, str, bytes]:
    """Metadata, media type and bytes of a multipart/related body (RFC 2387); raises DriveRefused 400."""
    kind, options = parse_options_header(request.headers.get("Content-Type"))
    boundary = options.get("boundary", "")
    if kind != "multipart/related" or not boundary:
        raise _malformed()
    parts = _split(request.data, boundary.encode("latin-1", "replace"))
    if len(parts) != 2:
        raise _malformed()
    (_, about), (content_type, content) = parts
    return metadata(about), content_type or BINARY, content


def _split(body: bytes, boundary: bytes) -> list[tuple[str, bytes]]:
    """(media type, decoded bytes) of each part; lines end in CRLF or, as some clients write them, in LF alone."""
    opening = re.search(rb"(?:\A|\n)--" + re.escape(boundary) + rb"[ \t]*(\r?\n)", body)
    if opening is None:
        raise _malformed()
    newline = opening[1]
    delimiter = newline + b"--" + boundary
    pieces = (newline + body[opening.end() :]).split(delimiter)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise _malformed()
    return [_part(piece, newline, is_first=index == 0) for index, piece in enumerate(pieces[:-1])]


def _part(piece: bytes, newline: bytes, *, is_first: bool) -> tuple[str, bytes]:
    start = 0 if is_first else piece.find(newline)  # white space may follow a delimiter
    if start < 0 or piece[:start].strip():
        raise _malformed()
    rest = piece[start:]
    head, gap, content = rest.partition(newline * 2)
    if not gap:
        raise _malformed()
    headers = BytesParser(policy=HTTP).parsebytes(head.lstrip(b"\r\n") + b"\r\n\r\n", headersonly=True)
    if str(headers.get("Content-Transfer-Encoding", "")).lower() == "base64":
        try:
            content = b64decode(content)
        except NotBase64 as error:
            raise _malformed() from error
    return str(headers.get("Content-Type", "")), content


def _malformed() -> DriveRefused:
    return DriveRefused(400, "badContent", "Malformed multipart body.")
