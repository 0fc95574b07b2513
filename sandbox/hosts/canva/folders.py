"""The two folders that everybody has: `uploads` with the user's pictures, `root` with the user's designs.

Source: REST reference "List folder items" (read 2026-11-21). Folders that users make are not played.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from sandbox.hosts.canva.access import Caller
from sandbox.hosts.canva.assets import Assets
from sandbox.hosts.canva.designs import Asked, Designs, unpacked
from sandbox.hosts.canva.refusals import CanvaRefused
from sandbox.store import Document

TYPES = frozenset({"design", "folder", "image", "brand_template"})
SORTS = tuple(f"{what}_{way}" for what in ("modified", "created", "title") for way in ("descending", "ascending"))
_KEYS = {"modified": "updated_at", "created": "created_at", "title": "name"}
_NOT_IN_SUMMARY = frozenset({"owner", "design_types", "metadata"})


class Wanted(msgspec.Struct, frozen=True):
    """What is asked of a folder; `first` counts the pictures that were shown before."""

    sort: str = "modified_descending"
    types: tuple[str, ...] = ("design", "folder", "image")
    first: int = 0


class Folders:
    """Lists what lies in a folder."""

    def __init__(self, designs: Designs, assets: Assets) -> None:
        self._designs = designs
        self._assets = assets

    def items(self, folder: str, caller: Caller, wanted: Wanted, continuation: str | None, limit: int) -> Document:
        """One page of a folder; a continuation token stands for all of `wanted`. Raises CanvaRefused 404."""
        if folder == "uploads":
            return self._pictures(caller, unpacked_wanted(continuation) if continuation else wanted, limit)
        if folder == "root":
            return self._own_designs(caller, wanted, continuation, limit)
        raise CanvaRefused(404, "folder_not_found", f"Folder with ID {folder} not found")

    def _pictures(self, caller: Caller, wanted: Wanted, limit: int) -> Document:
        kept = self._assets.of(caller) if "image" in wanted.types else []
        what, _, way = wanted.sort.partition("_")
        kept.sort(key=lambda asset: (asset[_KEYS[what]], asset["number"]), reverse=way == "descending")
        page = kept[wanted.first : wanted.first + limit]
        items = [{"type": "image", "image": _summary(self._assets.shown(each, caller.client_id))} for each in page]
        behind = wanted.first + len(page)
        more = {} if behind == len(kept) else {"continuation": packed(msgspec.structs.replace(wanted, first=behind))}
        return {"items": items} | more

    def _own_designs(self, caller: Caller, wanted: Wanted, continuation: str | None, limit: int) -> Document:
        """Designs change only when they are made, so that one order serves for both dates."""
        if "design" not in wanted.types:
            return {"items": []}
        asked = Asked(wanted.sort.replace("created", "modified"), "owned")
        found = self._designs.list(caller, unpacked(continuation) if continuation else asked, limit)
        shown = [_summary(self._designs.shown(each, caller.client_id)) for each in found.designs]
        more = {"continuation": found.continuation} if found.continuation else {}
        return {"items": [{"type": "design", "design": each} for each in shown]} | more


def packed(wanted: Wanted) -> str:
    """A continuation token of the uploads."""
    return urlsafe_b64encode(msgspec.json.encode(wanted)).rstrip(b"=").decode()


def unpacked_wanted(token: str) -> Wanted:
    """What a continuation token of the uploads stands for; raises CanvaRefused 400."""
    try:
        wanted = msgspec.json.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=Wanted)
    except ValueError:
        raise CanvaRefused(400, "invalid_field", "Invalid continuation token") from None
    if wanted.sort not in SORTS or wanted.first < 0:
        raise CanvaRefused(400, "invalid_field", "Invalid continuation token")
    return wanted


def _summary(shown: Document) -> Document:
    return {name: value for name, value in shown.items() if name not in _NOT_IN_SUMMARY}
