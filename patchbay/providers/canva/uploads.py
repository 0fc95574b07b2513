"""Sending pictures to Canva's uploads. The call takes no key that would make it repeatable, so after a lost answer the
folder of uploads is asked what became of it.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from patchbay.errors import (
    N_,
    NetworkError,
    OutcomeUnknown,
    PartlyDone,
    PlatformError,
    ProviderUnavailable,
    UnexpectedShape,
)
from patchbay.providers.canva.jobs import API, PAUSES_S, Asset, begun, over
from patchbay.spec import Api, Picture, Request

TAKEN = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/heic"})
MOST_BYTES = 50_000_000
LONGEST_NAME = 50
LOOKS_AFTER_LOSS = 5


class FolderItem(msgspec.Struct):
    image: Asset


class FolderItems(msgspec.Struct):
    items: list[FolderItem]


def upload_asset(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Send pictures to the uploads. Raises PartlyDone when one is refused after others were taken."""
    pictures = [api.picture(address) for address in values["mockupUrls"]]
    for picture in pictures:
        check(picture)
    done: list[str] = []
    for number, picture in enumerate(pictures):
        make = partial(sent, api, picture, number, tuple(done))
        try:
            done.append(make())
        except ProviderUnavailable:
            raise  # it passes, and a repeat finds what is there
        except PlatformError as error:
            if not done:
                raise
            names = ", ".join(taken.name for taken in pictures[:number])
            raise PartlyDone(error.detail, done=names, reason=error.detail, provider="Canva") from error
        api.log(N_("%(name)s is among the uploads now."), name=picture.name)
        api.progress(number + 1, len(pictures))
    return {"assetIds": done}


def check(picture: Picture) -> None:
    """Raise PlatformError for what would be refused there, before anything is sent."""
    wrong = None
    if picture.content_type not in TAKEN:
        wrong = N_("%(provider)s takes no pictures of this kind: %(name)s. Nothing was uploaded.")
    elif picture.size_bytes >= MOST_BYTES:
        wrong = N_("%(name)s is too large: %(provider)s takes pictures of less than 50 MB. Nothing was uploaded.")
    elif picture.size_bytes == 0:
        wrong = N_("%(name)s is empty. Nothing was uploaded.")
    if wrong:
        raise PlatformError(picture.content_type, sentence=wrong, provider="Canva", name=picture.filename)


def sent(api: Api, picture: Picture, number: int, done: tuple[str, ...]) -> str:
    """The id of the asset that a picture becomes, once; after a lost answer the uploads are looked at for a while."""
    name = shortened(picture.name or picture.filename)
    before = [*api.remember(f"before_{number}", lambda: uploads_named(api, name)), *done]

    def send() -> str:
        try:
            job = over(api, "asset-uploads", begun(api, upload(name, picture)))
        except (OutcomeUnknown, NetworkError, ProviderUnavailable):
            for pause_s in PAUSES_S[:LOOKS_AFTER_LOSS]:
                api.pause(pause_s)
                if found := new_uploads(api, name, before):
                    return found[0]
            raise
        if job.asset is None:
            raise UnexpectedShape("canva: the upload succeeded without an asset", provider="Canva")
        return job.asset.id

    return api.once(f"upload_{number}", send, lambda: next(iter(new_uploads(api, name, before)), None))


def upload(name: str, picture: Picture) -> Request:
    """The bytes, with the name in a header of its own."""
    metadata = json.dumps({"name_base64": b64encode(name.encode()).decode()})
    headers = {"Content-Type": "application/octet-stream", "Asset-Upload-Metadata": metadata}
    return Request("POST", f"{API}/asset-uploads", headers=headers, content=picture.content)


def uploads_named(api: Api, name: str) -> list[str]:
    """The ids of the newest uploads of that name."""
    params = {"item_types": "image", "sort_by": "created_descending", "limit": "100"}
    found = api.read(api.send(Request("GET", f"{API}/folders/uploads/items", params=params)), FolderItems)
    return [item.image.id for item in found.items if item.image.name == name]


def new_uploads(api: Api, name: str, before: list[str]) -> list[str]:
    """Those that were not there before."""
    return [asset_id for asset_id in uploads_named(api, name) if asset_id not in before]


def shortened(name: str) -> str:
    """At most fifty characters, counted in UTF-16 as the platform may do; none is cut in two."""
    while len(name.encode("utf-16-le")) // 2 > LONGEST_NAME:
        name = name[:-1]
    return name.strip() or "Mockup"
