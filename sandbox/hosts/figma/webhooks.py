"""Webhooks v2: made, read, changed, deleted, and delivered to receivers on this machine.

Source: npm @figma/rest-api-spec 0.43.0, the paths under /v2/webhooks and its callbacks; developers.figma.com "Webhooks
security" (the passcode in the body, 400 stops a webhook); read 2026-11-21. From memory: three retries. They are not
waited for here: `deliver` is called for each try.
"""

import http.client
import json
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
from werkzeug.wrappers import Request, Response

from sandbox.grants import is_loopback_redirect
from sandbox.hosts.figma.access import Buckets, Viewer
from sandbox.hosts.figma.library import Library
from sandbox.hosts.figma.people import ADA
from sandbox.hosts.figma.refusals import FigmaRefused, as_json
from sandbox.store import Document, Store

EVENTS = (
    "FILE_UPDATE",
    "FILE_VERSION_UPDATE",
    "FILE_DELETE",
    "LIBRARY_PUBLISH",
    "FILE_COMMENT",
    "DEV_MODE_STATUS_UPDATE",
)
SENT = ("FILE_UPDATE", "FILE_VERSION_UPDATE", "FILE_DELETE")  # those that the sandbox can bring about
_MOST = {"team": 20, "project": 5, "file": 3}
_TIMEOUT_S = 5
_PATH = re.compile(r"/v2/webhooks(?:/\d+(?:/requests)?)?")


class Webhooks:
    """A webhook belongs to the app that made it and hangs on a team, a project or a file."""

    def __init__(self, store: Store, library: Library, buckets: Buckets) -> None:
        self._store = store
        self._library = library
        self._buckets = buckets

    def serves(self, path: str) -> bool:
        """Whether a path is one of these calls."""
        return _PATH.fullmatch(path) is not None

    def handle(self, request: Request, viewer: Viewer, path: str) -> Response:
        """Answer a call; raises FigmaRefused."""
        is_read = request.method in ("GET", "HEAD")
        _, _, hook_id, *rest = [*path[1:].split("/"), ""]
        is_list = path == "/v2/webhooks"
        viewer.demand("webhooks:read" if is_read else "webhooks:write", also_old=is_read and not is_list)
        self._buckets.take(viewer, self._library.plan_of(viewer.person), 2)
        if not hook_id:
            return self._all(request, viewer)
        hook = self._own(viewer, hook_id)
        if rest[0] == "requests":
            sent = [row for _, row in self._store.each("deliveries", f"{hook['id']}/")]
            return as_json({"requests": sent})
        if request.method == "PUT":
            hook = self._changed(hook, _body(request))
        elif request.method == "DELETE":
            self._store.delete("webhooks", hook["id"])
        elif request.method != "GET":
            raise FigmaRefused(404, "Not found", "message")
        return as_json(_shown(hook))

    def announce(self, event: str, file: Document) -> int:
        """Tell every active webhook on the file, its folder or its team; answers how many were told."""
        folder = self._library.folder(file["folder"]) or {"id": "", "team": ""}
        places = {("file", file["key"]), ("project", folder["id"]), ("team", folder["team"])}
        told = 0
        for _, hook in list(self._store.each("webhooks")):
            is_meant = hook["event_type"] == event and (hook["context"], hook["context_id"]) in places
            if is_meant and hook["status"] == "ACTIVE":
                self.deliver(hook, _told_of(event, file))
                told += 1
        return told

    def deliver(self, hook: Document, more: Document, event: str | None = None) -> None:
        """Try once to tell a webhook; 400 pauses it for good."""
        payload = {
            "event_type": event or hook["event_type"],
            "passcode": hook["passcode"],
            "timestamp": _now(),
            "webhook_id": hook["id"],
            **more,
        }
        sent_at, status, error = _now(), None, None
        try:
            status = _post(hook["endpoint"], payload)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            error = type(problem).__name__
        number = self._store.next_number("deliveries")
        row = {
            "webhook_id": hook["id"],
            "request_info": {
                "id": str(number),
                "endpoint": hook["endpoint"],
                "payload": payload | {"passcode": ""},
                "sent_at": sent_at,
            },
            "response_info": None if status is None else {"status": str(status), "received_at": _now()},
            "error_msg": error,
        }
        with self._store.transaction():
            self._store.put("deliveries", f"{hook['id']}/{number:012d}", row)
            kept = self._store.get("webhooks", hook["id"])
            if status == 400 and kept is not None:
                self._store.put("webhooks", hook["id"], kept | {"status": "PAUSED"})

    def _all(self, request: Request, viewer: Viewer) -> Response:
        if request.method == "POST":
            return as_json(_shown(self._made(viewer, _body(request))))
        if request.method != "GET":
            raise FigmaRefused(404, "Not found", "message")
        terms = request.args
        if not (terms.get("context") and terms.get("context_id")) and not terms.get("plan_api_id"):
            raise FigmaRefused(400, "Must pass context and context_id, or plan_api_id", "message")
        own = [hook for _, hook in self._store.each("webhooks") if hook["client_id"] == viewer.client_id]
        if terms.get("context"):
            wanted = (terms["context"], terms.get("context_id"))
            own = [hook for hook in own if (hook["context"], hook["context_id"]) == wanted]
        return as_json({"webhooks": [_shown(hook) for hook in own], "pagination": {}})

    def _made(self, viewer: Viewer, body: Mapping[str, object]) -> Document:
        wanted = _checked(body)
        with self._store.transaction():
            team = self._team_of(viewer, wanted["context"], wanted["context_id"])
            place = (wanted["context"], wanted["context_id"])
            beside = [1 for _, each in self._store.each("webhooks") if (each["context"], each["context_id"]) == place]
            if len(beside) >= _MOST[wanted["context"]]:
                raise FigmaRefused(400, "Webhook limit reached for this context", "message")
            hook = wanted | {
                "id": str(600_000 + self._store.next_number("webhooks")),
                "team_id": team["id"] if wanted["context"] == "team" else "",
                "plan_api_id": f"team:{team['id']}",
                "client_id": viewer.client_id,
            }
            self._store.put("webhooks", hook["id"], hook)
        if hook["status"] == "ACTIVE":  # the answer does not wait for the receiver
            threading.Thread(target=self.deliver, args=(hook, {}, "PING"), daemon=True).start()
        return hook

    def _changed(self, hook: Document, body: Mapping[str, object]) -> Document:
        names = ("event_type", "endpoint", "passcode", "status", "description")
        changed = hook | _checked({**hook, **{name: body[name] for name in names if name in body}})
        self._store.put("webhooks", hook["id"], changed)
        return changed

    def _own(self, viewer: Viewer, hook_id: str) -> Document:
        hook = self._store.get("webhooks", hook_id)
        if hook is None or hook["client_id"] != viewer.client_id:
            raise FigmaRefused(404, "Webhook not found", "message")
        return hook

    def _team_of(self, viewer: Viewer, context: str, context_id: str) -> Document:
        """The team behind a place that the caller may watch; raises FigmaRefused."""
        team: Document | None
        if context == "file":
            file = self._library.file(context_id)
            team = self._library.team_of(file) if file else None
        elif context == "project":
            folder = self._library.folder(context_id)
            team = self._library.team(folder["team"]) if folder else None
        else:
            team = self._library.team(context_id)
        if team is None or viewer.person.email not in team["seats"]:
            raise FigmaRefused(403, "Access denied")
        return team


def _told_of(event: str, file: Document) -> Document:
    """What an event says of its file; who did it is not told of mere updates."""
    told: Document = {"file_key": file["key"], "file_name": file["name"]}
    if event != "FILE_UPDATE":
        told["triggered_by"] = ADA.as_user()
    if event == "FILE_VERSION_UPDATE":
        told |= {"created_at": file["lastModified"], "version_id": file["version"], "description": ""}
    return told


def _checked(body: Mapping[str, object]) -> Document:
    """The fields of a webhook in their stored form; raises FigmaRefused."""
    for name in ("event_type", "context", "context_id", "endpoint", "passcode"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise FigmaRefused(400, f"Parameter {name} is required", "message")
    if body["event_type"] not in ("PING", *EVENTS):
        raise FigmaRefused(400, "Invalid event_type", "message")
    if body["context"] not in _MOST:
        raise FigmaRefused(400, "Invalid context", "message")
    if len(str(body["passcode"])) > 100:
        raise FigmaRefused(400, "passcode must be at most 100 characters", "message")
    if not is_loopback_redirect(str(body["endpoint"])):
        raise FigmaRefused(400, "Invalid endpoint", "message")
    if body.get("status", "ACTIVE") not in ("ACTIVE", "PAUSED"):
        raise FigmaRefused(400, "Invalid status", "message")
    names = ("event_type", "context", "context_id", "endpoint", "passcode")
    own = {name: body[name] for name in names}
    return own | {"status": body.get("status", "ACTIVE"), "description": body.get("description")}


def _shown(hook: Document) -> Document:
    """A webhook as answers show it: never its passcode."""
    return hook | {"passcode": ""}


def _body(request: Request) -> dict[str, object]:
    try:
        body = msgspec.json.decode(request.get_data())
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict):
        raise FigmaRefused(400, "Request body must be JSON", "message")
    return body


def _post(endpoint: str, payload: Document) -> int:
    """The status that a receiver answers with."""
    parts = urlsplit(endpoint)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("POST", target, json.dumps(payload), {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
