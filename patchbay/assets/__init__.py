"""Assets: keeping the pictures that users own, making mockups of them, and the signed links they are fetched by.

What does not live here: looking into and drawing pictures (`pictures`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from patchbay import clock, net, settings, signing, tenancy
from patchbay.assets import keeping
from patchbay.errors import N_, AddressBlocked, Forbidden, Invalid, NetworkError, NotFound
from patchbay.models import Asset, AssetKind, db, new_id, transaction
from patchbay.pictures import files
from patchbay.pictures.files import Content
from patchbay.spec import Picture

LINK_LIFETIME = timedelta(hours=1)
LINK_PURPOSE = "asset"
FOR_FEEDS = "jpeg"  # which no asset has: theirs is jpg
MAX_UPLOAD_BYTES = 256 * 1024 * 1024
MAX_FETCHED_BYTES = 20 * 1024 * 1024
NAME_LENGTH = 120


def upload(user_id: str, content: Content, file_name: str, *, asset_id: str = "") -> Asset:
    """Keep an uploaded design, under a reserved id where there is one.

    Raises Invalid (field `file`) and TooLarge for what is not a usable picture.
    """
    asset = Asset(id=asset_id, user_id=user_id, kind=AssetKind.DESIGN, name=_clean_name(file_name))
    return _keep(content, asset, declared_name=file_name)


def upload_file(user_id: str, file: IO[bytes], file_name: str) -> Asset:
    """The same for a file on disk, which is never in memory whole; also raises TooManyRequests (see `files.opened`)."""
    db.session.commit()  # a large one takes a while: nothing stays open meanwhile
    with files.opened(file) as content:
        return upload(user_id, content, file_name)


def make_mockup(user_id: str, design_id: str, template_id: str, *, asset_id: str = "") -> Asset:
    """Set a design onto a template. Raises NotFound for the design, Invalid for the template."""
    from patchbay.pictures import render, templates

    design = get(user_id, design_id)
    template = next((template for template in templates.all() if template.id == template_id), None)
    if template is None:
        raise Invalid({"templateId": N_("There is no such template.")})
    if design.kind is not AssetKind.DESIGN:
        raise Invalid({"designId": N_("A mockup is made from a design.")})
    with reading(design) as content:
        db.session.commit()  # drawing takes a while: nothing stays open meanwhile
        drawn = render.make_mockup(content, template_id)
    name = f"{Path(design.name).stem} – {template.name}"
    made_of = {"design_id": design.id, "template_id": template_id}
    return _keep(drawn, Asset(id=asset_id, user_id=user_id, kind=AssetKind.MOCKUP, name=name, **made_of))


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


def reserve() -> str:
    """An id for a picture that is still to be made. Whoever remembers it first makes no second one after a kill."""
    return new_id("ast")


def is_kept(asset_id: str) -> bool:
    """Whether the picture for a reserved id is there."""
    return db.session.get(Asset, asset_id) is not None


def file_of(asset: Asset) -> Path:
    """Where the bytes of an asset lie. Raises NotFound when the file is gone from the home."""
    path = keeping.path(asset.sha256, asset.extension)
    if not path.is_file():
        raise NotFound(asset.id)
    return path


@contextmanager
def reading(asset: Asset) -> Iterator[Content]:
    """The bytes of an asset, while the block runs; raises as `file_of` and `files.opened` do."""
    with file_of(asset).open("rb") as file, files.opened(file) as content:
        yield content


def link(asset: Asset, extension: str = "") -> str:
    """An absolute address that anybody may fetch the picture from until it expires (an hour, at least).

    With `FOR_FEEDS` as its extension it gives what `rendition_of` makes of the picture.
    """
    token = signing.current().sign(asset.id, purpose=LINK_PURPOSE, expires_at=signing.stable_expiry(LINK_LIFETIME))
    return f"{settings.current().public_url}/assets/{token}.{extension or asset.extension}"


def rendition_of(asset: Asset) -> Path:
    """Where the picture lies as a JPEG that picture feeds take, drawn once and kept beside it; raises as `reading`."""
    path = keeping.path(asset.sha256, "feed.jpg")
    if not path.is_file():
        from patchbay.pictures import renditions

        with reading(asset) as content, keeping.new_file() as file:
            file.write(renditions.for_feeds(content))
            keeping.put(file, path)
    return path


def public_address(user_id: str, address: str, content_type: str, *, copy_id: str) -> str:
    """An address for a platform to fetch the picture from; as a JPEG for feeds when `content_type` asks for one.

    A picture of another server is copied for that, once under `copy_id`. Raises what `read_picture` raises.
    """
    own = _own_token(address)
    if not content_type and own is None:
        return address
    if own is None and not is_kept(copy_id):
        picture = _fetched(address)
        upload(user_id, picture.content, picture.filename, asset_id=copy_id)
    asset = _own_asset(user_id, own) if own is not None else get(user_id, copy_id)
    return link(asset, FOR_FEEDS if content_type == "image/jpeg" else "")


def opened(token: str) -> tuple[Asset, datetime]:
    """The asset that a link's token names, and when the link ends (aware UTC).

    Raises NotFound when it is forged, has expired or is gone.
    """
    try:
        asset_id, ends_at = signing.current().opened(token, purpose=LINK_PURPOSE)
    except Forbidden as error:
        raise NotFound("asset link") from error
    with tenancy.everyone():  # the link is for whoever has it
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
    path = keeping.path(asset.sha256, asset.extension)
    filename = f"{_file_stem(asset.name)}.{asset.extension}"
    return Picture(filename, asset.content_type, asset.name, asset.size_bytes, _reader(path))


def check_addresses(user_id: str, addresses: list[str]) -> None:
    """Check pictures' addresses before anything is started with them. Raises Invalid naming `mockupUrls`."""
    for address in addresses:
        own = _own_token(address)
        if own is not None:
            _own_asset(user_id, own)
            continue
        try:
            net.current().check_address(address)
        except AddressBlocked as error:
            raise Invalid({"mockupUrls": error.sentence}) from None


def _own_asset(user_id: str, token: str) -> Asset:
    """The asset behind a link, for its owner: a run may begin or go on long after the link has ended for others."""
    try:
        asset_id, _ends_at = signing.current().signed(token, purpose=LINK_PURPOSE)
        return get(user_id, asset_id)
    except (Forbidden, NotFound):
        raise Invalid({"mockupUrls": N_("This link has expired. Take a new one.")}) from None


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


def _keep(content: Content, asset: Asset, *, declared_name: str = "") -> Asset:
    """Write the bytes, then the row that names them: a kill in between leaves a file that nobody names."""
    from patchbay.pictures import inspect  # Pillow stays out of processes that draw nothing

    with keeping.new_file() as file:
        picture = inspect.read_picture(content, declared_name=declared_name, kept=file)
        asset.id, asset.created_at = asset.id or reserve(), clock.now()
        asset.content_type, asset.extension = picture.content_type, picture.extension.removeprefix(".")
        asset.width, asset.height = picture.width, picture.height
        asset.size_bytes, asset.sha256 = picture.size_bytes, picture.sha256
        keeping.put(file, keeping.path(asset.sha256, asset.extension))
    try:
        with transaction() as session:
            session.add(asset)
    except IntegrityError:  # two workers had the same reserved id, and the other was first
        return db.session.get_one(Asset, asset.id)
    return asset


def _fetched(address: str) -> Picture:
    from patchbay.pictures import inspect

    try:
        reply = net.current().fetch_public(address, max_bytes=MAX_FETCHED_BYTES, accept=("image/*",))
    except AddressBlocked as error:
        raise Invalid({"mockupUrls": error.sentence}) from None
    if reply.status != 200:
        detail = f"the picture's address answered HTTP {reply.status}"
        raise NetworkError(detail, provider=urlsplit(address).hostname or "")
    kept, stem = BytesIO(), _file_stem(Path(urlsplit(address).path).stem)
    picture = inspect.read_picture(reply.body, declared_name="", kept=kept)
    filename = f"{stem}{picture.extension}"
    return Picture.of(kept.getvalue(), filename=filename, content_type=picture.content_type, name=stem)


def _own_token(address: str) -> str | None:
    """The token of one of our own links; they are known by their path and never fetched over the network."""
    here = urlsplit(settings.current().public_url)
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if (parts.scheme, parts.netloc) != (here.scheme, here.netloc) or not parts.path.startswith("/assets/"):
        return None
    return parts.path.removeprefix("/assets/").rpartition(".")[0]


def _clean_name(file_name: str) -> str:
    """A name to show: the last part of a path, without control characters, not too long."""
    name = "".join(character for character in file_name.replace("\\", "/").split("/")[-1] if character.isprintable())
    stem, dot, extension = name.strip().rpartition(".")
    return f"{(stem or extension)[:NAME_LENGTH]}{dot if stem else ''}{extension[:8] if stem else ''}" or "design"


def _file_stem(name: str) -> str:
    stem = "".join(character if character.isalnum() or character in " -_–" else "-" for character in name).strip()
    return stem[:NAME_LENGTH] or "picture"
