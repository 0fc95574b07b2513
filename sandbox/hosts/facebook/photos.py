"""Photos of a page: published from bytes or from an address, kept as drafts, listed, read, deleted, made up.

Sources: "Page Photos" and "Photo" references (read 2026-11-21). Who may is decided here, who calls in `access`.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from werkzeug.wrappers import Request

from sandbox.graph_api import Edge, GraphRefused, invalid, parameter, read_edge, select, unknown_object
from sandbox.graph_fetching import Unfetchable, fetch
from sandbox.graph_pictures import address, keep
from sandbox.hosts.facebook.access import LIST, POST, READ, Access, Caller
from sandbox.hosts.facebook.people import FacebookPage, made_up_prefix, next_place, photo, photo_key, place_of
from sandbox.platform import ControlRefused, count_and_seed
from sandbox.store import Document, Store

CDN = "scontent.xx.fbcdn.net"
MOST_GENERATED = 10_000_000
_LARGEST_BYTES = 10 * 1024 * 1024
_LONGEST_MESSAGE = 63_206
_FORMATS = frozenset({"JPEG", "BMP", "PNG", "GIF", "TIFF", "WEBP"})
_FIELDS = frozenset(
    {"album", "alt_text", "alt_text_custom", "created_time", "from", "height", "icon", "id", "images", "link", "name"}
    | {"page_story_id", "picture", "updated_time", "width"}
)
_MAY_POST = frozenset({"CREATE_CONTENT", "PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_FULL_CONTROL"})
_CONTENT_TYPES = frozenset({"", "DRAFT", "SCHEDULED"})
_REFUSALS = {
    368: ("The action attempted has been deemed abusive or is otherwise disallowed", 1390008),
    506: ("Duplicate status message", 1455006),
}
_GENERATED_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_SUBJECTS = ("Fern tee", "Blue mug", "Canvas tote", "Harbour poster", "Moth print", "Comet hoodie", "Studio cushion")
_BATCH = 5_000


class Photos:
    """The edge `photos` of a page, and the photo as a node."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    def create(self, request: Request, caller: Caller, page: FacebookPage) -> Document:
        """POST /<page id>/photos: `source` as a file of a multipart form, or `url`; `published=false` for a draft."""
        self._demand_may_post(caller, page)
        self._refuse_as_ordered()
        is_published = parameter(request, "published", "true").lower() not in ("false", "0")
        _check_terms(request, is_published=is_published)
        content = _content(request, caller.hub)
        width, height = _judged(content)
        message = parameter(request, "message") or parameter(request, "caption")
        with self._store.transaction():
            number = next_place(self._store, page)
            made = photo(page, number, message, datetime.now(UTC)) | {
                "alt_text_custom": parameter(request, "alt_text_custom") or None,
                "published": is_published,
                "width": width,
                "height": height,
            }
            keep(self._store, made["picture"], content)
            self._store.put("photos", photo_key(page, number), made)
        return {"id": made["id"]} | ({"post_id": f"{page.id}_{made['id']}"} if is_published else {})

    def listing(self, request: Request, caller: Caller, page: FacebookPage, base: str) -> Document:
        """GET /<page id>/photos: profile pictures, unless `type=uploaded` asks for what was posted."""
        self._demand_may_read(caller, page)
        kind = request.args.get("type", "profile")
        if kind not in ("profile", "tagged", "uploaded"):
            raise invalid("Param type must be one of {PROFILE, TAGGED, UPLOADED}")
        wanted = request.args.get("fields", "")
        collection = "photos" if kind == "uploaded" else "profile_photos"

        def show(found: Document) -> Document | None:
            return select(shown(page, found), wanted, _FIELDS, "created_time,name,id") if found["published"] else None

        edge = Edge(self._store, collection, f"{page.id}/", f"https://{base}/{page.id}/photos")
        return read_edge(request, edge, show)

    def one(self, request: Request, caller: Caller, photo_id: str) -> Document:
        """GET /<photo id>."""
        page, found = self._found(request, photo_id)
        self._demand_may_read(caller, page)
        return select(shown(page, found), request.args.get("fields", ""), _FIELDS, "created_time,name,id")

    def delete(self, request: Request, caller: Caller, photo_id: str) -> Document:
        """DELETE /<photo id>."""
        page, _ = self._found(request, photo_id)
        self._demand_may_post(caller, page)
        return {"success": self.remove(photo_id)}

    def remove(self, photo_id: str) -> bool:
        """Delete a photo; whether there was one."""
        place = place_of(photo_id)
        return place is not None and self._store.delete("photos", photo_key(*place))

    def order_refusal(self, code: int) -> Document:
        """The next photo will be refused with this code; raises ControlRefused."""
        if code not in _REFUSALS:
            raise ControlRefused(f"code must be one of {', '.join(map(str, _REFUSALS))}")
        self._store.put("refusals", f"{self._store.next_number('refusals'):012d}", {"code": code})
        return {"code": code}

    def generate(self, page: FacebookPage, wanted: Document) -> Document:
        """Make `count` photos from `seed` in place of those made up before; answers `{"photos": n}`.

        Raises ControlRefused.
        """
        count, seed = count_and_seed(wanted, MOST_GENERATED)
        self._store.clear("photos", made_up_prefix(page))
        for start in range(1, count + 1, _BATCH):
            self._store.put_many("photos", _synthetic(page, seed, range(start, min(start + _BATCH, count + 1))))
        return {"photos": count}

    def _found(self, request: Request, photo_id: str) -> tuple[FacebookPage, Document]:
        place = place_of(photo_id)
        found = self._store.get("photos", photo_key(*place)) if place else None
        if place is None or found is None:
            raise unknown_object(request, photo_id)
        return place[0], found

    def _demand_may_read(self, caller: Caller, page: FacebookPage) -> None:
        if READ not in caller.permissions or (caller.page or page) != page:
            message = (
                "(#10) This endpoint requires the 'pages_read_engagement' permission or the 'Page Public Content "
                "Access' feature."
            )
            raise GraphRefused(10, message, status=403)

    def _demand_may_post(self, caller: Caller, page: FacebookPage) -> None:
        tasks = self._access.tasks(caller.person, page) or []
        is_allowed = {POST, READ, LIST} <= caller.permissions and not _MAY_POST.isdisjoint(tasks)
        if caller.page != page or not is_allowed:
            message = (
                "(#200) If posting to a page, requires both pages_read_engagement and pages_manage_posts as an admin "
                "with sufficient administrative permission"
            )
            raise GraphRefused(200, message, status=403)

    def _refuse_as_ordered(self) -> None:
        waiting = self._store.page("refusals", limit=1)
        for key, order in zip(waiting.keys, waiting.documents, strict=True):
            self._store.delete("refusals", key)
            message, subcode = _REFUSALS[order["code"]]
            raise GraphRefused(order["code"], f"(#{order['code']}) {message}", subcode=subcode, is_transient=False)


def shown(page: FacebookPage, found: Document) -> Document:
    """A stored photo with all its fields."""
    source = address(CDN, "t39.30808-6", found["picture"])
    return {
        "id": found["id"],
        "name": found["name"],
        "alt_text": found["alt_text_custom"] or "May be an image of text",
        "alt_text_custom": found["alt_text_custom"],
        "created_time": found["created_time"],
        "updated_time": found["created_time"],
        "from": {"name": page.name, "id": page.id},
        "album": {"created_time": found["created_time"], "name": "Timeline photos", "id": f"{page.id}01"},
        "images": [{"height": found["height"], "source": source, "width": found["width"]}],
        "picture": source,
        "width": found["width"],
        "height": found["height"],
        "link": f"https://www.facebook.com/photo.php?fbid={found['id']}&set=a.{page.id}01&type=3",
        "page_story_id": f"{page.id}_{found['id']}" if found["published"] else None,
    }


def _check_terms(request: Request, *, is_published: bool) -> None:
    kind = parameter(request, "unpublished_content_type")
    if kind not in _CONTENT_TYPES or (kind and is_published):
        raise invalid("Param unpublished_content_type makes no sense here")
    if kind == "SCHEDULED" and not parameter(request, "scheduled_publish_time").isdigit():
        raise invalid("The parameter scheduled_publish_time is required")
    if len(parameter(request, "message") or parameter(request, "caption")) > _LONGEST_MESSAGE:
        raise invalid(f"Param message must be at most {_LONGEST_MESSAGE} characters long")


def _content(request: Request, hub: str) -> bytes:
    file = request.files.get("source")
    if file is not None:
        content: bytes = file.read()
        return content
    named = parameter(request, "url")
    if not named:
        text = "Your photos couldn't be uploaded. No file was sent."
        raise GraphRefused(324, "(#324) Missing or invalid image file", title="Can't Read Files", text=text)
    try:
        return fetch(named, hub)
    except Unfetchable as problem:
        raise invalid("The url you supplied is invalid", subcode=1609005) from problem


def _judged(content: bytes) -> tuple[int, int]:
    """Width and height of a picture that Facebook takes; raises GraphRefused 324."""
    from PIL import Image, UnidentifiedImageError

    text = (
        "Your photos couldn't be uploaded. Photos should be less than 10 MB and saved as JPG, PNG, GIF or TIFF files."
    )
    refusal = GraphRefused(
        324, "(#324) Missing or invalid image file", subcode=2069019, title="Can't Read Files", text=text
    )
    if len(content) > _LARGEST_BYTES:
        raise refusal
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.format in _FORMATS:
                return image.width, image.height
    except (UnidentifiedImageError, OSError) as error:
        raise refusal from error
    raise refusal


def _synthetic(page: FacebookPage, seed: int, numbers: range) -> Iterator[tuple[str, Document]]:
    for number in numbers:
        subject = _SUBJECTS[(number * 5 + seed) % len(_SUBJECTS)]
        made_at = _GENERATED_FROM + timedelta(seconds=number)
        yield photo_key(page, number), photo(page, number, f"{subject}, no. {number}-{seed}", made_at)
