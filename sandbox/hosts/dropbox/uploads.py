"""Upload sessions: begun, fed with chunks in order or in any order, and finished with a commit.

Source: the upload_session routes of files.stone (2026-08-05). What a commit does is in `commit`.
"""

import secrets
import time
from typing import Annotated

import msgspec
from werkzeug.wrappers import Response

from sandbox.hosts.dropbox.call import Call
from sandbox.hosts.dropbox.commit import CommitInfo, committed
from sandbox.hosts.dropbox.contents import HASH_BLOCK, Contents, hash_of, new_key
from sandbox.hosts.dropbox.metadata import shown
from sandbox.hosts.dropbox.refusals import DropboxRefused, Problem, as_json, failed
from sandbox.hosts.dropbox.tree import Tree
from sandbox.store import Document, Store

MOST_PER_REQUEST = 150 * 1024 * 1024
LARGEST_FILE = 2**41 - 2**22
LIFETIME_S = 7 * 24 * 3600.0

Offset = Annotated[int, msgspec.Meta(ge=0)]


class Cursor(msgspec.Struct, forbid_unknown_fields=True):
    session_id: str
    offset: Offset


class StartArg(msgspec.Struct, forbid_unknown_fields=True):
    close: bool = False
    session_type: str | Document | None = None
    content_hash: str | None = None

    def is_concurrent(self) -> bool:
        """Whether chunks will come in any order."""
        kind = self.session_type
        return (kind if isinstance(kind, str) else (kind or {}).get(".tag")) == "concurrent"


class AppendArg(msgspec.Struct, forbid_unknown_fields=True):
    cursor: Cursor
    close: bool = False
    content_hash: str | None = None


class FinishArg(msgspec.Struct, forbid_unknown_fields=True):
    cursor: Cursor
    commit: CommitInfo
    content_hash: str | None = None


class Session(msgspec.Struct, frozen=True):
    """An upload under way; its bytes are kept under `key`. `received` counts what has come, in any order."""

    account: str
    client_id: str
    key: str
    expires_at: float
    received: int = 0
    is_concurrent: bool = False
    is_closed: bool = False
    is_spent: bool = False


class Uploads:
    """All upload sessions."""

    def __init__(self, store: Store, tree: Tree, kept: Contents) -> None:
        self._store = store
        self._tree = tree
        self._contents = kept

    def start(self, call: Call) -> Response:
        """files/upload_session/start."""
        wanted = call.read(StartArg)
        _check_body(call.body, wanted.content_hash)
        if wanted.is_concurrent() and call.body:
            raise failed("concurrent_session_data_not_allowed")
        if wanted.is_concurrent() and wanted.close:
            raise failed("concurrent_session_close_not_allowed")
        session_id = self._open(call, self.stash(call), len(call.body), wanted)
        return as_json({"session_id": session_id})

    def append(self, call: Call) -> Response:
        """files/upload_session/append_v2: answers `null`."""
        wanted = call.read(AppendArg)
        _check_body(call.body, wanted.content_hash)
        with self._store.transaction():
            session = self._found(call, wanted.cursor)
            if session.is_closed:
                raise failed("closed")
            session = self._fed(session, wanted.cursor.offset, call.body, is_last=wanted.close)
            self._save(wanted.cursor.session_id, msgspec.structs.replace(session, is_closed=wanted.close))
        return as_json(None)

    def finish(self, call: Call) -> Response:
        """files/upload_session/finish: the last bytes and the commit; a refused commit may be tried again."""
        wanted = call.read(FinishArg)
        _check_body(call.body, wanted.content_hash)
        session_id = wanted.cursor.session_id
        try:
            with self._store.transaction():
                session = self._found(call, wanted.cursor)
                session = self._complete(session, wanted.cursor.offset, call.body)
                self._save(session_id, session)
        except DropboxRefused as refusal:
            raise _lookup_failed(refusal) from refusal
        try:
            with self._store.transaction():
                entry = committed(call, self._tree, self._contents, wanted.commit, session.key)
                self._save(session_id, msgspec.structs.replace(session, is_spent=True))
        except Problem as problem:
            raise failed("path", *problem.tags) from problem
        return as_json(shown(call, entry, self._tree.names_of(entry)))

    def stash(self, call: Call) -> str:
        """Keep the body of a call; answers the key of the content."""
        key = new_key()
        self._contents.put(key, 0, call.body)
        return key

    def session_for(self, call: Call, key: str) -> str:
        """A session that holds a stashed body, for a commit to be tried again."""
        return self._open(call, key, len(call.body), StartArg(close=True))

    def lose_all(self) -> int:
        """Forget every session, as if seven days had passed; answers how many."""
        sessions = list(self._store.each("sessions"))
        for session_id, found in sessions:
            self._store.delete("sessions", session_id)
            if not found["is_spent"]:
                self._contents.forget(found["key"])
        return len(sessions)

    def _open(self, call: Call, key: str, received: int, wanted: StartArg) -> str:
        session_id = f"pid_upload_session:{secrets.token_urlsafe(32)}"
        session = Session(
            call.person.email,
            call.client_id,
            key,
            time.time() + LIFETIME_S,
            received,
            wanted.is_concurrent(),
            wanted.close,
        )
        self._save(session_id, session)
        return session_id

    def _found(self, call: Call, cursor: Cursor) -> Session:
        found = self._store.get("sessions", cursor.session_id)
        session = msgspec.convert(found, Session) if found else None
        is_own = session is not None and (session.account, session.client_id) == (call.person.email, call.client_id)
        if session is None or not is_own or session.expires_at <= time.time():
            raise failed("not_found")
        if session.is_spent:
            raise failed("closed")
        return session

    def _fed(self, session: Session, offset: int, body: bytes, *, is_last: bool) -> Session:
        """The session with more bytes; raises DropboxRefused for a wrong offset."""
        if session.is_concurrent:
            return self._fed_anywhere(session, offset, body, is_last=is_last)
        if offset != session.received:
            raise failed("incorrect_offset", correct_offset=session.received)
        if session.received + len(body) > LARGEST_FILE:
            raise failed("too_large")
        self._contents.put(session.key, offset, body)
        return msgspec.structs.replace(session, received=session.received + len(body))

    def _fed_anywhere(self, session: Session, offset: int, body: bytes, *, is_last: bool) -> Session:
        if offset % HASH_BLOCK:
            raise failed("concurrent_session_invalid_offset")
        if len(body) % HASH_BLOCK and not is_last:
            raise failed("concurrent_session_invalid_data_size")
        is_new = bool(body) and not self._contents.has(session.key, offset)
        self._contents.put(session.key, offset, body)
        return msgspec.structs.replace(session, received=session.received + (len(body) if is_new else 0))

    def _complete(self, session: Session, offset: int, body: bytes) -> Session:
        """The session with the last bytes, ready for the commit."""
        if session.is_concurrent:
            if body:
                raise failed("concurrent_session_data_not_allowed")
            if not session.is_closed:
                raise failed("concurrent_session_not_closed")
            if session.received != offset:
                raise failed("concurrent_session_missing_data")
            return session
        if session.is_closed and (body or offset != session.received):
            if offset != session.received:
                raise failed("incorrect_offset", correct_offset=session.received)
            raise failed("closed")
        return self._fed(session, offset, body, is_last=True)

    def _save(self, session_id: str, session: Session) -> None:
        self._store.put("sessions", session_id, msgspec.to_builtins(session))


def _check_body(body: bytes, content_hash: str | None) -> None:
    if len(body) > MOST_PER_REQUEST:
        raise failed("payload_too_large")
    if content_hash is not None and content_hash != hash_of(body):
        raise failed("content_hash_mismatch")


def _lookup_failed(refusal: DropboxRefused) -> DropboxRefused:
    """What is wrong with the session, in the union of `finish`."""
    if refusal.summary.startswith("concurrent_session_") or refusal.error is None:
        return refusal
    error = {".tag": "lookup_failed", "lookup_failed": refusal.error}
    return DropboxRefused(409, summary=f"lookup_failed/{refusal.summary}", error=error)
