"""Assets: pictures that a user uploads, the jobs that take them in, and what can be done with them afterwards.

Sources: REST reference "Assets" (formats, 50 MB), "Create asset upload job", "Get asset", "Update asset", "Delete
asset" (read 2026-11-21). HEIC and films are not taken here. What a full library answers is published nowhere; the code
is the platform's own, the moment and the status are assumed.
"""

import time
from base64 import b64decode

import msgspec
from werkzeug.wrappers import Request

from sandbox.hosts.canva.access import Caller
from sandbox.hosts.canva.delivery import Delivery
from sandbox.hosts.canva.jobs import UPLOAD, Jobs, begun, unfinished
from sandbox.hosts.canva.people import Person, scrambled
from sandbox.hosts.canva.refusals import CanvaRefused
from sandbox.store import Document, Store

LONGEST_NAME = 50  # characters as Java and JavaScript count them: UTF-16 units
_MOST_BYTES = 50 * 1024 * 1024
_METADATA = "Asset-Upload-Metadata"


class Change(msgspec.Struct, frozen=True):
    """The body of an update; what is absent stays."""

    name: str | None = None
    tags: list[str] | None = None


class Assets:
    """The uploads of everybody."""

    def __init__(self, store: Store, jobs: Jobs, delivery: Delivery) -> None:
        self._store = store
        self._jobs = jobs
        self._delivery = delivery

    def begin_upload(self, request: Request, caller: Caller) -> Document:
        """Take the picture and start a job; raises CanvaRefused for a wrong head, the rest is for the job to say.

        The picture is there at once, whether or not somebody looks at the job.
        """
        if request.mimetype != "application/octet-stream":
            raise CanvaRefused(
                400, "invalid_header_value", f"Content-Type {request.mimetype} is invalid for /v1/asset-uploads"
            )
        name = _name_in(request.headers.get(_METADATA))
        content = request.get_data()
        self._check_room(caller, len(content))
        asset_id = f"M{scrambled(f'{time.time_ns()}:{caller.email}', 10)}"
        with self._store.transaction():
            job = self._jobs.begin(UPLOAD, caller, {"asset": asset_id}, _problem_of(content))
            if job.error is None:
                self._take_in(asset_id, name, content, caller)
        return begun(job)

    def look(self, job_id: str, caller: Caller) -> Document:
        """The job, with the asset once it is taken in; raises CanvaRefused."""
        job = self._jobs.look(UPLOAD, job_id, caller)
        shown = unfinished(job)
        if shown is None:
            asset = self.visible(job.outcome["asset"], caller)
            shown = {"id": job.id, "status": "success", "asset": self.shown(asset, caller.client_id)}
        return {"job": shown}

    def of(self, caller: Caller) -> list[Document]:
        """All assets of an account."""
        return [asset for _, asset in self._store.each("assets") if asset["account"] == caller.email]

    def visible(self, asset_id: str, caller: Caller) -> Document:
        """The asset, if it is the caller's own; raises CanvaRefused 404 or 403."""
        asset = self._store.get("assets", asset_id)
        if asset is None:
            raise CanvaRefused(404, "asset_not_found", "Asset not found")
        if asset["account"] != caller.email:
            raise CanvaRefused(403, "permission_denied", "Not allowed to access this asset")
        return asset

    def update(self, asset_id: str, body: bytes, caller: Caller) -> Document:
        """Change name or tags; raises CanvaRefused."""
        asset = self.visible(asset_id, caller)
        try:
            change = msgspec.json.decode(body, type=Change)
        except msgspec.DecodeError:
            raise CanvaRefused(400, "bad_request_body", "The request body is not valid") from None
        if change.name is not None:
            _check_name(change.name)
        changes = {name: value for name, value in msgspec.to_builtins(change).items() if value is not None}
        changed = asset | changes | {"updated_at": int(time.time())}
        self._store.put("assets", asset_id, changed)
        return changed

    def delete(self, asset_id: str, caller: Caller) -> None:
        """Move it to the trash, where an app no longer finds it; raises CanvaRefused."""
        self.visible(asset_id, caller)
        self._store.delete("assets", asset_id)

    def shown(self, asset: Document, client_id: str) -> Document:
        """Canva's `Asset`."""
        size = (asset["width"], asset["height"])
        return {
            "type": "image",
            "id": asset["id"],
            "name": asset["name"],
            "tags": asset["tags"],
            "owner": Person(asset["account"]).as_owner(client_id),
            "created_at": asset["created_at"],
            "updated_at": asset["updated_at"],
            "thumbnail": self._delivery.thumbnail(asset["id"], *size),
            "metadata": {"type": "image", "width": size[0], "height": size[1], "smart_tags": []},
        }

    def set_room(self, email: str, size_bytes: int) -> None:
        """Limit what an account may keep."""
        self._store.put("rooms", email, {"bytes": size_bytes})

    def _check_room(self, caller: Caller, size_bytes: int) -> None:
        room = self._store.get("rooms", caller.email)
        if room is None:
            return
        if sum(asset["size"] for asset in self.of(caller)) + size_bytes > room["bytes"]:
            raise CanvaRefused(403, "quota_exceeded", "The storage quota of the user has been exceeded")

    def _take_in(self, asset_id: str, name: str, content: bytes, caller: Caller) -> None:
        from sandbox.hosts.canva.drawing import measured

        _, width, height = measured(content) or ("", 0, 0)
        now = int(time.time())
        asset: Document = {
            "id": asset_id,
            "number": self._store.next_number("assets"),
            "account": caller.email,
            "name": name,
            "tags": [],
            "width": width,
            "height": height,
            "size": len(content),
            "created_at": now,
            "updated_at": now,
        }
        self._store.put_blob(f"asset/{asset_id}", content)
        self._store.put("assets", asset_id, asset)


def _name_in(metadata: str | None) -> str:
    if metadata is None:
        raise CanvaRefused(400, "invalid_request", f"missing required header {_METADATA}")
    try:
        name = b64decode(msgspec.json.decode(metadata, type=dict[str, str])["name_base64"], validate=True).decode()
    except (ValueError, KeyError):
        raise CanvaRefused(400, "invalid_header_value", f"{_METADATA} is not valid") from None
    _check_name(name)
    return name


def _check_name(name: str) -> None:
    if not name or len(name.encode("utf-16-le")) // 2 > LONGEST_NAME:
        raise CanvaRefused(400, "invalid_field", f"'name' must have between 1 and {LONGEST_NAME} characters")


def _problem_of(content: bytes) -> str | None:
    from sandbox.hosts.canva.drawing import measured

    if len(content) >= _MOST_BYTES:
        return "file_too_big"
    return None if measured(content) else "import_failed"
