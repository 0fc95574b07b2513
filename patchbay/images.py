"""Small pictures for pages: of imported records, of assets and of templates, made once and kept in the home.

Pages may load pictures from this site only, so those of platforms are fetched here, by `net`, and shown again. What
does not live here: the pictures that users own (`assets`), and making them small (`pictures`).
"""

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from patchbay import assets, clock, net, providers, settings, signing, tenancy
from patchbay.errors import Forbidden, NotFound, PatchbayError
from patchbay.models import Asset, Connection, Record, db
from patchbay.net import MIB, Outgoing
from patchbay.pictures.files import Content

BOX = 256
LINK_PURPOSE = "image"
LINK_LIFETIME = timedelta(hours=24)
FETCH_TIMEOUT_S = 6.0
LARGEST_BYTES = 20 * MIB
GIVEN_UP_FOR = timedelta(minutes=10)
_drawing = threading.Lock()


def pictures_of(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The pictures that a stored object names (`url`, `alt`), in its order."""
    images = data.get("images") or []
    return [image for image in images if isinstance(image, Mapping) and isinstance(image.get("url"), str)]


def of_record(record: Record, number: int) -> str:
    """The token of a record's picture, counted from 0."""
    return _token("record", record.id, str(number))


def of_asset(asset: Asset) -> str:
    """The token of an asset's small version."""
    return _token("asset", asset.id)


def of_template(template_id: str) -> str:
    """The token of a template without a design."""
    return _token("template", template_id)


def of_address(connection: Connection, address: str) -> str:
    """The token of a picture that the connection's platform names right now; "" for what is no address."""
    is_address = address.startswith(("https://", "http://")) and not any(letter.isspace() for letter in address)
    return _token("address", connection.id, address) if is_address else ""


@tenancy.everyone()
def small(token: str) -> bytes:
    """The picture as a WebP of at most 256 × 256 pixels, for whoever has its token.

    Raises NotFound: forged, ended, gone, or not to be had.
    """
    try:
        kind, *words = signing.current().unsign(token, purpose=LINK_PURPOSE).split()
    except Forbidden as error:
        raise NotFound("image") from error
    return _MAKERS[kind](*words)


def original(record: Record, number: int) -> bytes:
    """A record's picture as the platform has it, counted from 0. Raises NotFound, and what `net` raises."""
    return _fetched(*_source(record, number))


def forget_old(*, older_than: timedelta) -> int:
    """Delete kept pictures that were made longer ago; they are made again when asked for. Returns how many."""
    limit = (clock.now() - older_than).timestamp()
    old = [path for path in _folder().glob("*/*") if path.stat().st_mtime < limit]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _token(*words: str) -> str:
    return signing.current().sign(
        " ".join(words), purpose=LINK_PURPOSE, expires_at=signing.stable_expiry(LINK_LIFETIME)
    )


def _record(record_id: str, number: str) -> bytes:
    record = db.session.get(Record, record_id)
    if record is None:
        raise NotFound("image")
    address, hosts = _source(record, int(number))
    return _kept(f"{bool(hosts)} {address}", lambda: _shrunk(_fetched(address, hosts)))


def _source(record: Record, number: int) -> tuple[str, tuple[str, ...]]:
    """Where a record's picture is, and the hosts that the sandbox plays for it."""
    found = pictures_of(record.data)
    if number >= len(found):
        raise NotFound("image")
    hosts = _played_hosts(db.session.get_one(Connection, record.connection_id))
    address = str(found[number]["url"])
    db.session.rollback()  # nothing stays open across a request
    return address, hosts


def _address(connection_id: str, address: str) -> bytes:
    connection = db.session.get(Connection, connection_id)
    if connection is None:
        raise NotFound("image")
    hosts = _played_hosts(connection)
    db.session.rollback()  # nothing stays open across a request
    return _kept(f"{bool(hosts)} {address}", lambda: _shrunk(_fetched(address, hosts)))


def _played_hosts(connection: Connection) -> tuple[str, ...]:
    """The hosts that the sandbox plays for the connection."""
    return providers.get(connection.integration_id).hosts if connection.is_sandbox else ()


def _asset(asset_id: str) -> bytes:
    asset = db.session.get(Asset, asset_id)
    if asset is None:
        raise NotFound("image")
    return _kept(asset.sha256, lambda: _shrunk_asset(asset))


def _template(template_id: str) -> bytes:
    from patchbay.pictures import templates

    with _drawing:  # a page asks for all templates at once; side by side they would hold up every other request
        return _kept(template_id, lambda: templates.preview(template_id, BOX))


_MAKERS: Mapping[str, Callable[..., bytes]] = {
    "record": _record,
    "address": _address,
    "asset": _asset,
    "template": _template,
}


def _fetched(address: str, sandboxed_hosts: tuple[str, ...]) -> bytes:
    asking = Outgoing("GET", address, headers={"Accept": "image/*"}, timeout_s=FETCH_TIMEOUT_S, max_bytes=LARGEST_BYTES)
    reply = net.current().send(asking, sandboxed_hosts=sandboxed_hosts)
    if reply.status != 200:
        raise NotFound(f"the picture's address answered HTTP {reply.status}")
    return reply.body


def _shrunk_asset(asset: Asset) -> bytes:
    with assets.reading(asset) as content:
        return _shrunk(content)


def _shrunk(content: Content) -> bytes:
    from patchbay.pictures import thumbnails

    return thumbnails.fit(content, box=BOX)


def _kept(name: str, make: Callable[[], bytes]) -> bytes:
    """What is kept under `name`, made the first time; an empty file says for a while that it cannot be made."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    path = _folder() / digest[:2] / f"{digest}.webp"
    kept = _read(path)
    if kept is None:
        try:
            kept = make()
        except PatchbayError:
            kept = b""
        _write(path, kept)
    if not kept:
        raise NotFound("image")
    return kept


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
        is_stale = not content and clock.now().timestamp() - path.stat().st_mtime > GIVEN_UP_FOR.total_seconds()
    except OSError:
        return None
    return None if is_stale else content


def _write(path: Path, content: bytes) -> None:
    """Put the bytes in place at once. No sync: what is lost is made again."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)


def _folder() -> Path:
    return settings.current().home / "images"
