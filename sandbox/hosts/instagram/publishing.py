"""Publishing on Instagram: containers, what becomes of them, the publish call and its daily quota.

Sources: "Content Publishing", "IG Container", "IG User Media", "Error Codes" (read 2026-11-21). That a container which
is already published is refused with 24/2207008 is an inference from the last: its subcode is "does not exist or has
been expired".
"""

import io
import time
from datetime import UTC, datetime

from werkzeug.wrappers import Request

from sandbox.graph_api import GraphRefused, graph_time, invalid, parameter, select, unknown_object
from sandbox.graph_fetching import Unfetchable, fetch
from sandbox.graph_pictures import keep
from sandbox.hosts.instagram.access import PUBLISH, Caller
from sandbox.hosts.instagram.accounts import Account, media_key, next_place, post
from sandbox.platform import ControlRefused
from sandbox.store import Document, Store

QUOTA_TOTAL = 100
_QUOTA_DURATION_S = 86_400
_CONTAINER_LIFETIME_S = 86_400
_LARGEST_BYTES = 8 * 1024 * 1024
_LONGEST_CAPTION = 2_200
_FIRST_CONTAINER_ID = 17_980_000_000_000_000
_CONTAINER_FIELDS = frozenset({"id", "status", "status_code"})
_LIMIT_FIELDS = frozenset({"config", "quota_usage"})
_OUTCOMES = ("ERROR", "EXPIRED")


class Publishing:
    """The calls `media`, `media_publish`, `content_publishing_limit`, and the container as a node."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, request: Request, caller: Caller) -> Document:
        """POST /<ig id>/media: fetch and judge the picture, then a container that is not ready yet."""
        caller.demand(PUBLISH)
        address, caption = parameter(request, "image_url"), parameter(request, "caption")
        if parameter(request, "media_type", "IMAGE") != "IMAGE" or not address:
            raise _refused(100, 2207023, "The media type is unknown.", "Invalid media type")
        if len(caption) > _LONGEST_CAPTION:
            raise _refused(36004, 2207010, "The submitted caption is too long.", "Caption too long")
        picture = _fetched(address, caller.hub)
        _judge(picture)
        with self._store.transaction():
            number = self._store.next_number("containers")
            container_id = str(_FIRST_CONTAINER_ID + number)
            keep(self._store, f"container_{container_id}", picture)
            container = {
                "id": container_id,
                "owner": caller.account.user_id,
                "caption": caption,
                "alt_text": parameter(request, "alt_text"),
                "made_at": time.time(),
                "looks": 0,
                "published": None,
            }
            self._store.put("containers", container_id, container | self._take_outcome())
        return {"id": container_id}

    def look(self, request: Request, caller: Caller, container_id: str) -> Document | None:
        """GET /<container id>: ready from the second look on; None for what is no container."""
        with self._store.transaction():
            container = self._store.get("containers", container_id)
            if container is None:
                return None
            if container["owner"] != caller.account.user_id:
                raise unknown_object(request, container_id, "IGApiException")
            status_code = _status_code(container)
            self._store.put("containers", container_id, container | {"looks": container["looks"] + 1})
        node = {"id": container_id, "status_code": status_code, "status": _status(container, status_code)}
        return select(node, request.args.get("fields", ""), _CONTAINER_FIELDS, "id")

    def publish(self, request: Request, caller: Caller) -> Document:
        """POST /<ig id>/media_publish: a container becomes a post, once."""
        caller.demand(PUBLISH)
        container_id = parameter(request, "creation_id")
        if not container_id:
            raise invalid("The parameter creation_id is required.")
        with self._store.transaction():
            container = self._store.get("containers", container_id)
            if container is None or container["owner"] != caller.account.user_id or container["published"]:
                raise _gone(container_id)
            status_code = _status_code(container)
            if status_code == "EXPIRED":
                raise _gone(container_id)
            if status_code != "FINISHED":
                text = "The media is not ready for publishing, please wait for a moment"
                raise _refused(9007, 2207027, "Media ID is not available", "Media not ready", text)
            if self.used(caller.account) >= QUOTA_TOTAL:
                text = "You reached maximum number of posts that is allowed to be published by Content Publishing API."
                raise _refused(9, 2207042, "Application request limit reached", "Too many posts", text)
            media = self._posted(caller.account, container)
            self._store.put("containers", container_id, container | {"published": media["id"]})
        return {"id": media["id"]}

    def limit(self, request: Request, caller: Caller) -> Document:
        """GET /<ig id>/content_publishing_limit."""
        caller.demand(PUBLISH)
        config = {"quota_total": QUOTA_TOTAL, "quota_duration": _QUOTA_DURATION_S}
        node = {"quota_usage": self.used(caller.account), "config": config}
        return {"data": [select(node, request.args.get("fields", ""), _LIMIT_FIELDS, "quota_usage")]}

    def used(self, account: Account) -> int:
        """Posts of the last day that were published through the API, and what a control call added."""
        since = f"{time.time() - _QUOTA_DURATION_S:020.6f}"
        published = sum(1 for _ in self._store.each("published", f"{account.user_id}/", f"{account.user_id}/{since}"))
        added = self._store.get("quota", account.user_id) or {"used": 0}
        return published + int(added["used"])

    def fill_quota(self, account: Account, used: int) -> Document:
        """Pretend that so many posts were published today."""
        self._store.put("quota", account.user_id, {"used": used})
        return {"account": account.username, "used": self.used(account), "total": QUOTA_TOTAL}

    def order_outcome(self, outcome: str, status: str) -> Document:
        """The next container will end so; raises ControlRefused."""
        if outcome not in _OUTCOMES:
            raise ControlRefused(f"outcome must be one of {', '.join(_OUTCOMES)}")
        self._store.put("outcomes", f"{self._store.next_number('outcomes'):012d}", {"outcome": outcome, "why": status})
        return {"outcome": outcome}

    def age(self, seconds: float) -> None:
        """Let time pass for every container."""
        with self._store.transaction():
            for key, found in list(self._store.each("containers")):
                self._store.put("containers", key, found | {"made_at": found["made_at"] - seconds})

    def _take_outcome(self) -> Document:
        page = self._store.page("outcomes", limit=1)
        for key in page.keys:
            self._store.delete("outcomes", key)
        return page.documents[0] if page.documents else {"outcome": None, "why": ""}

    def _posted(self, account: Account, container: Document) -> Document:
        number = next_place(self._store, account)
        media = post(account, number, container["caption"], datetime.now(UTC), container["alt_text"])
        media["picture"] = f"container_{container['id']}"
        self._store.put("media", media_key(account, number), media)
        moment = f"{account.user_id}/{time.time():020.6f}/{number}"
        self._store.put("published", moment, {"id": media["id"], "at": graph_time()})
        return media


def _status_code(container: Document) -> str:
    if container["published"]:
        return "PUBLISHED"
    if container["outcome"] and container["looks"] > 0:
        return str(container["outcome"])
    if container["made_at"] < time.time() - _CONTAINER_LIFETIME_S:
        return "EXPIRED"
    return "FINISHED" if container["looks"] > 0 else "IN_PROGRESS"


def _status(container: Document, status_code: str) -> str:
    words = {
        "ERROR": f"Error: Media upload has failed with error code {container['why'] or '2207032'}",
        "EXPIRED": "Expired: Container is expired and must be published within 24 hours of creation",
        "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
        "IN_PROGRESS": "In Progress: Media is still being processed.",
        "PUBLISHED": "Published: Media has been published successfully.",
    }
    return words[status_code]


def _fetched(address: str, hub: str) -> bytes:
    try:
        return fetch(address, hub)
    except Unfetchable as problem:
        if problem.took_too_long:
            raise _refused(-2, 2207003, "Timeout", "Timeout", "It takes too long to download the media.") from problem
        text = "The media could not be fetched from this URI: " + address
        message = "Only photo or video can be accepted as media type."
        raise _refused(9004, 2207052, message, "Media download has failed.", text) from problem


def _judge(content: bytes) -> None:
    """Raise what Instagram says of a picture that it does not take: JPEG, 8 MiB, 4:5 to 1.91:1."""
    from PIL import Image, UnidentifiedImageError

    if len(content) > _LARGEST_BYTES:
        text = "The image is too large to download. It should be less than 8 MiB."
        raise _refused(36000, 2207004, "The image size is too large.", "Image size too large", text)
    try:
        with Image.open(io.BytesIO(content)) as image:
            kind, width, height = image.format, image.width, image.height
    except (UnidentifiedImageError, OSError) as error:
        message = "Only photo or video can be accepted as media type."
        raise _refused(9004, 2207052, message, "Media download has failed.") from error
    if kind != "JPEG":
        text = f"The image format is not supported. Supported formats are: JPEG. Received {kind}."
        raise _refused(36001, 2207005, "The image format is not supported", "Unsupported image format", text)
    if not 0.8 <= round(width / height, 3) <= 1.91:
        text = f"The submitted image with aspect ratio ('{width}/{height}',) cannot be published."
        raise _refused(36003, 2207009, "The aspect ratio is not supported.", "Unsupported aspect ratio", text)


def _gone(container_id: str) -> GraphRefused:
    text = f"The media builder with creation id = {container_id} does not exist or has been expired."
    return _refused(24, 2207008, "The requested resource does not exist", "Media builder not found", text)


def _refused(code: int, subcode: int, message: str, title: str, text: str = "") -> GraphRefused:
    return GraphRefused(code, message, subcode=subcode, is_transient=False, title=title, text=text or message)
