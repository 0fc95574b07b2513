"""Assets: keeping the pictures that users own, making mockups of them, and the signed links they are fetched by.

What does not live here: looking into and drawing pictures (`pictures`).
"""

import os
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import select

from patchbay import clock, net, settings, signing
from patchbay.errors import N_, AddressBlocked, Forbidden, Invalid, NetworkError, NotFound
from patchbay.models import Asset, AssetKind, db, new_id, transaction
from patchbay.spec import Picture

if TYPE_CHECKING:  # Pillow stays out of processes that draw nothing
    from patchbay.pictures.inspect import Picture as InspectedPicture

LINK_LIFETIME = timedelta(hours=1)
LINK_PURPOSE = "asset"
MAX_BYTES = 20 * 1024 * 1024
NAME_LENGTH = 120


def upload(user_id: str, content: bytes, file_name: str) -> Asset:
    """Keep an uploaded design. Raises Invalid (field `file`) and TooLarge for what is not a usable picture."""
    from patchbay.pictures import inspect

    picture = inspect.read_picture(content, declared_name=file_name)
    return _keep(picture, Asset(user_id=user_id, kind=AssetKind.DESIGN, name=_clean_name(file_name)))


def make_mockup(user_id: str, design_id: str, template_id: str) -> Asset:
    """Set a design onto a template. Raises NotFound for the design, Invalid for the template."""
    from patchbay.pictures import inspect, render, templates

    design = get(user_id, design_id)
    template = next((template for template in templates.all() if template.id == template_id), None)
    if template is None:
        raise Invalid({"templateId": N_("There is no such template.")})
    if design.kind is not AssetKind.DESIGN:
        raise Invalid({"designId": N_("A mockup is made from a design.")})
    content = content_of(design)
    db.session.commit()  # drawing takes a while: nothing stays open meanwhile
    picture = inspect.read_picture(render.make_mockup(content, template_id), declared_name="")
    name = f"{Path(design.name).stem} – {template.name}"
    mockup = Asset(user_id=user_id, kind=AssetKind.MOCKUP, name=name, design_id=design.id, template_id=template_id)
    return _keep(picture, mockup)


def page(
    user_id: str, *, kind: AssetKind | None = None, cursor: str | None, limit: int
) -> tuple[list[Asset], str | None]:
    """The user's assets, newest first, behind `cursor`; and the cursor of the next page."""
    statement = select(Asset).where(Asset.user_id == user_id).order_by(Asset.id.desc()).limit(limit + 1)
    if kind is not None:
        statement = statement.where(Asset.kind == kind)
    if cursor:
        statement = statement.where(Asset.id < cursor)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def get(user_id: str, asset_id: str) -> Asset:
    """One asset of the user's. Raises NotFound."""
    asset = db.session.get(Asset, asset_id)
    if asset is None or asset.user_id != user_id:
        raise NotFound(asset_id)
    return asset


def content_of(asset: Asset) -> bytes:
    """The bytes of an asset. Raises NotFound when the file is gone from the home."""
    try:
        return _path(asset.sha256, asset.extension).read_bytes()
    except OSError as error:
        raise NotFound(asset.id) from error


def link(asset: Asset, extension: str = "") -> str:
    """An absolute address that anybody may fetch the picture from until it expires (an hour, at least).

    With the extension `jpg` it gives what `rendition` makes of the picture.
    """
    token = signing.current().sign(asset.id, purpose=LINK_PURPOSE, expires_at=signing.stable_expiry(LINK_LIFETIME))
    return f"{settings.current().public_url}/assets/{token}.{extension or asset.extension}"


def rendition(asset: Asset) -> bytes:
    """The picture as a JPEG that picture feeds take, drawn once and kept beside the original. Raises NotFound."""
    path = _path(asset.sha256, "feed.jpg")
    if not path.exists():
        from patchbay.pictures import renditions

        _write(path, renditions.for_feeds(content_of(asset)))
    return path.read_bytes()


def public_address(user_id: str, address: str, content_type: str) -> str:
    """An address for a platform to fetch the picture from; as a JPEG for feeds when `content_type` asks for one.

    Raises what `read_picture` raises.
    """
    own = _own_token(address)
    if not content_type and own is None:
        return address
    asset = _own_asset(user_id, own) if own is not None else _kept_copy(user_id, address)
    return link(asset, "jpg" if content_type == "image/jpeg" else "")


def by_link(token: str) -> Asset:
    """The asset that a link's token names. Raises NotFound when it is forged, has expired or is gone."""
    return opened(token)[0]


def opened(token: str) -> tuple[Asset, datetime]:
    """The same, and when the link ends (aware UTC)."""
    try:
        asset_id, ends_at = signing.current().opened(token, purpose=LINK_PURPOSE)
    except Forbidden as error:
        raise NotFound("asset link") from error
    asset = db.session.get(Asset, asset_id)
    if asset is None:
        raise NotFound("asset link")
    return asset, ends_at


def read_picture(user_id: str, address: str) -> Picture:
    """The picture behind one of our own links (read from disk, the user's own only) or a public https address.

    Raises Invalid naming the field `mockupUrls`.
    """
    own = _own_token(address)
    if own is None:
        return _fetched(address)
    asset = _own_asset(user_id, own)
    path = _path(asset.sha256, asset.extension)
    filename = f"{_file_stem(asset.name)}.{asset.extension}"
    return Picture(filename, asset.content_type, asset.name, asset.size_bytes, _reader(path))


def check_addresses(user_id: str, addresses: list[str]) -> None:
    """Check pictures' addresses before anything is started with them. Raises Invalid naming `mockupUrls`."""
    for address in addresses:
        own = _own_token(address)
        if own is None:
            try:
                net.current().check_address(address)
            except AddressBlocked as error:
                raise Invalid({"mockupUrls": error.sentence}) from None
            continue
        _own_asset(user_id, own)


def _own_asset(user_id: str, token: str) -> Asset:
    try:
        asset = by_link(token)
        if asset.user_id == user_id:
            return asset
    except NotFound:
        pass
    raise Invalid({"mockupUrls": N_("This link has expired. Take a new one.")})


def _kept_copy(user_id: str, address: str) -> Asset:
    """A picture of the internet as an asset, so that it can be drawn anew and served from here."""
    picture = _fetched(address)
    return upload(user_id, picture.content, picture.filename)


def _reader(path: Path) -> Callable[[int, int], bytes]:
    """Reads a part of the file; raises NotFound when it is gone from the home."""

    def read(start: int, count: int) -> bytes:
        try:
            with path.open("rb") as file:
                file.seek(start)
                return file.read(count)
        except OSError as error:
            raise NotFound(path.stem) from error

    return read


def _keep(picture: "InspectedPicture", asset: Asset) -> Asset:
    """Write the bytes, then the row that names them: a kill in between leaves a file that nobody names."""
    asset.id, asset.created_at = new_id("ast"), clock.now()
    asset.content_type, asset.extension = picture.content_type, picture.extension.removeprefix(".")
    asset.width, asset.height, asset.size_bytes = picture.width, picture.height, len(picture.content)
    asset.sha256 = picture.sha256
    _write(_path(asset.sha256, asset.extension), picture.content)
    with transaction() as session:
        session.add(asset)
    return asset


def _fetched(address: str) -> Picture:
    from patchbay.pictures import inspect

    try:
        reply = net.current().fetch_public(address, max_bytes=MAX_BYTES, accept=("image/*",))
    except AddressBlocked as error:
        raise Invalid({"mockupUrls": error.sentence}) from None
    if reply.status != 200:
        raise NetworkError(
            f"the picture's address answered HTTP {reply.status}", provider=urlsplit(address).hostname or ""
        )
    picture = inspect.read_picture(reply.body, declared_name="")
    stem = _file_stem(Path(urlsplit(address).path).stem)
    return Picture.of(
        picture.content, filename=f"{stem}{picture.extension}", content_type=picture.content_type, name=stem
    )


def _own_token(address: str) -> str | None:
    """The token of one of our own links; they are known by their path and never fetched over the network."""
    here, parts = urlsplit(settings.current().public_url), urlsplit(address)
    if (parts.scheme, parts.netloc) != (here.scheme, here.netloc) or not parts.path.startswith("/assets/"):
        return None
    return parts.path.removeprefix("/assets/").rpartition(".")[0]


def _path(sha256: str, extension: str) -> Path:
    return settings.current().home / "assets" / sha256[:2] / f"{sha256}.{extension}"


def _write(path: Path, content: bytes) -> None:
    """Put the bytes in place at once and for good: a file of that name is complete, or it is not there."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _clean_name(file_name: str) -> str:
    """A name to show: the last part of a path, without control characters, not too long."""
    name = "".join(character for character in file_name.replace("\\", "/").split("/")[-1] if character.isprintable())
    stem, dot, extension = name.strip().rpartition(".")
    return f"{(stem or extension)[:NAME_LENGTH]}{dot if stem else ''}{extension[:8] if stem else ''}" or "design"


def _file_stem(name: str) -> str:
    stem = "".join(character if character.isalnum() or character in " -_–" else "-" for character in name).strip()
    return stem[:NAME_LENGTH] or "picture"
