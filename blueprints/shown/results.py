"""What an operation came to, for people: links, pictures and names in place of the JSON that a program gets.

What an operation gives is said in its declaration; names that nobody could read (ids) are left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blueprints.rendering import formats, said
from patchbay import assets, images
from patchbay.errors import N_, NotFound
from patchbay.models import Connection
from patchbay.spec import Provider

LABELS = ("title", "name", "label", "caption", "message", "id", "key")
ADDRESSES = ("url", "permalink", "publishedUrl", "webViewLink")
DETAILS = ("vendor", "productType", "state", "status", "project", "page", "path", "folderPath")
MOST_DETAILS = 2
PICTURES = ("images", "thumbnail_url", "thumbnailUrl", "picture", "imageUrl", "thumbnail")
LINKS = {"publishedUrl": N_("Open it at %(provider)s"), "url": N_("Open it at %(provider)s")}
FACTS = {
    "count": N_("Pictures sent"),
    "folderPath": N_("Folder"),
    "state": N_("State"),
    "name": N_("Name"),
    "fileName": N_("File"),
}
YES = {"isDraft": N_("It is a draft: nobody sees it until you publish it there.")}


@dataclass(frozen=True)
class Thing:
    """An object of a platform's list, or a picture of the user's (`asset_id`); `picture` is the token to show it."""

    label: str
    detail: str = ""
    picture: str = ""
    address: str = ""
    asset_id: str = ""


@dataclass(frozen=True)
class Told:
    """A result: links as (label, address), pictures kept here, files there, and facts as (label, text)."""

    links: Sequence[tuple[str, str]] = ()
    kept: Sequence[Thing] = ()
    files: Sequence[Thing] = ()
    facts: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that a person could use."""
        return not (self.links or self.kept or self.files or self.facts or self.notes)


def told(provider: Provider, user_id: str, result: Mapping[str, Any]) -> Told:
    """What an action's result says. Pictures that became assets are shown instead of the links they came by."""
    kept = [thing for asset_id in _asset_ids(result) if (thing := _asset(user_id, asset_id)) is not None]
    named = {"provider": provider.name}
    links = [(said(words, named), str(result[name])) for name, words in LINKS.items() if _is_link(result.get(name))]
    return Told(
        links=links if kept else [*links, *_picture_link(result)],
        kept=kept,
        files=[] if kept else _files(result),
        facts=[
            (said(words), _text(result[name]))
            for name, words in FACTS.items()
            if result.get(name) not in (None, "") and not (kept and name == "name")
        ],
        notes=[said(words) for name, words in YES.items() if result.get(name) is True],
    )


def things(connection: Connection, entries: Iterable[Any]) -> list[Thing]:
    """The objects of a listing, each by what people know it by."""
    return [_thing(connection, entry) for entry in entries if isinstance(entry, Mapping)]


def _thing(connection: Connection, entry: Mapping[str, Any]) -> Thing:
    label = next((str(entry[name]) for name in LABELS if entry.get(name)), "")
    found = next((entry[name] for name in PICTURES if entry.get(name)), "")
    picture = found[0] if isinstance(found, list) and found else found
    if isinstance(picture, Mapping):
        picture = picture.get("url", "")
    address = next((entry[name] for name in ADDRESSES if _is_link(entry.get(name))), "")
    told = [entry[name] for name in DETAILS if isinstance(entry.get(name), str) and entry[name]]
    details = [text for text in told if text not in label]
    token = images.of_address(connection, picture) if isinstance(picture, str) else ""
    return Thing(label, " · ".join(details[:MOST_DETAILS]), token, address)


def _asset_ids(result: Mapping[str, Any]) -> list[str]:
    several = result.get("assetIds")
    found = [result.get("assetId"), *(several if isinstance(several, list) else [])]
    return [one for one in found if isinstance(one, str)]


def _asset(user_id: str, asset_id: str) -> Thing | None:
    """The user's own picture of that id; None for what is gone, or is an id of the platform's."""
    try:
        asset = assets.get(user_id, asset_id)
    except NotFound:
        return None
    return Thing(asset.name, picture=images.of_asset(asset), asset_id=asset.id)


def _picture_link(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    address = result.get("imageUrl")
    return [(said(N_("Open the picture")), str(address))] if _is_link(address) and not _files(result) else []


def _files(result: Mapping[str, Any]) -> list[Thing]:
    """The files that an action made, by name where the answer names them."""
    addresses = [one for one in _list(result, "fileUrls") if _is_link(one)]
    names = [str(one["name"]) for one in _list(result, "files") if isinstance(one, Mapping) and one.get("name")]
    if len(names) != len(addresses):
        names = [said(N_("File %(number)s"), {"number": number + 1}) for number in range(len(addresses))]
    return [Thing(name, address=address) for name, address in zip(names, addresses, strict=True)]


def _list(result: Mapping[str, Any], name: str) -> list[Any]:
    found = result.get(name)
    return found if isinstance(found, list) else []


def _is_link(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("https://", "http://"))


def _text(value: Any) -> str:
    return formats.number(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)
